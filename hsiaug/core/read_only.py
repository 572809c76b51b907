"""Arrays that are handed to plugins: read-only, and checked afterwards for changes all the same.

NumPy refuses to write into a sealed array, and to make it writable again. Code that does not ask
NumPy (a tensor that ``torch.from_numpy`` made of it, compiled code) can still write into its
memory: a checksum finds that.
"""

import dataclasses
import zlib
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, mapped, row_blocks

Scalar = TypeVar("Scalar", bound=np.generic)
T = TypeVar("T")


def seal(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """The array over a read-only buffer: no copy, and its ``flags.writeable`` cannot be set
    again.
    """
    if not array.size:
        # A buffer cannot hold every empty shape; there is nothing to write into.
        empty = array.view()
        empty.flags.writeable = False
        return empty
    return np.asarray(memoryview(array).toreadonly())  # type: ignore[arg-type]


def arrays_of(batch: Any) -> dict[str, AnyArray]:
    """The arrays of a dataclass, by the names of their fields."""
    values = {item.name: vars(batch)[item.name] for item in dataclasses.fields(batch)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def seal_all(batch: T) -> T:
    """A dataclass with its arrays sealed: samples, patches or tiles."""
    arrays = {name: seal(array) for name, array in arrays_of(batch).items()}
    return dataclasses.replace(batch, **arrays)  # type: ignore[type-var]


class Seals:
    """The sealed arrays of a view with their checksums, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[AnyArray, int]] = {}

    def add(self, name: str, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """The array, sealed; its checksum is kept. A large one lies in a temporary file, of which
        no more is in memory than what is read.
        """
        # In another order of its values, sums of them would differ in the last digit.
        read_only = seal(mapped(array) if array.flags.c_contiguous else array)
        self._kept[name] = read_only, _checksum(read_only)
        return read_only

    def broken(self) -> list[str]:
        """Names of the arrays that were changed since."""
        return [name for name, (array, was) in self._kept.items() if _checksum(array) != was]


class SealedView:
    """Base of views for plugins: a frozen dataclass with ``_seals``, whose arrays are sealed when
    it is made.
    """

    _seals: Seals

    def __post_init__(self) -> None:
        for name, array in arrays_of(self).items():
            object.__setattr__(self, name, self._seals.add(name, array))

    @property
    def changed(self) -> list[str]:
        """Names of the arrays that were written to."""
        return self._seals.broken()


def _checksum(array: AnyArray) -> int:
    """CRC-32 of sums over words of 8 bytes that lie 509 words apart. As 509 is prime, moved values
    change the sums.
    """
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words, tail = np.split(flat, [len(flat) // 4072 * 4072])
    sums = np.zeros(509, dtype=np.uint64)
    for _, rows in row_blocks(words.view(np.uint64).reshape(-1, 509)):
        sums += rows.sum(axis=0)
    return zlib.crc32(tail.data, zlib.crc32(sums.data))
