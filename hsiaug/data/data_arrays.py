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
from numpy.typing import NDArray

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
) -> tuple[NDArray[Any], Any, dict[str, object], tuple[str, ...]]:
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
    bands = "band" if centres is None or centres.ndim != 1 else centres.dims[0]
    if cube.ndim != 3 or bands not in cube.dims:
        rule = (
            "a DataArray must have two dimensions of pixels, and one with a coordinate"
            " `wavelength`, or named `band`"
        )
        raise InputError(rule, value=", ".join(map(str, cube.dims)), hint=_bands_hint(cube, bands))
    cube = cube.transpose(..., bands)
    if is_data_array(labels):
        labels = plain_labels(_on_grid(labels, cube), options.get("unlabelled"))
    count = int(cube.shape[2])
    header = _header(cube)
    widths = header.pop("fwhm", None)
    places = band_places(header, count)
    bad, bad_notes = bad_bands(header, count)
    notes = [*places.notes, *bad_notes]
    of_cube: dict[str, object] = {"axes": "hwb"}
    if places.wavelengths is not None:
        of_cube |= {"wavelengths": places.wavelengths}
    if centres is not None and centres.ndim == 1:
        stated = centres.values.astype(np.float64)
        unit = str(centres.attrs.get("units", "") or header.get("wavelength units", ""))
        # Without a unit it is guessed, and said, as that of any list.
        in_nm = centres_in_nm(stated, unit)[0] if unit else stated
        of_cube |= {} if np.isnan(in_nm).all() else {"wavelengths": in_nm}
        notes = [*bad_notes]
    if widths is not None:
        notes.append("the attribute 'fwhm' is not used: a card has no band widths")
    if (units := str(cube.attrs.get("units", "")).strip()) not in ("", "1"):
        of_cube |= {"units": units}
    if bad:
        asked = options.get("bad_bands", ())
        options = {**options, "bad_bands": sorted({*bad, *asked})}  # type: ignore[misc]
    nodata = _missing(cube, header)
    values = cube.values
    scale = _packing(cube, ("scale_factor", "scales"), count)
    offset = _packing(cube, ("add_offset", "offsets"), count)
    if not np.any(scale != 1) and not np.any(offset != 0):
        factor, shift, scale_notes = scaling(WHERE, header, count)
        notes += scale_notes
        if isinstance(factor, float) and shift == 0:
            of_cube |= {"scale": factor}
        elif factor is not None:
            scale, offset = np.array(factor), np.array(shift)
    invalid = _out_of_range(cube)
    packed = np.any(scale != 1) or np.any(offset != 0)
    if nodata is not None and (packed or invalid.any()):
        invalid |= values == nodata
    if packed or invalid.any():
        values = np.where(invalid, np.nan, values * scale + offset).astype(np.float32)
    elif nodata is not None and not math.isnan(nodata):
        of_cube |= {"nodata": nodata}
    return values, labels, {**of_cube, **options}, tuple(notes)


def _header(array: Any) -> Header:
    """The fields of an ENVI header among the attributes, which GDAL passes on as text."""
    tags = {
        str(key): value if isinstance(value, str) else f"{{{', '.join(map(str, np.ravel(value)))}}}"
        for key, value in array.attrs.items()
    }
    return header_of_tags(
        {key: text for key, text in tags.items() if field_name(key) in BAND_FIELDS}
    )


def _bands_hint(cube: Any, bands: object) -> str:
    """What to type for a cube whose dimensions are not two of pixels and one of bands."""
    single = [name for name in cube.dims if cube.sizes[name] == 1 and name != bands]
    if cube.ndim > 3 and single:
        return f"Leave out a dimension of length 1: cube.squeeze({single[0]!r})."
    others = [name for name in cube.dims if str(name) not in PIXELS]
    return f"Rename it: cube.rename({{{(others or ['z'])[0]!r}: 'band'}})."


def plain_labels(labels: Any, unlabelled: object = None) -> NDArray[Any]:
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
        rule = "labels must have two dimensions"
        dimensions = ", ".join(map(str, labels.dims))
        layers = next((name for name in longer if str(name) not in PIXELS), longer[0])
        hint = f"Choose one layer: labels.isel({{{layers!r}: 0}})."
        raise InputError(rule, value=dimensions, hint=hint)
    short = [name for name in labels.dims if name not in longer]
    sheet = labels.squeeze(short[: labels.ndim - 2])
    values = sheet.values
    nodata = _missing(labels)
    invalid = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    invalid |= _out_of_range(sheet)
    if nodata is not None:
        invalid |= values == nodata
    filler = filler_of(unlabelled) if isinstance(unlabelled, Sequence) else 0
    values = values.astype(np.int64) if filler < 0 and values.dtype.kind == "u" else values
    return np.asarray(
        np.where(invalid, values.dtype.type(filler), values) if invalid.any() else values
    )


def _on_grid(labels: Any, cube: Any) -> Any:
    """Labels whose rows and columns are those of the cube, by coordinates where both have them."""
    pixels = cube.dims[:2]
    others = [name for name in labels.dims if name not in pixels]
    labels = labels.transpose(*others, *(name for name in pixels if name in labels.dims))
    for name in pixels:
        if name not in labels.dims or name not in labels.coords or name not in cube.coords:
            continue
        cube_axis, label_axis = (np.asarray(array.coords[name].values) for array in (cube, labels))
        order = _matching(cube_axis, label_axis)
        if order is None:
            rule = f"labels must have the coordinates of the cube along `{name}`"
            extents = (
                f"{_ends(label_axis)} ({len(label_axis)}), the cube {_ends(cube_axis)}"
                f" ({len(cube_axis)})"
            )
            hint = (
                "Name the labels of this very scene, or put them on its grid:"
                " labels.reindex_like(cube, method='nearest')."
            )
            raise InputError(rule, value=extents, hint=hint)
        labels = labels.isel({name: order})
    systems = [_system(array) for array in (cube, labels)]
    if not same_system(*systems):
        rule = "labels must lie in the coordinate system of the cube"
        hint = "Put them there: labels.rio.reproject_match(cube)."
        raise InputError(rule, value=" and ".join(system[:40] for system in systems), hint=hint)
    return labels


def _system(array: Any) -> str:
    """The coordinate system of a DataArray, as rioxarray and the CF conventions keep it; "" where
    it has none.
    """
    named = array.encoding.get("grid_mapping", array.attrs.get("grid_mapping", "spatial_ref"))
    place = array.coords.get(named)
    attributes = {} if place is None else place.attrs
    stated = (attributes.get("crs_wkt"), attributes.get("spatial_ref"), array.attrs.get("crs"))
    return next((str(system) for system in stated if system), "")


def _matching(target: NDArray[Any], source: NDArray[Any]) -> NDArray[np.intp] | None:
    """The indices that put ``source`` in the order of ``target``, to a hundredth of a step; None
    where their values differ.
    """
    if target.shape != source.shape:
        return None
    if target.dtype.kind not in "iuf" or source.dtype.kind not in "iuf":
        return np.arange(len(target)) if np.array_equal(target, source) else None
    step = np.abs(np.diff(np.sort(target))).min() if len(target) > 1 else 1.0
    order = np.empty(len(target), dtype=np.intp)
    order[np.argsort(target, kind="stable")] = np.argsort(source, kind="stable")
    return order if np.allclose(source[order], target, rtol=0, atol=0.01 * float(step)) else None


def _ends(values: NDArray[Any]) -> str:
    return f"{values[0]} to {values[-1]}"


def _missing(array: Any, header: Header | None = None) -> float | None:
    """The number that an attribute declares as missing, else a field of an ENVI header among them;
    None where there is none.

    Raises InputError for several, SceneError for a field that is no number.
    """
    values = {float(_numbers(array, key)[0]) for key in NODATA if key in array.attrs}
    values |= {
        float(value) for value in np.ravel(array.attrs.get("nodatavals", ())) if value is not None
    }
    if len({str(value) for value in values}) > 1:
        rule = "a DataArray must name one number for missing values"
        raise InputError(
            rule,
            value=", ".join(map(str, sorted(values))),
            hint="Drop the attributes that are not right.",
        )
    if values:
        return values.pop()
    return None if header is None else ignored_value(WHERE, header)


def _out_of_range(array: Any) -> NDArray[np.bool_]:
    """Values outside the range that attributes call valid: by the CF conventions they are missing.

    The range is of packed numbers; xarray moves their packing into ``encoding`` where it unpacks
    them. Raises InputError for a range that is none.
    """
    ends = [array.attrs.get(key, math.nan) for key in ("valid_min", "valid_max")]
    try:
        low, high = (float(end) for end in np.ravel(array.attrs.get("valid_range", ends)))
        scale = float(array.encoding.get("scale_factor", 1.0))
        offset = float(array.encoding.get("add_offset", 0.0))
    except (TypeError, ValueError) as cause:
        raise InputError(
            "`valid_range` of a DataArray must be two numbers",
            value=repr(array.attrs.get("valid_range", ends))[:80],
            hint="Correct or drop the attribute.",
        ) from cause
    return np.asarray(
        (array.values < low * scale + offset) | (array.values > high * scale + offset)
    )


def _packing(array: Any, keys: Sequence[str], bands: int) -> NDArray[np.float64]:
    """The number by which values are packed, or one for each band. Raises InputError for one that
    is none.
    """
    usual = 1.0 if keys[0] == "scale_factor" else 0.0
    key = next((key for key in keys if key in array.attrs), None)
    values = np.array([usual]) if key is None else _numbers(array, key)
    if (
        values.size not in (1, bands)
        or not np.isfinite(values).all()
        or (usual and not values.all())
    ):
        hint = "Correct the attribute, or unpack the values first."
        raise InputError(
            f"`{keys[0]}` of a DataArray must be a number, or one for each band",
            value=values.tolist(),
            hint=hint,
        )
    return values if values.size == bands else values.reshape(())


def _numbers(array: Any, key: str) -> NDArray[np.float64]:
    """(n,) numbers of an attribute, which may be text. Raises InputError where one is none."""
    try:
        return np.ravel(np.asarray(array.attrs[key])).astype(np.float64)
    except (TypeError, ValueError) as cause:
        raise InputError(
            f"`{key}` of a DataArray must be numbers",
            value=repr(array.attrs[key])[:80],
            hint="Correct or drop the attribute.",
        ) from cause
