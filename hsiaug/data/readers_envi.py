"""ENVI files: a text header beside a flat binary file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.raw import Raw, damaged
from hsiaug.errors import SceneError

__all__ = ["find_envi", "read_envi"]

ENDINGS = (".img", ".dat", ".raw", ".bsq", ".bil", ".bip", ".pix", ".bin", ".sli", ".hyspex")
NANOMETRES = {"nanometers": 1.0, "nanometer": 1.0, "nm": 1.0}
MICROMETRES = {"micrometers": 1000.0, "micrometer": 1000.0, "microns": 1000.0, "um": 1000.0, "µm": 1000.0}


def find_envi(path: Path, data: str | None) -> tuple[Path, Path] | None:
    """Header and data file for a path to either; None where there is no header.

    data: name of the data file beside the header, where it is not the header's name with a usual ending.

    Raises SceneError where the header has no data file.
    """
    folder = {other.name.lower(): other for other in path.parent.iterdir()} if path.parent.is_dir() else {}
    if path.suffix.lower() != ".hdr":
        headers = (f"{path.name}.hdr".lower(), f"{path.stem}.hdr".lower())
        header = next((folder[name] for name in headers if name in folder), None)
        return (header, path) if header and path.is_file() else None
    if not path.is_file():
        return None
    names = (data,) if data else (path.stem, *(path.stem + ending for ending in ENDINGS))
    found = next((folder[name.lower()] for name in names if name.lower() in folder), None)
    if found is None:
        raise SceneError(
            f"{path} must have its data file beside it",
            value=f"none of {', '.join(names[:6])}{', …' if len(names) > 6 else ''}",
            mend="Copy the data file there too; if it has another name, give it as 'data' in the card.",
        )
    return path, found


def read_envi(header_path: Path, data_path: Path) -> Raw:
    """The memory-mapped array (lines, samples, bands), band centres in nm, and scale of an ENVI pair.

    Raises SceneError where the header is not valid, or the data file is shorter than it says.
    """
    from spectral.io import envi

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # upper-case field names, common and harmless
            header = envi.read_envi_header(str(header_path))
            envi.check_compatibility(header)
            layout = envi.gen_params(header)
    except Exception as cause:  # spectral's own errors share no base with the parsing errors beneath
        raise damaged(header_path, "ENVI header", cause) from cause
    needed = layout.offset + layout.nrows * layout.ncols * layout.nbands * np.dtype(layout.dtype).itemsize
    actual = data_path.stat().st_size
    if actual < needed:
        raise SceneError(
            f"{data_path} must have the {needed:,} bytes that {header_path.name} announces",
            value=f"{actual:,} bytes",
            mend="The data file is cut short, or the header belongs to another file: copy both again.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = envi.open(str(header_path), str(data_path)).open_memmap(interleave="bip")
    return Raw(np.asarray(array), _wavelengths(header), _scale(header_path, header))


def _wavelengths(header: dict[str, Any]) -> NDArray[np.float64] | None:
    """Band centres in nanometres, or None where the header has none, or none in a unit of length."""
    listed = header.get("wavelength")
    if not isinstance(listed, list) or len(listed) != int(header["bands"]):
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
        factor = {**NANOMETRES, **MICROMETRES}.get(unit)
    return None if factor is None or not (values > 0).all() else values * factor


def _scale(path: Path, header: dict[str, Any]) -> float | None:
    text = header.get("reflectance scale factor")
    if text is None:
        return None
    try:
        return 1.0 / float(text)
    except (ValueError, TypeError, ZeroDivisionError) as cause:
        raise damaged(path, "ENVI header (reflectance scale factor)", cause) from cause
