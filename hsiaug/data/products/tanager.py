"""Tanager: reflectance or radiance in HDF-EOS5, band first, on a grid in UTM (ortho) or as the
sensor saw it (basic).

Source: Planet, Tanager Product Specification, November 2025, section 3.6.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from hsiaug.data.products.contents import (
    IN_SENSOR_GEOMETRY,
    Contents,
    Place,
    Product,
    described,
    nowhere,
    whole,
    wkt_of,
)
from hsiaug.data.raw import RawArray

GRID, SWATH = "HDFEOS/GRIDS/HYP", "HDFEOS/SWATHS/HYP"
STRUCTURE = "HDFEOS INFORMATION/StructMetadata.0"
CUBES = {"surface_reflectance": "reflectance", "toa_radiance": "radiance"}
"""Names of cubes, in the order of preference, and the units of their values."""


def _cube(contents: Contents, group: str) -> str:
    """The path of the cube. Raises ValueError where there is none."""
    cubes = contents.arrays(3, f"{group}/Data Fields/")
    for name in CUBES:
        path = f"{group}/Data Fields/{name}"
        if path in cubes:
            return path
    raise ValueError(f"none of the cubes {', '.join(CUBES)}")


def _read(group: str, contents: Contents) -> RawArray:
    name = _cube(contents, group)
    raw = described(
        contents,
        name,
        whole(contents, name).transpose(1, 2, 0),
        centres=f"{name}@wavelengths",
        widths=f"{name}@fwhm",
        good=f"{name}@good_wavelengths",
        unit="nm",
    )
    missing = f"{group}/Data Fields/nodata_pixels"
    valid = whole(contents, missing) == 0 if contents.has(missing) else None
    return replace(raw, valid=valid, units=CUBES[name.rpartition("/")[2]])


def _place(contents: Contents) -> Place | None:
    text = contents.text(STRUCTURE)
    code = contents.numbers(f"{GRID}@epsg_code")
    upper_left, lower_right = (
        re.search(rf"{name}=\(([-+.\deE]+),([-+.\deE]+)\)", text)
        for name in ("UpperLeftPointMtrs", "LowerRightMtrs")
    )
    if code is None or not upper_left or not lower_right or "GridOrigin=HE5_HDFE_GD_UL" not in text:
        return None
    left, top = map(float, upper_left.groups())
    right, bottom = map(float, lower_right.groups())
    _, rows, columns = contents.items[_cube(contents, GRID)].shape
    transform = ((right - left) / columns, 0.0, left, 0.0, (bottom - top) / rows, top)
    return transform, wkt_of(int(code[0]))


TANAGER_ORTHO = Product(
    "Tanager (ortho)",
    marks=(GRID,),
    needs=(STRUCTURE, f"{GRID}@epsg_code"),
    read=partial(_read, GRID),
    place=_place,
    unplaced="the corners of the grid in the file are not understood: no georeference",
)

TANAGER_BASIC = Product(
    "Tanager (basic)",
    marks=(SWATH,),
    needs=(),
    read=partial(_read, SWATH),
    place=nowhere,
    unplaced=f"{IN_SENSOR_GEOMETRY}, or name the ortho product",
)
