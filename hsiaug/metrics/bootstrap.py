"""How sure the difference of two classifiers is on the test pixels of one draw, when neighbours are alike.

A pixel's error says what its neighbours' errors are: fields are of one kind, and patches overlap. Resampling pixels
one by one, as McNemar's test does in effect, counts the same error many times and gives an interval that is too narrow.
Resampling whole blocks keeps what lies within a block together (the block bootstrap for spatial data: P. Hall,
Stochastic Processes and their Applications 20, 1985; S. N. Lahiri, Resampling Methods for Dependent Data, Springer
2003, ch. 12). Here blocks are the tiles of one fixed grid that hold a test pixel, drawn with replacement, as many as
there are; and the interval is that of the percentiles. Beyond Hall and Lahiri: where pixels one by one give an end
that lies farther out, that end is taken. Blocks cannot see the spread of a class whose pixels all lie in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.metrics.accuracy import ManyScores, grouped_confusion

__all__ = ["FEWEST_BLOCKS", "RESAMPLES", "BlockInterval", "Pixels", "block_bootstrap"]

FEWEST_BLOCKS = 10
"""With fewer blocks the percentiles of their resamples say more of the grid than of the classifiers."""

RESAMPLES = 2000
"""Draws of blocks. From seed to seed the ends of an interval then move by about 3 % of its half-width."""

AT_ONCE = 250
"""Resamples whose confusion matrices are held at once."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """The test pixels of one draw, and what two classifiers called them.

    row, column: (n,) integer, position in the scene. true, a, b: (n,) integer, class ids 1..classes.
    """

    row: NDArray[np.integer]
    column: NDArray[np.integer]
    true: NDArray[np.integer]
    a: NDArray[np.integer]
    b: NDArray[np.integer]
    classes: int

    def __post_init__(self) -> None:
        shapes = {array.shape for array in (self.row, self.column, self.true, self.a, self.b)}
        if len(shapes) != 1 or self.true.ndim != 1 or not self.true.size:
            raise InputError(
                "row, column, true class and both predictions must have one entry for each test pixel",
                value=f"shapes {sorted(shapes)}",
                hint="Pass the pixels that both classifiers predicted, in one order.",
            )
        for ids in (self.true, self.a, self.b):
            if ids.min() < 1 or ids.max() > self.classes:
                raise InputError(
                    f"class ids must lie in 1..{self.classes}",
                    value=f"{ids.min()}..{ids.max()}",
                    hint="Leave out pixels without a label.",
                )


@dataclass(frozen=True)
class BlockInterval:
    """The difference b − a of a metric on the test pixels of one draw.

    difference: on all pixels, as a fraction. low, high: percentiles of the resampled differences, of blocks or of
        single pixels, whichever lie farther out.
    side: of the blocks in pixels. blocks: that hold a test pixel. pixels: test pixels.
    inflation: variance of the difference over that from resampling pixels one by one: so many pixels count as one.
        None where the latter is 0.
    narrow: class ids whose test pixels all lie in one block, of whose spread within blocks nothing is known.
    """

    difference: float
    low: float
    high: float
    side: int
    blocks: int
    pixels: int
    inflation: float | None
    narrow: tuple[int, ...]


def block_bootstrap(
    pixels: Pixels, metric: ManyScores, *, side: int, seed: int, level: float = 0.95, resamples: int = RESAMPLES
) -> BlockInterval:
    """Interval for metric(b) − metric(a) on the test pixels of one draw, from resampled blocks of ``side``² pixels.

    Both classifiers are resampled together, so the pairing by pixel is kept. Equal seeds give equal intervals. The
    interval is about the choice of test ground for two *fitted* classifiers: what another training draw would change is
    not in it.

    Raises InputError for fewer than FEWEST_BLOCKS blocks with a test pixel, a side or level that cannot be, and where
    the metric is not defined on the pixels.
    """
    _check(side, level, resamples)
    rng = np.random.default_rng(seed)
    block = _blocks(pixels, side)
    count = int(block.max()) + 1
    if count < FEWEST_BLOCKS:
        raise InputError(
            f"a block bootstrap needs {FEWEST_BLOCKS} blocks with a test pixel",
            value=f"{count} of {side}×{side} pixels",
            hint="Use smaller blocks only where pixels farther apart than their side are independent.",
        )
    sums_a, sums_b = (
        _matrices(block, count, pixels.true, called, pixels.classes) for called in (pixels.a, pixels.b)
    )
    every = np.ones((1, count), dtype=np.int64)
    seen = _resampled(metric, every, sums_a, sums_b, pixels.classes)
    if not seen.size:
        raise InputError(
            "the metric must be defined on the test pixels", value="none", hint="Take another metric."
        )
    weights = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    blocks = _resampled(metric, weights, sums_a, sums_b, pixels.classes)
    single = _single_pixels(metric, pixels, rng, resamples)
    ends = [np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) for drawn in (blocks, single)]
    alone = float(single.var(ddof=1))
    return BlockInterval(
        difference=float(seen[0]),
        low=float(min(low for low, _ in ends)),
        high=float(max(high for _, high in ends)),
        side=side,
        blocks=count,
        pixels=pixels.true.size,
        inflation=float(blocks.var(ddof=1)) / alone if alone > 0 else None,
        narrow=_narrow(block, pixels.true),
    )


def _check(side: int, level: float, resamples: int) -> None:
    for name, value, fits in (
        ("side must be at least 1 pixel", side, side >= 1),
        ("level must lie between 0 and 1", level, 0 < level < 1),
        ("resamples must be at least 100", resamples, resamples >= 100),
    ):
        if not fits:
            raise InputError(name, value=value, hint="Defaults are twice the patch, 0.95 and 2000.")


def _blocks(pixels: Pixels, side: int) -> NDArray[np.int64]:
    """(n,) number 0..K-1 of the grid tile of each pixel, counting only tiles that hold one."""
    rows, columns = pixels.row // side, pixels.column // side
    tile = rows.astype(np.int64) * (int(columns.max()) + 1) + columns
    return np.unique(tile, return_inverse=True)[1].reshape(-1)


def _matrices(
    group: NDArray[np.int64], count: int, true: NDArray[np.integer], called: NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """(count, C·C) confusion counts of each group; float64, in which such counts are exact and products quick."""
    return grouped_confusion(group, count, true, called, classes).reshape(count, -1).astype(np.float64)


def _resampled(
    metric: ManyScores, weights: NDArray[np.int64], a: NDArray[np.float64], b: NDArray[np.float64], classes: int
) -> NDArray[np.float64]:
    """The finite differences b − a of the metric, one for each row of weights (R, groups)."""
    whole_a, whole_b = (sums.sum(axis=0).astype(np.int64).reshape(classes, classes) for sums in (a, b))
    differences = []
    for start in range(0, len(weights), AT_ONCE):
        part = weights[start : start + AT_ONCE].astype(np.float64)
        drawn_a, drawn_b = ((part @ sums).astype(np.int64).reshape(-1, classes, classes) for sums in (a, b))
        differences.append(metric(drawn_b, whole_b) - metric(drawn_a, whole_a))
    drawn = np.concatenate(differences)
    return drawn[np.isfinite(drawn)]


def _single_pixels(
    metric: ManyScores, pixels: Pixels, rng: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """The differences when pixels are resampled one by one, as if they were independent."""
    # Pixels alike in class and both predictions are drawn as one count: the same law, and far fewer numbers.
    shape = (pixels.classes,) * 3
    ids = [array.astype(np.int64) - 1 for array in (pixels.true, pixels.a, pixels.b)]
    kinds, counts = np.unique(np.ravel_multi_index(tuple(ids), shape), return_counts=True)
    weights = rng.multinomial(pixels.true.size, counts / counts.sum(), size=resamples)
    true, *called = (part + 1 for part in np.unravel_index(kinds, shape))
    each = np.arange(len(kinds), dtype=np.int64)
    a, b = (_matrices(each, len(kinds), true, labels, pixels.classes) for labels in called)
    return _resampled(metric, weights, a, b, pixels.classes)


def _narrow(block: NDArray[np.int64], true: NDArray[np.integer]) -> tuple[int, ...]:
    return tuple(int(c) for c in np.unique(true) if len(np.unique(block[true == c])) == 1)
