"""Parameters of plugins that name a file or folder: what lies there is part of a trial's identity, not its name alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hsiaug.errors import InputError
from hsiaug.files import file_errors

__all__ = ["file_of", "sealed_path"]

MARK = "#sha256:"
DIGITS = 16
BLOCK = 2**20


def sealed_path(text: str, option: str) -> str:
    """A path as typed, with the checksum of what lies there. Raises InputError where nothing does, or something else than
    the checksum says that ``text`` may already have.
    """
    path, _, told = text.partition(MARK)
    if not _is_there(path):
        raise InputError(
            f"{option}: no such file or folder", value=path, hint="Give a path that can be read from here."
        )
    with file_errors(f"{option}: cannot read {path}", "Give a path that can be read from here."):
        found = _checksum(Path(path))
    if told and told != found:
        raise InputError(
            f"{option}: {path} has changed since it was first used",
            value=f"checksum {found}, then {told}",
            hint=f"Bring the old file back, or leave out {MARK}{told} and run the trials anew.",
        )
    return f"{path}{MARK}{found}"


def file_of(value: str, option: str) -> Path:
    """The path that a parameter made with ``param(…, file=True)`` names.

    Raises InputError where none was given, and where what lies there has changed since the trial was planned.
    """
    if not value:
        raise InputError(
            f"{option} must name a file or folder", value="none", hint=f"Give it with --set {option}=PATH."
        )
    return Path(sealed_path(value, option).partition(MARK)[0])


def _is_there(path: str) -> bool:
    """Whether a file or folder is; pipes and devices may have no end."""
    try:
        return bool(path) and (Path(path).is_file() or Path(path).is_dir())
    except OSError:  # a name too long
        return False


def _checksum(path: Path) -> str:
    """Of a file's bytes; of a folder, of the names and bytes of all files in it."""
    whole = hashlib.sha256()
    inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    for file in inside:
        whole.update(os.fsencode(file.relative_to(path).as_posix()) + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(BLOCK):
                whole.update(block)
    return whole.hexdigest()[:DIGITS]
