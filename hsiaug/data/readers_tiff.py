"""TIFF files, with or without a place on Earth, as GDAL reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.base.text import some_of
from hsiaug.core.scene import row_parts
from hsiaug.data.band_centres import centres_in_nm, number_of, widths_in_nm
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.envi_header import (
    BAND_FIELDS,
    Header,
    bad_bands,
    facts_of_header,
    field_name,
    header_of_tags,
    read_header,
    whole,
)
from hsiaug.data.georeference import open_geotiff, quiet
from hsiaug.data.products.enmap_desis import metadata_beside
from hsiaug.data.raw import BandFacts, PerBand, RawArray, number_of_each, one_or_all, reading

if TYPE_CHECKING:
    from rasterio import DatasetReader

VALUES = 2**25
"""Read at a time: many rows, as each of a tiled file is unpacked with its neighbours."""


@contextmanager
def _opened(path: Path) -> Iterator[tuple[DatasetReader, Sequence[int]]]:
    """A TIFF that is supported, and its bands that are no alpha band."""
    with (
        reading(path, "GeoTIFF"),
        quiet(auxiliary=True) as rasterio,
        open_geotiff(rasterio, path) as file,
    ):
        _check_supported(path, file)
        yield file, _data_bands(file)


def read_tiff(path: Path) -> RawArray:
    """The bands (height, width, band) of a TIFF that are no alpha band, and all that its tags say
    of them.

    Raises SceneError for a damaged file, and for one with a tag that cannot be followed.
    """
    with _opened(path) as (file, bands):
        dtype = np.result_type(*(np.dtype(file.dtypes[band - 1]) for band in bands))
        check_array(path, (*file.shape, len(bands)), dtype.itemsize, labels=False)
        scale, offset = _scaling(path, file, bands)
        valid, nodata, notes = _validity(file, bands)
        places = _band_places(file, bands)
        header = _kept_header(file)
        units = {str(file.units[band - 1] or "").strip() for band in bands}
        facts = replace(
            places,
            scale=scale,
            offset=offset,
            nodata=nodata,
            units=units.pop() or None if len(units) == 1 else None,
            notes=(*notes, *places.notes),
        )
        raw = RawArray(_values(path, file, bands, dtype), valid, **vars(facts))
    return _with_header(path, _with_metadata(path, _with_domain(path, raw, header)))


def _kept_header(file: DatasetReader) -> Header:
    """What a TIFF keeps of an ENVI header: the domain of that name, and lists among its tags."""
    tags = header_of_tags(file.tags())
    listed = {key: value for key, value in tags.items() if key in BAND_FIELDS}
    kept = {**listed, **header_of_tags(file.tags(ns="ENVI"))}
    if all(file.descriptions) and "band names" not in kept:
        kept["band names"] = [str(text) for text in file.descriptions]
    return kept


def _with_metadata(path: Path, raw: RawArray) -> RawArray:
    """The bands with what the metadata of EnMAP and DESIS beside them say, where their own tags say
    nothing.
    """
    metadata = metadata_beside(path)
    if metadata is None:
        return raw
    name, facts = metadata
    assert facts.wavelengths is not None
    if len(facts.wavelengths) != raw.array.shape[2]:
        return _unused(raw, name, len(facts.wavelengths))
    return raw.completed(facts)


def _with_header(path: Path, raw: RawArray) -> RawArray:
    """The bands with what the header that ENVI writes beside a TIFF says of them, where the file
    itself says nothing.
    """
    header_path = path.with_suffix(".hdr")
    if not header_path.is_file():
        return raw
    try:
        header = read_header(header_path)
    except SceneError:
        return raw  # of another program
    if "tiff" not in str(header.get("file type", "")).lower():
        return raw
    bands = raw.array.shape[2]
    if whole(header_path, header, "bands", bands) != bands:
        return _unused(raw, header_path.name, header["bands"])
    completed = raw.completed(facts_of_header(header, bands, header_path))
    note = f"what {header_path.name} says of the bands is applied"
    return replace(completed, notes=(note, *completed.notes))


def _with_domain(path: Path, raw: RawArray, header: Header) -> RawArray:
    """The bands with what the file keeps of an ENVI header, where its own tags say nothing."""
    if raw.wavelengths is not None:
        header = {key: value for key, value in header.items() if key != "band names"}
    fields = header.keys() & BAND_FIELDS
    if not fields:
        return raw
    completed = raw.completed(facts_of_header(header, raw.array.shape[2], path))
    if fields == {"band names"}:
        return completed
    note = "what the file keeps of an ENVI header (domain ENVI) is applied to its bands"
    return replace(completed, notes=(*completed.notes, note))


def _unused(raw: RawArray, name: str, bands: object) -> RawArray:
    """The bands with the note that a file beside them is of another number of bands."""
    note = f"{name} is not used: {bands} bands, the image has {raw.array.shape[2]}"
    return replace(raw, notes=(*raw.notes, note))


def read_tiff_band(path: Path, key: str | None) -> RawArray:
    """One band (height, width) of a TIFF of labels.

    Parameters
    ----------
    key : str or None
        Its number from 1 on, or its description; None = the only one.

    Raises
    ------
    SceneError
        As :func:`read_tiff` does, for a file of several bands without a key, and for scaled
        codes.
    """
    with _opened(path) as (file, bands):
        band = _choose(path, file, bands, key)
        dtype = np.dtype(file.dtypes[band - 1])
        check_array(path, file.shape, dtype.itemsize, labels=False)
        check_array(path, file.shape, dtype.itemsize, labels=True)
        if _scaling(path, file, (band,)) != (None, 0.0):
            stated = f"scale {file.scales[band - 1]:g}, offset {file.offsets[band - 1]:g}"
            raise SceneError(
                f"{path}: codes of classes must have no scale",
                value=stated,
                hint="Save the codes without scale and offset.",
            )
        valid, nodata, notes = _validity(file, (band,))
        codes = _values(path, file, (band,), dtype)[:, :, 0]
        return RawArray(codes, nodata=nodata, valid=valid, notes=notes, band=band)


def _check_supported(path: Path, file: DatasetReader) -> None:
    """Raise SceneError for a file with several pages, or of complex numbers."""
    if pages := len(file.subdatasets):
        raise SceneError(
            f"{path} must hold one image",
            value=f"{pages} pages",
            hint="Save them as one array, for example with tifffile.imread and numpy.save.",
        )
    if complex_dtypes := [dtype for dtype in file.dtypes if dtype.startswith("complex")]:
        raise SceneError(
            f"{path} must hold plain numbers",
            value=complex_dtypes[0],
            hint="Save amplitudes, as integers or floats.",
        )


def _data_bands(file: DatasetReader) -> tuple[int, ...]:
    """Numbers from 1 on of the bands that are no alpha band; all bands of a file of nothing
    else.
    """
    every = range(1, file.count + 1)
    return tuple(band for band in every if band not in _alpha_bands(file)) or tuple(every)


def _alpha_bands(file: DatasetReader) -> tuple[int, ...]:
    """Numbers of the alpha bands, beside which there are others."""
    alpha = tuple(
        band for band, kind in enumerate(file.colorinterp, start=1) if kind.name == "alpha"
    )
    return alpha if len(alpha) < file.count else ()


def _choose(path: Path, file: DatasetReader, bands: Sequence[int], key: str | None) -> int:
    """The number of the band that holds the labels."""
    named = {str(band): band for band in bands}
    named |= {text: band for band in bands if (text := str(file.descriptions[band - 1] or ""))}
    if key is not None:
        if key not in named:
            hint = did_you_mean(key, named)
            raise SceneError(f"{path}: `labels_key` must name a band", value=repr(key), hint=hint)
        return named[key]
    if len(bands) == 1:
        return bands[0]
    colours = {file.colorinterp[band - 1].name for band in bands}
    hint = "Name the band of the classes, counted from 1, with `labels_key`."
    if {"red", "green", "blue"} <= colours:
        hint = "A picture in colours tells no classes: save their codes as one band."
    names = [f"{band} {file.descriptions[band - 1] or ''}".strip() for band in bands]
    listing = f"{len(bands)} bands ({some_of(names, 8)})"
    raise SceneError(f"{path}: a label map has two axes, one band", value=listing, hint=hint)


def _values(
    path: Path, file: DatasetReader, bands: Sequence[int], dtype: np.dtype[np.generic]
) -> AnyArray:
    """(height, width, band)."""
    values = empty_cube((*file.shape, len(bands)), f"{path}: a copy", dtype)
    for rows in row_parts(values.shape, VALUES):
        bounds = (rows.start, min(rows.stop, file.height)), (0, file.width)
        values[rows] = file.read(list(bands), window=bounds).transpose(1, 2, 0)
    return values


def _scaling(
    path: Path, file: DatasetReader, bands: Sequence[int]
) -> tuple[PerBand | None, PerBand]:
    """Scale and offset of the bands: one where all have the same, None and 0 where the file names
    none.
    """
    scales = tuple(float(file.scales[band - 1]) for band in bands)
    offsets = tuple(float(file.offsets[band - 1]) for band in bands)
    if set(scales) == {1.0} and set(offsets) == {0.0}:
        return None, 0.0
    if 0.0 in scales or not all(map(math.isfinite, (*scales, *offsets))):
        rule = f"{path}: scales of bands must be numbers other than 0, and offsets numbers"
        raise SceneError(
            rule,
            value=f"scales {set(scales)}, offsets {set(offsets)}"[:200],
            hint="Correct them in the file, or in the .aux.xml beside it.",
        )
    return one_or_all(scales), one_or_all(offsets)


def _mask_flags(file: DatasetReader, band: int) -> set[str]:
    """What GDAL says of the mask of a band, numbered from 1 on."""
    return {flag.name for flag in file.mask_flag_enums[band - 1]}


def masked_bands(file: DatasetReader, bands: Iterable[int]) -> list[int]:
    """Those of some bands that have a mask, of their own or of the file, which is no alpha band."""
    return [
        band
        for band in bands
        if not (flags := _mask_flags(file, band))
        or ("per_dataset" in flags and "alpha" not in flags)
    ]


def _validity(
    file: DatasetReader, bands: Sequence[int]
) -> tuple[NDArray[np.bool_] | None, PerBand | None, tuple[str, ...]]:
    """Pixels with data by masks or an alpha band, the numbers of pixels without data, and notes.

    As in GDAL a mask goes before the no-data value; an alpha band counts whatever the number of
    bands.

    Parameters
    ----------
    bands : sequence of int
        All that are read.
    """
    flags = {band: _mask_flags(file, band) for band in bands}
    masked = masked_bands(file, bands)
    stored = [None if band in masked else file.nodatavals[band - 1] for band in bands]
    valid = None
    notes = list[str]()
    # A mask of the file is that of each band.
    for band in masked[:1] if all("per_dataset" in flags[band] for band in masked) else masked:
        shown = file.read_masks(band) != 0
        valid = shown if valid is None else valid & shown
    if masked:
        notes.append("the mask of the file says which pixels hold data")
        unused = [file.nodatavals[band - 1] for band in masked if "nodata" not in flags[band]]
        if values := sorted({value for value in unused if value is not None}):
            listed = ", ".join(f"{value:g}" for value in values)
            notes[0] += f"; its no-data value {listed} is not used, as in GDAL"
    for band in _alpha_bands(file):
        opaque = file.read(band) != 0
        valid = opaque if valid is None else valid & opaque
        notes.append(f"band {band} is an alpha band: it says which pixels hold data")
    return valid, number_of_each(stored), tuple(notes)


def _band_places(file: DatasetReader, bands: Sequence[int]) -> BandFacts:
    """Centres and widths (bands,) in nm, of GDAL's CENTRAL_WAVELENGTH_UM and FWHM_UM, else of the
    tags ``wavelength``, ``fwhm`` and ``wavelength_units`` of bands; the bands, counted from 0,
    whose tag ``bbl`` is 0; and notes.
    """
    common = str(header_of_tags(file.tags()).get("wavelength units", ""))
    stated, stated_widths = np.full((2, len(bands)), np.nan)
    units = list[str]()
    flags = list[str]()
    for place, band in enumerate(bands):
        tags = {field_name(key): value for key, value in file.tags(band).items()}
        imagery = file.tags(band, ns="IMAGERY")
        central = number_of(imagery.get("CENTRAL_WAVELENGTH_UM"))
        centre = central or number_of(tags.get("wavelength"))
        width = number_of(imagery.get("FWHM_UM") if central else tags.get("fwhm"))
        stated[place] = math.nan if centre is None else centre
        stated_widths[place] = math.nan if width is None else width
        units.append("um" if central else tags.get("wavelength units", common))
        flags.append(tags.get("bbl", "1"))
    centres, widths = np.full((2, len(bands)), np.nan)
    notes = dict[str, None]()
    for unit in dict.fromkeys(units):
        of_unit = np.array([band_unit == unit for band_unit in units])
        centres[of_unit], note = centres_in_nm(stated[of_unit], unit)
        in_nm = widths_in_nm(stated_widths[of_unit], stated[of_unit], centres[of_unit])
        if in_nm is not None:
            widths[of_unit] = in_nm
        notes |= {note: None} if note else {}
    bad, bad_notes = bad_bands({"bbl": flags}, len(bands))
    return BandFacts(
        wavelengths=None if np.isnan(centres).all() else centres,
        widths=None if np.isnan(widths).all() else widths,
        bad_bands=bad,
        notes=(*notes, *bad_notes),
    )
