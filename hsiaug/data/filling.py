"""A copy of a cube in which pixels without data hold 0."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.cube_check import stripes
from hsiaug.data.cube_copies import write_npy_header
from hsiaug.data.georeference import Georeference, quiet

__all__ = ["filled_name", "save_filled"]


def filled_name(stem: str, ground: Georeference | None) -> str:
    """A GeoTIFF where the cube lies somewhere on Earth, which an .npy could not say."""
    return f"{stem}_cube.npy" if ground is None else f"{stem}_cube.tif"


def save_filled(path: Path, view: NDArray[Any], empty: NDArray[np.bool_], ground: Georeference | None) -> None:
    """Write a cube (H, W, B), in stripes, with 0 where ``empty`` (H, W); the type of its numbers stays."""
    if ground is None:
        # Not through mapped memory: a full disk would end the process there, not raise an error.
        with path.open("wb") as plain:
            write_npy_header(plain, view.shape, view.dtype)
            for _, rows in _filled(view, empty):
                plain.write(np.ascontiguousarray(rows).data)
        return
    try:
        _write_geotiff(path, view, empty, ground)
        whole = _is_copy(path, view, empty)
    except OSError:
        whole = False
    if not whole:
        # GDAL tells of a full disk in words of its own, or not at all.
        raise OSError("the GeoTIFF could not be written whole, as where the disk is full")


def _write_geotiff(path: Path, view: NDArray[Any], empty: NDArray[np.bool_], ground: Georeference) -> None:
    height, width, bands = view.shape
    with (
        quiet() as rasterio,
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=height,
            width=width,
            count=bands,
            dtype=view.dtype.name,
            interleave="band",
            bigtiff="IF_SAFER",
            transform=rasterio.Affine(*ground.transform),
            crs=ground.crs or None,
        ) as file,
    ):
        for top, rows in _filled(view, empty):
            file.write(rows.transpose(2, 0, 1), window=rasterio.windows.Window(0, top, width, len(rows)))


def _is_copy(path: Path, view: NDArray[Any], empty: NDArray[np.bool_]) -> bool:
    """Whether a GeoTIFF holds what was written to it."""
    with quiet() as rasterio, rasterio.open(path) as file:
        for top, rows in _filled(view, empty):
            there = file.read(window=rasterio.windows.Window(0, top, view.shape[1], len(rows)))
            if not np.array_equal(there.transpose(1, 2, 0), rows, equal_nan=rows.dtype.kind == "f"):
                return False
    return True


def _filled(view: NDArray[Any], empty: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Stripes (rows, W, B) with 0 where ``empty``, and their first row."""
    for top, block in stripes(view):
        yield top, np.where(empty[top : top + len(block), :, None], 0, block).astype(view.dtype, copy=False)
