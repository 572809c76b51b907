"""Metadata in a file of a cube or of labels, an ENVI header or the tags of a GeoTIFF, and where its
pixels lie on Earth.

Locations are read through rasterio.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import Float64
from hsiaug.base.errors import SceneError
from hsiaug.data.auxiliary import MAX_AUXILIARY_BYTES, AuxiliaryBand, auxiliary_bands
from hsiaug.data.catalogue import find_entry, find_file
from hsiaug.data.envi_header import read_header
from hsiaug.data.paths import ARRAYS, HDF, PICTURES, TIFF, check_filled
from hsiaug.data.products import product_place
from hsiaug.data.readers_envi import find_envi
from hsiaug.data.tables import TABLES, table_grid
from hsiaug.data.texts import plain_name

if TYPE_CHECKING:
    from rasterio import DatasetReader

MOST_BANDS = 10_000
"""Maximum number of bands of a GeoTIFF: each takes GDAL a while to describe."""

TIFF_STARTS = (b"II", b"MM")
"""Beginnings of a TIFF, by its byte order."""


@dataclass(frozen=True)
class Georeference:
    """Where the pixels of an image lie on Earth.

    Attributes
    ----------
    transform : tuple of float
        (a, b, c, d, e, f); column and row of a pixel's corner lie at x = a·col + b·row + c, y =
        d·col + e·row + f.
    crs : str
        The coordinate reference system as WKT, or "" where the file names none.
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
        return Georeference(
            (a, b, c + a * column + b * row, d, e, f + d * column + e * row), self.crs
        )

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """x, y of the middle of a pixel."""
        a, b, c, d, e, f = self.transform
        return a * (column + 0.5) + b * (row + 0.5) + c, d * (column + 0.5) + e * (row + 0.5) + f

    def places(self, x: Float64, y: Float64) -> Float64:
        """(n, 2) row and column, with fractions, of the points at x (n,), y (n,)."""
        a, b, c, d, e, f = self.transform
        x, y, area = np.asarray(x) - c, np.asarray(y) - f, a * e - b * d
        row, column = (a * y - d * x) / area, (e * x - b * y) / area
        # Far beyond any cube, but within int64.
        return np.clip(np.stack([row, column], axis=1), -(2.0**40), 2.0**40)


@dataclass(frozen=True)
class Declared:
    """What a file declares of its grid, classes and control points. A field at its default is not
    declared.

    Attributes
    ----------
    ground : Georeference or None
        Where the pixels lie on Earth.
    control_points : bool
        Whether the file has ground control points in place of a georeference.
    """

    ground: Georeference | None = None
    control_points: bool = False


@contextmanager
def quiet(auxiliary: bool = False) -> Iterator[ModuleType]:
    """rasterio, without its warnings of files that lie nowhere.

    Parameters
    ----------
    auxiliary : bool
        GDAL reads the .aux.xml beside a file too.
    """
    import rasterio

    with (
        warnings.catch_warnings(),
        rasterio.Env(CPL_LOG="OFF", GDAL_PAM_ENABLED="YES" if auxiliary else "NO"),
    ):
        warnings.simplefilter("ignore")
        yield rasterio


def same_system(first: str, second: str) -> bool:
    """Whether two coordinate systems are one, as PROJ compares them; "" is not known, and fits any.

    A text that PROJ does not understand fits no other.
    """
    if not first or not second or first == second:
        return True
    if any(
        "://" in system for system in (first, second)
    ):  # GDAL fetches what looks like an address
        return False
    with quiet() as rasterio:
        try:
            systems = [rasterio.CRS.from_user_input(system) for system in (first, second)]
        except rasterio.errors.CRSError:
            return False
        return bool(systems[0] == systems[1])


def open_geotiff(rasterio: ModuleType, path: Path, driver: str = "GTiff") -> DatasetReader:
    """The file as one format only: by content GDAL would also take formats that read other files,
    or the network.

    Raises what rasterio raises, SceneError for an empty file, and ValueError for more bands than
    any sensor has, and for a mask beside it that is no TIFF.
    """
    check_filled(path)
    mask = path.with_name(f"{path.name}.msk")
    if mask.is_file() and mask.read_bytes()[:2] not in TIFF_STARTS:
        raise ValueError(f"a mask beside it, {mask.name}, that is no TIFF")
    auxiliary = path.with_name(f"{path.name}.aux.xml")
    if auxiliary.is_file() and auxiliary.stat().st_size > MAX_AUXILIARY_BYTES:
        raise ValueError(f"{auxiliary.name} beside it of {auxiliary.stat().st_size:,} bytes")
    file = rasterio.open(path, driver=driver)
    if file.count > MOST_BANDS:
        file.close()
        raise ValueError(f"{file.count:,} bands")
    return file


def read_declared(path: Path, data: str | None = None) -> Declared:
    """Return the place of a TIFF, a product or an ENVI pair, by either file; nothing of others.

    Parameters
    ----------
    data : str or None
        Name of the data file beside an ENVI header, where it is not the header's name with a
        usual ending.
    """
    suffix = path.suffix.lower()
    if suffix in TIFF:
        return _with_rasterio(path, "GTiff")
    if suffix in (*HDF, *TABLES):
        place = product_place(path) if suffix in HDF else table_grid(path)
        return Declared(None if place is None else Georeference(*place))
    pair = _envi_pair(path, data)
    return Declared() if pair is None else _with_rasterio(pair[1], "ENVI")


def read_class_names(
    path: Path, codes: Iterable[int], band: int = 1
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Names of the classes of a raster by code: of an ENVI header, or of what GDAL or a GIS keeps
    beside a file; and why a table that is there names none.

    Parameters
    ----------
    codes : iterable of int
        All that the raster holds.
    band : int
        Which band holds them, from 1 on.
    """
    pair = None if path.suffix.lower() in TIFF else _envi_pair(path, None)
    names = [] if pair is None else read_header(pair[0]).get("class names", [])
    if names:
        texts = enumerate(map(plain_name, names))
        return {code: text for code, text in texts if text}, ()
    data = path if pair is None else pair[1]
    try:
        beside = auxiliary_bands(data).get(band, AuxiliaryBand())
    except SceneError:
        return {}, ()  # the reader of the array says what is wrong with it
    named, why = beside.names(codes)
    note = f"the attribute table in {data.name}.aux.xml names no class: {why}"
    return named, (note,) if why else ()


def _envi_pair(path: Path, data: str | None) -> tuple[Path, Path] | None:
    """Header and data file, where a file is one of both."""
    if path.suffix.lower() in (*ARRAYS, *PICTURES, *HDF):
        return None
    return find_envi(path, data)


def _with_rasterio(path: Path, driver: str) -> Declared:
    """The place of a TIFF or of an ENVI file; nothing of a damaged one."""
    with quiet(auxiliary=True) as rasterio:
        try:
            with open_geotiff(rasterio, path, driver) as file:
                ground = _georeference(file)
                return Declared(ground=ground, control_points=ground is None and bool(file.gcps[0]))
        except Exception:  # GDAL's errors share no base with those of damaged tags
            return Declared()  # the reader of the array says what is wrong with it


def _georeference(file: DatasetReader) -> Georeference | None:
    transform = tuple(float(v) for v in file.transform[:6])
    a, b, _, d, e, _ = transform
    if file.transform.is_identity or not all(map(math.isfinite, transform)) or not a * e - b * d:
        return None
    return Georeference(transform, file.crs.to_wkt() if file.crs else "")


def scene_georeference(ref: str | os.PathLike[str]) -> Georeference | None:
    """Return the georeference of a scene's cube, as its card crops it; None where the file gives
    none.
    """
    entry = find_entry(ref)
    cube = entry.card.cube
    path = None if entry.card.procedural else find_file(entry, cube)
    ground = None if path is None or cube.axes != "hwb" else read_declared(path, cube.data).ground
    if ground is None:
        return None
    return ground.shifted((cube.rows or (0,))[0], (cube.columns or (0,))[0])
