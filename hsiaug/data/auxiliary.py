"""Metadata in XML beside an image: what GDAL, QGIS and ArcGIS keep in NAME.aux.xml (scales,
offsets, no data, and names of classes), and the bands of EnMAP and DESIS.

EnMAP and DESIS have GeoTIFFs ``…-SPECTRAL_IMAGE.TIF`` whose bands are described in the file
``…-METADATA.XML`` beside them: an element for each band, with the centre and the width in
nanometres, and gain and offset: value = number · gain + offset. Source: the importers of EnMAP-Box.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import Float64
from hsiaug.base.errors import SceneError
from hsiaug.data.band_centres import number_of, numbers
from hsiaug.data.raw import BandFacts, one_or_all, reading
from hsiaug.data.texts import plain_name, read_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_AUXILIARY_BYTES = 2**22
"""Bytes of such a file, at most."""

NAME, MINIMUM, MAXIMUM, BOTH_ENDS = 2, 3, 4, 5
"""GDAL's usages (GFU_Name, GFU_Min, GFU_Max, GFU_MinMax) of columns of a raster attribute table;
others, as 1 for counts of pixels, say nothing of codes.
"""

VALUE = "value"
"""Name of the column of codes in tables of ArcGIS and QGIS, which say of no column how it is used.
"""


IMAGE = re.compile(r"(?P<product>.+)-SPECTRAL_IMAGE(_COG)?", re.IGNORECASE)
"""Names, without their ending, of images that have such a file."""

METADATA = re.compile(r"(.+[-_])?METADATA\.XML", re.IGNORECASE)

MAX_XML_BYTES = 2**25
"""Bytes of such a file, at most."""

SETTLED = 2 * 10**9
"""Nanoseconds after which a folder that changes again has another time of change."""

CENTRE = "wavelengthcenterofband"
WIDTHS = ("fwhmofband", "wavelengthwidthofband")

LAYERS = re.compile(r"(?P<product>.+)-(QL_\w+|METADATA)", re.IGNORECASE)
"""Names, without their ending, of what such products hold beside the image."""


@dataclass(frozen=True)
class AuxiliaryBand:
    """Declarations on a band; None and () where there are none.

    Attributes
    ----------
    scale, offset, nodata : float or None
        A value is stored number · scale + offset; nodata is the stored number of missing data.
    categories : tuple of str
        Names of classes by code, "" for codes without a name.
    table : Element or None
        A raster attribute table, which may name codes too.
    """

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    categories: tuple[str, ...] = ()
    table: Element | None = None

    def names(self, codes: Iterable[int]) -> tuple[dict[int, str], str]:
        """Names of those of the codes that have one, of the categories, else of the table; and why
        the table names none.
        """
        if self.categories:
            return {code: name for code, name in enumerate(self.categories) if name}, ""
        return ({}, "") if self.table is None else _names_of_table(self.table, codes)


def auxiliary_bands(path: Path) -> dict[int, AuxiliaryBand]:
    """The metadata beside a raster, by the number of the band from 1 on; {} where there are none.

    Parameters
    ----------
    path : Path
        Of the raster.

    Raises
    ------
    SceneError
        For a damaged file.
    """
    auxiliary = path.with_name(f"{path.name}.aux.xml")
    if not auxiliary.is_file():
        return {}
    with reading(auxiliary, "auxiliary metadata"):
        root = read_xml(auxiliary, MAX_AUXILIARY_BYTES)
        return {int(band.get("band", "1")): _band(band) for band in root.iter("PAMRasterBand")}


def _band(band: Element) -> AuxiliaryBand:
    scale, offset, nodata = (
        number_of(band.findtext(name)) for name in ("Scale", "Offset", "NoDataValue")
    )
    names = band.iterfind("CategoryNames/Category")
    categories = tuple(plain_name(item.text or "") for item in names)
    table = band.find("GDALRasterAttributeTable")
    return AuxiliaryBand(scale, offset, nodata, categories, table)


def _names_of_table(table: Element, codes: Iterable[int]) -> tuple[dict[int, str], str]:
    """The names of codes in a raster attribute table, whose rows are found as GDAL's GetRowOfValue
    does; and why there are none.
    """
    heads = [(item.findtext("Name") or "").strip().lower() for item in table.iterfind("FieldDefn")]
    usages = [number_of(item.findtext("Usage")) for item in table.iterfind("FieldDefn")]
    rows = {
        int(row.get("index", place)): [plain_name(cell.text or "") for cell in row.iterfind("F")]
        for place, row in enumerate(table.iterfind("Row"))
    }

    def cell(row: int, column: int) -> str:
        cells = rows.get(row, [])
        return cells[column] if column < len(cells) else ""

    if NAME not in usages:
        return {}, "it has no column of names (usage 2)"
    # The columns of the smallest and the largest code of each row.
    ends = [usages.index(usage) for usage in (MINIMUM, BOTH_ENDS) if usage in usages][:1] + [
        usages.index(usage) for usage in (MAXIMUM, BOTH_ENDS) if usage in usages
    ][:1]
    if not ends and VALUE in heads:
        ends = [heads.index(VALUE)] * 2
    first, width = number_of(table.get("Row0Min")), number_of(table.get("BinSize"))
    binned = first is not None and bool(width)
    if len(ends) < 2 and not binned:
        return {}, "it does not say which codes its rows are for (usages 3 and 4, 5, or Row0Min)"
    ranges = {
        row: [math.nan if (end := number_of(cell(row, column))) is None else end for column in ends]
        for row in sorted(rows)
    }
    names = {}
    for code in codes:
        if first is not None and width:
            row = math.floor((code - first) / width)
        else:
            row = next((row for row, (low, high) in ranges.items() if low <= code <= high), -1)
        if name := cell(row, usages.index(NAME)):
            names[code] = name
    return names, "" if names else "it has no row with a name for a code that is there"


def quality_layers(folder: Path) -> set[str]:
    """Names of files beside an image of EnMAP or DESIS that are neither a cube nor labels."""
    paths = list(folder.iterdir())
    images = (IMAGE.fullmatch(path.stem) for path in paths)
    products = {match["product"] for match in images if match}
    layers = ((path.name, LAYERS.fullmatch(path.stem)) for path in paths)
    return {name for name, match in layers if match and match["product"] in products}


def metadata_beside(image: Path) -> tuple[str, int, BandFacts] | None:
    """The name of the file beside an image of EnMAP or DESIS, how many bands it describes, and how;
    of an image with another name, the only such file in its folder; None where there is none.

    Raises SceneError where that file is damaged.
    """
    path = _metadata_file(image)
    try:
        return None if path is None else _read_metadata(path)
    except SceneError:
        if IMAGE.fullmatch(image.stem):
            raise
        return None  # of another instrument, or of another image


def _metadata_file(image: Path) -> Path | None:
    """The file that describes an image; None where there is none."""
    files = [image.with_name(name) for name in _metadata_names(image.parent)]
    match = IMAGE.fullmatch(image.stem)
    if match is not None:
        name = f"{match['product']}-METADATA.XML".lower()
        return next((file for file in files if file.name.lower() == name), None)
    return files[0] if len(files) == 1 else None


def _metadata_names(folder: Path) -> tuple[str, ...]:
    """Names of such files in a folder, which is looked through once until it changes: it may hold
    tens of thousands of images.
    """
    changed = folder.stat().st_mtime_ns
    names = _listed_metadata(folder, changed)
    if time.time_ns() - changed < SETTLED:
        _listed_metadata.cache_clear()
    return names


@lru_cache(maxsize=64)
def _listed_metadata(folder: Path, changed: int) -> tuple[str, ...]:
    """The same of a folder that changed last at a time in nanoseconds."""
    return tuple(file.name for file in folder.iterdir() if METADATA.fullmatch(file.name))


def _read_metadata(path: Path) -> tuple[str, int, BandFacts]:
    with reading(path, "EnMAP or DESIS metadata"):
        # Texts of elements by their names in lower case without a namespace, by their parents.
        elements = [
            {child.tag.rpartition("}")[2].lower(): child.text or "" for child in element}
            for element in read_xml(path, MAX_XML_BYTES).iter()
        ]
    bands = [values for values in elements if CENTRE in values]

    def listed(*keys: str) -> Float64:
        """The number of each band under the first of these keys that is there, else NaN."""
        texts = [next((band[key] for key in keys if key in band), "") for band in bands]
        return np.array(numbers(texts))

    if not bands:
        raise SceneError(
            f"{path} must be metadata of EnMAP or DESIS",
            value="no band with a `wavelengthCenterOfBand`",
            hint="Download it again.",
        )
    centres, widths = listed(CENTRE), listed(*WIDTHS)
    gains, offsets = listed("gainofband"), listed("offsetofband")
    scaled = bool(np.isfinite(gains).all() and np.all(gains))
    shifted = scaled and bool(np.isfinite(offsets).all())
    of_product = {key: text for values in reversed(elements) for key, text in values.items()}
    level = f"{path.name} {of_product.get('level')} {of_product.get('producttype')}"
    facts = BandFacts(
        wavelengths=np.where(centres > 0, centres, np.nan),
        widths=np.where(widths > 0, widths, np.nan),
        scale=one_or_all(gains.tolist()) if scaled else None,
        offset=one_or_all(offsets.tolist()) if shifted else 0.0,
        nodata=number_of(of_product.get("backgroundvalue")),
        units="reflectance" if "L2A" in level.upper() else None,
        notes=(f"bands, scale and no data are those of {path.name}",),
    )
    return path.name, len(bands), facts
