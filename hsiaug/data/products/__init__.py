"""Products of imaging spectrometers in HDF5 and netCDF-4: where each keeps its cube, its bands, its
scale, its missing data and its place on Earth.

A product is known by what its file holds, never by its name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from hsiaug.base.errors import SceneError
from hsiaug.data.products.contents import Contents, Place, Product, open_contents
from hsiaug.data.products.emit import EMIT
from hsiaug.data.products.hypso import HYPSO
from hsiaug.data.products.prisma import PRISMA
from hsiaug.data.products.tanager import TANAGER_BASIC, TANAGER_ORTHO
from hsiaug.data.raw import RawArray, reading
from hsiaug.data.remedies import array_file, saving, setting

KINDS = {2: "raster", 3: "cube"}
"""Nouns of arrays by their number of axes."""

PRODUCTS = (PRISMA, EMIT, TANAGER_ORTHO, TANAGER_BASIC, HYPSO)
"""All kinds that are read; the first that fits is taken."""


def read_product(path: Path) -> RawArray:
    """The cube (height, width, band) of a product, and what the file says of it.

    Raises SceneError for a file of another kind, an incomplete one, and a damaged one.
    """
    _refuse_classic(path)
    with open_contents(path) as contents:
        product = _product_of(contents)
        if product is None:
            names = ", ".join(kind.name for kind in PRODUCTS)
            rule = f"{path} must be a product that is read ({names})"
            raise SceneError(rule, value=_overview(contents), hint=_conversion(contents))
        lacking = [address for address in product.needs if not contents.has(address)]
        if lacking:
            rule = f"{path} must be a whole product of {product.name}"
            texts = [f"attribute {text[1:]}" if text[0] == "@" else text for text in lacking]
            contents_text = f"no {', '.join(texts)}; {_overview(contents)}"
            raise SceneError(rule, value=contents_text, hint=_conversion(contents))
        raw = product.read(contents)
        placed = product.place(contents) is not None
        return raw if placed else replace(raw, notes=(*raw.notes, product.unplaced))


def refuse_labels(path: Path) -> NoReturn:
    """Raise SceneError for labels in HDF5 or netCDF, with how to save one raster of the file."""
    _refuse_classic(path, 2)
    with open_contents(path) as contents:
        rule = f"{path} is of a kind that labels are not read from"
        contents_text = _overview(contents, 2)
        raise SceneError(rule, value=contents_text, hint=_conversion(contents, 2))


def product_place(path: Path) -> Place | None:
    """Where the pixels of a product lie; None where the file does not say, or is damaged."""
    try:
        with open_contents(path) as contents:
            product = _product_of(contents)
            return None if product is None else product.place(contents)
    except (SceneError, KeyError, ValueError):
        return None  # the reader of the cube says what is wrong


def product_keys(path: Path) -> tuple[str, list[tuple[str, object]]]:
    """The kind of a product, "" for another file, and all datasets and attributes that lie in
    it.

    Raises SceneError where it is damaged.
    """
    with open_contents(path) as contents:
        product = _product_of(contents)
        return "" if product is None else product.name, contents.listed()


def _product_of(contents: Contents) -> Product | None:
    for product in PRODUCTS:
        if all(mark in contents.items for mark in product.marks):
            return product
    return None


def _refuse_classic(path: Path, axes: int = 3) -> None:
    """Raise SceneError for a file of netCDF before version 4, with how to save an array."""
    with path.open("rb") as file:
        if not file.read(4).startswith(b"CDF"):
            return
    from scipy.io import netcdf_file

    with reading(path, "netCDF-3"), netcdf_file(str(path), mmap=False) as file:
        every = {name: item.shape for name, item in file.variables.items()}
    shapes = {name: shape for name, shape in every.items() if len(shape) == axes}
    name = next(iter(shapes), "")
    load = (
        f"f = scipy.io.netcdf_file({str(path)!r}, mmap=False, maskandscale=True);"
        f" a = f.variables[{name!r}][:]; f.close()"
    )
    array = "numpy.ma.filled(a.astype('float32'), numpy.nan)"
    command = saving("scipy.io", load, array, array_file(path, name))
    raise SceneError(
        f"{path} must be netCDF-4",
        value=f"netCDF-3 with the {KINDS[axes]}s {_listed(shapes) or 'none'}",
        hint=f"Save one {KINDS[axes]} as an array: {command}" if name else "Name another file.",
    )


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(
        f"{name} {'×'.join(map(str, shape))}" for name, shape in list(shapes.items())[:4]
    )


def _overview(contents: Contents, axes: int = 3) -> str:
    shapes = {name: item.shape for name, item in contents.arrays(axes).items()}
    return f"a file of HDF5 or netCDF with the {KINDS[axes]}s {_listed(shapes) or 'none'}"


def _conversion(contents: Contents, axes: int = 3) -> str:
    """How to save the largest cube, or raster, as an array, with the settings that its attributes
    ask for.
    """
    path = contents.path
    arrays = contents.arrays(axes)
    if not arrays:
        return f"It holds no {KINDS[axes]}: name another file."
    name = max(arrays, key=lambda name: arrays[name].size)
    target = array_file(path, name.rpartition("/")[2])
    if axes == 3 and contents.has(f"{name}@add_offset"):
        # No setting says an offset, so the script applies what is declared.
        load = (
            f"v = h5py.File({str(path)!r})[{name!r}]; d = v[()];"
            " a = d * v.attrs.get('scale_factor', 1.0) + v.attrs['add_offset'];"
            " a[d == v.attrs.get('_FillValue', numpy.nan)] = numpy.nan"
        )
        return (
            f"Save one cube as an array: {saving('h5py', load, 'a.astype(numpy.float32)', target)}."
        )
    settings = [
        setting(key, contents.text(address))
        for key, address in (("scale", f"{name}@scale_factor"), ("nodata", f"{name}@_FillValue"))
        if axes == 3 and contents.has(address)
    ]
    array = f"h5py.File({str(path)!r})[{name!r}][()]"
    command = saving("h5py", "", array, target, " ".join(settings))
    return f"Save one {KINDS[axes]} as an array: {command}"
