"""Paths as people type them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["user_path"]


def user_path(text: str) -> Path:
    """The path, with ``~`` as the user's home; as it is where there is no such user, and so no such file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
