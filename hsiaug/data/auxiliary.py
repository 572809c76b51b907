"""Metadata that GDAL, QGIS and ArcGIS keep beside a raster, in NAME.aux.xml: scales, offsets, no
data, and names of classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.data.band_centres import number_of
from hsiaug.data.raw import reading
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


@dataclass(frozen=True)
class AttributeTable:
    """A raster attribute table.

    Attributes
    ----------
    columns : tuple of (str, int)
        Name, in small letters, and usage of each column.
    rows : mapping of int to tuple of str
        The cells of each row.
    binning : (float, float) or None
        Where the first row begins, and how many numbers each row is for.
    """

    columns: tuple[tuple[str, int], ...]
    rows: Mapping[int, tuple[str, ...]]
    binning: tuple[float, float] | None = None

    def names(self, codes: Iterable[int]) -> dict[int, str]:
        """The names of those of the codes that have one."""
        column = self._column(NAME)
        if column is None or self.unused:
            return {}
        rows = {code: self._row(code) for code in codes}
        named = {code: self._cell(row, column) for code, row in rows.items() if row in self.rows}
        return {code: name for code, name in named.items() if name}

    @property
    def unused(self) -> str:
        """Why the table names no code; "" where it does."""
        if self._column(NAME) is None:
            return "it has no column of names (usage 2)"
        if self.binning is not None or None not in self._ends():
            return ""
        return "it does not say which codes its rows are for (usages 3 and 4, usage 5, or Row0Min)"

    def _row(self, code: int) -> int | None:
        """The row of a code, as GDAL's GetRowOfValue finds it."""
        if self.binning is not None:
            first, width = self.binning
            return math.floor((code - first) / width)
        low, high = self._ends()
        if low is None or high is None:
            return None
        for row in sorted(self.rows):
            ends = [number_of(self._cell(row, column)) for column in (low, high)]
            if None not in ends and ends[0] <= code <= ends[1]:  # type: ignore[operator]
                return row
        return None

    def _ends(self) -> tuple[int | None, int | None]:
        """The columns of the smallest and the largest code of each row."""
        both = self._column(BOTH_ENDS)
        low, high = (self._column(usage) for usage in (MINIMUM, MAXIMUM))
        ends = both if low is None else low, both if high is None else high
        if ends == (None, None):
            places = [place for place, (name, _) in enumerate(self.columns) if name == VALUE]
            ends = (places[0], places[0]) if places else ends
        return ends

    def _column(self, usage: int) -> int | None:
        """The first column of a usage."""
        places = (place for place, (_, of_column) in enumerate(self.columns) if of_column == usage)
        return next(places, None)

    def _cell(self, row: int | None, column: int) -> str:
        cells = self.rows.get(-1 if row is None else row, ())
        return cells[column] if column < len(cells) else ""


@dataclass(frozen=True)
class AuxiliaryBand:
    """Declarations on a band; None and () where there are none.

    Attributes
    ----------
    scale, offset, nodata : float or None
        A value is stored number · scale + offset; nodata is the stored number of missing data.
    categories : tuple of str
        Names of classes by code, "" for codes without a name.
    table : AttributeTable or None
        Which may name codes too.
    """

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    categories: tuple[str, ...] = ()
    table: AttributeTable | None = None

    def names(self, codes: Iterable[int]) -> dict[int, str]:
        """Names of those of the codes that have one: of the categories, else of the table."""
        if self.categories:
            return {code: name for code, name in enumerate(self.categories) if name}
        return {} if self.table is None else self.table.names(codes)


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
        plain_name(item.text or "") for item in band.iterfind("CategoryNames/Category")
    )
    table = band.find("GDALRasterAttributeTable")
    return AuxiliaryBand(
        scale, offset, nodata, categories, None if table is None else _attribute_table(table)
    )


def _attribute_table(table: Element) -> AttributeTable:
    columns = tuple(
        ((item.findtext("Name") or "").strip().lower(), int(number_of(item.findtext("Usage")) or 0))
        for item in table.iterfind("FieldDefn")
    )
    rows = {
        int(row.get("index", place)): tuple(
            plain_name(cell.text or "") for cell in row.iterfind("F")
        )
        for place, row in enumerate(table.iterfind("Row"))
    }
    binning = number_of(table.get("Row0Min")), number_of(table.get("BinSize"))
    if None in binning or not binning[1]:
        return AttributeTable(columns, rows)
    return AttributeTable(columns, rows, (float(binning[0] or 0.0), float(binning[1])))
