"""Products of imaging spectrometers in HDF5 and netCDF-4: where each keeps its cube, its bands, its
scale, its missing data and its place on Earth.

A product is known by what its file holds, never by its name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hsiaug.base.errors import SceneError
from hsiaug.data.products.contents import Contents, Place, Product, open_contents
from hsiaug.data.products.emit import EMIT
from hsiaug.data.products.prisma import PRISMA
from hsiaug.data.raw import RawArray, reading

PRODUCTS = (PRISMA, EMIT)
"""All kinds that are read; the first that fits is taken."""


def read_product(path: Path) -> RawArray:
    """The cube (height, width, band) of a product, and what the file says of it.

    Raises SceneError for a file of another kind, an incomplete one, and a damaged one.
    """
    with reading(path, "HDF5 or netCDF-4"), path.open("rb") as file:
        if file.read(3) == b"CDF":
            raise SceneError(
                f"{path} must be netCDF-4", value="netCDF-3", hint="Save the cube with numpy.save."
            )
    with open_contents(path) as contents:
        product = _product_of(contents)
        if product is None:
            raise SceneError(
                f"{path} must be a product that is read ({' or '.join(p.name for p in PRODUCTS)})",
                value=_overview(contents),
                hint="Save the cube with numpy.save, its scale, offset and fill value applied.",
            )
        lacking = [address for address in product.needs if not contents.has(address)]
        if lacking:
            raise SceneError(
                f"{path} must be a whole product of {product.name}",
                value=f"no {', '.join(lacking)}; {_overview(contents)}",
                hint="Download it again, or save its cube with numpy.save.",
            )
        raw = product.read(contents)
        placed = product.place(contents) is not None
        return raw if placed else replace(raw, notes=(*raw.notes, product.unplaced))


def product_place(path: Path) -> Place | None:
    """Where the pixels of a product lie; None where the file does not say, or is damaged."""
    try:
        with open_contents(path) as contents:
            product = _product_of(contents)
            return None if product is None else product.place(contents)
    except (SceneError, KeyError, ValueError):
        return None  # the reader of the cube says what is wrong


def _product_of(contents: Contents) -> Product | None:
    for product in PRODUCTS:
        if all(mark in contents.items for mark in product.marks):
            return product
    return None


def _overview(contents: Contents) -> str:
    """The cubes of a file, in words."""
    texts = []
    for name, item in list(contents.cubes().items())[:4]:
        scales = contents.numbers(f"{name}@scale_factor")
        scaled = "" if scales is None else f" with scale_factor {scales[0]:g}"
        if scales is not None and len(scales) > 1:
            scaled = " with a scale_factor for each band"
        texts.append(f"{name} {'×'.join(map(str, item.shape))}{scaled}")
    return f"a file of HDF5 or netCDF with the cubes {', '.join(texts) or 'none'}"
