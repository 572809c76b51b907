"""Metadata that GDAL, QGIS and ArcGIS keep beside a raster, in NAME.aux.xml: scales, offsets, no
data, and names of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.data.band_centres import number_of
from hsiaug.data.raw import reading
from hsiaug.data.texts import read_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_AUXILIARY_BYTES = 2**22
"""Bytes of such a file, at most."""

HIGHEST = 2**16
"""Codes of classes below this may have names."""

CODE_USAGES, NAME_USAGE = ("1", "3", "5"), "2"
"""Usages of columns of a raster attribute table: number or maximum, minimum, and both; name."""


@dataclass(frozen=True)
class AuxiliaryBand:
    """Declarations on a band; None and () where there are none.

    Attributes
    ----------
    scale, offset, nodata : float or None
        A value is stored number · scale + offset; nodata is the stored number of missing data.
    classes : tuple of str
        Names of classes by code, "" for codes without a name.
    """

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    classes: tuple[str, ...] = ()


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
    categories = tuple(
        (item.text or "").strip() for item in band.iterfind("CategoryNames/Category")
    )
    return AuxiliaryBand(scale, offset, nodata, categories or _table_names(band))


def _table_names(band: Element) -> tuple[str, ...]:
    """Names by code of a raster attribute table that has a column of each."""
    table = band.find("GDALRasterAttributeTable")
    if table is None:
        return ()
    columns = [
        ((item.findtext("Name") or "").strip().lower(), (item.findtext("Usage") or "").strip())
        for item in table.iterfind("FieldDefn")
    ]
    codes = [
        place for place, (name, use) in enumerate(columns) if use in CODE_USAGES or name == "value"
    ]
    names = [place for place, (_, use) in enumerate(columns) if use == NAME_USAGE]
    if not codes or not names:
        return ()
    by_code = dict[int, str]()
    for row in table.iterfind("Row"):
        cells = [(cell.text or "").strip() for cell in row.iterfind("F")]
        code = number_of(cells[codes[0]]) if len(cells) == len(columns) else None
        if code is not None and code.is_integer() and 0 <= code < HIGHEST:
            by_code[int(code)] = cells[names[0]]
    return tuple(by_code.get(code, "") for code in range(max(by_code, default=-1) + 1))
