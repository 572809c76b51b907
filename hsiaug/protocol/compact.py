"""Compact draws: one clump of training pixels per class, as a field team takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.protocols import Draw

__all__ = ["KEPT_FOR_TEST", "SMALL_CLASS", "compact_draw", "dilate"]

SMALL_CLASS = 60
"""Below this many labelled pixels a class's clump sits at an end of its component (evaluation protocol)."""
KEPT_FOR_TEST = 3
"""A clump that leaves a class fewer test pixels than this is drawn again, or made smaller."""
TRIES = 100


def dilate(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Pixels within Chebyshev distance ``radius`` of the mask."""
    from scipy import ndimage

    if radius == 0:
        return mask.copy()
    grown: NDArray[np.bool_] = ndimage.maximum_filter(mask, size=2 * radius + 1, mode="constant", cval=False)
    return grown


def compact_draw(
    labels: NDArray[np.int16], wanted: Mapping[int, int], radius: int, rng: np.random.Generator
) -> Draw:
    """One clump of ``wanted[c]`` pixels for each class c of ``labels`` (H, W), small classes first.

    A clump is refused where, with a buffer of ``radius`` pixels, it would leave any class placed so far
    fewer than ``KEPT_FOR_TEST`` test pixels; small classes keep fewer training pixels where that helps.
    """
    train = np.zeros(labels.shape, dtype=bool)
    notes: list[str] = []
    sizes = {c: int((labels == c).sum()) for c in wanted}
    placed: list[int] = []
    for c in sorted(wanted, key=lambda c: (sizes[c], c)):
        placed.append(c)
        small = sizes[c] < SMALL_CLASS
        candidates = _ends if small else _clumps
        best, most = None, -1
        for clump in candidates(labels == c, wanted[c], rng):
            trial = train.copy()
            trial[tuple(clump.T)] = True
            left = _fewest_left(labels, trial, placed, radius)
            if left > most:
                best, most = clump, left
            if left >= KEPT_FOR_TEST:
                break
        assert best is not None
        train[tuple(best.T)] = True
        if len(best) < wanted[c]:
            notes.append(
                f"class {c} keeps {len(best)} of {wanted[c]} training pixels, so that some remain for test"
            )
    return Draw(train, np.zeros_like(train), tuple(notes))


def _fewest_left(labels: NDArray[np.int16], train: NDArray[np.bool_], classes: list[int], radius: int) -> int:
    free = labels[~dilate(train, radius)]
    left = np.bincount(free, minlength=max(classes) + 1)
    return int(min(left[c] for c in classes))


def _nearest(pixels: NDArray[np.intp], start: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    distance = ((pixels - start) ** 2).sum(axis=1)
    return pixels[np.argsort(distance, kind="stable")[:count]]


def _components(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Pixels (n, 2) of each 8-connected component, largest first."""
    from scipy import ndimage

    numbered, count = ndimage.label(mask, structure=np.ones((3, 3)))
    # One pass over the scene, however many components it has.
    pixels, ids = np.argwhere(mask), numbered[mask]
    ends = np.cumsum(np.bincount(ids, minlength=count + 1)[1:])
    parts = np.split(pixels[np.argsort(ids, kind="stable")], ends[:-1]) if count else []
    return sorted(parts, key=len, reverse=True)


def _clumps(mask: NDArray[np.bool_], count: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """The class pixels nearest to random starts, in components that hold a whole clump where there are any."""
    everything = np.argwhere(mask)
    large = [part for part in _components(mask) if len(part) >= count]
    starts = np.concatenate(large) if large else everything
    for _ in range(TRIES):
        start = starts[rng.integers(len(starts))]
        yield _nearest(everything, start, count)


def _ends(mask: NDArray[np.bool_], count: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Clumps at the ends of components along their long axis: all ends at full size first, then smaller."""
    ends = []
    for part in _components(mask):
        centred = part - part.mean(axis=0)
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        along = centred @ axis
        ends += [(part, part[along.argmin()]), (part, part[along.argmax()])]
    for size in range(count, 0, -1):
        for i in rng.permutation(len(ends)):
            part, start = ends[i]
            if len(part) > size:
                yield _nearest(part, start, size)
    # Where every component is a single pixel, any of them is an end.
    yield np.argwhere(mask)[:1]
