"""Parameters of plugins that name a file or folder: what lies there is part of a trial's identity, not its name alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors

MARK = "#sha256:"
DIGITS = 16


def sealed_path(text: str, option: str) -> str:
    """A path as typed, with the checksum of what lies there and belongs to it.

    Raises InputError where nothing does, or something else than the checksum says that ``text`` may already have.
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
            f"{option} must name a file or folder", value="none", hint=f"Give it with `{option}=PATH`."
        )
    return Path(sealed_path(value, option).partition(MARK)[0])


def _is_there(path: str) -> bool:
    """Whether a file or folder is; pipes and devices may have no end."""
    try:
        return bool(path) and (Path(path).is_file() or Path(path).is_dir())
    except OSError:  # a name too long
        return False


def _checksum(path: Path) -> str:
    """Checksum of the names and bytes of all files in a folder; of a file, and of those beside it that have its name with
    another ending, as a header has."""
    folder = path if path.is_dir() else path.parent
    found = folder.rglob("*") if path.is_dir() else [one for one in folder.iterdir() if _stem(one) == _stem(path)]
    whole = hashlib.sha256()
    for file in sorted(one for one in found if one.is_file()):
        whole.update(hashlib.sha256(os.fsencode(file.relative_to(folder).as_posix())).digest())
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:DIGITS]


def _stem(path: Path) -> str:
    """The name without any ending: of lib.sli, lib.hdr and lib.sli.hdr it is lib."""
    return path.name.partition(".")[0]
