"""Write cards of scenes that are not in the catalogue, for the suites and the speed benchmarks of this folder.

    python -m benchmarks.make_scenes FOLDER

FOLDER holds ``Houston2018_crop/houston_dataset.mat`` (CASI-1500, 128×128×48, labels at 0.25 m) and ``JasperRidge/``
``jasperRidge2_R198.mat`` with ``_EndJasperRidge2_R198.mat`` (AVIRIS, 100×100×198, abundances of four endmembers). The
cards go to ``benchmarks/scenes/``, which git ignores. A pixel of Jasper Ridge gets the class of the endmember with
more than half of it, and none where no endmember has.

Where FOLDER holds them, a card of ``Samson/`` (95×95×156, three endmembers) is written too, and the cities of ``OSCD/``
(one archive each) are unpacked, so that HSIAUG_DATA_DIR=benchmarks/scenes finds them.

Where FOLDER also holds ``ground_truth_only/paviaU_gt.mat`` and ``PaviaU_lowres_crop/``, a third card is written: the
labels of Pavia University (610×340) with a **simulated** cube of 103 bands. It is of that scene's size and layout, for
speed and memory; what a classifier scores on it means nothing.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import distance_transform_edt, gaussian_filter

OUT = Path(__file__).parent / "scenes"

HOUSTON = """\
name = "houston_crop"
draws = "houston_crop" # as its committed records were drawn
title = "Houston 2018, a crop of 128×128 pixels; class names are not recorded"

[cube]
file = "houston_cube.npy"
scale = 1e-4
units = "scaled radiance"

[labels]
file = "houston_labels.npy"
cells = 4
names = [{names}]
ids = [{ids}]

[sensor]
name = "CASI-1500"
gsd = 1.0
range_nm = [380, 1050]
"""

JASPER = """\
name = "jasper_ridge"
draws = "jasper_ridge" # as its committed records were drawn
title = "Jasper Ridge; the class of a pixel is the endmember with more than half of it"

[cube]
file = "jasper_cube.npy"

[labels]
file = "jasper_labels.npy"
names = ["tree", "water", "dirt", "road"]

[sensor]
name = "AVIRIS"
"""

SAMSON = """\
name = "samson"
draws = "samson" # as its committed records were drawn
title = "Samson; the class of a pixel is the endmember with more than half of it"

[cube]
file = "samson_cube.npy"

[labels]
file = "samson_labels.npy"
names = ["rock", "tree", "water"]

[sensor]
name = "SAMSON"
range_nm = [401, 889]
"""

PAVIA = """\
name = "simulated_pavia"
draws = "simulated_pavia" # as its committed records were drawn
title = "SIMULATED, of the size of Pavia University: its labels, spectra drawn from class means and covariances"

[cube]
file = "pavia_cube.npy"

[labels]
file = "pavia_labels.npy"
names = [
    "Asphalt", "Meadows", "Gravel", "Trees", "Painted metal sheets", "Bare Soil", "Bitumen", "Self-Blocking Bricks",
    "Shadows",
]

[sensor]
name = "simulated"
gsd = 1.3
range_nm = [430, 860]
"""


def main() -> None:
    source = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    houston = loadmat(source / "Houston2018_crop" / "houston_dataset.mat")
    codes = houston["clasLabs"]
    ids = [int(code) for code in np.unique(codes) if code > 0]
    np.save(OUT / "houston_cube.npy", houston["hyprImg"])
    np.save(OUT / "houston_labels.npy", codes.astype(np.int16))
    names = ", ".join(f'"class {i}"' for i in ids)
    (OUT / "houston_crop.toml").write_text(
        HOUSTON.format(names=names, ids=", ".join(map(str, ids))), encoding="utf-8"
    )

    cube = (
        loadmat(source / "JasperRidge" / "jasperRidge2_R198.mat")["Y"].T.reshape(100, 100, 198, order="F") / 5000
    )
    share = loadmat(source / "JasperRidge" / "_EndJasperRidge2_R198.mat")["A"]
    labels = np.where(share.max(axis=0) > 0.5, share.argmax(axis=0) + 1, 0).reshape(100, 100, order="F")
    np.save(OUT / "jasper_cube.npy", cube.astype(np.float32))
    np.save(OUT / "jasper_labels.npy", labels.astype(np.int16))
    (OUT / "jasper_ridge.toml").write_text(JASPER, encoding="utf-8")
    if (source / "Samson").is_dir():
        write_samson(source)
    if (source / "OSCD").is_dir():
        for archive in sorted((source / "OSCD").glob("*.tar.xz")):
            with tarfile.open(archive, "r:xz") as file:
                file.extractall(OUT / "oscd", filter="data")
    if (source / "PaviaU_lowres_crop").is_dir():
        simulate_pavia(source)


def write_samson(source: Path) -> None:
    """Samson, 95×95×156; as for Jasper Ridge the class of a pixel is the endmember with more than half of it."""
    cubes = {path.name: loadmat(path) for path in (source / "Samson").glob("*.mat")}
    cube = next(c["V"] for c in cubes.values() if "V" in c).T.reshape(95, 95, 156, order="F")
    share = next(c["A"] for c in cubes.values() if "A" in c)
    labels = np.where(share.max(axis=0) > 0.5, share.argmax(axis=0) + 1, 0).reshape(95, 95, order="F")
    np.save(OUT / "samson_cube.npy", cube.astype(np.float32))
    np.save(OUT / "samson_labels.npy", labels.astype(np.int16))
    (OUT / "samson.toml").write_text(SAMSON, encoding="utf-8")


def simulate_pavia(source: Path) -> None:
    """Every pixel gets a spectrum of its class (of its nearest labelled pixel's), smoothed a little in space."""
    labels = loadmat(source / "ground_truth_only" / "paviaU_gt.mat")["paviaU_gt"].astype(np.int16)
    crop = loadmat(source / "PaviaU_lowres_crop" / "reg_pavia_dataset.mat")["I1"].astype(np.float64)
    known = np.load(source / "PaviaU_lowres_crop" / "labels_projected.npz")["labels_majority"]
    rng = np.random.default_rng(0)
    nearest = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    everywhere = labels[tuple(nearest)]
    cube = np.empty((*labels.shape, crop.shape[2]), dtype=np.float32)
    for c in range(1, int(labels.max()) + 1):
        spectra = crop[known == c]
        covariance = np.cov(spectra, rowvar=False) if len(spectra) > 1 else np.zeros((crop.shape[2],) * 2)
        here = everywhere == c
        cube[here] = rng.multivariate_normal(spectra.mean(axis=0), covariance, size=int(here.sum()), method="eigh")
    cube = gaussian_filter(cube, sigma=(0.7, 0.7, 0))
    np.save(OUT / "pavia_cube.npy", np.clip(cube, 0, None))
    np.save(OUT / "pavia_labels.npy", labels)
    (OUT / "simulated_pavia.toml").write_text(PAVIA, encoding="utf-8")


if __name__ == "__main__":
    main()
