"""Metadata in a file of a cube or of labels: those of an ENVI header, or the tags of a GeoTIFF."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsiaug.data.georeference import geo_installed, open_geotiff, quiet
from hsiaug.data.readers_envi import LONGEST_WAVE, NANOMETRES, find_envi, read_header

__all__ = ["Declared", "read_declared"]


@dataclass(frozen=True)
class Declared:
    """Nothing is said where a field is at its default.

    wavelengths: band centres in nm, of a GeoTIFF (those of an ENVI header come with its array). scale, offset: of a
    GeoTIFF. nodata: value of pixels without data. bad_bands: bands that an ENVI header's bbl calls bad, counted from 0.
    classes: class names by code, of an ENVI header.
    """

    wavelengths: tuple[float, ...] | None = None
    scale: float | None = None
    offset: float = 0.0
    nodata: float | None = None
    bad_bands: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()


def read_declared(path: Path) -> Declared:
    """Return a file's metadata; of a GeoTIFF only with rasterio. ``path``: also either file of an ENVI pair."""
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _of_geotiff(path) if geo_installed() else Declared()
    if suffix in (".mat", ".npy", ".png", ".bmp"):
        return Declared()
    pair = find_envi(path, None)
    return Declared() if pair is None else _of_envi(pair[0])


def _of_envi(header: Path) -> Declared:
    said = read_header(header)
    good, names = said.get("bbl"), said.get("class names")
    return Declared(
        nodata=_number(said.get("data ignore value")),
        bad_bands=tuple(i for i, flag in enumerate(good) if _number(flag) == 0)
        if isinstance(good, list) and str(len(good)) == str(said.get("bands"))
        else (),
        classes=tuple(str(name).strip() for name in names) if isinstance(names, list) else (),
    )


def _of_geotiff(path: Path) -> Declared:
    with quiet() as rasterio:
        try:
            with open_geotiff(rasterio, path) as file:
                scales, offsets = set(file.scales), set(file.offsets)
                alike = len(scales) == len(offsets) == 1 and scales | offsets != {0.0, 1.0}
                alike = alike and 0 not in scales and all(map(math.isfinite, scales | offsets))
                return Declared(
                    wavelengths=_band_centres(file),
                    scale=file.scales[0] if alike else None,
                    offset=file.offsets[0] if alike else 0.0,
                    nodata=None if file.nodata is None else float(file.nodata),
                )
        except Exception:  # GDAL's errors share no base with those of damaged tags
            return Declared()  # the reader says what is wrong with it


def _band_centres(file: Any) -> tuple[float, ...] | None:
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


def _number(text: Any) -> float | None:
    found = re.match(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?", str(text)) if text is not None else None
    try:
        number = float(found[0]) if found else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
