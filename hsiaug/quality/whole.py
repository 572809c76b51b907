"""Files that are written whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from hsiaug.errors import InputError

__all__ = ["write_whole"]


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """``write`` a file beside ``path``, which then takes its place. Raises InputError where it cannot be written."""
    fresh = path.with_name(f".{uuid.uuid4().hex}{path.suffix.lower()}")
    try:
        write(fresh)
        fresh.replace(path)
    except OSError as error:
        raise InputError(
            f"--out {path} must be a file that can be written",
            value=error.strerror or error,
            mend="Name another file.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)
