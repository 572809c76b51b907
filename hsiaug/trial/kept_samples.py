"""Samples that wait for other trials of their draw: their large arrays lie in a temporary file.

In memory they would lie beside the copy that a classifier is given, for as long as it learns.
"""

import dataclasses
import tempfile
from contextlib import suppress
from typing import IO, Any

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.core.read_only import arrays_of
from hsiaug.tasks.types import TaskSamples

LARGE = 2**23
"""Bytes from which on an array is written to the file."""


class KeptSamples:
    """Samples of a generator, for any number of trials.

    Where the file cannot be written, as on a full disk, all arrays stay in memory.

    Parameters
    ----------
    samples : PatchSamples or DenseSamples
        As they were drawn.
    """

    def __init__(self, samples: TaskSamples) -> None:
        self._kind: type[Any] = type(samples)
        self._fields = {
            field.name: vars(samples)[field.name] for field in dataclasses.fields(samples)
        }
        self._file: IO[bytes] | None = None
        large = {name: array for name, array in arrays_of(samples).items() if array.nbytes >= LARGE}
        if large:
            with suppress(OSError):
                self._fields |= self._written(large)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def open(self) -> TaskSamples:
        """The samples. Arrays of the file are mapped, read-only, for as long as these are there."""
        fields = {
            name: self._mapped(value) if isinstance(value, _Place) else value
            for name, value in self._fields.items()
        }
        samples: TaskSamples = self._kind(**fields)
        return samples

    def _written(self, arrays: dict[str, AnyArray]) -> "dict[str, _Place]":
        """Write arrays to a new file, which has no name.

        Raises OSError where there is no room; what was written by then is gone.
        """
        file = tempfile.TemporaryFile()  # noqa: SIM115
        places: dict[str, _Place] = {}
        try:
            for name, array in arrays.items():
                places[name] = _Place(file.tell(), array.shape, array.dtype)
                file.write(np.ascontiguousarray(array).data)
            file.flush()
        except OSError:
            # Closing writes what is left once more, and fails again.
            with suppress(OSError):
                file.close()
            raise
        self._file = file
        return places

    def _mapped(self, place: "_Place") -> AnyArray:
        assert self._file is not None
        return np.asarray(np.memmap(self._file, place.dtype, "r", place.offset, place.shape))


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where in the file an array lies."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
