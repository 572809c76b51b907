"""Arrays as files hold them, and the error of every reader for a damaged file."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError

__all__ = ["RawArray", "damaged", "let_go", "mapped_file"]

LONGEST = 200
"""Characters of a library's own message that are passed on."""


@dataclass(frozen=True)
class RawArray:
    """An array as its file holds it, perhaps memory-mapped, and what an ENVI header says of it.

    wavelengths: (bands,) float64 in nanometres; scale: what raw values are multiplied with. files: it was read from.
    """

    array: NDArray[Any]
    wavelengths: NDArray[np.float64] | None = None
    scale: float | None = None
    files: tuple[Path, ...] = ()


def damaged(path: Path, kind: str, cause: BaseException, *, hint: str = "copy or export it again") -> SceneError:
    """The error for a file that its own format's reader gives up on. hint: what to do about it."""
    text = str(cause).strip()[:LONGEST].splitlines()
    return SceneError(
        f"{path} must be a whole {kind} file",
        value=f"{type(cause).__name__}: {text[0] if text else 'no details'}",
        hint=f"It is damaged, cut short or of another format: {hint}.",
    )


def mapped_file(array: Any) -> mmap.mmap | None:
    """The mapped file in which an array's values lie, if they do."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, mmap.mmap) else None


def let_go(array: Any) -> None:
    """Give back the memory of what was read of a mapped array; it is read again where it is asked for.

    The system would do so too, but only once memory is short: until then the process would look as large as the file.
    """
    file = mapped_file(array)
    # What was written into a private copy of a file's pages would be lost.
    if file is not None and hasattr(mmap, "MADV_DONTNEED") and memoryview(file).readonly:
        file.madvise(mmap.MADV_DONTNEED)
