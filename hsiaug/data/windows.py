"""Cubes that are larger than memory, read window by window where they lie: no copy of the file is
made.
"""

import math
import mmap
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Float32
from hsiaug.base.errors import SceneError
from hsiaug.base.files import open_plain
from hsiaug.core.scene import row_parts
from hsiaug.data import bounds
from hsiaug.data.raw import Conversion, convert_cube, mapping_of, reading, scattered

HEADER_BYTES = 4096
"""A file that holds at most so much beside a cube holds nothing else, as labels."""
FLOAT = np.dtype(np.float32)


class WindowCube:
    """(H, W, B) float32 that is read when it is indexed: ``cube[rows]`` and ``cube[rows, columns]``
    with slices, with arrays of integers, or with a mask (H, W), give arrays; ``np.asarray`` gives a
    copy of the whole.
    """

    dtype = FLOAT

    def __init__(self, shape: tuple[int, ...], window: Callable[[slice, slice], Float32]) -> None:
        self.shape = shape
        self._window = window

    def window(self, rows: slice, columns: slice) -> Float32:
        """(h, w, B) of the rows and columns between two bounds each."""
        return self._window(rows, columns)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole."""
        return math.prod(self.shape) * FLOAT.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Float32:
        if isinstance(key, slice):
            return self.window(key, slice(None))
        if not isinstance(key, np.ndarray) and isinstance(key[0], slice):
            return self.window(*key)
        rows, columns = np.broadcast_arrays(
            *(np.nonzero(key) if isinstance(key, np.ndarray) else key)
        )
        return self._pixels(rows.ravel(), columns.ravel()).reshape(*rows.shape, self.shape[2])

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Float32:
        cube = bounds.empty_cube(self.shape)
        # A part is in memory beside the cube.
        for rows in row_parts(self.shape, 2**20):
            cube[rows] = self[rows]
        return cube

    def _pixels(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Float32:
        """(n, B) of single pixels, by the windows that hold those of some rows."""
        spectra = np.empty((len(rows), self.shape[2]), dtype=FLOAT)
        block = rows // next(row_parts(self.shape)).stop
        order = np.argsort(block, kind="stable")
        first_of_block = np.flatnonzero(np.diff(block[order])) + 1
        for members in np.split(order, first_of_block) if len(rows) else []:
            down = rows[members]
            across = columns[members]
            top = int(down.min())
            left = int(across.min())
            bottom = int(down.max()) + 1
            right = int(across.max()) + 1
            window = self.window(slice(top, bottom), slice(left, right))
            spectra[members] = window[down - top, across - left]
        return spectra


class FileCube(WindowCube):
    """A cube in a file of plain numbers: raw (H, W, N), mapped, changed window by window. whole:
    the file holds nothing beside what the cube shows.

    It is sent to another process without ``file``, which is opened there. Raises SceneError where
    another program has cut or changed the file since.
    """

    def __init__(self, raw: AnyArray, change: Conversion) -> None:
        mapped = mapping_of(raw)
        self.shape = change.shape(raw)
        self._change = change
        self._path = Path(str(mapped.filename))
        self._layout = (
            raw.shape,
            raw.dtype,
            raw.strides,
            mapped.offset + raw.ctypes.data - mapped.ctypes.data,
        )
        self._stamp = _stamp(self.file)
        self.whole = change.bands is None and self._stamp[0] - raw.nbytes <= HEADER_BYTES

    def __del__(self) -> None:
        if "file" in vars(self):
            self.file.close()

    def __getstate__(self) -> dict[str, object]:
        return {
            name: value for name, value in vars(self).items() if name not in ("file", "_stored")
        }

    @cached_property
    def file(self) -> BinaryIO:
        """The file, opened when it is first asked for: by its name, in another process too."""
        with reading(self._path, "array"):
            return open_plain(self._path)

    @cached_property
    def _stored(self) -> AnyArray:
        """The stored values, mapped."""
        shape, dtype, strides, begin = self._layout
        return np.ndarray(
            shape, dtype, mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ), begin, strides
        )

    def window(self, rows: slice, columns: slice) -> Float32:
        """As of every cube that is read in windows."""
        with reading(self._path, "array"):
            if _stamp(self.file) != self._stamp:
                raise SceneError(
                    f"{self._path} must stay as it is while it is read",
                    value="a file that another program changed",
                    hint="Start again once it is written.",
                )
            window = self._change(self._stored[rows, columns])
            # Without a change it is still that of the map, whose file may be cut later.
            return np.array(window) if np.may_share_memory(window, self._stored) else window


def _stamp(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def cube_of(raw: AnyArray, where: str, change: Conversion) -> Float32:
    """raw (H, W, N), possibly mapped, as (H, W, B) float32: converted up to 256 MiB, else a cube
    that reads its file.

    Raises SceneError, naming ``where``, for a cube that there is no room for.
    """
    if (
        mapping_of(raw) is None
        and raw.dtype == FLOAT
        and raw.flags.c_contiguous
        and change == Conversion()
    ):
        return raw
    fits = math.prod(change.shape(raw)) * FLOAT.itemsize <= bounds.IN_MEMORY
    if fits or mapping_of(raw) is None or scattered(raw):
        return convert_cube(raw, where, change)
    # Indexed as an array is.
    return cast(Float32, FileCube(raw, change))
