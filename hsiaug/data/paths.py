"""Paths as people type them, and what lies there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal

__all__ = ["cache_dir", "file_checksum", "is_file", "user_path"]


def is_file(path: Path) -> bool:
    """True where there is such a file; False also for a name that the system refuses, as one that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def user_path(text: str) -> Path:
    """The path, with ``~`` as the user's home; as it is where there is no such user, and so no such file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def cache_dir() -> Path:
    """For what can be made again: $HSIAUG_CACHE_DIR if set, else the user's cache folder for hsiaug."""
    import platformdirs

    chosen = os.environ.get("HSIAUG_CACHE_DIR")
    return user_path(chosen) if chosen else Path(platformdirs.user_cache_dir("hsiaug", appauthor=False))


def file_checksum(path: Path, algorithm: Literal["sha256", "md5"] = "sha256") -> str:
    """Of a file's bytes, in hexadecimal digits. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
