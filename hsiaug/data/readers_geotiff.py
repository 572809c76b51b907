"""GeoTIFF files through rasterio."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.bounds import check_array
from hsiaug.data.georeference import need_geo, open_geotiff, quiet
from hsiaug.data.raw import RawArray, damaged

__all__ = ["read_geotiff"]


def read_geotiff(path: Path) -> RawArray:
    """(height, width, band).

    Raises DataUnavailableError where rasterio is not installed, SceneError for a damaged file.
    """
    need_geo(f"{path}, a GeoTIFF,", "convert the file to ENVI, .npy or .mat.")
    try:
        with quiet() as rasterio, open_geotiff(rasterio, path) as file:
            dtype = np.result_type(*map(np.dtype, set(file.dtypes)))
            check_array(path, (*file.shape, file.count), dtype.itemsize, labels=False)
            return RawArray(np.ascontiguousarray(file.read().transpose(1, 2, 0)))
    except SceneError:
        raise
    except Exception as cause:  # GDAL's errors share no base with those of damaged tags
        raise damaged(path, "GeoTIFF", cause) from cause
