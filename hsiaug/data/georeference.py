"""Metadata in a file of a cube or of labels, an ENVI header or the tags of a GeoTIFF, and where its pixels lie on Earth.

Locations and tags are read through rasterio (the extra ``geo``).
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.catalogue import find_entry, find_file
from hsiaug.data.paths import check_filled
from hsiaug.data.readers_envi import LONGEST_WAVE, NANOMETRES, find_envi, read_header

if TYPE_CHECKING:
    from rasterio import DatasetReader

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


@dataclass(frozen=True)
class Declared:
    """Nothing is said where a field is at its default.

    wavelengths: band centres in nm, of a GeoTIFF (those of an ENVI header come with its array). scale, offset: of a
    GeoTIFF. nodata: value of pixels without data. bad_bands: bands that an ENVI header's bbl calls bad, counted from 0.
    classes: class names by code, of an ENVI header. ground: where the pixels lie on Earth.
    """

    wavelengths: tuple[float, ...] | None = None
    scale: float | None = None
    offset: float = 0.0
    nodata: float | None = None
    bad_bands: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    ground: Georeference | None = None


def geo_installed() -> bool:
    """Whether rasterio is there."""
    return find_spec("rasterio") is not None


@contextmanager
def quiet() -> Iterator[ModuleType]:
    """rasterio, without its warnings of files that lie nowhere."""
    import rasterio

    with warnings.catch_warnings(), rasterio.Env(CPL_LOG="OFF", GDAL_PAM_ENABLED="NO"):
        warnings.simplefilter("ignore")
        yield rasterio


def open_geotiff(rasterio: ModuleType, path: Path, driver: str = "GTiff") -> DatasetReader:
    """The file as one format only: by content GDAL would also take formats that read other files, or the network.

    Raises what rasterio raises, SceneError for an empty file, and ValueError for more bands than any sensor has.
    """
    check_filled(path)
    file = rasterio.open(path, driver=driver)
    if file.count > MOST_BANDS:
        file.close()
        raise ValueError(f"{file.count:,} bands")
    return file


def read_declared(path: Path, data: str | None = None) -> Declared:
    """Return the metadata of a GeoTIFF (only with rasterio) or of an ENVI pair, by either file; nothing of others.

    data: name of the data file beside an ENVI header, where it is not the header's name with a usual ending.
    """
    if path.suffix.lower() in (".tif", ".tiff"):
        return _with_rasterio(path, "GTiff")
    if path.suffix.lower() in (".mat", ".npy", ".png", ".bmp") or (pair := find_envi(path, data)) is None:
        return Declared()
    said = read_header(pair[0])
    good, names = said.get("bbl"), said.get("class names")
    flags = good if isinstance(good, list) and str(len(good)) == str(said.get("bands")) else []
    return Declared(
        nodata=_number(said.get("data ignore value")),
        bad_bands=tuple(i for i, flag in enumerate(flags) if _number(flag) == 0),
        classes=tuple(str(name).strip() for name in names) if isinstance(names, list) else (),
        ground=_with_rasterio(pair[1], "ENVI").ground,
    )


def _with_rasterio(path: Path, driver: str) -> Declared:
    """The tags of a GeoTIFF, and the georeference of that or of an ENVI file; nothing of a damaged one."""
    if not geo_installed():
        return Declared()
    with quiet() as rasterio:
        try:
            with open_geotiff(rasterio, path, driver) as file:
                ground = _georeference(file)
                if driver == "ENVI":
                    return Declared(ground=ground)
                scales, offsets = set(file.scales), set(file.offsets)
                alike = len(scales) == len(offsets) == 1 and scales | offsets != {0.0, 1.0}
                alike = alike and 0 not in scales and all(map(math.isfinite, scales | offsets))
                return Declared(
                    wavelengths=_band_centres(file),
                    scale=file.scales[0] if alike else None,
                    offset=file.offsets[0] if alike else 0.0,
                    nodata=None if file.nodata is None else float(file.nodata),
                    ground=ground,
                )
        except Exception:  # GDAL's errors share no base with those of damaged tags
            return Declared()  # the reader of the array says what is wrong with it


def _georeference(file: DatasetReader) -> Georeference | None:
    transform = tuple(float(v) for v in file.transform[:6])
    a, b, _, d, e, _ = transform
    if file.transform.is_identity or not all(map(math.isfinite, transform)) or not a * e - b * d:
        return None
    return Georeference(transform, file.crs.to_wkt() if file.crs else "")


def _band_centres(file: DatasetReader) -> tuple[float, ...] | None:
    """Band centres in nm: GDAL's CENTRAL_WAVELENGTH_UM, else ``wavelength`` and ``wavelength_units`` of bands."""
    unit = str(file.tags().get("wavelength_units", ""))
    centres = []
    for band in range(1, file.count + 1):
        tags = file.tags(band)
        central = _number(file.tags(band, ns="IMAGERY").get("CENTRAL_WAVELENGTH_UM"))
        value = 1e3 * central if central else _number(tags.get("wavelength", tags.get("WAVELENGTH")))
        if value is None or not 0 < value < LONGEST_WAVE:
            return None
        if not central:
            own = str(tags.get("wavelength_units", unit)).strip().lower()
            # Without a unit: no sensor of reflected light reaches 100 µm, and none starts below 100 nm.
            value *= NANOMETRES.get(own, 1e3 if value < 100 else 1.0)
        # All digits of the file, without those that the multiplication adds.
        centres.append(float(f"{value:.12g}"))
    return tuple(centres)


def _number(text: object) -> float | None:
    found = re.match(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?", str(text)) if text is not None else None
    try:
        number = float(found[0]) if found else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def scene_georeference(ref: str | os.PathLike[str]) -> Georeference | None:
    """Return the georeference of a scene's cube, as its card crops it; None where the file gives none."""
    entry = find_entry(ref)
    cube = entry.card.cube
    path = None if entry.card.procedural else find_file(entry, cube)
    found = None if path is None or cube.axes != "hwb" else read_declared(path, cube.data).ground
    if found is None:
        return None
    return found.shifted((cube.rows or (0,))[0], (cube.columns or (0,))[0])
