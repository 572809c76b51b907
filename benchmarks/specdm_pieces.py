"""Are pieces of generated tiles copies of pieces of training tiles?

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_pieces STORE [DATA ...] [ARM ...]
    [DRAW]

Cuts pieces of 5×5, 9×9 and 17×17 pixels out of held-out tiles and out of those of ``specdm``, of
``mosaic``, of ``quilt`` and of ``gaussian-pairs`` (by default draw 100), at random, and looks for
the nearest piece of the training tiles, at any place and in any of the eight turns of a square.
``specdm`` learns tiles at any angle, so its pieces are looked for once more among training tiles
that are turned by 0, 15, 30, 45, 60 and 75 degrees ("at any angle"). Writes
benchmarks/results/specdm/pieces-DATA-DRAW.csv:

nearest: median distance to it, in standard deviations of a value. nearer_5, nearer_50: share of
pieces that lie nearer than 5 % and 50 % of the held-out pieces do. copies: share within a tenth of
the usual held-out distance. All shares in percent.

Distances are those of :mod:`hsiaug.metrics.dense.pieces`, which ``hsiaug inspect`` reports too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rotate

from benchmarks.common import say, write_csv
from benchmarks.specdm_quality import DATA, OUT
from hsiaug.metrics.dense.pieces import PieceDistances, piece_distances
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.trial_run import SceneContext

ARMS = ("specdm", "mosaic", "quilt", "gaussian-pairs")
DRAW, MADE = 100, 40
COPY = 0.1
ANGLES = (15, 30, 45, 60, 75)


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if name in DATA] or list(DATA)
    arms = [name for name in asked if name in ARMS] or list(ARMS)
    draw = next((int(word) for word in asked if word.isdigit()), DRAW)
    for name in names:
        rows: list[dict[str, Any]] = []
        for arm, (train, held_out, made) in tile_sets(name, store, arms, draw).items():
            for side, pieces in piece_distances(train, held_out, made).items():
                if arm == arms[0]:
                    rows.append(row_of(name, side, "held-out", pieces.held_out, pieces))
                rows.append(row_of(name, side, arm, pieces.made, pieces))
                say(str(rows[-1]))
                write_csv(OUT / f"pieces-{name}-{draw}.csv", rows)
            if arm == "specdm":
                for side, pieces in piece_distances(at_angles(train), held_out, made).items():
                    rows.append(row_of(name, side, "specdm, at any angle", pieces.made, pieces))
                    say(str(rows[-1]))
                    write_csv(OUT / f"pieces-{name}-{draw}.csv", rows)


def at_angles(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, T, B, H, W), and the same turned by ANGLES."""
    turned = [images]
    for angle in ANGLES:
        parts = [
            rotate(tile, angle, axes=(-2, -1), reshape=False, order=3, mode="reflect")
            for tile in images
        ]
        turned.append(np.stack(parts))
    return np.concatenate(turned)


def row_of(
    name: str, side: int, tiles: str, apart: NDArray[np.float64], pieces: PieceDistances
) -> dict[str, Any]:
    """A row of the file."""
    held = pieces.held_out
    return {
        "data": name,
        "side": side,
        "tiles": tiles,
        "pieces": len(apart),
        "nearest": round(float(np.median(apart)), 3),
        "nearer_5": share(apart < np.quantile(held, 0.05)),
        "nearer_50": share(apart < np.quantile(held, 0.5)),
        "copies": share(apart < COPY * np.median(held)),
    }


def share(which: NDArray[np.bool_]) -> float:
    """In percent."""
    return round(100 * float(which.mean()), 1)


def tile_sets(
    name: str, store: Path, arms: Sequence[str], draw: int
) -> dict[str, list[NDArray[np.float32]]]:
    """Images (n, T, B, H, W) of training tiles, held-out tiles and those of each generator."""
    task, ref, protocol = DATA[name]
    kit = sample_kit(task)
    data = kit.task.data.load(ref)
    context = SceneContext(data, get_task(task), store / "cache")
    sets = {}
    for arm in arms:
        request = SampleRequest(arm, protocol and parse_protocol(protocol), seed=draw, count=MADE)
        made: Any = synthesise(kit, data, request, registry(), context=context)
        held = real_samples(made.split, made.split.test)
        sets[arm] = [made.real.images, held.images, made.synthetic.images]
    return sets


if __name__ == "__main__":
    main()
