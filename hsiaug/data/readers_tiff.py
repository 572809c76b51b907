"""TIFF files, with or without a place on Earth, as GDAL reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools
from hsiaug.base.errors import SceneError
from hsiaug.core.scene import row_parts
from hsiaug.data.auxiliary import metadata_beside
from hsiaug.data.bounds import check_array, empty_cube
from hsiaug.data.envi_header import (
    BAND_FIELDS,
    Header,
    facts_of_header,
    header_of_tags,
    read_header,
    whole,
)
from hsiaug.data.georeference import open_geotiff, quiet
from hsiaug.data.raw import (
    BandFacts,
    PerBand,
    RawArray,
    number_of_each,
    one_or_all,
    only,
    reading,
)

if TYPE_CHECKING:
    from rasterio import DatasetReader

VALUES = 2**25
"""Read at a time: many rows, as each of a tiled file is unpacked with its neighbours."""


def read_tiff(path: Path, *, labels: bool = False, key: str | None = None) -> RawArray:
    """The bands (height, width, band) of a TIFF that are no alpha band, and all that its tags and
    the files beside it say of them; of labels one band (height, width).

    Parameters
    ----------
    labels : bool
        Whether codes of classes are asked for.
    key : str or None
        The number from 1 on, or the description, of their band; None = the only one.

    Raises
    ------
    SceneError
        For a damaged file, one with a tag that cannot be followed, for labels of several bands
        without a key, and for scaled codes.
    """
    with (
        reading(path, "GeoTIFF"),
        quiet(auxiliary=True) as rasterio,
        open_geotiff(rasterio, path) as file,
    ):
        _check_supported(path, file)
        every = range(1, file.count + 1)
        alpha = [band for band in every if file.colorinterp[band - 1].name == "alpha"]
        alpha = alpha if len(alpha) < file.count else []
        bands = [band for band in every if band not in alpha]
        if labels:
            bands = [_choose(path, file, bands, key)]
        dtype = np.result_type(*(np.dtype(file.dtypes[band - 1]) for band in bands))
        check_array(path, (*file.shape, len(bands)), dtype.itemsize, labels=labels)
        scale, offset = _scaling(path, file, bands)
        if labels and (scale, offset) != (None, 0.0):
            raise SceneError(
                f"{path}: codes of classes must have no scale",
                value=f"scale {scale}, offset {offset}",
                hint="Save the codes without scale and offset.",
            )
        valid, nodata, notes = _validity(file, bands, alpha)
        values = _values(path, file, bands, dtype)
        if labels:
            return RawArray(values[:, :, 0], nodata=nodata, valid=valid, notes=notes, band=bands[0])
        facts = facts_of_header(_header(path, file, bands), len(bands), path)
        units = {str(file.units[band - 1] or "").strip() for band in bands}
        raw = RawArray(
            values,
            valid,
            scale=scale,
            offset=offset,
            nodata=nodata,
            units=units.pop() or None if len(units) == 1 else None,
            notes=notes,
        )
    return _with_files_beside(path, raw.completed(facts))


def _check_supported(path: Path, file: DatasetReader) -> None:
    """Raise SceneError for a file with several pages, or of complex numbers."""
    if pages := len(file.subdatasets):
        raise SceneError(
            f"{path} must hold one image",
            value=f"{pages} pages",
            hint="Save them as one array, with numpy.save.",
        )
    if complex_dtypes := [dtype for dtype in file.dtypes if dtype.startswith("complex")]:
        raise SceneError(
            f"{path} must hold plain numbers",
            value=complex_dtypes[0],
            hint="Save amplitudes, as integers or floats.",
        )


def _choose(path: Path, file: DatasetReader, bands: Sequence[int], key: str | None) -> int:
    """The number of the band that holds the labels."""
    named = {str(file.descriptions[band - 1]): band for band in bands}
    named |= {str(band): band for band in bands}
    colours = {file.colorinterp[band - 1].name for band in bands}
    hint = ""
    if {"red", "green", "blue"} <= colours:
        hint = "A picture in colours tells no classes: save their codes as one band."
    names = [*map(str, bands)] if key is None else [*named]
    return named[only(path, names, key, "band of classes", hint)]


def _scaling(
    path: Path, file: DatasetReader, bands: Sequence[int]
) -> tuple[PerBand | None, PerBand]:
    """Scale and offset of the bands: one where all have the same, None and 0 where the file names
    none.
    """
    scales, offsets = (
        [listed[band - 1] for band in bands] for listed in (file.scales, file.offsets)
    )
    if set(scales) == {1.0} and set(offsets) == {0.0}:
        return None, 0.0
    if 0.0 in scales or not all(map(math.isfinite, (*scales, *offsets))):
        raise SceneError(
            f"{path}: scales of bands must be numbers other than 0, and offsets numbers",
            value=f"scales {set(scales)}, offsets {set(offsets)}"[:200],
            hint="Correct them in the file, or in the .aux.xml beside it.",
        )
    return one_or_all(scales), one_or_all(offsets)


def _validity(
    file: DatasetReader, bands: Sequence[int], alpha: Sequence[int]
) -> tuple[Bools | None, PerBand | None, tuple[str, ...]]:
    """Pixels with data by masks or alpha bands, the numbers of pixels without data, and notes.

    As in GDAL a mask goes before the no-data value; an alpha band counts whatever the number of
    bands.
    """
    flags = {band: {flag.name for flag in file.mask_flag_enums[band - 1]} for band in bands}
    masked = [
        band
        for band in bands
        if not flags[band] or ("per_dataset" in flags[band] and "alpha" not in flags[band])
    ]
    stored = [None if band in masked else file.nodatavals[band - 1] for band in bands]
    # A mask of the file is that of each band.
    one_mask = all("per_dataset" in flags[band] for band in masked)
    shown = [file.read_masks(band) != 0 for band in (masked[:1] if one_mask else masked)]
    notes = list[str]()
    if masked:
        notes.append("the mask of the file says which pixels hold data")
        unused = {file.nodatavals[band - 1] for band in masked if "nodata" not in flags[band]}
        if values := sorted(unused - {None}):
            listed = ", ".join(f"{value:g}" for value in values)
            notes[0] += f"; its no-data value {listed} is not used, as in GDAL"
    for band in alpha:
        shown.append(file.read(band) != 0)
        notes.append(f"band {band} is an alpha band: it says which pixels hold data")
    valid = np.logical_and.reduce(shown) if shown else None
    return valid, number_of_each(stored), tuple(notes)


def _values(
    path: Path, file: DatasetReader, bands: Sequence[int], dtype: np.dtype[np.generic]
) -> AnyArray:
    """(height, width, band)."""
    values = empty_cube((*file.shape, len(bands)), f"{path}: a copy", dtype)
    for rows in row_parts(values.shape, VALUES):
        bounds = (rows.start, min(rows.stop, file.height)), (0, file.width)
        values[rows] = file.read(list(bands), window=bounds).transpose(1, 2, 0)
    return values


def _header(path: Path, file: DatasetReader, bands: Sequence[int]) -> Header:
    """What the tags of a TIFF say of its bands, as fields of an ENVI header: those of GDAL's domain
    of that name, before them the tags of bands, and behind them those of the file.

    Raises SceneError for band centres in several units.
    """
    of_file = header_of_tags(file.tags())
    names = [str(file.descriptions[band - 1] or "") for band in bands]
    header = {"band names": names} if all(names) else {}
    header |= {key: listed for key, listed in of_file.items() if key in BAND_FIELDS}
    header |= header_of_tags(file.tags(ns="ENVI"))
    tags = [header_of_tags(file.tags(band)) for band in bands]
    for band, of_band in zip(bands, tags, strict=True):
        imagery = file.tags(band, ns="IMAGERY")
        if "CENTRAL_WAVELENGTH_UM" in imagery:
            of_band["wavelength"] = [imagery["CENTRAL_WAVELENGTH_UM"]]
            of_band["fwhm"] = [imagery.get("FWHM_UM", "")]
            of_band["wavelength units"] = ["um"]
    for key, absent in (("wavelength", "nan"), ("fwhm", "nan"), ("bbl", "1")):
        if any(key in of_band for of_band in tags):
            header[key] = [of_band.get(key, [absent])[0] for of_band in tags]
    units = {
        of_band.get("wavelength units", of_file.get("wavelength units", [""]))[0]
        for of_band in tags
        if "wavelength" in of_band
    }
    if len(units) > 1:
        raise SceneError(
            f"{path}: the centres of all bands must have one unit",
            value=", ".join(sorted(units)),
            hint="Correct the tags wavelength_units of the bands.",
        )
    return header | ({"wavelength units": [*units]} if units else {})


def _with_files_beside(path: Path, raw: RawArray) -> RawArray:
    """The bands with what the metadata of EnMAP and DESIS and the header that ENVI writes beside a
    TIFF say of them, where their own tags say nothing.
    """
    bands = raw.array.shape[2]
    found = list[tuple[str, int, BandFacts]]()
    if metadata := metadata_beside(path):
        found.append(metadata)
    header_path = path.with_suffix(".hdr")
    header = _header_of_tiff(header_path)
    if header:
        count = whole(header_path, header, "bands", bands)
        facts = facts_of_header(header, count, header_path)
        note = f"what {header_path.name} says of the bands is applied"
        found.append((header_path.name, count, replace(facts, notes=(note, *facts.notes))))
    for name, count, facts in found:
        if count == bands:
            raw = raw.completed(facts)
        else:
            note = f"{name} is not used: {count} bands, the image has {bands}"
            raw = replace(raw, notes=(*raw.notes, note))
    return raw


def _header_of_tiff(path: Path) -> Header:
    """The fields of a header that says that it is of a TIFF; none of another file."""
    try:
        header = read_header(path) if path.is_file() else {}
    except SceneError:
        return {}  # of another program
    return header if "tiff" in header.get("file type", [""])[0].lower() else {}
