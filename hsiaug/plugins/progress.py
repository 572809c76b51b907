"""What a plugin says of its progress, as plain values: a slip in it must cost no trial, nor what shows it."""

from __future__ import annotations

import math
from numbers import Real

from hsiaug.text import shortened, visible

__all__ = ["progress_values"]

MOST = 10**12
LONGEST_NOTE = 120


def progress_values(done: object, total: object, note: object = "") -> tuple[int, int, str]:
    """Steps done, steps in all, and the note as one line. What is no number counts as 0, what has no text as nothing."""
    return _steps(done), _steps(total), _line(note)


def _steps(value: object) -> int:
    try:
        number = float(value) if isinstance(value, Real) else 0.0
    except Exception:  # a number of the plugin's own making may raise anything
        return 0
    return int(min(max(number, 0.0), MOST)) if not math.isnan(number) else 0


def _line(note: object) -> str:
    try:
        # Of a str of a class of its own the text alone: it has to cross to another process.
        text = str.__str__(note) if isinstance(note, str) else "" if note is None else str(note)
    except Exception:
        return ""
    return shortened(visible(str(text)), LONGEST_NOTE)
