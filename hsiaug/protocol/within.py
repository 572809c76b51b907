"""Nested draws: the training pixels of another protocol, divided again into inner training and inner test pixels.

What is chosen by inner test pixels (a generator, λ, ω) has seen no label but those of the outer training pixels, so
the outer test pixels still judge the choice fairly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hsiaug.errors import SplitError
from hsiaug.protocol.compact import KEPT_FOR_TEST, Draw

__all__ = ["within_draw"]

ENOUGH = 10
"""Test pixels of a class that the buffer leaves where the class has twice as many; half of them where it has fewer."""


def within_draw(
    labels: NDArray[np.int16], outer: NDArray[np.bool_], radius: int, rng: np.random.Generator
) -> Draw:
    """Cut each class's pixels of ``outer`` (H, W) in two by a line of random direction: ⌈n/2⌉ train, the rest test.

    radius: Chebyshev distance in pixels within which no test pixel should lie of a training pixel. A clump may be
    smaller than that: each class keeps the widest buffer, up to ``radius``, that leaves it test pixels enough.
    A class of fewer than 2·``KEPT_FOR_TEST`` pixels is not cut: all of it trains and none is tested.
    Labels outside ``outer`` are not read. Raises SplitError where fewer than two classes can be tested.
    """
    known = np.where(outer, labels, 0)
    train = np.zeros(labels.shape, dtype=bool)
    small = []
    for c in np.unique(known[outer]):
        pixels = np.argwhere(known == c)
        angle = rng.uniform(0, 2 * np.pi)
        count = (len(pixels) + 1) // 2
        if len(pixels) < 2 * KEPT_FOR_TEST:
            small.append(int(c))
            count = len(pixels)
        along = pixels @ np.array([np.sin(angle), np.cos(angle)])
        train[tuple(pixels[np.argsort(along, kind="stable")[:count]].T)] = True
    test, narrow = _buffered(known, train, radius)
    if len(np.unique(known[test])) < 2:
        raise SplitError(
            f"a nested draw needs two classes with at least {2 * KEPT_FOR_TEST} training pixels each",
            value=f"training pixels by class: {', '.join(map(str, np.bincount(known[outer])[1:]))}",
            hint="Take an outer protocol with more training pixels, or all.",
        )
    outside = int(((labels > 0) & ~outer).sum())
    notes = []
    if outside:
        notes.append(f"{outside} labelled pixels are no training pixels of the outer draw and take no part")
    if small:
        listed = ", ".join(map(str, small))
        notes.append(
            f"classes with fewer than {2 * KEPT_FOR_TEST} pixels to divide train whole, untested: {listed}"
        )
    if narrow:
        notes.append(f"some clumps are too small for a buffer of {radius} px: there it is narrower")
    return Draw(train, (labels > 0) & ~train & ~test, tuple(notes))


def _buffered(known: NDArray[np.int16], train: NDArray[np.bool_], radius: int) -> tuple[NDArray[np.bool_], bool]:
    """The test pixels that the buffer leaves, and whether it had to be narrower somewhere."""
    test = (known > 0) & ~train
    distance = ndimage.distance_transform_cdt(~train, metric="chessboard")
    narrow = False
    for c in np.unique(known[test]):
        mine = test & (known == c)
        far = np.sort(distance[mine])[::-1]
        kept = max(KEPT_FOR_TEST, min(ENOUGH, len(far) // 2))
        reach = min(radius, int(far[kept - 1]) - 1)
        narrow |= reach < radius
        test &= ~(mine & (distance <= reach))
    return test, narrow
