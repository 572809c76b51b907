"""ENVI files: a text header beside a flat binary file."""

import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.data.raw import RawArray, reading

ENDINGS = (".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".pix", ".bin", ".sli", ".hyspex")
ORDERS = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}
"""Axes of the data file, of (line, sample, band), by interleave."""

LONGEST, MOST_LINES = 2**20, 50_000
"""Most bytes and lines of a header; spectral's parser takes time quadratic in both."""

LONGEST_WAVE = 1e9
"""A metre in nanometres: no band lies beyond."""

NANOMETRES = {
    **dict.fromkeys(("nanometers", "nanometer", "nm"), 1.0),
    **dict.fromkeys(("micrometers", "micrometer", "microns", "um", "µm"), 1000.0),
}
"""Nanometres in one of each unit of wavelengths."""


Header = dict[str, str | list[str]]
"""Fields of an ENVI header by their names in lower case."""


def find_envi(path: Path, data: str | None) -> tuple[Path, Path] | None:
    """Header and data file for a path to either; None where there is no header.

    data: name of the data file beside the header, where it is not the header's name with a usual ending.

    Raises SceneError where the header has no data file.
    """
    try:
        folder = {other.name.lower(): other for other in path.parent.iterdir()}
        here = path.is_file()
    except (OSError, ValueError):  # no such folder, or a name that no file can have
        return None
    if path.suffix.lower() != ".hdr":
        headers = (f"{path.name}.hdr".lower(), f"{path.stem}.hdr".lower())
        header = next((folder[name] for name in headers if name in folder), None)
        return (header, path) if header and here and header.is_file() else None
    if not here:
        return None
    names = (data,) if data else (path.stem, *(path.stem + ending for ending in ENDINGS))
    found = next((folder[name.lower()] for name in names if name.lower() in folder), None)
    if found is None:
        rule = f"{path} must have its data file beside it"
        hint = "Copy the data file there too; if it has another name, give it as 'data' in the card."
        raise SceneError(rule, value=f"none of {', '.join(names[:6])}{', …' if len(names) > 6 else ''}", hint=hint)
    return path, found


def read_header(path: Path) -> Header:
    """The fields of an ENVI header by their names in lower case. Raises SceneError where it is not valid."""
    from spectral.io import envi

    with reading(path, "ENVI header"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # upper-case field names, common and harmless
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST or text.count(b"\n") > MOST_LINES:
            raise ValueError(f"more than {LONGEST:,} bytes or {MOST_LINES:,} lines")
        return {key.lower(): value for key, value in envi.read_envi_header(str(path)).items()}


def read_envi(header_path: Path, data_path: Path) -> RawArray:
    """The memory-mapped array (lines, samples, bands), band centres in nm, and scale of an ENVI pair.

    Raises SceneError where the header is not valid, or the data file is shorter than it says.
    """
    header = read_header(header_path)
    shape, dtype, offset, order = _layout(header_path, header)
    needed = offset + math.prod(shape) * dtype.itemsize
    with reading(data_path, "ENVI data"):
        if (actual := data_path.stat().st_size) < needed:
            raise ValueError(f"{actual:,} bytes of the {needed:,} that {header_path.name} announces")
        stored = np.memmap(data_path, dtype, "r", offset, tuple(shape[axis] for axis in order))
    array = np.asarray(stored).transpose([order.index(axis) for axis in range(3)])
    scale = None
    if (text := header.get("reflectance scale factor")) is not None:
        with reading(header_path, "ENVI header (reflectance scale factor)"):
            factor = float(str(text))
            if not 0 < factor < math.inf or not 0 < 1 / factor < math.inf:
                raise ValueError(f"{factor:g}")
            scale = 1.0 / factor
    return RawArray(array, band_centres(header, shape[2]), scale)


def _layout(path: Path, header: Header) -> tuple[tuple[int, int, int], np.dtype[np.generic], int, tuple[int, ...]]:
    """(lines, samples, bands), the type of the numbers, the data's first byte, and the axes in the file's order."""
    from spectral.io import envi

    with reading(path, "ENVI header"):
        envi.check_compatibility(header)
        layout = envi.gen_params(header)
        shape, offset = (layout.nrows, layout.ncols, layout.nbands), layout.offset
        interleave = str(header["interleave"]).strip().lower()
        if min(shape) < 1 or offset < 0:
            raise ValueError(f"lines, samples, bands {shape}, header offset {offset}")
        if layout.byte_order not in (0, 1) or interleave not in ORDERS:
            raise ValueError(f"byte order {layout.byte_order}, interleave {interleave[:20]!r}")
        if str(header.get("file compression", 0)).strip() not in ("0", ""):
            raise ValueError("a compressed data file, which is not supported")
        return shape, np.dtype(layout.dtype), offset, ORDERS[interleave]


def band_centres(header: Mapping[str, object], bands: int) -> NDArray[np.float64] | None:
    """Band centres in nanometres, or None where an ENVI header has none, or none in a unit of length."""
    listed = header.get("wavelength")
    if not isinstance(listed, list) or len(listed) != bands:
        return None
    try:
        values = np.array([float(value) for value in listed])
    except ValueError:
        return None
    unit = str(header.get("wavelength units", "unknown")).strip().lower()
    if unit in ("unknown", ""):
        # No sensor of reflected light reaches 100 µm, and none starts below 100 nm.
        factor: float | None = 1000.0 if values.max() < 100 else 1.0
    else:
        factor = NANOMETRES.get(unit)
    known = factor is not None and bool(((values > 0) & (values < LONGEST_WAVE)).all())
    return values * factor if known and factor else None
