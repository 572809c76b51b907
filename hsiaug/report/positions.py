"""How texts beside marks are cut and where they stand, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

__all__ = ["apart", "shortened"]


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
