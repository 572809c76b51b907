"""Write cards of scenes that are not in the catalogue, for the suites and the speed benchmarks of
this folder.

    python -m benchmarks.make_scenes FOLDER

FOLDER holds ``Houston2018_crop/houston_dataset.mat`` (CASI-1500, 128×128×48, labels at 0.25 m) and
``JasperRidge/`` ``jasperRidge2_R198.mat`` with ``_EndJasperRidge2_R198.mat`` (AVIRIS, 100×100×198,
abundances of four endmembers). The cards go to ``benchmarks/scenes/``, which git ignores. A pixel
of Jasper Ridge gets the class of the endmember with more than half of it, and none where no
endmember has.

Where FOLDER holds them, a card of ``Samson/`` (95×95×156, three endmembers) is written too, and the
cities of ``OSCD/`` (one archive each) are unpacked, so that HSIAUG_DATA_DIR=benchmarks/scenes finds
them; so is a card of the chips of ``Sen1Floods11_sample/`` (Sentinel-2, 13 bands, water).

Where FOLDER also holds ``ground_truth_only/paviaU_gt.mat`` and ``PaviaU_lowres_crop/``, a third
card is written: the labels of Pavia University (610×340) with a **simulated** cube of 103 bands. It
is of that scene's size and layout, for speed and memory; what a classifier scores on it means
nothing. ``pavia_crop`` is a card of the 80×50 real pixels.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import distance_transform_edt, gaussian_filter

from benchmarks.common import HERE, check_usage, unmixed_scene

OUT = HERE / "scenes"

CARD = """\
name = "{name}"
draws = "{name}" # as its committed records were drawn
title = "{title}"

[cube]
file = "{files}_cube.npy"
{units}
[labels]
file = "{files}_labels.npy"
{classes}

[sensor]
{sensor}
"""

FLOODS = """\
name = "sen1floods11"
title = "Sen1Floods11: water in chips of Sentinel-2"
task = "segmentation"

[images]
files = ["sen1floods11/{place}_S2Hand.tif"]
scale = 1e-4
units = "reflectance"

[masks]
files = ["sen1floods11/{place}_LabelHand.tif"]
names = ["land", "water"]
codes = [[0], [1]]
ignore = [-1]

[places]
any = {places}
"""

MAJORITY = "the class of a pixel is the endmember with more than half of it"

REMOVED = {*range(1, 4), *range(108, 113), *range(154, 167), *range(220, 225)}
"""Channels of AVIRIS that the 198 of Jasper Ridge lack, from 1 on."""

PAVIA_NAMES = """\
names = [
    "Asphalt", "Meadows", "Gravel", "Trees", "Painted metal sheets",
    "Bare Soil", "Bitumen", "Self-Blocking Bricks", "Shadows",
]"""


def jasper_wavelengths() -> list[float]:
    """nm, to some 10 nm: the file has none, and the 224 channels of AVIRIS lie almost evenly over
    380 to 2500 nm.
    """
    channels = np.linspace(380, 2500, 224).round(1).tolist()
    return [nm for channel, nm in enumerate(channels, start=1) if channel not in REMOVED]


def main() -> None:
    source = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    write_houston(source / "Houston2018_crop" / "houston_dataset.mat")
    jasper = source / "JasperRidge"
    jasper_scene = unmixed_scene(
        jasper / "jasperRidge2_R198.mat", "Y", jasper / "_EndJasperRidge2_R198.mat", scale=5000
    )
    write_unmixed(
        "jasper_ridge",
        f"Jasper Ridge; {MAJORITY}",
        *jasper_scene,
        names=["tree", "water", "dirt", "road"],
        sensor=f'name = "AVIRIS"\nwavelengths = {jasper_wavelengths()}',
    )
    if (source / "Samson").is_dir():
        samson_scene = unmixed_scene(
            source / "Samson" / "samson_1.mat", "V", source / "Samson" / "end3.mat"
        )
        write_unmixed(
            "samson",
            f"Samson; {MAJORITY}",
            *samson_scene,
            names=["rock", "tree", "water"],
            sensor='name = "SAMSON"\nrange_nm = [401, 889]',
        )
    if (source / "OSCD").is_dir():
        for archive in sorted((source / "OSCD").glob("*.tar.xz")):
            with tarfile.open(archive, "r:xz") as file:
                file.extractall(OUT / "oscd", filter="data")
    if (source / "Sen1Floods11_sample").is_dir():
        write_floods(source / "Sen1Floods11_sample")
    if (source / "PaviaU_lowres_crop").is_dir():
        write_pavia_crop(source / "PaviaU_lowres_crop")
        simulate_pavia(source)


def write_scene(
    name: str, files: str, cube: NDArray[Any], labels: NDArray[Any], *, units: str = "", **card: str
) -> None:
    """A card, and beside it the cube (H, W, B) and its labels."""
    np.save(OUT / f"{files}_cube.npy", cube)
    np.save(OUT / f"{files}_labels.npy", labels.astype(np.int16))
    (OUT / f"{name}.toml").write_text(
        CARD.format(name=name, files=files, units=units, **card), encoding="utf-8"
    )


def write_houston(file: Path) -> None:
    """The crop of Houston 2018, its classes by their codes."""
    data = loadmat(file)
    ids = [int(code) for code in np.unique(data["clasLabs"]) if code > 0]
    names = ", ".join(f'"class {i}"' for i in ids)
    write_scene(
        "houston_crop",
        "houston",
        data["hyprImg"],
        data["clasLabs"],
        title="Houston 2018, a crop of 128×128 pixels; class names are not recorded",
        units='scale = 1e-4\nunits = "scaled radiance"\n',
        classes=f"cells = 4\nnames = [{names}]\nids = {ids}",
        sensor='name = "CASI-1500"\ngsd = 1.0\nrange_nm = [380, 1050]',
    )


def write_pavia_crop(folder: Path) -> None:
    """Pixels of Pavia University, blurred, resampled and turned: no number on it is one of Pavia
    University.
    """
    write_scene(
        "pavia_crop",
        "pavia_crop",
        loadmat(folder / "reg_pavia_dataset.mat")["I1"].astype(np.float32),
        np.load(folder / "labels_projected.npz")["labels_majority"],
        title="DERIVED from Pavia University, 80×50 pixels, resampled 4.4×: not that scene",
        classes=PAVIA_NAMES,
        sensor='name = "ROSIS"\ngsd = 5.7\nrange_nm = [430, 860]',
    )


def write_floods(folder: Path) -> None:
    """A card of the chips with their masks of water."""
    shutil.copytree(folder, OUT / "sen1floods11", dirs_exist_ok=True)
    places = sorted(file.name.removesuffix("_S2Hand.tif") for file in folder.glob("*_S2Hand.tif"))
    (OUT / "sen1floods11.toml").write_text(
        FLOODS.replace("{places}", json.dumps(places)), encoding="utf-8"
    )


def write_unmixed(
    name: str,
    title: str,
    cube: NDArray[np.float32],
    shares: NDArray[np.float64],
    *,
    names: list[str],
    sensor: str,
) -> None:
    """A scene of known abundances (endmembers, H, W); where none has more than half, a pixel has no
    class.
    """
    # Column by column, as the files were whose checksums stand in the committed records.
    labels = np.asfortranarray(np.where(shares.max(axis=0) > 0.5, shares.argmax(axis=0) + 1, 0))
    # What examples/hsiaug-abundance learns.
    np.save(OUT / f"{name}_abundances.npy", np.moveaxis(shares, 0, -1).astype(np.float32))
    texts = ", ".join(f'"{text}"' for text in names)
    write_scene(
        name,
        name.split("_")[0],
        cube,
        labels,
        title=title,
        classes=f"names = [{texts}]",
        sensor=sensor,
    )


def simulate_pavia(source: Path) -> None:
    """Every pixel gets a spectrum of its class (of its nearest labelled pixel's), smoothed a little
    in space.
    """
    labels = loadmat(source / "ground_truth_only" / "paviaU_gt.mat")["paviaU_gt"].astype(np.int16)
    crop = loadmat(source / "PaviaU_lowres_crop" / "reg_pavia_dataset.mat")["I1"].astype(np.float64)
    known = np.load(source / "PaviaU_lowres_crop" / "labels_projected.npz")["labels_majority"]
    rng = np.random.default_rng(0)
    nearest = distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    everywhere = labels[tuple(nearest)]
    cube = np.empty((*labels.shape, crop.shape[2]), dtype=np.float32)
    for c in range(1, int(labels.max()) + 1):
        spectra = crop[known == c]
        covariance = (
            np.cov(spectra, rowvar=False) if len(spectra) > 1 else np.zeros((crop.shape[2],) * 2)
        )
        here = everywhere == c
        cube[here] = rng.multivariate_normal(
            spectra.mean(axis=0), covariance, size=int(here.sum()), method="eigh"
        )
    cube = gaussian_filter(cube, sigma=(0.7, 0.7, 0))
    write_scene(
        "simulated_pavia",
        "pavia",
        np.clip(cube, 0, None),
        labels,
        title=(
            "SIMULATED, of the size of Pavia University: its labels, spectra drawn from class means"
            " and covariances"
        ),
        classes=PAVIA_NAMES,
        sensor='name = "simulated"\ngsd = 1.3\nrange_nm = [430, 860]',
    )


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
