"""Draw real pairs above synthetic ones, for docs/specdm.md.

    python -m benchmarks.specdm_pictures STORE FOLDER PICTURE ...

Takes fits from the store's cache, and makes those that are not there. Writes FOLDER/PICTURE.png for
names of :data:`PICTURES` (scenes: see benchmarks.make_scenes): columns are tiles, rows are the real
image, of each date, and its mask, then the same of each configuration. Tiles are drawn at random;
of OSCD, among the half with the most change. All images of a set are stretched alike.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import check_usage
from benchmarks.specdm_audit import pairs_of

COLOURS = {"houston": (20, 12, 5), "jasper": (27, 17, 8), "oscd": (3, 2, 1)}
"""Bands shown as red, green and blue, counted from 0."""
PICTURES = {
    "specdm_houston": ("houston", ("moved", "sampled", "mosaic", "gaussian")),
    "specdm_jasper": ("jasper", ("moved", "sampled")),
    "specdm_oscd": ("oscd", ("moved", "sampled")),
}
"""The set and the configurations of each picture, as :mod:`benchmarks.specdm_audit` names them."""
SEED, SHOWN = 100, 8
SIDE, GAP = 64, 4
"""Pixels of a tile on the picture, and between two."""
PALETTE = np.array(
    [
        *(
            (32, 32, 32),
            (31, 119, 180),
            (255, 127, 14),
            (44, 160, 44),
            (214, 39, 40),
            (148, 103, 189),
        ),
        *(
            (140, 86, 75),
            (227, 119, 194),
            (127, 127, 127),
            (188, 189, 34),
            (23, 190, 207),
            (174, 199, 232),
        ),
        (255, 187, 120),
    ]
)
"""Colours of the ids of masks, 0 is ignored."""


def main() -> None:
    """Draw the pictures that are named."""
    store, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for title in sys.argv[3:]:
        name, configurations = PICTURES[title]
        rows: list[list[NDArray[np.uint8]]] = []
        stretch: tuple[Any, Any] | None = None
        for configuration in configurations:
            made = pairs_of(name, configuration, store)
            if stretch is None:
                stretch = limits(made.real.images, COLOURS[name])
                rows += tiles(made.real, name, stretch)
            rows += tiles(made.synthetic, name, stretch)
        (folder / f"{title}.png").write_bytes(picture(rows))


def limits(images: NDArray[np.float32], bands: tuple[int, ...]) -> tuple[Any, Any]:
    """The 1st and 99th percentile of each band shown."""
    chosen = images[:, :, list(bands)]
    low, high = (np.percentile(chosen, q, axis=(0, 1, 3, 4)) for q in (1, 99))
    return low, high


def tiles(samples: Any, name: str, stretch: tuple[Any, Any]) -> list[list[NDArray[np.uint8]]]:
    """Rows of images, one for each date, and of masks."""
    rng = np.random.default_rng(SEED)
    at = np.arange(len(samples.masks))
    if name == "oscd":
        at = np.argsort(-(samples.masks == 2).mean(axis=(1, 2)), kind="stable")[: len(at) // 2]
    at = rng.choice(at, size=SHOWN, replace=len(at) < SHOWN)
    low, high = stretch
    rows = []
    for date in range(samples.images.shape[1]):
        shown = np.moveaxis(samples.images[at, date][:, list(COLOURS[name])], 1, -1)
        shown = (255 * np.clip((shown - low) / (high - low), 0, 1)).astype(np.uint8)
        rows.append(list(shown))
    palette = np.array([(0, 0, 0), (96, 96, 96), (255, 255, 255)]) if name == "oscd" else PALETTE
    return [*rows, list(palette[samples.masks[at]].astype(np.uint8))]


def picture(rows: list[list[NDArray[np.uint8]]]) -> bytes:
    """PNG of tiles in rows and columns."""
    across = len(rows[0])
    sheet = Image.new("RGB", (across * (SIDE + GAP) - GAP, len(rows) * (SIDE + GAP) - GAP), "white")
    for r, row in enumerate(rows):
        for c, tile in enumerate(row):
            large = Image.fromarray(tile).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            sheet.paste(large, (c * (SIDE + GAP), r * (SIDE + GAP)))
    out = io.BytesIO()
    sheet.quantize(96, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


if __name__ == "__main__":
    check_usage(__doc__, 3)
    main()
