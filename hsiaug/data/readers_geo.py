"""GeoTIFF files with several bands, through rasterio (``pip install 'hsiaug[geo]'``)."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from hsiaug.data.raw import Raw, damaged
from hsiaug.errors import DataUnavailableError

__all__ = ["read_geotiff"]


def read_geotiff(path: Path) -> Raw:
    """(height, width, band) of a GeoTIFF.

    Raises DataUnavailableError where rasterio is not installed, SceneError where the file is damaged.
    """
    try:
        import rasterio
    except ImportError:
        raise DataUnavailableError(
            f"{path} is a GeoTIFF, which needs rasterio to be read",
            value="rasterio is not installed",
            mend="pip install 'hsiaug[geo]', or convert the file to ENVI, .npy or .mat.",
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file without georeference, which does not matter here
            with rasterio.open(path) as file:
                return Raw(np.ascontiguousarray(file.read().transpose(1, 2, 0)))
    except rasterio.errors.RasterioError as cause:
        raise damaged(path, "GeoTIFF", cause) from cause
