"""Products of imaging spectrometers in HDF5 and netCDF-4, known by what the file holds, never by
its name: PRISMA L2D and EMIT L2A.

PRISMA has two detectors, whose numbers 0 to 65535 span a reflectance from ``L2Scale…Min`` to
``L2Scale…Max``; bands with the centre 0 are not there. Sources: ASI, PRISMA Products
Specification, and lbusett/prismaread.

EMIT has a cube in the geometry of the sensor, and a look-up table that says which of its pixels
lies at each place of a grid in degrees: ``location/glt_x`` and ``glt_y`` hold column and row of the
sensor's pixel, from 1 on; 0 = none. Source: nasa/EMIT-Data-Resources, ``emit_tools.apply_glt``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsiaug.base.arrays import AnyArray, Float64, Int64
from hsiaug.base.errors import SceneError
from hsiaug.core.scene import row_parts
from hsiaug.data.band_centres import centres_in_nm, widths_in_nm
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.raw import BandFacts, PerBand, RawArray, one_or_all, reading

if TYPE_CHECKING:
    import h5py

Place = tuple[tuple[float, ...], str]
"""An affine transform (a, b, c, d, e, f) of columns and rows, and a coordinate system as WKT."""

VALUES = 2**25
"""Values that are read at a time."""

MOST_DESCRIBED = 2**16
"""Values of a dataset that describes a cube, at most."""
FIELDS = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"
DETECTORS = {"Vnir": f"{FIELDS}/VNIR_Cube", "Swir": f"{FIELDS}/SWIR_Cube"}
"""The cube of each detector of PRISMA."""
FULL_SCALE = 65535
METRES = 30.0
"""Sides of a pixel of PRISMA."""

BANDS = "sensor_band_parameters"
"""The group of EMIT that describes bands."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The items of a file that lie in it: what links or external storage name is left out.

    Attributes
    ----------
    path : Path
        Path of the file.
    items : dict of str to object
        Datasets and groups by their path, the file itself as "".
    """

    path: Path
    items: dict[str, Any]

    def value(self, address: str) -> Any:
        """The values of a dataset, "ITEM", or of an attribute, "ITEM@NAME", of the file itself
        "@NAME"; None where there is none.

        Raises ValueError for a dataset that is too large to describe a cube.
        """
        item, at, name = address.partition("@")
        if item not in self.items:
            return None
        if at:
            return self.items[item].attrs.get(name)
        if self.items[item].size > MOST_DESCRIBED:
            raise ValueError(f"{self.items[item].size:,} values of {item}")
        return self.items[item][()]

    def numbers(self, address: str) -> Float64 | None:
        """(n,) numbers of a dataset or an attribute, which may be text; None where there is none.

        Raises ValueError, naming it, where one is no number.
        """
        value = self.value(address)
        if value is None:
            return None
        try:
            return np.ravel(np.asarray(value)).astype(np.float64)
        except (TypeError, ValueError) as cause:
            raise ValueError(f"{value!r} for the number {address}"[:160]) from cause

    def number(self, address: str) -> float | None:
        """The number of a dataset or an attribute; None where there is none. Raises ValueError for
        several.
        """
        listed = self.of_bands(address, 1)
        return None if listed is None else float(listed[0])

    def of_bands(self, address: str, bands: int, what: str = "values") -> Float64 | None:
        """One number for each band; None where the file has none. Raises ValueError for another
        count.
        """
        listed = self.numbers(address)
        if listed is not None and len(listed) != bands:
            raise ValueError(f"{len(listed)} {what} for {bands} bands in {address}")
        return listed

    def text(self, address: str) -> str:
        """The text of a dataset or an attribute; "" where there is none."""
        value = self.value(address)
        if value is None:
            return ""
        first = np.ravel(value)[0] if np.size(value) else ""
        return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)

    def has(self, address: str) -> bool:
        """Whether there is such a dataset or attribute."""
        return self.value(address) is not None if "@" in address else address in self.items

    def cubes(self) -> dict[str, h5py.Dataset]:
        """Numeric datasets that have three axes."""
        return {
            name: item
            for name, item in self.items.items()
            if len(getattr(item, "shape", None) or ()) == 3 and item.dtype.kind in "iuf"
        }


@contextmanager
def open_contents(path: Path) -> Iterator[Contents]:
    """What lies in a file of HDF5 or netCDF-4. Raises SceneError where it is damaged."""
    import h5py

    with reading(path, "HDF5 or netCDF-4"), h5py.File(path, "r", locking=False) as file:
        items: dict[str, Any] = {"": file}

        def note(name: str, item: Any) -> None:
            if not isinstance(item, h5py.Dataset) or not (item.is_virtual or item.external):
                items[name] = item

        file.visititems(note)  # links to other files are not followed
        yield Contents(path, items)


def whole(contents: Contents, name: str) -> AnyArray:
    """All numbers of a dataset, its axes as they are, in memory or in a temporary file.

    Raises ValueError for other values, SceneError for more than the file can hold.
    """
    dataset = contents.items[name]
    check_size(contents, name)
    dtype = np.dtype(dataset.dtype).newbyteorder("=")
    values = empty_cube(dataset.shape, f"{contents.path}: a copy", dtype)
    for rows in row_parts(dataset.shape, VALUES):
        values[rows] = dataset[rows]
    return values


def check_size(contents: Contents, name: str) -> None:
    """Raise SceneError for a dataset that announces more than its file can hold, ValueError for
    one of something else than numbers.
    """
    dataset = contents.items[name]
    if dataset.dtype.kind not in "iufb":
        raise ValueError(f"{dataset.dtype} in {name}")
    stored = dataset.id.get_storage_size()
    check_array(contents.path, dataset.shape, dataset.dtype.itemsize, labels=False, stored=stored)


class _Product(NamedTuple):
    """A kind of product.

    Attributes
    ----------
    name : as people call it
    marks : items that only files of this kind have all of
    needs : datasets "ITEM" and attributes "ITEM@NAME" that cannot be done without
    read : gives the cube, without what is said of its place
    place : gives the place of the pixels; None where the file has none
    unplaced : sentence for a cube without a place
    """

    name: str
    marks: tuple[str, ...]
    needs: tuple[str, ...]
    read: Callable[[Contents], RawArray]
    place: Callable[[Contents], Place | None]
    unplaced: str


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


def _product_of(contents: Contents) -> _Product | None:
    fitting = (p for p in PRODUCTS if all(mark in contents.items for mark in p.marks))
    return next(fitting, None)


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


def _read_prisma(contents: Contents) -> RawArray:
    """Bands of both detectors in the order of their centres; 0 in all bands is no data."""
    by_detector = [_bands(contents, detector) for detector in DETECTORS]
    table = np.concatenate(by_detector)
    order = np.argsort(table[:, 0], kind="stable")
    shapes = {contents.items[cube].shape[::2] for cube in DETECTORS.values()}
    if len(shapes) != 1 or not len(order):
        raise ValueError(f"cubes of {len(order)} bands and of the sizes {sorted(shapes)}")
    height, width = shapes.pop()
    values = empty_cube((height, width, len(order)), f"{contents.path}: a copy", np.uint16)
    valid = np.zeros((height, width), dtype=bool)
    places = np.split(np.argsort(order), [len(by_detector[0])])
    for cube, bands, targets in zip(DETECTORS.values(), by_detector, places, strict=True):
        check_size(contents, cube)
        stored = contents.items[cube]
        for rows in row_parts(stored.shape, VALUES):
            block = stored[rows][:, bands[:, 4].astype(int)]  # (rows, band, column)
            values[rows, :, targets] = block.transpose(0, 2, 1)
            valid[rows] |= block.any(axis=1)
    near, short_wave = (bands[:, 0] for bands in by_detector)
    notes = list[str]()
    if len(near) and len(short_wave) and short_wave.min() < near.max():
        notes.append(
            f"both detectors see {short_wave.min():g} to {near.max():g} nm: their bands are in the"
            " order of their centres"
        )
    if any("ERR_MATRIX" in name for name in contents.items):
        notes.append("the matrices of erroneous pixels in the file are not used")
    centres, widths, low, high, _ = table[order].T
    return RawArray(
        values,
        valid,
        wavelengths=centres,
        scale=one_or_all(((high - low) / FULL_SCALE).tolist()),
        offset=one_or_all(low.tolist()),
        units="reflectance",
        widths=None if np.isnan(widths).any() else widths,
        notes=tuple(notes),
    )


def _bands(contents: Contents, detector: str) -> Float64:
    """(n, 5) of the bands of a detector of PRISMA that are there: centre and width in nm, NaN where
    the file has none, the reflectance of the numbers 0 and FULL_SCALE, and the place on the
    detector's axis of bands. Raises ValueError for lists of another length.
    """
    count = contents.items[DETECTORS[detector]].shape[1]
    centres = contents.of_bands(f"@List_Cw_{detector}", count, "band centres")
    widths = contents.of_bands(f"@List_Fwhm_{detector}", count, "band widths")
    flags = contents.of_bands(f"@List_Cw_{detector}_Flags", count, "flags of bands")
    low, high = (contents.number(f"@L2Scale{detector}{end}") for end in ("Min", "Max"))
    if centres is None or low is None or high is None or not high > low:
        raise ValueError(f"a reflectance of {low} to {high}")
    columns = (centres, np.nan if widths is None else widths, low, high, np.arange(count))
    table = np.stack([np.broadcast_to(column, count) for column in columns], axis=1)
    return table[(centres > 0) & (True if flags is None else flags != 0)]


def _prisma_place(contents: Contents) -> Place | None:
    """Corner coordinates span one pixel less than there are where they are those of the centres of
    pixels.
    """
    import rasterio

    left, right, top, bottom, code = (
        contents.number(f"@{name}")
        for name in (
            "Product_ULcorner_easting",
            "Product_LRcorner_easting",
            "Product_ULcorner_northing",
            "Product_LRcorner_northing",
            "Epsg_Code",
        )
    )
    if left is None or right is None or top is None or bottom is None or code is None:
        return None
    rows, _, columns = contents.items[DETECTORS["Vnir"]].shape
    for fewer in (1, 0):
        across = METRES * (columns - fewer)
        down = METRES * (rows - fewer)
        if max(abs(right - left - across), abs(top - bottom - down)) < METRES / 4:
            margin = fewer * METRES / 2
            transform = (METRES, 0.0, left - margin, 0.0, -METRES, top + margin)
            return transform, rasterio.CRS.from_epsg(int(code)).to_wkt()
    return None


def _read_emit(contents: Contents) -> RawArray:
    """The cube on its grid; places that the sensor did not see hold no data."""
    stored = whole(contents, "reflectance")
    facts = _emit_facts(contents, stored)
    rows = _lookup(contents, "location/glt_y", stored.shape[0])
    columns = _lookup(contents, "location/glt_x", stored.shape[1])
    valid = (rows > 0) & (columns > 0)
    shape = (*valid.shape, stored.shape[2])
    check_array(contents.path, shape, stored.itemsize, labels=False)
    placed = empty_cube(shape, f"{contents.path}: a copy", stored.dtype)
    for stripe in row_parts(shape, VALUES):
        placed[stripe] = facts.nodata
        here = valid[stripe]
        placed[stripe][here] = stored[rows[stripe][here] - 1, columns[stripe][here] - 1]
    used = np.zeros(stored.shape[:2], dtype=bool)
    used[rows[valid] - 1, columns[valid] - 1] = True
    repeats = 1 - used.sum() / max(1, valid.sum())
    note = (
        f"the {'×'.join(map(str, used.shape))} pixels of the sensor are placed on a grid of"
        f" {'×'.join(map(str, valid.shape))} by the look-up table of the file: {repeats:.0%} of the"
        " pixels with data repeat another"
    )
    notes = (*facts.notes, note)
    return RawArray(placed, **{**vars(facts), "units": "reflectance", "notes": notes})


def _emit_facts(contents: Contents, stored: AnyArray) -> BandFacts:
    """What the file says of the bands of EMIT and, by attributes, of its numbers."""
    bands = stored.shape[2]
    stated = contents.of_bands(f"{BANDS}/wavelengths", bands, "band centres")
    widths = contents.of_bands(f"{BANDS}/fwhm", bands, "band widths")
    good = contents.of_bands(f"{BANDS}/good_wavelengths", bands, "flags of good bands")
    unit = contents.text(f"{BANDS}/wavelengths@units") or "nm"
    in_nm, note = centres_in_nm([] if stated is None else stated, unit)
    packing = list[PerBand | None]()
    for address in ("reflectance@scale_factor", "reflectance@add_offset"):
        listed = contents.numbers(address)
        if listed is not None and len(listed) > 1:
            listed = contents.of_bands(address, bands)
        packing.append(None if listed is None else one_or_all(listed.tolist()))
    scale, offset = packing
    nodata = np.nan if stored.dtype.kind == "f" else None
    for key in ("missing_value", "_FillValue"):
        if (number := contents.number(f"reflectance@{key}")) is not None:
            nodata = number
    return BandFacts(
        wavelengths=in_nm,
        widths=None if widths is None else widths_in_nm(widths, stated, in_nm),
        scale=1.0 if scale is None and offset is not None else scale,
        offset=0.0 if offset is None else offset,
        nodata=nodata,
        bad_bands=() if good is None else tuple(np.flatnonzero(good == 0).tolist()),
        notes=(note,) if note else (),
    )


def _lookup(contents: Contents, name: str, length: int) -> Int64:
    """(rows, columns) places on one axis of the sensor. Raises ValueError for one beyond its
    end.
    """
    # As in ENVI's tables, a place of which another pixel is the nearest may be negative.
    places: Int64 = np.abs(np.nan_to_num(whole(contents, name))).astype(np.int64)
    if places.ndim != 2 or places.max() > length:
        raise ValueError(f"a look-up table of {places.shape} that points beyond the cube")
    return places


def _emit_place(contents: Contents) -> Place | None:
    listed = contents.numbers("@geotransform")
    wkt = contents.text("@spatial_ref")
    if listed is None or len(listed) != 6 or not wkt:
        return None
    left, across, row_x, top, column_y, down = listed.tolist()  # in the order of GDAL
    return (across, row_x, left, column_y, down, top), wkt


PRODUCTS = (
    _Product(
        "PRISMA L2D",
        marks=(FIELDS,),
        needs=(
            *DETECTORS.values(),
            *(f"@List_Cw_{detector}" for detector in DETECTORS),
            *(f"@L2Scale{detector}{end}" for detector in DETECTORS for end in ("Min", "Max")),
        ),
        read=_read_prisma,
        place=_prisma_place,
        unplaced=f"corner coordinates do not give pixels of {METRES:g} m: no georeference",
    ),
    _Product(
        "EMIT L2A",
        marks=("reflectance", BANDS),
        needs=(
            f"{BANDS}/wavelengths",
            "location/glt_x",
            "location/glt_y",
            "@geotransform",
            "@spatial_ref",
        ),
        read=_read_emit,
        place=_emit_place,
        unplaced="the geotransform of the file is none: no georeference",
    ),
)
"""All kinds that are read; the first that fits is taken."""
