"""Known damage to real masks: what a score must be able to see, and the steps of its calibration curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.core.tiles import IGNORE
from hsiaug.metrics.dense.layout import segments

Masks = NDArray[np.int64]

FURTHEST = 8
"""Pixels that a mask is shifted by at most; where that does not reach q, the damage stays below it."""


def damage(masks: Masks, kind: str, percent: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Masks (n, H, W) of which about ``percent`` % of the labelled pixels are wrong; ``masks`` stays as it is.

    kind: one of DAMAGES. ids: sorted class ids, all that ``masks`` has or more; wrong labels are among them. Segments
    ("swap") or whole tiles (the others) are damaged in random order until the share is met. A kind may not
    reach it: a shift cannot mislabel a tile of one class. The same pixels
    are labelled in the answer: where damage would take a label, it stays. Raises InputError for an unknown kind.
    """
    if kind not in DAMAGES:
        raise InputError(f"damage {kind!r} is not known", hint=did_you_mean(kind, DAMAGES))
    if percent <= 0:
        return masks.copy()
    return DAMAGES[kind](masks, percent / 100, ids, rng)


def permute_masks(masks: Masks, rng: np.random.Generator) -> Masks:
    """Every tile with the mask of another one."""
    order = rng.permutation(len(masks))
    donors = np.empty_like(order)
    donors[order] = np.roll(order, 1)
    return masks[donors]


def _swap(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Whole segments get another class, each other class as likely."""
    labels = segments(masks)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    order = 1 + rng.permutation(len(sizes) - 1)
    chosen = order[: _enough(sizes[order], share * sizes.sum())]
    offset = np.zeros(len(sizes), dtype=np.int64)
    offset[chosen] = rng.integers(1, len(ids), size=len(chosen))
    place = np.searchsorted(ids, masks) + offset[labels]
    return np.where(masks == IGNORE, IGNORE, np.asarray(ids)[place % len(ids)])


def _shift(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Masks moved by 1, 2, … pixels, all in one of eight directions: the image and its mask do not register."""
    dy, dx = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)][int(rng.integers(8))]

    def moved(by: int) -> Masks:
        padded = np.pad(masks, ((0, 0), (by, by), (by, by)), mode="edge")
        high, wide = masks.shape[1:]
        return padded[:, by + dy * by : by + dy * by + high, by + dx * by : by + dx * by + wide]

    return _of_tiles(masks, share, moved, rng)


def _permute(masks: Masks, share: float, ids: Sequence[int], rng: np.random.Generator) -> Masks:
    """Tiles get the mask of another tile."""
    worse = permute_masks(masks, rng)
    return _of_tiles(masks, share, lambda by: worse, rng, steps=1)


def _of_tiles(
    masks: Masks, share: float, damaged: Callable[[int], Masks], rng: np.random.Generator, steps: int = FURTHEST
) -> Masks:
    """The least step of damage that can reach the share, on as many tiles as reach it."""
    labelled = masks != IGNORE
    target, best, most = share * labelled.sum(), masks, np.zeros(len(masks), dtype=np.int64)
    for by in range(1, steps + 1):
        full = damaged(by)
        full = np.where(labelled & (full != IGNORE), full, masks)
        wrong = (full != masks).sum(axis=(1, 2))
        if wrong.sum() > most.sum():
            best, most = full, wrong
        if most.sum() >= target:
            break
    order = rng.permutation(len(masks))
    chosen = order[: _enough(most[order], target)]
    out = masks.copy()
    out[chosen] = best[chosen]
    return out


def _enough(sizes: NDArray[np.int64], target: float) -> int:
    """How many of these, in order, come nearest to the target sum."""
    sums = np.concatenate([[0], np.cumsum(sizes)])
    return int(np.abs(sums - target).argmin())


DAMAGES: dict[str, Callable[[Masks, float, Sequence[int], np.random.Generator], Masks]] = {
    "swap": _swap,
    "shift": _shift,
    "permute": _permute,
}
"""Kinds of damage: segments of another class, misregistration, masks of other tiles."""
