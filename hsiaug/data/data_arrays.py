"""Cubes and labels as xarray holds them: by the names, coordinates and attributes of their
dimensions.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Float64
from hsiaug.base.errors import InputError
from hsiaug.data.band_centres import centres_in_nm
from hsiaug.data.envi_header import (
    BAND_FIELDS,
    Header,
    bad_bands,
    band_places,
    field_name,
    header_of_tags,
    ignored_value,
    scaling,
)
from hsiaug.data.georeference import same_system
from hsiaug.data.label_codes import filler_of

PIXELS = frozenset({"x", "y", "lon", "lat", "longitude", "latitude", "row", "col", "column"})
"""Usual names of dimensions of pixels."""

WHERE = Path("the DataArray")
"""How errors name it."""

CENTRES = ("wavelength", "wavelengths", "band_centers", "band_centres")
"""Coordinates of band centres."""

NODATA = ("_FillValue", "missing_value", "nodata")
"""Attributes that name the number of missing values."""


def is_data_array(value: object) -> bool:
    """Whether something is an xarray.DataArray. Whoever has one has imported xarray, which takes a
    second.
    """
    return isinstance(value, getattr(sys.modules.get("xarray"), "DataArray", ()))


def unpacked(
    cube: Any, labels: Any, options: Mapping[str, object]
) -> tuple[AnyArray, Any, dict[str, object], tuple[str, ...]]:
    """A DataArray as numbers, labels on its grid, the options of an import with what it says of
    itself, and notes.

    Parameters
    ----------
    cube : xarray.DataArray
        Of three dimensions, in any order, perhaps packed: with attributes ``scale_factor`` and
        ``add_offset``. Fields of an ENVI header among its attributes count too.
    labels : xarray.DataArray, array or path
        A DataArray is put in the order of the cube's coordinates.
    options : mapping
        As the user gave them; they go before what the DataArray says.

    Raises
    ------
    InputError
        Where no dimension is that of bands, or the coordinates of cube and labels differ.
    SceneError
        For a scale among its attributes that cannot be applied.
    """
    centres = next((cube.coords[name] for name in CENTRES if name in cube.coords), None)
    if centres is not None and centres.ndim != 1:
        centres = None
    bands = "band" if centres is None else centres.dims[0]
    if cube.ndim != 3 or bands not in cube.dims:
        raise InputError(
            "a DataArray must have two dimensions of pixels, and one with a coordinate"
            " `wavelength`, or named `band`",
            value=", ".join(map(str, cube.dims)),
            hint=_bands_hint(cube, bands),
        )
    cube = cube.transpose(..., bands)
    if is_data_array(labels):
        labels = plain_labels(_on_grid(labels, cube), options.get("unlabelled"))
    header = _header(cube)
    found, notes = _band_options(header, centres, int(cube.shape[2]))
    if bad := found.pop("bad_bands"):
        asked = options.get("bad_bands", ())
        options = {**options, "bad_bands": sorted({*bad, *asked})}  # type: ignore[misc]
    if (units := str(cube.attrs.get("units", "")).strip()) not in ("", "1"):
        found["units"] = units
    values, of_values, scale_notes = _values(cube, header)
    return values, labels, {"axes": "hwb", **found, **of_values, **options}, (*notes, *scale_notes)


def _bands_hint(cube: Any, bands: object) -> str:
    """What to type for a cube whose dimensions are not two of pixels and one of bands."""
    single = [name for name in cube.dims if cube.sizes[name] == 1 and name != bands]
    if cube.ndim > 3 and single:
        return f"Leave out a dimension of length 1: cube.squeeze({single[0]!r})."
    others = [name for name in cube.dims if str(name) not in PIXELS]
    return f"Rename it: cube.rename({{{(others or ['z'])[0]!r}: 'band'}})."


def _header(array: Any) -> Header:
    """The fields of an ENVI header among the attributes, which GDAL passes on as text."""
    tags = {
        str(key): value if isinstance(value, str) else f"{{{', '.join(map(str, np.ravel(value)))}}}"
        for key, value in array.attrs.items()
        if field_name(str(key)) in BAND_FIELDS
    }
    return header_of_tags(tags)


def _band_options(
    header: Header, centres: Any | None, bands: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Band centres and bad bands as options of an import, and notes."""
    bad, notes = bad_bands(header, bands)
    if "fwhm" in header:
        notes += ("the attribute 'fwhm' is not used: a card has no band widths",)
    if centres is None:
        places = band_places({key: header[key] for key in header if key != "fwhm"}, bands)
        in_nm, notes = places.wavelengths, (*places.notes, *notes)
    else:
        in_nm = centres.values.astype(np.float64)
        unit = str(centres.attrs.get("units", "")) or header.get("wavelength units", [""])[0]
        # Without a unit it is guessed, and said, as that of any list.
        in_nm = centres_in_nm(in_nm, unit)[0] if unit else in_nm
    known = in_nm is not None and not np.isnan(in_nm).all()
    return {"bad_bands": bad, **({"wavelengths": in_nm} if known else {})}, notes


def _values(cube: Any, header: Header) -> tuple[AnyArray, dict[str, object], tuple[str, ...]]:
    """The numbers (H, W, B) of a cube, unpacked and NaN where one is missing, or else options of an
    import that say how; and notes.
    """
    bands = int(cube.shape[2])
    nodata = _missing(cube)
    if nodata is None:
        nodata = ignored_value(WHERE, header)
    values = cube.values
    options: dict[str, object] = {}
    notes: tuple[str, ...] = ()
    scale = _packing(cube, ("scale_factor", "scales"), bands, 1.0)
    offset = _packing(cube, ("add_offset", "offsets"), bands, 0.0)
    if (scale == 1).all() and (offset == 0).all():
        factor, shift, notes = scaling(WHERE, header, bands)
        if isinstance(factor, float) and shift == 0:
            options = {"scale": factor}
        elif factor is not None:
            scale, offset = np.array(factor), np.array(shift)
    packed = (scale != 1).any() or (offset != 0).any()
    invalid = _out_of_range(cube)
    if packed or invalid.any():
        invalid |= False if nodata is None else values == nodata
        values = np.where(invalid, np.nan, values * scale + offset).astype(np.float32)
    elif nodata is not None and not math.isnan(nodata):
        options["nodata"] = nodata
    return values, options, notes


def plain_labels(labels: Any, unlabelled: object = None) -> AnyArray:
    """(H, W) codes of a DataArray: without dimensions of length 1, no label where an attribute says
    that none is there.

    Parameters
    ----------
    unlabelled : object
        Codes without a label, as the user gave them.

    Raises
    ------
    InputError
        For other dimensions.
    """
    longer = [name for name in labels.dims if labels.sizes[name] > 1]
    if len(longer) > 2:
        layers = next((name for name in longer if str(name) not in PIXELS), longer[0])
        raise InputError(
            "labels must have two dimensions",
            value=", ".join(map(str, labels.dims)),
            hint=f"Choose one layer: labels.isel({{{layers!r}: 0}}).",
        )
    short = [name for name in labels.dims if name not in longer]
    sheet = labels.squeeze(short[: labels.ndim - 2])
    values = sheet.values
    nodata = _missing(labels)
    invalid = _out_of_range(sheet) | (values != values) | (values == nodata)
    filler = filler_of(unlabelled) if isinstance(unlabelled, Sequence) else 0
    values = values.astype(np.int64) if filler < 0 and values.dtype.kind == "u" else values
    return np.asarray(
        np.where(invalid, values.dtype.type(filler), values) if invalid.any() else values
    )


def _on_grid(labels: Any, cube: Any) -> Any:
    """Labels whose rows and columns are those of the cube, by coordinates where both have them, to
    a hundredth of a step.
    """
    pixels = [name for name in cube.dims[:2] if name in labels.dims]
    others = [name for name in labels.dims if name not in pixels]
    labels = labels.transpose(*others, *pixels)
    for name in pixels:
        if name not in labels.coords or name not in cube.coords:
            continue
        target, source = (np.asarray(array.coords[name].values) for array in (cube, labels))
        order = np.empty(len(target), dtype=np.intp)
        if target.shape == source.shape:
            order[np.argsort(target, kind="stable")] = np.argsort(source, kind="stable")
        if target.shape != source.shape or not _alike(target, source[order]):
            raise InputError(
                f"labels must have the coordinates of the cube along `{name}`",
                value=f"{source[0]} to {source[-1]} ({len(source)}), the cube {target[0]} to"
                f" {target[-1]} ({len(target)})",
                hint="Name the labels of this very scene, or put them on its grid:"
                " labels.reindex_like(cube, method='nearest').",
            )
        labels = labels.isel({name: order})
    systems = [_system(array) for array in (cube, labels)]
    if not same_system(*systems):
        raise InputError(
            "labels must lie in the coordinate system of the cube",
            value=" and ".join(system[:40] for system in systems),
            hint="Put them there: labels.rio.reproject_match(cube).",
        )
    return labels


def _alike(target: AnyArray, source: AnyArray) -> bool:
    """Whether coordinates are the same, numbers to a hundredth of a step."""
    if target.dtype.kind not in "iuf" or source.dtype.kind not in "iuf":
        return bool(np.array_equal(target, source))
    step = np.abs(np.diff(np.sort(target))).min() if len(target) > 1 else 1.0
    return bool(np.allclose(source, target, rtol=0, atol=0.01 * float(step)))


def _system(array: Any) -> str:
    """The coordinate system of a DataArray, as rioxarray and the CF conventions keep it; "" where
    it has none.
    """
    named = array.encoding.get("grid_mapping", array.attrs.get("grid_mapping", "spatial_ref"))
    place = array.coords[named].attrs if named in array.coords else {}
    stated = (place.get("crs_wkt"), place.get("spatial_ref"), array.attrs.get("crs"))
    return next((str(system) for system in stated if system), "")


def _missing(array: Any) -> float | None:
    """The number that attributes declare as missing; None where there is none. Raises InputError
    for several.
    """
    values = [number for key in NODATA for number in _numbers(array, key)[:1]]
    values += [
        float(value) for value in np.ravel(array.attrs.get("nodatavals", ())) if value is not None
    ]
    if len({str(value) for value in values}) > 1:
        raise InputError(
            "a DataArray must name one number for missing values",
            value=", ".join(map(str, sorted(values))),
            hint="Drop the attributes that are not right.",
        )
    return float(values[0]) if values else None


def _out_of_range(array: Any) -> Bools:
    """Values outside the range that attributes call valid: by the CF conventions they are missing.

    The range is of packed numbers; xarray moves their packing into ``encoding`` where it unpacks
    them. Raises InputError for a range that is none.
    """
    low, high = (
        (_numbers(array, key).tolist() or [math.nan])[0] for key in ("valid_min", "valid_max")
    )
    ends = _numbers(array, "valid_range").tolist()
    if len(ends) not in (0, 2):
        raise InputError(
            "`valid_range` of a DataArray must be two numbers",
            value=ends,
            hint="Correct or drop the attribute.",
        )
    low, high = ends or (low, high)
    scale = float(array.encoding.get("scale_factor", 1.0))
    offset = float(array.encoding.get("add_offset", 0.0))
    values = array.values
    return np.asarray((values < low * scale + offset) | (values > high * scale + offset))


def _packing(array: Any, keys: Sequence[str], bands: int, usual: float) -> Float64:
    """The number by which values are packed, or one for each band. Raises InputError for one that
    is none.
    """
    values = next((_numbers(array, key) for key in keys if key in array.attrs), np.array([usual]))
    if (
        values.size not in (1, bands)
        or not np.isfinite(values).all()
        or (usual and not values.all())
    ):
        raise InputError(
            f"`{keys[0]}` of a DataArray must be a number, or one for each band",
            value=values.tolist(),
            hint="Correct the attribute, or unpack the values first.",
        )
    return values if values.size == bands else values.reshape(())


def _numbers(array: Any, key: str) -> Float64:
    """(n,) numbers of an attribute, which may be text; none where there is none. Raises InputError
    where one is no number.
    """
    try:
        return np.ravel(np.asarray(array.attrs.get(key, ()))).astype(np.float64)
    except (TypeError, ValueError) as cause:
        raise InputError(
            f"`{key}` of a DataArray must be numbers",
            value=repr(array.attrs[key])[:80],
            hint="Correct or drop the attribute.",
        ) from cause
