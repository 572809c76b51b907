"""HYPSO: one cube (line, sample, band) in the group ``products``, its bands as attributes.

Source: hypso-package of NTNU, the writers of levels 1B to 1D.
"""

from __future__ import annotations

from dataclasses import replace

from hsiaug.data.products.contents import (
    IN_SENSOR_GEOMETRY,
    Contents,
    Product,
    described,
    nowhere,
    whole,
)
from hsiaug.data.raw import RawArray

UNITS = {"rhot": "reflectance at the top of the atmosphere"}
"""Units of cubes whose own attribute says nothing."""


def _read(contents: Contents) -> RawArray:
    names = [
        name for name in contents.arrays(3, "products/") if contents.has(f"{name}@wavelengths")
    ]
    if len(names) != 1:
        raise ValueError(f"{len(names)} cubes with `wavelengths` in the group products")
    name = names[0]
    raw = described(
        contents,
        name,
        whole(contents, name),
        centres=f"{name}@wavelengths",
        widths=f"{name}@fwhm",
        good="",
        unit=contents.text(f"{name}@wavelength_units") or "nm",
    )
    units = contents.text(f"{name}@units") or UNITS.get(name.rpartition("/")[2])
    return replace(raw, units=units)


HYPSO = Product(
    "HYPSO",
    marks=("products", "metadata"),
    needs=(),
    read=_read,
    place=nowhere,
    unplaced=IN_SENSOR_GEOMETRY,
)
