"""Location on Earth of the pixels of a cube, through rasterio (the extra ``geo``)."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import DataUnavailableError, install
from hsiaug.data.catalogue import find_entry
from hsiaug.data.readers_envi import find_envi
from hsiaug.data.scene_files import find_file

__all__ = [
    "Georeference",
    "geo_installed",
    "need_geo",
    "open_geotiff",
    "quiet",
    "read_georeference",
    "scene_georeference",
]


MOST_BANDS = 10_000
"""Maximum number of bands of a GeoTIFF: each takes GDAL a while to describe."""


@dataclass(frozen=True)
class Georeference:
    """transform: (a, b, c, d, e, f); column and row of a pixel's corner lie at x = a·col + b·row + c, y = d·col +
    e·row + f. crs: the coordinate reference system as WKT, or "" where the file names none.
    """

    transform: tuple[float, ...]
    crs: str = ""

    @property
    def metres(self) -> float | None:
        """Side of a pixel in metres; None where the system's unit is another one, or not known."""
        import rasterio

        if not self.crs or not (system := rasterio.CRS.from_wkt(self.crs)).is_projected:
            return None
        a, b, _, d, e, _ = self.transform
        return round(math.sqrt(abs(a * e - b * d)) * float(system.linear_units_factor[1]), 6)

    def shifted(self, row: int, column: int) -> Georeference:
        """The same, where (row, column) is the first pixel."""
        a, b, c, d, e, f = self.transform
        return Georeference((a, b, c + a * column + b * row, d, e, f + d * column + e * row), self.crs)

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """x, y of the middle of a pixel."""
        a, b, c, d, e, f = self.transform
        return a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f

    def places(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) row and column, with fractions, of the points at x (n,), y (n,)."""
        a, b, c, d, e, f = self.transform
        x, y, area = np.asarray(x) - c, np.asarray(y) - f, a * e - b * d
        row, column = (a * y - d * x) / area, (e * x - b * y) / area
        # Far beyond any cube, but within int64.
        return np.clip(np.stack([row, column], axis=1), -(2.0**40), 2.0**40)

    def pixels(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n, 2) row and column of the pixels that hold the points at x (n,), y (n,)."""
        return np.floor(self.places(x, y)).astype(np.int64)


def geo_installed() -> bool:
    """Whether rasterio is there."""
    return find_spec("rasterio") is not None


def need_geo(what: str, hint: str) -> None:
    """Raise DataUnavailableError, with what to do instead, where rasterio is not installed."""
    if not geo_installed():
        raise DataUnavailableError(
            f"{what} needs rasterio",
            value="rasterio is not installed",
            hint=f"{install('geo', 'rasterio')}, or {hint}",
        )


@contextmanager
def quiet() -> Iterator[Any]:
    """rasterio, without its warnings of files that lie nowhere."""
    import rasterio

    with warnings.catch_warnings(), rasterio.Env(CPL_LOG="OFF", GDAL_PAM_ENABLED="NO"):
        warnings.simplefilter("ignore")
        yield rasterio


def open_geotiff(rasterio: Any, path: Path, driver: str = "GTiff") -> Any:
    """The file as one format only: by content GDAL would also take formats that read other files, or the network.

    Raises what rasterio raises, and ValueError for more bands than any sensor has.
    """
    file = rasterio.open(path, driver=driver)
    if file.count > MOST_BANDS:
        file.close()
        raise ValueError(f"{file.count:,} bands")
    return file


def read_georeference(path: Path, data: str | None = None) -> Georeference | None:
    """Read the georeference of a GeoTIFF or an ENVI pair (by either file); None without one, or without rasterio.

    data: name of the data file beside an ENVI header, where it is not the header's name with a usual ending.
    """
    if path.suffix.lower() in (".mat", ".npy") or not geo_installed():
        return None
    driver = "GTiff"
    if path.suffix.lower() not in (".tif", ".tiff"):
        pair = find_envi(path, data)
        if pair is None:
            return None
        path, driver = pair[1], "ENVI"
    with quiet() as rasterio:
        try:
            with open_geotiff(rasterio, path, driver) as file:
                transform = tuple(float(v) for v in file.transform[:6])
                a, b, _, d, e, _ = transform
                if file.transform.is_identity or not all(map(math.isfinite, transform)) or not a * e - b * d:
                    return None
                return Georeference(transform, file.crs.to_wkt() if file.crs else "")
        except Exception:  # GDAL's errors share no base with those of damaged tags
            # The array was read by another library; without its place on Earth it is still a scene.
            return None


def scene_georeference(ref: str | os.PathLike[str]) -> Georeference | None:
    """Return the georeference of a scene's cube, as its card crops it; None where the file gives none."""
    entry = find_entry(ref)
    cube = entry.card.cube
    path = None if entry.card.procedural else find_file(entry, cube)
    found = None if path is None or cube.axes != "hwb" else read_georeference(path, cube.data)
    if found is None:
        return None
    return found.shifted((cube.rows or (0,))[0], (cube.columns or (0,))[0])
