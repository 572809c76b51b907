"""The argument of protocol ``asked``: how many labels are asked for, in what batches, and by which strategy."""

from __future__ import annotations

import re
from typing import NamedTuple

STRATEGIES = ("suggest", "random", "uncertain")
"""Pixels to ask for: those of ``hsiaug suggest``; any; those that its committee disagrees on most."""
MOST = 999
"""Pixels that can be asked for."""


class AskedLabels(NamedTuple):
    """Parts of an argument: pixels in all, in one batch, one of STRATEGIES, and the text of the base protocol."""

    number: int
    batch: int
    strategy: str
    base: str


def read_asked(argument: str) -> AskedLabels | None:
    """``16/4xsuggest:issd`` → 16, 4, ``suggest`` and ``issd``; ``0:issd`` → none at all; None for another form."""
    if argument.strip().startswith("0:"):
        return AskedLabels(0, MOST, "random", argument.strip()[2:])
    form = r"([1-9][0-9]{0,2})(?:/([1-9][0-9]{0,2}))?x([a-z]+):(.+)"
    match = re.fullmatch(form, argument.strip(), flags=re.ASCII | re.DOTALL)
    return AskedLabels(int(match[1]), int(match[2] or MOST), match[3], match[4]) if match else None
