"""Files that a command is to write: the ending says what is in them, and a wrong one costs no work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hsiaug.base.errors import InputError

PICTURES = (".png", ".svg", ".pdf")
TABLES = (".md", ".tex", ".csv", ".json")
"""Endings of a figure and of a table, for every command that has one to write."""


def check_target(path: Path, endings: Sequence[str], option: str = "`out`") -> str:
    """The ending of ``path`` in small letters, which is one of ``endings``; "" among them allows a name without one.

    Raises InputError for another ending, a folder, or a file in a folder that is not there.
    """
    ending = path.suffix.lower()
    if ending not in endings:
        known = [one for one in endings if one]
        listed = " or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)
        example = path.with_suffix(known[0]) if path.name else f"file{known[0]}"
        raise InputError(
            f"{option} must end in {listed}", value=repr(str(path)), hint=f"For example {option} {example}."
        )
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise InputError(
            f"{option} {path} must be a file in a folder that exists",
            value="a folder" if path.is_dir() else f"no folder {path.parent}",
            hint="Make the folder first, or name another file.",
        )
    return ending


def check_targets(paths: Sequence[Path], endings: Sequence[str]) -> None:
    """:func:`check_target` of each of several files. Raises InputError for one that is named twice too."""
    for place, path in enumerate(paths):
        check_target(path, endings)
        if path.absolute() in {other.absolute() for other in paths[:place]}:
            raise InputError(
                "`out` must name each file once", value=f"{str(path)!r} twice", hint="Leave out one of them."
            )
