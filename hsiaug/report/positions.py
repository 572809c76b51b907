"""Marks of an axis of logarithms; how texts beside marks are cut and where they stand, so that none lies on another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

__all__ = ["apart", "decades", "labelled", "shortened"]


def apart(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Places as near to those wanted as can be, in their order, ``step`` apart and from low to high.

    wanted: in rising order. Where they do not all fit, they reach beyond ``high``.
    """
    blocks: list[list[float]] = []
    for i, place in enumerate(wanted):
        blocks.append([place - i * step])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    level = [fmean(block) for block in blocks for _ in block]
    highest = max(low, high - (len(wanted) - 1) * step)
    return [min(max(place, low), highest) + i * step for i, place in enumerate(level)]


def shortened(text: str, most: int) -> str:
    """The text in at most that many letters, cut in its middle: names of arms end in their λ and ω."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head].rstrip()}…{text[head + 1 - most :].lstrip()}"


def decades(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times powers of ten from at most the smallest to at least the largest of positive values."""
    low, high = min(values), max(values)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high) + 1e-9)
    every = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
    below = max((i for i, mark in enumerate(every) if mark <= low * (1 + 1e-9)), default=0)
    above = min(i for i, mark in enumerate(every) if mark >= high * (1 - 1e-9))
    return every[below : max(above, below + 1) + 1]


def labelled(marks: Sequence[float], most: int) -> list[float]:
    """Those of :func:`decades` that have a label: the powers of ten where there are two, and at most ``most``."""
    tens = [mark for mark in marks if f"{mark:.3e}".startswith("1.000")]
    chosen = tens if len(tens) > 1 else list(marks)
    return chosen[:: -(-len(chosen) // most)]
