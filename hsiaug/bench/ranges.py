"""Lists of numbers and of draws, as people type them on the command line and in suites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from math import isfinite

from hsiaug.base.errors import InputError

__all__ = ["DIGITS", "LONGEST", "numbers", "seeds", "words"]

LONGEST = 1000
"""Numbers of a range, and draws, at most: more is a slip of the step, or of a zero."""
DIGITS = 18
"""Digits of the number of a draw at most."""
WORD = 40
"""Characters of a number or a range that are read; no number that is meant has so many."""


def words(text: str) -> list[str]:
    """Names between commas. Raises InputError for commas without a name, which would stand for the default."""
    found = _parts(text)
    if text and not found:
        raise InputError(
            "a list must hold at least one name", value=repr(text), hint="Leave out the option for its default."
        )
    return found


def _parts(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(option: str, text: str) -> list[float]:
    """Numbers and ranges START:STOP:STEP (STOP included) between commas, as ``0,0.5,1:3:1``.

    option: what the text was given for, to be named by the InputError that is raised for anything else.
    """
    found = [number for word in _parts(text) for number in _range(option, word)]
    if not found:
        raise InputError(f"{option} must hold at least one number", value=repr(text), hint=f"Write {option} 0.5.")
    return found


def _range(option: str, word: str) -> Iterator[float]:
    try:
        # Decimals, so that 0:1:0.1 holds the very 0.3 that would be typed: numbers enter the hashes of trials.
        parts = [Decimal(part.strip()) for part in word.split(":")] if word.isascii() and len(word) <= WORD else []
    except InvalidOperation:
        parts = []
    if len(parts) not in (1, 3) or (len(parts) == 1 and not isfinite(parts[0])):
        raise InputError(
            f"{option} must be numbers, or ranges START:STOP:STEP, between commas",
            value=repr(word),
            hint=f"Write {option} 0.5,1 or {option} 0:1.5:0.25 for example.",
        )
    if len(parts) == 1:
        yield float(parts[0])
        return
    start, stop, step = parts
    if not (all(map(isfinite, parts)) and float(step) > 0 and start <= stop):
        raise InputError(
            f"{option}: a range must go up from START to STOP in steps above 0",
            value=repr(word),
            hint="Write 0:1.5:0.25 for 0, 0.25, …, 1.5.",
        )
    # In floats, for a count that may have any size.
    if (float(stop) - float(start)) / float(step) >= LONGEST:
        raise InputError(
            f"{option}: a range must hold at most {LONGEST} numbers", value=repr(word), hint="Take a larger step."
        )
    yield from (float(start + i * step) for i in range(int((stop - start) / step) + 1))


def seeds(text: str, option: str = "`draws`") -> list[int]:
    """Draws: ``5`` = 0..4, ``100-109`` = that range, ``3,5,8-9`` = these. Raises InputError for anything else."""
    parts = _parts(text)
    number = rf"[0-9]{{1,{DIGITS}}}"
    if not all(re.fullmatch(rf"{number}(-{number})?", part) for part in parts):
        parts = []
    if len(parts) == 1 and "-" not in parts[0]:
        listed = [range(int(parts[0]))]
    else:
        ends = [part.partition("-")[::2] for part in parts]
        listed = [range(int(first), int(last or first) + 1) for first, last in ends]
    if sum(map(len, listed)) > LONGEST:
        raise InputError(
            f"{option} must be at most {LONGEST} draws",
            value=f"{text!r}, which is {sum(map(len, listed)):,}",
            hint="Five to thirty show what a difference is worth.",
        )
    found = [draw for part in listed for draw in part]
    if not all(listed) or not found:
        raise InputError(
            f"{option} must be a number of draws, or a range or list of draws",
            value=repr(text),
            hint="Write 5 for draws 0 to 4, 100-109, or 3,5,8-9.",
        )
    return list(dict.fromkeys(found))
