"""PRISMA L2D: two detectors, whose numbers 0 to 65535 span a reflectance from ``L2Scale…Min`` to
``L2Scale…Max``; bands with the centre 0 are not there.

Sources: ASI, PRISMA Products Specification, and lbusett/prismaread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hsiaug.core.scene import row_parts
from hsiaug.data.bounds import empty_cube
from hsiaug.data.products.contents import (
    VALUES,
    Contents,
    Place,
    Product,
    check_size,
    of_bands,
    wkt_of,
)
from hsiaug.data.raw import RawArray, one_or_all

FIELDS = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"
DETECTORS = ("Vnir", "Swir")
FULL_SCALE = 65535
METRES = 30.0


@dataclass(frozen=True)
class _Band:
    """A band of one detector.

    Attributes
    ----------
    source : int
        Its place on that detector's axis of bands.
    """

    centre: float
    width: float
    detector: str
    source: int
    scale: float
    offset: float


def _cube(detector: str) -> str:
    return f"{FIELDS}/{detector.upper()}_Cube"


def _bands(contents: Contents, detector: str) -> list[_Band]:
    """The bands of a detector that are there. Raises ValueError for lists of another length."""
    count = contents.items[_cube(detector)].shape[1]
    centres = of_bands(contents, f"@List_Cw_{detector}", count, "band centres")
    widths = of_bands(contents, f"@List_Fwhm_{detector}", count, "band widths")
    flags = of_bands(contents, f"@List_Cw_{detector}_Flags", count, "flags of bands")
    low = contents.number(f"@L2Scale{detector}Min")
    high = contents.number(f"@L2Scale{detector}Max")
    if centres is None or low is None or high is None or not high > low:
        raise ValueError(f"a reflectance of {low} to {high}")
    present = centres > 0 if flags is None else (centres > 0) & (flags != 0)
    return [
        _Band(
            centre=float(centres[source]),
            width=np.nan if widths is None else float(widths[source]),
            detector=detector,
            source=int(source),
            scale=(high - low) / FULL_SCALE,
            offset=low,
        )
        for source in np.flatnonzero(present)
    ]


def _read(contents: Contents) -> RawArray:
    """Bands of both detectors in the order of their centres; 0 in all bands is no data."""
    by_detector = {detector: _bands(contents, detector) for detector in DETECTORS}
    bands = sorted(
        (band for listed in by_detector.values() for band in listed), key=lambda band: band.centre
    )
    shapes = {contents.items[_cube(detector)].shape[::2] for detector in DETECTORS}
    if len(shapes) != 1 or not bands:
        raise ValueError(f"cubes of {len(bands)} bands and of the sizes {sorted(shapes)}")
    height, width = shapes.pop()
    values = empty_cube((height, width, len(bands)), f"{contents.path}: a copy", np.uint16)
    valid = np.zeros((height, width), dtype=bool)
    for detector in DETECTORS:
        name = _cube(detector)
        check_size(contents, name)
        targets = [place for place, band in enumerate(bands) if band.detector == detector]
        sources = [bands[place].source for place in targets]
        stored = contents.items[name]
        for rows in row_parts(stored.shape, VALUES):
            block = stored[rows][:, sources]  # (rows, band, column)
            values[rows, :, targets] = block.transpose(0, 2, 1)
            valid[rows] |= block.any(axis=1)
    widths = np.array([band.width for band in bands])
    return RawArray(
        values,
        valid,
        wavelengths=np.array([band.centre for band in bands]),
        scale=one_or_all([band.scale for band in bands]),
        offset=one_or_all([band.offset for band in bands]),
        units="reflectance",
        widths=None if np.isnan(widths).any() else widths,
        notes=_notes(contents, *by_detector.values()),
    )


def _notes(
    contents: Contents, near: Sequence[_Band], short_wave: Sequence[_Band]
) -> tuple[str, ...]:
    notes = list[str]()
    if near and short_wave:
        first = min(band.centre for band in short_wave)
        last = max(band.centre for band in near)
        if first < last:
            notes.append(
                f"both detectors see {first:g} to {last:g} nm: their bands are in the order of"
                " their centres"
            )
    if any("ERR_MATRIX" in name for name in contents.items):
        notes.append("the matrices of erroneous pixels in the file are not used")
    return tuple(notes)


def _place(contents: Contents) -> Place | None:
    """Corner coordinates span one pixel less than there are where they are those of the centres of
    pixels.
    """
    left = contents.number("@Product_ULcorner_easting")
    right = contents.number("@Product_LRcorner_easting")
    top = contents.number("@Product_ULcorner_northing")
    bottom = contents.number("@Product_LRcorner_northing")
    code = contents.number("@Epsg_Code")
    if left is None or right is None or top is None or bottom is None or code is None:
        return None
    rows, _, columns = contents.items[_cube("Vnir")].shape
    for fewer in (1, 0):
        across = METRES * (columns - fewer)
        down = METRES * (rows - fewer)
        if max(abs(right - left - across), abs(top - bottom - down)) < METRES / 4:
            margin = fewer * METRES / 2
            transform = (METRES, 0.0, left - margin, 0.0, -METRES, top + margin)
            return transform, wkt_of(int(code))
    return None


PRISMA = Product(
    "PRISMA L2D",
    marks=(FIELDS,),
    needs=(
        *(_cube(detector) for detector in DETECTORS),
        *(f"@List_Cw_{detector}" for detector in DETECTORS),
        *(f"@L2Scale{detector}{end}" for detector in DETECTORS for end in ("Min", "Max")),
    ),
    read=_read,
    place=_place,
    unplaced=f"corner coordinates do not give pixels of {METRES:g} m: no georeference",
)
