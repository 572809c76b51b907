"""A copy of a cube in which pixels without data hold 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.cube_check import stripes
from hsiaug.data.georeference import Georeference, quiet

__all__ = ["filled_name", "save_filled"]


def filled_name(stem: str, ground: Georeference | None) -> str:
    """A GeoTIFF where the cube lies somewhere on Earth, which an .npy could not say."""
    return f"{stem}_cube.npy" if ground is None else f"{stem}_cube.tif"


def save_filled(path: Path, view: NDArray[Any], empty: NDArray[np.bool_], ground: Georeference | None) -> None:
    """Write a cube (H, W, B), in stripes, with 0 where ``empty`` (H, W); the type of its numbers stays."""
    height, width, bands = view.shape
    if ground is None:
        # Not through mapped memory: a full disk would end the process there, not raise an error.
        with path.open("wb") as plain:
            header = {
                "descr": np.lib.format.dtype_to_descr(view.dtype),
                "fortran_order": False,
                "shape": view.shape,
            }
            np.lib.format.write_array_header_2_0(plain, header)
            for top, block in stripes(view):
                rows = np.where(empty[top : top + len(block), :, None], 0, block)
                plain.write(np.ascontiguousarray(rows, dtype=view.dtype).data)
        return
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
        for top, block in stripes(view):
            rows = np.where(empty[top : top + len(block), :, None], 0, block).transpose(2, 0, 1)
            file.write(rows, window=rasterio.windows.Window(0, top, width, len(block)))
