"""Names of files with a checksum of what they hold, so that a file with other content is another
parameter, and so another trial: ``resnet18.pt#1f2e…``.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from hsiaug.api import InputError, user_path

DIGITS = 12
"""Of a checksum."""


def name_and_checksum(text: str) -> tuple[str, str]:
    """The name of a file, and its checksum where one is stated, else ""."""
    match = re.fullmatch(rf"(.+)#([0-9a-f]{{{DIGITS}}})", text, re.DOTALL)
    return (match[1], match[2]) if match else (text, "")


def check_stated(name: str, stated: str, checksum: str, content: str, option: str) -> None:
    """Raise InputError where a file has another checksum than is stated.

    Parameters
    ----------
    name : str
        Of the file.
    stated : str
        The checksum that its name states; "" = any.
    checksum : str
        That of its content.
    content : str
        What the file holds, in the plural.
    option : str
        What a user types before the name of the file.
    """
    if stated and stated != checksum:
        rule = f"{name} must hold the {content} of checksum {stated}"
        hint = f"Bring that file back, or write {option}{name} for the {content} that it holds."
        raise InputError(rule, value=checksum, hint=hint)


def weights_file(text: str, option: str) -> tuple[Path, str] | None:
    """A file of weights, and its name with the checksum of its content.

    Parameters
    ----------
    text : str
        Name of the file, with a checksum or without.
    option : str
        What a user types before it.

    Returns
    -------
    tuple of Path and str, or None
        None where there is no such file, or it cannot be read.

    Raises
    ------
    InputError
        Where the file holds other weights than the checksum says.
    """
    name, stated = name_and_checksum(text)
    path = user_path(name)
    with suppress(OSError, ValueError):
        if path.is_file():
            status = path.stat()
            checksum = _checksum(path.absolute(), status.st_size, status.st_mtime_ns)
            check_stated(name, stated, checksum, "weights", option)
            return path, f"{name}#{checksum}"
    return None


@lru_cache(maxsize=8)
def _checksum(path: Path, size: int, date: int) -> str:
    """Kept by size and date of the file: a plan asks for it at each of its trials, and weights are
    large.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
