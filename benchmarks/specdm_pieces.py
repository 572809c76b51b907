"""Are pieces of generated tiles copies of pieces of training tiles?

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.specdm_pieces STORE [DATA ...] [ARM ...]

Cuts pieces of 5×5, 9×9 and 17×17 pixels out of held-out tiles and out of those of ``specdm``, of
``quilt`` and of ``gaussian-pairs`` (draw 100, which no table is made of), at random, and looks for
the nearest piece of the training tiles, at any place and in any of the eight turns of a square.
Writes benchmarks/results/specdm/pieces-DATA.csv:

nearest: median distance to it, in standard deviations of a value. nearer_5, nearer_50: share of
pieces that lie nearer than 5 % and 50 % of the held-out pieces do. copies: share within a tenth of
the usual held-out distance. All shares in percent.

A piece is compared by the six leading principal components of each date, standardised together.
The sixteen likeliest pieces are found along 32 principal directions of pieces, and then compared in
full, so a distance may be somewhat too large, and a share too small.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import say, write_csv
from benchmarks.specdm_quality import DATA, OUT
from hsiaug.metrics.neighbours import turn_maps
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import SampleRequest
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.scene_context import SceneContext

Maps = NDArray[np.float32]

ARMS = ("specdm", "quilt", "gaussian-pairs")
DRAW, MADE, PIECES = 100, 24, 120
SIDES = (5, 9, 17)
COMPONENTS, DIRECTIONS, LIKELIEST = 6, 32, 16
SAMPLED = 4000
"""Pieces of training tiles that the directions are taken of."""
CHUNK = 50_000
"""Places of training tiles that are looked at at a time."""
COPY = 0.1


def main() -> None:
    store, asked = Path(sys.argv[1]), sys.argv[2:]
    names = [name for name in asked if name in DATA] or list(DATA)
    arms = [name for name in asked if name in ARMS] or list(ARMS)
    for name in names:
        rows: list[dict[str, Any]] = []
        sets = tile_sets(name, store, arms)
        space = components(sets["training"])
        maps = {arm: project(images, *space) for arm, images in sets.items()}
        for side in SIDES:
            library = Library(maps["training"], side)
            apart = {
                arm: library.nearest(pieces(maps[arm], side)) for arm in maps if arm != "training"
            }
            held = apart["held-out"]
            for arm, distance in apart.items():
                row = {
                    "data": name,
                    "side": side,
                    "tiles": arm,
                    "pieces": len(distance),
                    "nearest": round(float(np.median(distance)), 3),
                    "nearer_5": share(distance < np.quantile(held, 0.05)),
                    "nearer_50": share(distance < np.quantile(held, 0.5)),
                    "copies": share(distance < COPY * np.median(held)),
                }
                rows.append(row)
                say(str(row))
                write_csv(OUT / f"pieces-{name}.csv", rows)


def share(which: NDArray[np.bool_]) -> float:
    """In percent."""
    return round(100 * float(which.mean()), 1)


def tile_sets(name: str, store: Path, arms: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Images (n, T, B, H, W) of training and held-out tiles, and of each generator."""
    task, ref, protocol = DATA[name]
    kit = sample_kit(task)
    data = kit.task.data.load(ref)
    context = SceneContext(data, get_task(task), store / "cache")
    sets: dict[str, NDArray[np.float32]] = {}
    for arm in arms:
        request = SampleRequest(arm, protocol and parse_protocol(protocol), seed=DRAW, count=MADE)
        made: Any = synthesise(kit, data, request, registry(), context=context)
        sets["training"] = made.real.images
        sets["held-out"] = real_samples(made.split, made.split.test).images
        sets[arm] = made.synthetic.images
    return sets


def components(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (B,) and axes (B, d) of spectra, scaled so that all components together have a mean
    variance of 1 per value.
    """
    spectra = np.moveaxis(images, 2, -1).reshape(-1, images.shape[2]).astype(np.float64)
    mean = spectra.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(spectra.T))
    axes = vectors[:, ::-1][:, :COMPONENTS]
    return mean, axes / np.sqrt(values[::-1][:COMPONENTS].mean())


def project(images: NDArray[np.float32], mean: Any, axes: Any) -> Maps:
    """(n, T, B, H, W) → (n, T·d, H, W)."""
    scores = np.einsum("ntbhw,bk->ntkhw", images - mean[:, None, None], axes, optimize=True)
    return scores.reshape(len(images), -1, *images.shape[3:]).astype(np.float32)


def pieces(maps: Maps, side: int) -> Maps:
    """(m, k, side, side) of random places of maps (n, k, H, W)."""
    rng = np.random.default_rng(DRAW)
    tile = rng.integers(len(maps), size=PIECES)
    at = rng.integers(maps.shape[-1] - side + 1, size=(PIECES, 2))
    cut = [
        maps[i, :, r : r + side, c : c + side] for i, (r, c) in zip(tile, at.tolist(), strict=True)
    ]
    return np.stack(cut)


class Library:
    """All pieces of training tiles maps (n, k, H, W)."""

    def __init__(self, maps: Maps, side: int) -> None:
        self.views = np.lib.stride_tricks.sliding_window_view(maps, (side, side), axis=(2, 3))
        places = self.views.shape[2:4]
        grid = np.indices((len(maps), *places)).reshape(3, -1)
        self.tile, self.row, self.column = grid
        some = self.cut(np.random.default_rng(DRAW).integers(len(self.tile), size=SAMPLED))
        flat = some.astype(np.float64)
        _, vectors = np.linalg.eigh(np.cov(flat.T))
        self.axes = vectors[:, ::-1][:, :DIRECTIONS].astype(np.float32)
        chunks = range(0, len(self.tile), CHUNK)
        self.projected = np.concatenate(
            [self.cut(np.arange(i, min(i + CHUNK, len(self.tile)))) @ self.axes for i in chunks]
        )

    def cut(self, which: NDArray[np.integer]) -> Maps:
        """(m, k·side²) the pieces of these numbers."""
        found = self.views[self.tile[which], :, self.row[which], self.column[which]]
        return np.ascontiguousarray(found.reshape(len(which), -1))

    def nearest(self, asked: Maps) -> NDArray[np.float64]:
        """(m,) distance of pieces (m, k, side, side) to the nearest, in any turn, a value."""
        half = np.square(self.projected).sum(axis=1) / 2
        best = np.full(len(asked), np.inf)
        for turned in turn_maps(asked):
            flat = np.ascontiguousarray(turned).reshape(len(asked), -1)
            score = (flat @ self.axes) @ self.projected.T - half
            likely = np.argpartition(-score, LIKELIEST, axis=1)[:, :LIKELIEST]
            for i, which in enumerate(likely):
                apart = np.square(self.cut(which) - flat[i]).mean(axis=1).min()
                best[i] = min(best[i], float(np.sqrt(apart)))
        return best


if __name__ == "__main__":
    main()
