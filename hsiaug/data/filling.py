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
        out = np.lib.format.open_memmap(path, "w+", dtype=view.dtype, shape=view.shape)
        for top, block in stripes(view):
            out[top : top + len(block)] = np.where(empty[top : top + len(block), :, None], 0, block)
        out.flush()
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
