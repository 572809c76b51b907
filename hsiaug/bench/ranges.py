"""Lists of numbers, draws and settings, as people type them on the command line and in suites."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from math import isfinite

from hsiaug.base.errors import InputError

MAX_NUMBERS = 1000
"""Numbers of a range, and draws, at most: more is a slip of the step, or of a zero."""
DIGITS = 18
"""Digits of the number of a split at most."""
WORD = 40
"""Characters of a number or a range that are read; no number that is meant has so many."""


def words(text: str) -> list[str]:
    """Names between commas. Raises InputError for commas without a name, which would stand for the
    default.
    """
    found = _split_list(text)
    if text and not found:
        raise InputError(
            "a list must hold at least one name",
            value=repr(text),
            hint="Leave out the option for its default.",
        )
    return found


def _split_list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(option: str, text: str) -> list[float]:
    """Numbers and ranges START:STOP:STEP (STOP included) between commas, as ``0,0.5,1:3:1``.

    Parameters
    ----------
    option : str
        What the text was given for, to be named by the InputError that is raised for anything
        else.
    """
    listed = [(word, _range(word)) for word in _split_list(text)]
    wrong = [word for word, found in listed if not found]
    if wrong or not listed:
        raise InputError(
            f"{option} must be numbers, or rising ranges START:STOP:STEP of at most {MAX_NUMBERS}"
            " numbers, between commas",
            value=repr(wrong[0] if wrong else text),
            hint=f"Write {option} 0.5,1 or {option} 0:1.5:0.25 for example.",
        )
    return [number for _, found in listed for number in found]


def _range(word: str) -> list[float]:
    """The numbers of a word; none where it cannot be read."""
    try:
        # Decimals, so that 0:1:0.1 holds the very 0.3 that would be typed: numbers enter the hashes
        # of trials.
        start, *more = map(
            Decimal, word.split(":") if word.isascii() and len(word) <= WORD else ["nan"]
        )
    except InvalidOperation:
        return []
    if not all(map(isfinite, (start, *more))) or len(more) not in (0, 2):
        return []
    stop, step = more or (start, Decimal(1))
    # In floats, for a count that may have any size.
    if not float(step) > 0 or not 0 <= (float(stop) - float(start)) / float(step) < MAX_NUMBERS:
        return []
    return [float(start + i * step) for i in range(int((stop - start) / step) + 1)]


def integers(option: str, text: str) -> list[int]:
    """Whole numbers and rising ranges between commas, as ``3,5,8-9``. Raises InputError for
    anything else.
    """
    number = rf"[0-9]{{1,{DIGITS}}}"
    parts = _split_list(text)
    listed = []
    if all(re.fullmatch(rf"{number}(-{number})?", part) for part in parts):
        ends = [part.partition("-")[::2] for part in parts]
        listed = [range(int(first), int(last or first) + 1) for first, last in ends]
    if not listed or not all(listed) or sum(map(len, listed)) > MAX_NUMBERS:
        rule = (
            f"{option} must be whole numbers and rising ranges between commas, {MAX_NUMBERS} at"
            " most"
        )
        raise InputError(rule, value=repr(text), hint="For example 3,5,8-9.")
    return list(dict.fromkeys(number for part in listed for number in part))


def codes(text: str) -> tuple[int, ...]:
    """Codes of labels between commas; "none" is no code. Raises InputError for another text."""
    listed = [] if text.strip().lower() == "none" else _split_list(text)
    whole = all(re.fullmatch(r"-?[0-9]{1,18}", word) for word in listed)
    if not whole or (not listed and text.strip().lower() != "none"):
        raise InputError(
            "`unlabelled` must be codes between commas",
            value=repr(text),
            hint="For example 255,0, or none.",
        )
    return tuple(map(int, listed))


def seeds(text: str) -> list[int]:
    """Seeds: ``5`` = 0..4, ``100-109`` = that range, ``3,5,8-9`` = these. Raises InputError for
    anything else.
    """
    try:
        found = integers("`seeds`", text)
        if re.fullmatch(r"[\s,]*[0-9]+[\s,]*", text):
            found = integers("`seeds`", f"0-{found[0] - 1}")
    except InputError as error:
        rule = (
            f"`seeds` must be a number of seeds, or a range or list of seeds, {MAX_NUMBERS} at most"
        )
        raise InputError(
            rule, value=repr(text), hint="Write 5 for seeds 0 to 4, 100-109, or 3,5,8-9."
        ) from error
    return found


def settings(texts: Iterable[object]) -> dict[str, dict[str, str]]:
    """{plugin: {parameter: text}} from ``PLUGIN.PARAMETER=VALUE``. Raises InputError for another
    form.
    """
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        # A suite may list anything.
        typed = text if isinstance(text, str) else ""
        match = re.fullmatch(r"([^.=:]+(?::[^=]+)?)\.([^.=]+)=(.*)", typed)
        if match is None:
            rule = "--set must be PLUGIN.PARAMETER=VALUE"
            hint = "For example --set smote.neighbours=3."
            raise InputError(rule, value=repr(text), hint=hint)
        plugin, name, value = match.groups()
        values.setdefault(plugin, {})[name] = value
    return values
