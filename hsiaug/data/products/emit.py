"""EMIT L2A: a cube in the geometry of the sensor, and a look-up table that says which of its pixels
lies at each place of a grid in degrees.

Source: nasa/EMIT-Data-Resources, ``emit_tools.apply_glt``. ``location/glt_x`` and ``glt_y`` hold
column and row of the sensor's pixel, from 1 on; 0 = none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.scene import row_parts
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.products.contents import VALUES, Contents, Place, Product, described, whole
from hsiaug.data.raw import RawArray

BANDS = "sensor_band_parameters"


def _read(contents: Contents) -> RawArray:
    """The cube on its grid; places that the sensor did not see hold no data."""
    stored = whole(contents, "reflectance")
    raw = described(
        contents,
        "reflectance",
        stored,
        centres=f"{BANDS}/wavelengths",
        widths=f"{BANDS}/fwhm",
        good=f"{BANDS}/good_wavelengths",
        unit=contents.text(f"{BANDS}/wavelengths@units") or "nm",
    )
    rows = _table(contents, "location/glt_y", stored.shape[0])
    columns = _table(contents, "location/glt_x", stored.shape[1])
    valid = (rows > 0) & (columns > 0)
    shape = (*valid.shape, stored.shape[2])
    check_array(contents.path, shape, stored.itemsize, labels=False)
    placed = empty_cube(shape, f"{contents.path}: a copy", stored.dtype)
    for stripe in row_parts(shape, VALUES):
        placed[stripe] = raw.nodata
        valid_here = valid[stripe]
        placed[stripe][valid_here] = stored[
            rows[stripe][valid_here] - 1, columns[stripe][valid_here] - 1
        ]
    used = np.zeros(stored.shape[:2], dtype=bool)
    used[rows[valid] - 1, columns[valid] - 1] = True
    repeats = 1 - used.sum() / max(1, valid.sum())
    note = (
        f"the {'×'.join(map(str, used.shape))} pixels of the sensor are placed on a grid of"
        f" {'×'.join(map(str, valid.shape))} by the look-up table of the file: {repeats:.0%} of the"
        " pixels with data repeat another"
    )
    return replace(raw, array=placed, units="reflectance", notes=(*raw.notes, note))


def _table(contents: Contents, name: str, length: int) -> NDArray[np.int64]:
    """(rows, columns) places on one axis of the sensor. Raises ValueError for one beyond its
    end.
    """
    values = whole(contents, name)
    # As in ENVI's tables, a place of which another pixel is the nearest may be negative.
    places: NDArray[np.int64] = np.abs(np.nan_to_num(values)).astype(np.int64)
    if places.ndim != 2 or places.max() > length:
        raise ValueError(f"a look-up table of {places.shape} that points beyond the cube")
    return places


def _place(contents: Contents) -> Place | None:
    listed = contents.numbers("@geotransform")
    wkt = contents.text("@spatial_ref")
    if listed is None or len(listed) != 6 or not wkt:
        return None
    left, across, row_x, top, column_y, down = listed.tolist()  # in the order of GDAL
    return (across, row_x, left, column_y, down, top), wkt


EMIT = Product(
    "EMIT L2A",
    marks=("reflectance", BANDS),
    needs=(
        f"{BANDS}/wavelengths",
        "location/glt_x",
        "location/glt_y",
        "@geotransform",
        "@spatial_ref",
    ),
    read=_read,
    place=_place,
    unplaced="the geotransform of the file is none: no georeference",
)
