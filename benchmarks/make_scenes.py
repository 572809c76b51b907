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

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.ndimage import distance_transform_edt, gaussian_filter

OUT = Path(__file__).parent / "scenes"

PAVIA_CLASSES = (
    *("Asphalt", "Meadows", "Gravel", "Trees", "Painted metal sheets", "Bare Soil", "Bitumen"),
    *("Self-Blocking Bricks", "Shadows"),
)
MIXED = "the class of a pixel is the endmember with more than half of it"


def main() -> None:
    """Write what the folder holds."""
    source = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    write_houston(source)
    write_jasper(source)
    if (source / "Samson").is_dir():
        write_samson(source)
    if (source / "OSCD").is_dir():
        for archive in sorted((source / "OSCD").glob("*.tar.xz")):
            with tarfile.open(archive, "r:xz") as file:
                file.extractall(OUT / "oscd", filter="data")
    if (source / "PaviaU_lowres_crop").is_dir():
        simulate_pavia(source)


def write_scene(
    name: str, title: str, spectra: NDArray[Any], classes: NDArray[Any], **tables: dict[str, object]
) -> None:
    """Spectra (H, W, B), classes (H, W) and their card. tables: further entries of "cube", "labels" and "sensor"."""
    lines = [f'name = "{name}"', f'draws = "{name}" # as its committed records were drawn', f'title = "{title}"']
    for table, array in (("cube", spectra), ("labels", classes), ("sensor", None)):
        entries = dict(tables.get(table, {}))
        if array is not None:
            np.save(OUT / f"{name}_{table}.npy", array)
            entries = {"file": f"{name}_{table}.npy", **entries}
        lines += ["", f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in entries.items())]
    (OUT / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_houston(source: Path) -> None:
    """A crop of Houston 2018, with labels of 4×4 cells per pixel."""
    houston = loadmat(source / "Houston2018_crop" / "houston_dataset.mat")
    codes = houston["clasLabs"]
    ids = [int(code) for code in np.unique(codes) if code > 0]
    write_scene(
        "houston_crop",
        "Houston 2018, a crop of 128×128 pixels; class names are not recorded",
        houston["hyprImg"],
        codes.astype(np.int16),
        cube={"scale": 1e-4, "units": "scaled radiance"},
        labels={"cells": 4, "names": [f"class {i}" for i in ids], "ids": ids},
        sensor={"name": "CASI-1500", "gsd": 1.0, "range_nm": [380, 1050]},
    )


def write_jasper(source: Path) -> None:
    """Jasper Ridge, 100×100×198."""
    pixels = loadmat(source / "JasperRidge" / "jasperRidge2_R198.mat")["Y"]
    share = loadmat(source / "JasperRidge" / "_EndJasperRidge2_R198.mat")["A"]
    write_scene(
        "jasper_ridge",
        f"Jasper Ridge; {MIXED}",
        (pixels.T.reshape(100, 100, 198, order="F") / 5000).astype(np.float32),
        endmembers(share, (100, 100)),
        labels={"names": ["tree", "water", "dirt", "road"]},
        sensor={"name": "AVIRIS"},
    )


def write_samson(source: Path) -> None:
    """Samson, 95×95×156."""
    contents = [loadmat(path) for path in (source / "Samson").glob("*.mat")]
    share = next(content["A"] for content in contents if "A" in content)
    pixels = next(content["V"] for content in contents if "V" in content)
    write_scene(
        "samson",
        f"Samson; {MIXED}",
        pixels.T.reshape(95, 95, 156, order="F").astype(np.float32),
        endmembers(share, (95, 95)),
        labels={"names": ["rock", "tree", "water"]},
        sensor={"name": "SAMSON", "range_nm": [401, 889]},
    )


def endmembers(share: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.int16]:
    """(H, W) the endmember with more than half of a pixel, else 0. share: (endmembers, H·W), column by column."""
    labels = np.where(share.max(axis=0) > 0.5, share.argmax(axis=0) + 1, 0)
    return labels.reshape(shape, order="F").astype(np.int16)


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
    write_scene(
        "simulated_pavia",
        "SIMULATED, of the size of Pavia University: its labels, spectra drawn from class means and covariances",
        np.clip(cube, 0, None),
        labels,
        labels={"names": PAVIA_CLASSES},
        sensor={"name": "simulated", "gsd": 1.3, "range_nm": [430, 860]},
    )


if __name__ == "__main__":
    main()
