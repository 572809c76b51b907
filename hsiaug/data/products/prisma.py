"""PRISMA L2D: two detectors, whose numbers 0 to 65535 span a reflectance from ``L2Scale…Min`` to
``L2Scale…Max``; bands with the centre 0 are not there.

Sources: ASI, PRISMA Products Specification, and lbusett/prismaread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, eq=False)
class _Bands:
    """The bands of one detector that are there.

    Attributes
    ----------
    centres, widths : (n,) float64
        In nanometres; widths are NaN where the file has none.
    sources : (n,) int64
        Their places on the detector's axis of bands.
    low, high : float
        The reflectance of the numbers 0 and FULL_SCALE.
    """

    centres: NDArray[np.float64]
    widths: NDArray[np.float64]
    sources: NDArray[np.int64]
    low: float
    high: float


def _cube(detector: str) -> str:
    return f"{FIELDS}/{detector.upper()}_Cube"


def _bands(contents: Contents, detector: str) -> _Bands:
    """The bands of a detector that are there. Raises ValueError for lists of another length."""
    count = contents.items[_cube(detector)].shape[1]
    centres = of_bands(contents, f"@List_Cw_{detector}", count, "band centres")
    widths = of_bands(contents, f"@List_Fwhm_{detector}", count, "band widths")
    flags = of_bands(contents, f"@List_Cw_{detector}_Flags", count, "flags of bands")
    low = contents.number(f"@L2Scale{detector}Min")
    high = contents.number(f"@L2Scale{detector}Max")
    if centres is None or low is None or high is None or not high > low:
        raise ValueError(f"a reflectance of {low} to {high}")
    sources = np.flatnonzero((centres > 0) & (True if flags is None else flags != 0))
    widths = np.full(count, np.nan) if widths is None else widths
    return _Bands(centres[sources], widths[sources], sources, low, high)


def _read(contents: Contents) -> RawArray:
    """Bands of both detectors in the order of their centres; 0 in all bands is no data."""
    detectors = [_bands(contents, detector) for detector in DETECTORS]
    order = np.argsort(np.concatenate([bands.centres for bands in detectors]), kind="stable")
    shapes = {contents.items[_cube(detector)].shape[::2] for detector in DETECTORS}
    if len(shapes) != 1 or not len(order):
        raise ValueError(f"cubes of {len(order)} bands and of the sizes {sorted(shapes)}")
    height, width = shapes.pop()
    values = empty_cube((height, width, len(order)), f"{contents.path}: a copy", np.uint16)
    valid = np.zeros((height, width), dtype=bool)
    places = np.split(np.argsort(order), [len(detectors[0].sources)])
    for detector, bands, targets in zip(DETECTORS, detectors, places, strict=True):
        check_size(contents, _cube(detector))
        stored = contents.items[_cube(detector)]
        for rows in row_parts(stored.shape, VALUES):
            block = stored[rows][:, bands.sources]  # (rows, band, column)
            values[rows, :, targets] = block.transpose(0, 2, 1)
            valid[rows] |= block.any(axis=1)

    def listed(name: str) -> NDArray[np.float64]:
        """A number of each band, in the order of the cube."""
        parts = [np.broadcast_to(getattr(bands, name), bands.sources.shape) for bands in detectors]
        return np.concatenate(parts)[order]

    low, widths = listed("low"), listed("widths")
    return RawArray(
        values,
        valid,
        wavelengths=listed("centres"),
        scale=one_or_all(((listed("high") - low) / FULL_SCALE).tolist()),
        offset=one_or_all(low.tolist()),
        units="reflectance",
        widths=None if np.isnan(widths).any() else widths,
        notes=_notes(contents, *(bands.centres for bands in detectors)),
    )


def _notes(
    contents: Contents, near: NDArray[np.float64], short_wave: NDArray[np.float64]
) -> tuple[str, ...]:
    """What is to be said of the centres of both detectors, and of what is not read."""
    notes = list[str]()
    if len(near) and len(short_wave) and short_wave.min() < near.max():
        notes.append(
            f"both detectors see {short_wave.min():g} to {near.max():g} nm: their bands are in the"
            " order of their centres"
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
