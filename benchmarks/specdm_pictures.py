"""Draw real pairs next to synthetic ones, for docs/specdm.md, with the version that is installed.

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_pictures STORE [DRAW]
    [PICTURE ...]

Takes fits from the store's cache, and makes those that are not there. Writes
docs/images/GENERATOR_DATA.png (scenes: see benchmarks.make_scenes): columns are tiles, rows are
the real image, of each date, and its mask, then the same of the arms of :data:`PICTURES`. Real and
generated tiles are drawn at random; of OSCD, among the half with the most change. All images of a
set are stretched alike.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import HERE, check_usage
from benchmarks.specdm_quality import ARMS, DATA
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext

IMAGES = HERE.parent / "docs" / "images"
COLOURS = {"houston": (20, 12, 5), "jasper": (27, 17, 8), "floods": (3, 2, 1), "oscd": (3, 2, 1)}
"""Bands shown as red, green and blue, counted from 0."""
PICTURES = {
    "specdm_houston": ("houston", ("specdm", "mosaic", "gaussian-pairs")),
    "mosaic_oscd": ("oscd", ("mosaic", "gaussian-pairs")),
}
"""The set and the arms of each picture, as :mod:`benchmarks.specdm_quality` names them."""
DRAW, MADE, SHOWN = 100, 40, 8
"""Draw 100 is one that no table is made of."""
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
    """Draw the pictures that are named, or all."""
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    draw = next((int(word) for word in asked if word.isdigit()), DRAW)
    for title in [word for word in asked if word in PICTURES] or list(PICTURES):
        name, arms = PICTURES[title]
        rows: list[list[NDArray[np.uint8]]] = []
        stretch: tuple[Any, Any] | None = None
        for arm in arms:
            made = drawn(name, arm, draw, store)
            if stretch is None:
                stretch = limits(made.real.images, COLOURS[name])
                rows += tiles(made.real, name, stretch)
            rows += tiles(made.synthetic, name, stretch)
        IMAGES.joinpath(f"{title}.png").write_bytes(picture(rows))


def drawn(name: str, arm: str, draw: int, store: Path) -> Any:
    """Real training pairs of a draw and generated ones."""
    task, ref, protocol = DATA[name]
    kit = sample_kit(task)
    data = kit.task.data.load(ref)
    rule = protocol and parse_protocol(protocol)
    generator, settings = ARMS[arm]
    request = SampleRequest(generator, rule, seed=draw, count=MADE, overrides=settings)
    context = SceneContext(data, get_task(task), store / "cache")
    return synthesise(kit, data, request, registry(), context=context)


def limits(images: NDArray[np.float32], bands: tuple[int, ...]) -> tuple[Any, Any]:
    """The 1st and 99th percentile of each band shown."""
    chosen = images[:, :, list(bands)]
    low, high = (np.percentile(chosen, q, axis=(0, 1, 3, 4)) for q in (1, 99))
    return low, high


def tiles(samples: Any, name: str, stretch: tuple[Any, Any]) -> list[list[NDArray[np.uint8]]]:
    """Rows of images, one for each date, and of masks."""
    rng = np.random.default_rng(DRAW)
    at = np.arange(len(samples.masks))
    if name == "oscd":
        at = np.argsort(-(samples.masks == 2).mean(axis=(1, 2)), kind="stable")[: len(at) // 2]
    at = rng.choice(at, size=SHOWN, replace=False)
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
    check_usage(__doc__, 1)
    main()
