"""Arrays whose values lie in a mapped file."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

__all__ = ["let_go", "mapped_file"]


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
