"""Are pieces of generated tiles copies of pieces of training tiles?

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_pieces STORE [DATA ...] [ARM ...]
    [DRAW]

Cuts pieces of 5×5, 9×9 and 17×17 pixels out of held-out tiles and out of those of ``specdm``, of
``mosaic``, of ``quilt`` and of ``gaussian-pairs`` (by default draw 100), at random, and looks for
the nearest piece of the training tiles, at any place and in any of the eight turns of a square.
``specdm`` learns tiles at any angle, so its pieces are looked for once more among training tiles
that are turned by 0, 15, 30, 45, 60 and 75 degrees ("at any angle"). Writes
benchmarks/results/specdm/pieces-DATA-DRAW.csv:

shown: "all" pieces, or those whose mask has one class or several. Areas of one class have little
contrast, so their pieces lie near one another, and where held-out tiles have few of them, "all" are
compared with pieces of other things. pieces: how many were looked at. nearest: median distance to
the nearest training piece, in standard deviations of a value. nearer_5, nearer_50: share of pieces
that lie nearer than 5 % and 50 % of the held-out pieces of that row do. copies: share within a
tenth of the usual held-out distance. All shares in percent. Rows with fewer than 20 held-out or
made pieces are left out.

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

from benchmarks.common import check_usage, say, write_csv
from benchmarks.specdm_quality import DATA, OUT
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.pieces import cut_pieces, piece_distances
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
REPEATS = 3
"""Sets of pieces that are cut out."""
FEWEST = 20
"""Pieces of a row at least."""


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if name in DATA] or list(DATA)
    arms = [name for name in asked if name in ARMS] or list(ARMS)
    draw = next((int(word) for word in asked if word.isdigit()), DRAW)
    for name in names:
        rows: list[dict[str, Any]] = []
        for arm, (train, held_out, made) in tile_sets(name, store, arms, draw).items():
            rows += rows_of(name, arm, train.images, held_out, made)
            if arm == "specdm":
                rows += rows_of(
                    name, f"{arm}, at any angle", at_angles(train.images), held_out, made
                )
            # Pieces of held-out tiles are the same for every arm.
            rows = [row for i, row in enumerate(rows) if row not in rows[:i]]
            write_csv(OUT / f"pieces-{name}-{draw}.csv", rows)


def rows_of(
    name: str, arm: str, train: NDArray[np.float32], held_out: DenseSamples, made: DenseSamples
) -> list[dict[str, Any]]:
    """The rows of one arm, and of held-out tiles beside it."""
    found = [piece_distances(train, held_out.images, made.images, seed) for seed in range(REPEATS)]
    rows = []
    for side in found[0]:
        held, own = (
            np.concatenate([distances[side][place] for distances in found]) for place in (0, 1)
        )
        several_held, several_made = (show_several(tiles.masks, side) for tiles in (held_out, made))
        for shown, which_held, which_made in (
            ("all", np.full(len(held), True), np.full(len(own), True)),
            ("one class", ~several_held, ~several_made),
            ("several", several_held, several_made),
        ):
            usual, these = held[which_held], own[which_made]
            if min(len(usual), len(these)) < FEWEST:
                continue
            place = {"data": name, "side": side, "shown": shown}
            # At any angle there are more training pieces, so held-out ones are nearer too.
            beside = "held-out, at any angle" if arm.endswith("angle") else "held-out"
            rows.append({**place, "tiles": beside, **row_of(usual, usual)})
            rows.append({**place, "tiles": arm, **row_of(these, usual)})
            say(str(rows[-1]))
    return rows


def show_several(masks: NDArray[np.integer], side: int) -> NDArray[np.bool_]:
    """Whether each piece of :func:`piece_distances` shows several classes."""
    maps = masks[:, None].astype(np.float32)
    pieces = np.concatenate(
        [cut_pieces(maps, side, derive_seed("pieces", seed, side)) for seed in range(REPEATS)]
    )
    flat = pieces.reshape(len(pieces), -1)
    several: NDArray[np.bool_] = flat.min(axis=1) < flat.max(axis=1)
    return several


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


def row_of(these: NDArray[np.float64], usual: NDArray[np.float64]) -> dict[str, Any]:
    """Columns of distances (n,), beside those of held-out pieces (m,)."""
    return {
        "pieces": len(these),
        "nearest": round(float(np.median(these)), 3),
        "nearer_5": share(these < np.quantile(usual, 0.05)),
        "nearer_50": share(these < np.quantile(usual, 0.5)),
        "copies": share(these < COPY * np.median(usual)),
    }


def share(which: NDArray[np.bool_]) -> float:
    """In percent."""
    return round(100 * float(which.mean()), 1)


def tile_sets(
    name: str, store: Path, arms: Sequence[str], draw: int
) -> dict[str, tuple[DenseSamples, DenseSamples, DenseSamples]]:
    """Training tiles, held-out tiles and those of each generator."""
    task, ref, protocol = DATA[name]
    kit = sample_kit(task)
    data = kit.task.data.load(ref)
    context = SceneContext(data, get_task(task), store / "cache")
    rule = parse_protocol(protocol) if protocol else None
    sets = {}
    for arm in arms:
        request = SampleRequest(arm, rule, seed=draw, count=MADE)
        made: Any = synthesise(kit, data, request, registry(), context=context)
        held = real_samples(made.split, made.split.test)
        sets[arm] = (made.real, held, made.synthetic)
    return sets


if __name__ == "__main__":
    check_usage(__doc__, 1)
    main()
