"""GeoTIFF files through rasterio: a small one read whole, a large one in windows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.data.bounds import STRIPE_BYTES, check_array, check_memory, check_stored, is_large
from hsiaug.data.georeference import need_geo, open_geotiff, quiet
from hsiaug.data.raw import RawArray, damaged

__all__ = ["Raster", "read_geotiff"]


def read_geotiff(path: Path) -> RawArray:
    """(height, width, band); of a large file a :class:`Raster`.

    Raises DataUnavailableError where rasterio is not installed, SceneError for a damaged file.
    """
    need_geo(f"{path}, a GeoTIFF,", "convert the file to ENVI, .npy or .mat.")
    try:
        with quiet() as rasterio, open_geotiff(rasterio, path) as file:
            shape = (*file.shape, file.count)
            dtype = np.result_type(*map(np.dtype, set(file.dtypes)))
            if is_large(shape):
                check_stored(path, shape, dtype.itemsize)
                raster = Raster(path, shape, dtype, tuple(map(max, zip(*file.block_shapes, strict=True))))
                return RawArray(raster, files=(path,))  # type: ignore[arg-type]
            check_array(path, shape, dtype.itemsize, labels=False)
            return RawArray(np.ascontiguousarray(file.read().transpose(1, 2, 0)), files=(path,))
    except SceneError:
        raise
    except Exception as cause:  # GDAL's errors share no base with those of damaged tags
        raise damaged(path, "GeoTIFF", cause) from cause


@dataclass(frozen=True, eq=False)
class Raster:
    """A part (H, W, N) of a GeoTIFF that is read when it is made an array of: slices of it are smaller parts.

    block: rows and columns that the file stores together. top, left: of the part in the file.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    block: tuple[int, ...]
    top: int = 0
    left: int = 0

    ndim = 3

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: tuple[slice, slice]) -> Raster:
        (top, bottom, _), (left, right, _) = (
            part.indices(length) for part, length in zip(index, self.shape, strict=False)
        )
        shape = bottom - top, right - left, self.shape[2]
        return replace(self, shape=shape, top=self.top + top, left=self.left + left)

    def transpose(self, axes: list[int]) -> Raster:
        """The same, as its axes are in order. Raises SceneError for any other order."""
        if list(axes) != [0, 1, 2]:
            raise SceneError(
                f"{self.path}: the axes of a large GeoTIFF must be in the order hwb",
                value=f"{'×'.join(map(str, self.shape))}, in another order",
                hint="Leave cube.axes out of the card; transpose the file, or convert it to ENVI.",
            )
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        check_memory(f"{self.path}, a part of it,", 2 * self.nbytes)
        height, width, _ = self.shape
        try:
            with quiet() as rasterio, open_geotiff(rasterio, self.path) as file:
                window = rasterio.windows.Window(self.left, self.top, width, height)
                return np.asarray(file.read(window=window, out_dtype=self.dtype).transpose(1, 2, 0), dtype=dtype)
        except Exception as cause:
            raise damaged(self.path, "GeoTIFF", cause) from cause

    def windows(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of parts of about STRIPE_BYTES, along the blocks of the file: none is unpacked twice."""
        height, width, bands = self.shape
        most = max(1, STRIPE_BYTES // (bands * max(4, self.dtype.itemsize)))
        high, wide = self.block
        across = wide * max(1, most // (high * wide))
        down = high * max(1, most // (high * min(across, width)))
        for rows in _along(self.top, height, down):
            for columns in _along(self.left, width, across):
                yield rows, columns


def _along(start: int, length: int, step: int) -> Iterator[slice]:
    """Slices of a part that begins at ``start``, cut at multiples of ``step`` of the whole."""
    edges = range(start - start % step, start + length, step)
    for edge in edges:
        yield slice(max(edge, start) - start, min(edge + step, start + length) - start)
