"""ENVI files: a text header beside a flat binary file."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.base.text import some_of
from hsiaug.data.auxiliary import AuxiliaryBand, auxiliary_bands
from hsiaug.data.band_centres import number_of
from hsiaug.data.envi_header import Header, facts_of_header, read_header, refuse_kind, whole
from hsiaug.data.paths import ENVI_DATA, TIFF, is_file
from hsiaug.data.raw import (
    PerBand,
    RawArray,
    number_of_each,
    one_or_all,
    reading,
    still_whole,
)

SIGNATURES = {
    b"PK\3\4": "a ZIP archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG",
    b"\xff\xd8\xff": "a JPEG",
    b"\x89HDF": "a file of HDF5",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"SQLite": "a database",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"\x1f\x8b\x08": "a file packed by gzip",
}
"""First bytes of files that are no plain numbers."""

LOOKED_AT = (8, 8)
"""Rows and bands in which the byte order is checked."""

ROUGHER = 0.5
"""Share of the roughness of numbers below which those in the other byte order are meant."""

ORDERS = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}
"""Axes of the data file, of (line, sample, band), by interleave."""


def find_envi(path: Path, data: str | None) -> tuple[Path, Path] | None:
    """Header and data file for a path to either; None where there is no header.

    Parameters
    ----------
    data : str or None
        Name of the data file beside the header, where it is not the header's name with a usual
        ending.

    Raises
    ------
    SceneError
        Where the header has no data file, or several.
    """
    try:
        folder = {entry.name.lower(): entry for entry in path.parent.iterdir()}
        if not path.is_file():
            return None
    except (OSError, ValueError):  # no such folder, or a name that no file can have
        return None

    def beside(*names: str) -> list[Path]:
        """The files of these names, in capital letters or not."""
        found = (folder.get(name.lower()) for name in names)
        return [file for file in found if file is not None and is_file(file)]

    if path.suffix.lower() != ".hdr":
        headers = beside(f"{path.name}.hdr", f"{path.stem}.hdr")
        return (headers[0], path) if headers else None
    names = [data] if data else [path.stem + ending for ending in ("", *ENVI_DATA)]
    present = beside(*names)
    # A data file whose whole name a header has belongs to that one.
    present = [file for file in present if f"{file.name}.hdr".lower() not in folder] or present
    if len(present) > 1:
        several = " and ".join(file.name for file in present[:3])
        hint = f"Name the data file itself: {present[0].name}."
        raise SceneError(f"{path} must have one data file beside it", value=several, hint=hint)
    if not present:
        hint = (
            "Copy the data file there too; if it has another name, give it as 'data' in the card."
        )
        for tiff in beside(*(path.stem + ending for ending in TIFF)):
            hint = f"Name the GeoTIFF of that name: {tiff.name}."
        raise SceneError(
            f"{path} must have its data file beside it",
            value=f"none of {some_of(names, 6)}",
            hint=hint,
        )
    return path, present[0]


def read_envi(header_path: Path, data_path: Path, *, labels: bool) -> RawArray:
    """The memory-mapped array (lines, samples, bands) of an ENVI pair, and what its header says of
    it.

    Parameters
    ----------
    header_path, data_path : Path
        As :func:`find_envi` gives them.
    labels : bool
        Whether codes of classes are asked for.

    Raises
    ------
    SceneError
        Where the header is not valid or of another kind of file, or the data file is not as long
        as it says.
    """
    header = read_header(header_path)
    refuse_kind(header_path, header, labels=labels)
    shape, dtype, offset, order = _layout(header_path, header)
    _check_content(header_path, data_path, offset + math.prod(shape) * dtype.itemsize, offset)
    with reading(data_path, "ENVI data"):
        stored = np.memmap(data_path, dtype, "r", offset, tuple(shape[axis] for axis in order))
    array = np.asarray(stored).transpose([order.index(axis) for axis in range(3)])
    facts = facts_of_header(header, shape[2], header_path)
    notes = (*facts.notes, *_order_notes(header_path, array))
    return _with_auxiliary(RawArray(array, **{**vars(facts), "notes": notes}), data_path)


def _layout(
    path: Path, header: Header
) -> tuple[tuple[int, int, int], np.dtype[np.generic], int, tuple[int, ...]]:
    """(lines, samples, bands), the type of the numbers, the data's first byte, and the axes in the
    file's order.
    """
    from spectral.io.envi import envi_to_dtype

    frames = [
        text for edge in ("major", "minor") for text in header.get(f"{edge} frame offsets", ())
    ]
    if any(number_of(text) != 0 for text in frames):
        raise SceneError(
            f"{path} must be of a file without frame offsets", hint="Export the image again."
        )
    height, width, bands = (whole(path, header, key) for key in ("lines", "samples", "bands"))
    offset = whole(path, header, "header offset", 0)
    code = str(whole(path, header, "data type"))
    byte_order = whole(path, header, "byte order", 0)  # GDAL takes a missing one so too
    interleave = header.get("interleave", ["bsq" if bands == 1 else ""])[0].lower()
    if not interleave:
        raise SceneError(
            f"{path} must give 'interleave'",
            value="no such line",
            hint="Add the line 'interleave = bsq' to the header, or bil or bip.",
        )
    if (packed := header.get("file compression", ["0"])) != ["0"]:
        raise SceneError(
            f"{path} must be of a data file without compression",
            value=packed[0],
            hint="Export it without compression, or unpack its data file and delete the line.",
        )
    with reading(path, "ENVI header"):
        if min(height, width, bands) < 1 or offset < 0:
            raise ValueError(f"lines, samples, bands {height, width, bands}, offset {offset}")
        if byte_order not in (0, 1) or interleave not in ORDERS or code not in envi_to_dtype:
            raise ValueError(
                f"byte order {byte_order}, interleave {interleave[:20]!r}, data type {code}"
            )
    dtype = np.dtype(envi_to_dtype[code]).newbyteorder("<>"[byte_order])
    return (height, width, bands), dtype, offset, ORDERS[interleave]


def _check_content(header_path: Path, data_path: Path, needed: int, offset: int) -> None:
    """Raise SceneError for a data file of another format, or of another length than its header
    says.
    """
    with reading(data_path, "ENVI data"):
        actual = data_path.stat().st_size
        with data_path.open("rb") as file:
            start = file.read(8)
        found = next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), "")
        # Behind an offset the numbers may lie in a file of another format.
        if found and not offset:
            raise SceneError(
                f"{data_path} must hold the numbers that {header_path.name} describes",
                value=found,
                hint="Unpack or convert it; the scene is the header with its own data file.",
            )
        if actual < needed:
            raise ValueError(
                f"{actual:,} bytes of the {needed:,} that {header_path.name} announces"
            )
    if actual > needed:
        raise SceneError(
            f"{data_path} must be as long as {header_path.name} says",
            value=f"{actual:,} bytes, {needed:,} announced",
            hint="Say in 'header offset' how many bytes are before the numbers, or correct lines,"
            " samples, bands or data type.",
        )


def _order_notes(header_path: Path, array: AnyArray) -> tuple[str, ...]:
    """A sentence where whole numbers (H, W, B) make sense in the other byte order alone.

    Raises SceneError for floats that are none in the order that the header says.
    """
    if array.dtype.itemsize == 1:
        return ()
    rows = slice(len(array) // 2, len(array) // 2 + LOOKED_AT[0])
    read = still_whole(array[rows, :, :: max(1, array.shape[2] // LOOKED_AT[1])])
    other = read.view(read.dtype.newbyteorder())
    order = int(array.dtype.newbyteorder("<") != array.dtype)
    mended = f"write 'byte order = {1 - order}' into {header_path.name}"
    if array.dtype.kind == "f":
        if _plausible(read) < 0.9 and _plausible(other) > 0.99:
            raise SceneError(
                f"{header_path} must say the byte order of its data",
                value=f"byte order = {order}, in which the values are no reflectance",
                hint=f"W{mended[1:]}.",
            )
    elif _roughness(other) < ROUGHER * _roughness(read) or other.max() < 256 <= read.max():
        return (
            f"the numbers make more sense in the other byte order than in that of the header"
            f" (byte order = {order}): if the picture is noise, {mended}",
        )
    return ()


def _plausible(values: AnyArray) -> float:
    """Share of values that measurements may have: 0, or neither huge nor tiny."""
    with np.errstate(all="ignore"):
        sizes = np.abs(values.astype(np.float64))
    return float(np.mean((sizes == 0) | ((sizes > 1e-12) & (sizes < 1e12))))


def _roughness(values: AnyArray) -> float:
    """How much neighbours differ, in standard deviations of all."""
    numbers = values.astype(np.float64)
    steps = np.abs(np.diff(numbers, axis=1))
    return float(steps.mean() / spread) if steps.size and (spread := numbers.std()) else 0.0


def _with_auxiliary(raw: RawArray, data_path: Path) -> RawArray:
    """The array with the scales, offsets and no-data value that GDAL keeps beside the data file.

    As in GDAL they go before those of the header. Raises SceneError for scales that cannot be
    applied.
    """
    auxiliary = auxiliary_bands(data_path)
    bands = raw.array.shape[2]
    listed = [auxiliary.get(band, AuxiliaryBand()) for band in range(1, bands + 1)]

    def of_bands(key: str, of_header: PerBand | None) -> list[Any]:
        """What is said of each band here, else in the header."""
        stated = zip(listed, np.broadcast_to(np.array(of_header), bands).tolist(), strict=True)
        return [header if (own := getattr(band, key)) is None else own for band, header in stated]

    changed: dict[str, Any] = {}
    name = f"{data_path.name}.aux.xml"
    if any(band.scale is not None or band.offset is not None for band in listed):
        scales = of_bands("scale", 1.0 if raw.scale is None else raw.scale)
        offsets = of_bands("offset", raw.offset)
        if not np.isfinite([scales, offsets]).all() or 0.0 in scales:
            raise SceneError(
                f"{name} must give scales other than 0",
                value=f"scales {sorted(set(scales))[:4]}",
                hint="Correct that file, or delete it.",
            )
        changed = {"scale": one_or_all(scales), "offset": one_or_all(offsets)}
    if any(band.nodata is not None for band in listed):
        changed["nodata"] = number_of_each(of_bands("nodata", raw.nodata))
    if not changed:
        return raw
    notes = (*raw.notes, f"scale, offset and no data of {name} are applied")
    return replace(raw, **changed, notes=notes)
