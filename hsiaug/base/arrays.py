"""Arrays of numbers of any type, counts of class ids, and what of a mapped array lies in memory."""

import math
import mmap
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, TypeVar, cast
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
"""An array of numbers of any type; the others are called by theirs."""
Bools = NDArray[np.bool_]
Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
PlacedRows = tuple[NDArray[np.intp], AnyArray]
"""Places in an array, and the rows that belong there."""
Scalar = TypeVar("Scalar", bound=np.generic)

LARGE = 2**20
"""Bytes from which on an array is written to a file."""
AT_ONCE = 2**22
"""Bytes of such a file that are read at a time."""

_mapped: WeakSet[mmap.mmap] = WeakSet()
"""Temporary files of hsiaug that arrays of this process are mapped from. Of another's it is not
known whether all that was written to its pages is in the file.
"""
_changing = threading.Lock()
"""Held while that set is read or changed."""


def class_counts(ids: AnyArray, classes: int) -> tuple[int, ...]:
    """How many of some class ids, of any shape, are 1 to C each; 0 is no class."""
    return tuple(np.bincount(ids.ravel(), minlength=classes + 1)[1:].tolist())


def mapped(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A large array, mapped from a temporary file that has no name and is gone with it.

    Parameters
    ----------
    array : ndarray
        Of any shape.

    Returns
    -------
    ndarray
        With the same values. The array itself where it is small or mapped already, and where the
        file cannot be written, as on a full disk.
    """
    if array.nbytes < LARGE or _file_of(array) is not None:
        return array
    # A file that is full may fail once more where it is closed.
    with suppress(OSError), tempfile.TemporaryFile() as file:
        file.write(np.ascontiguousarray(array).data)
        return _map(file, array.dtype, array.shape)
    return array


def mapped_rows(shape: tuple[int, ...], blocks: Callable[[], Iterable[PlacedRows]]) -> Float32:
    """Make an array of rows that arrive in blocks, in any order.

    A large array is mapped from a temporary file and never completely in memory.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    blocks : callable
        Returns pairs of row numbers (m,) int64 and rows, the same each time: it is called again if
        the file cannot be written.

    Returns
    -------
    ndarray of float32
        The rows in order.

    See Also
    --------
    give_back_files : frees its memory.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import mapped_rows
    >>> def blocks():
    ...     yield np.array([1]), np.full((1, 3), 5.0)
    ...     yield np.array([0]), np.full((1, 3), 2.0)
    >>> mapped_rows((2, 3), blocks)[:, 0].tolist()
    [2.0, 5.0]
    """
    size = 4 * math.prod(shape)
    if size >= LARGE:
        with suppress(OSError), tempfile.TemporaryFile() as file:
            for places, rows in blocks():
                # Neighbours are written at once.
                breaks = np.flatnonzero(np.diff(places) != 1) + 1
                rows = np.ascontiguousarray(rows, dtype=np.float32)
                for at, some in zip(np.split(places, breaks), np.split(rows, breaks), strict=True):
                    if len(at):
                        file.seek(int(at[0]) * (size // shape[0]))
                        file.write(some.data)
            return _map(file, np.dtype(np.float32), shape)
    array = np.empty(shape, dtype=np.float32)
    for places, rows in blocks():
        array[places] = rows
    return array


def _map(file: IO[bytes], dtype: np.dtype[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
    """The array in a file that was written."""
    file.flush()
    array = np.asarray(np.memmap(file, dtype, "r+", 0, shape))
    remember_mapped(cast(mmap.mmap, _file_of(array)))
    return array


def remember_mapped(file: mmap.mmap) -> None:
    """Let what is read of a temporary file of hsiaug be taken out of memory, as by
    :func:`give_back_files`.

    Parameters
    ----------
    file : mmap
        All that was written to its pages is in the file.
    """
    with _changing:
        _mapped.add(file)


def row_blocks(array: NDArray[Scalar]) -> Iterator[tuple[slice, NDArray[Scalar]]]:
    """Some rows of an array after the other: of a mapped file no more than these are in memory.

    Parameters
    ----------
    array : ndarray
        Of any shape.

    Yields
    ------
    slice
        The places of the next rows.
    ndarray
        These rows; of an array without rows, once none.
    """
    # Without `max`, which a plugin may have replaced where its views are looked at.
    step = AT_ONCE // (array[:1].nbytes or 1) or 1
    for start in range(0, len(array) or 1, step):
        rows = slice(start, start + step)
        yield rows, array[rows]
        give_back_pages(array)


def give_back_files() -> None:
    """Free the memory of arrays that are mapped from temporary files of hsiaug.

    Call it after work on a large scene: samples, train views and cubes are read again when needed.

    See Also
    --------
    mapped_rows : makes such an array.

    Examples
    --------
    >>> from hsiaug.api import give_back_files
    >>> give_back_files()
    """
    with _changing:
        owners = list(_mapped)
    for owner in owners:
        _give_back(owner)


def give_back_pages(array: AnyArray) -> None:
    """Take out of memory what was read of a temporary file of hsiaug; it is read again where it is
    asked for.

    Parameters
    ----------
    array : ndarray
        A part of such a file. Of any other array nothing changes.
    """
    owner = _file_of(array)
    if owner is None:
        return
    with _changing:
        known = owner in _mapped
    if known:
        _give_back(owner)


def _give_back(file: mmap.mmap) -> None:
    # Only Linux and its like have a call for that.
    if hasattr(mmap, "MADV_DONTNEED"):
        # Memory that is locked stays.
        with suppress(OSError):
            file.madvise(mmap.MADV_DONTNEED)


def _file_of(array: AnyArray) -> mmap.mmap | None:
    """The mapped file that an array is a part of."""
    owner: Any = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    return owner if isinstance(owner, mmap.mmap) else None
