"""Paths as people type them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_file", "user_path"]


def is_file(path: Path) -> bool:
    """True where there is such a file; False also for a name that the system refuses, as one that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def user_path(text: str) -> Path:
    """The path, with ``~`` as the user's home; as it is where there is no such user, and so no such file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
