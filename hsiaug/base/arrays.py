"""Arrays of numbers of any type, and what of a mapped one lies in memory."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
"""An array of numbers of any type."""


def give_back_pages(array: AnyArray) -> None:
    """Take out of memory what was read of a mapped file; it is read again where it is asked for.

    Parameters
    ----------
    array : ndarray
        A part of such a file. Of any other array nothing changes.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    # Only Linux and its like have a call for that.
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)
