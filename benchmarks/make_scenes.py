"""Write cards of two small public scenes that are not in the catalogue, for the suites of this folder.

    python -m benchmarks.make_scenes FOLDER

FOLDER holds ``Houston2018_crop/houston_dataset.mat`` (CASI-1500, 128×128×48, labels at 0.25 m) and ``JasperRidge/``
``jasperRidge2_R198.mat`` with ``_EndJasperRidge2_R198.mat`` (AVIRIS, 100×100×198, abundances of four endmembers). The
cards go to ``benchmarks/scenes/``, which git ignores. A pixel of Jasper Ridge gets the class of the endmember with
more than half of it, and none where no endmember has.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.io import loadmat

OUT = Path(__file__).parent / "scenes"

HOUSTON = """\
name = "houston_crop"
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
title = "Jasper Ridge; the class of a pixel is the endmember with more than half of it"

[cube]
file = "jasper_cube.npy"

[labels]
file = "jasper_labels.npy"
names = ["tree", "water", "dirt", "road"]

[sensor]
name = "AVIRIS"
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


if __name__ == "__main__":
    main()
