"""Spectra of known materials, read from a library: an ENVI spectral library, or a folder of USGS or ECOSTRESS text files.

Of an ENVI library, spectral (SPy) parses the header; its ``envi.open`` would ignore the header's offset and its ignore
value. Of text files, SPy's own readers suit only its database: they skip lines that are no numbers, so that USGS values
move to a neighbour's wavelength, and they know no description over several lines. So text is parsed here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import InputError

__all__ = ["Spectrum", "read_library"]

Curve = NDArray[np.float64]

DELETED = -1e30
"""Limit below which a value is missing: USGS writes -1.23e34 for a channel that it deleted."""
REFLECTANCE = ("AREF", "RREF", "RTGC")
NUMBER = r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
ROW = re.compile(rf"\s*{NUMBER}[\s,]+{NUMBER}\s*")
LONGEST, MOST_LINES = 4 * 2**20, 50_000
"""Bytes of a text file, and lines of an ENVI header, whose parser takes time quadratic in them."""
LONGEST_TITLE = 4096
MOST, MOST_VALUES = 50_000, 2**25
"""Spectra of a library, and numbers in all of them: several times what the published ones have."""
HINT = "Give the .sli or .hdr file of an ENVI spectral library, or a folder of USGS splib07 or ECOSTRESS files."


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One spectrum of a library. name: as the library has it, with one blank for underscores and for runs of blanks.

    wavelengths: (B,) float64 nm, strictly ascending, B > 1. values: (B,) float64 reflectance 0..1, all finite; what the
    library marks as missing is left out, and noise beyond 0 and 1 is cut off.
    """

    name: str
    wavelengths: Curve
    values: Curve


def read_library(path: Path) -> tuple[Spectrum, ...]:
    """Every spectrum of the library at path that has two bands or more, in the library's order or that of sorted files.

    path: .sli or .hdr of an ENVI spectral library, or a folder, searched through, of text files. Wavelengths without a
    unit are µm below 100 and nm from there; values without a scale are 0..1, per cent or 0..10000 by their size.

    Raises InputError where path is none of these, a file is damaged or has no wavelengths, or the library is larger than
    ``MOST`` spectra, ``MOST_VALUES`` numbers, or ``LONGEST`` bytes of a text file.
    """
    if path.is_dir():
        found, content = (
            _read_bounded(path, _folder(path)),
            "files of reflectance, ECOSTRESS *.spectrum.txt or USGS splib07",
        )
    elif path.suffix.lower() in (".sli", ".hdr") and path.is_file():
        found, content = tuple(_envi(*_pair(path))), "a spectrum with two bands or more"
    else:
        what = "another kind of file" if path.exists() else "no such file or folder"
        raise InputError(f"{path} must be a spectral library", value=what, hint=HINT)
    if not found:
        raise InputError(f"{path} must hold {content}", value="none", hint=HINT)
    return found


def _read_bounded(root: Path, spectra: Iterator[Spectrum]) -> tuple[Spectrum, ...]:
    found, values = [], 0
    for spectrum in spectra:
        found.append(spectrum)
        values += len(spectrum.values)
        _check_size(root, len(found), values)
    return tuple(found)


def _check_size(path: Path, spectra: int, values: int) -> None:
    if spectra > MOST or values > MOST_VALUES:
        raise InputError(
            f"{path}: a spectral library may have at most {MOST:,} spectra and {MOST_VALUES:,} numbers",
            value=f"{spectra:,} spectra, {values:,} numbers",
            hint="Give a part of it: the spectra of the materials that the scene may hold.",
        )


def _spectrum(name: str, wavelengths: Curve, values: Curve) -> Iterator[Spectrum]:
    """The spectrum, unless fewer than two bands are left. wavelengths: (B,) nm in any order. values: NaN is missing."""
    kept = np.isfinite(values + wavelengths) & (wavelengths > 0)
    # Spectrometers overlap where they join; of two values at one wavelength the first stays.
    ascending, at = np.unique(wavelengths[kept], return_index=True)
    if len(at) > 1:
        yield Spectrum(" ".join(name.replace("_", " ").split()), ascending, np.clip(values[kept][at], 0, 1))


def _nanometres(wavelengths: Curve, unit: str) -> Curve:
    unit = unit.strip().lower()
    if unit in ("", "unknown", "<unspecified>"):  # the last as SPy writes it
        # No library of reflected light reaches 100 µm, and none starts below 100 nm.
        return wavelengths * (1000 if wavelengths.max() < 100 else 1)
    if unit.startswith(("micro", "um", "µm")):
        return wavelengths * 1000
    if unit.startswith(("nano", "nm")):
        return wavelengths
    raise ValueError(f"wavelengths in {unit!r}, not in micrometers or nanometers")


def _scale(values: Curve, given: str | None = None) -> float:
    """The divisor of values: the given one, else judged without the largest hundredth, where noise may lie."""
    known = np.abs(values[np.isfinite(values)])
    top = np.percentile(known, 99) if known.size else 0.0
    scale = float(given) if given else 1 if top <= 2 else 100 if top <= 200 else 10_000
    if not 0 < scale < np.inf or top > 2 * scale:
        raise ValueError(f"values up to {top:.3g} with scale {scale:g}, not reflectance")
    return scale


def _damage(path: Path, kind: str, cause: Exception) -> InputError:
    text = str(cause).strip().splitlines()
    return InputError(
        f"{path} must be a whole {kind}",
        value=f"{type(cause).__name__}: {text[0] if text else 'no details'}",
        hint="It is damaged, cut short or of another format: copy or export it again.",
    )


def _pair(path: Path) -> tuple[Path, Path]:
    """Header and data file of an ENVI library, for a path to either: x.hdr or x.sli.hdr, and x.sli."""
    beside = {other.name.lower(): other for other in path.parent.iterdir()}
    is_header, stem = path.suffix.lower() == ".hdr", path.stem.lower()
    names = (stem, f"{stem}.sli") if is_header else (f"{path.name}.hdr".lower(), f"{stem}.hdr")
    other = next((beside[name] for name in names if name in beside and beside[name].is_file()), None)
    if other is None:
        raise InputError(
            f"{path} must have its {'data file' if is_header else 'header'} beside it",
            value=f"neither {names[0]} nor {names[1]}",
            hint="An ENVI library is two files, .sli and .hdr: copy the other one there too.",
        )
    return (path, other) if is_header else (other, path)


def _envi(header_path: Path, data_path: Path) -> Iterator[Spectrum]:
    from spectral.io import envi

    try:
        if len(_lines(header_path)) > MOST_LINES:
            raise ValueError(f"more than {MOST_LINES:,} lines")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # upper-case field names, common and harmless
            header: dict[str, Any] = envi.read_envi_header(str(header_path))
        envi.check_compatibility(header)
        if "library" not in header.get("file type", "library").lower():
            raise ValueError(f"file type {header['file type']!r}, not ENVI Spectral Library")
        layout = envi.gen_params(header)
        spectra, bands = layout.nrows, layout.ncols
        _check_size(data_path, spectra, spectra * bands)
        stored = np.fromfile(data_path, layout.dtype, spectra * bands, offset=layout.offset)
        if stored.size < spectra * bands:
            raise ValueError(f"{stored.size:,} numbers, where the header announces {spectra:,} x {bands:,}")
        library = envi.SpectralLibrary(stored.reshape(spectra, bands), header)
        with np.errstate(invalid="ignore"):  # a signalling NaN, which is dropped as any other
            values = _mark_missing(library.spectra.astype(np.float64), header)
        values /= _scale(values, header.get("reflectance scale factor"))
        centers = library.bands.centers
        nm = None if centers is None else _nanometres(np.array(centers), header.get("wavelength units", ""))
    except InputError:
        raise
    except Exception as cause:  # spectral's own errors share no base with the parsing errors beneath
        raise _damage(data_path, f"ENVI spectral library with {header_path.name}", cause) from cause
    if nm is None:
        raise InputError(
            f"{header_path} must give the wavelength of each band",
            value="no field 'wavelength'",
            hint="Add the lines 'wavelength units = Nanometers' and 'wavelength = {400, 410, …}' to it.",
        )
    for name, row in zip(library.names, values, strict=True):
        yield from _spectrum(name, nm, row)


def _mark_missing(values: Curve, header: dict[str, Any]) -> Curve:
    """values (spectra, B) with NaN for all that the header or the number itself marks as missing."""
    values[values < DELETED] = np.nan
    if "data ignore value" in header:
        values[np.isclose(values, float(header["data ignore value"]))] = np.nan
    if "bbl" in header:
        values[:, np.array(header["bbl"], dtype=np.float64) == 0] = np.nan
    return values


def _folder(root: Path) -> Iterator[Spectrum]:
    waves = cache(_waves)
    for path in sorted(root.rglob("*.txt")):
        inner = path.relative_to(root).parts
        if any(part.startswith(".") or "errorbar" in part.lower() for part in inner) or not path.is_file():
            continue
        if path.name.lower().endswith("spectrum.txt"):
            yield from _ecostress(path, _lines(path))
        elif title := _usgs_title(path):
            near = (folder for folder in path.parents if folder == root.parent or folder.is_relative_to(root))
            yield from _usgs(path, title, _lines(path)[1:], map(waves, near))


def _lines(path: Path) -> list[str]:
    """Return at least one line, perhaps empty. Raises InputError for over ``LONGEST`` bytes, or if unreadable."""
    text = _beginning(path, LONGEST + 1)
    if len(text) > LONGEST:
        raise InputError(
            f"{path}: a text file of a spectral library may have at most {LONGEST:,} bytes",
            value=f"{path.stat().st_size:,}",
            hint="Split it, or take it out of the library.",
        )
    return text.decode("latin-1").splitlines() or [""]


def _beginning(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as cause:
        raise _damage(path, "text file", cause) from cause


def _numbers(path: Path, lines: list[str]) -> Curve:
    try:
        return np.array([float(line) for line in lines if line.strip()])
    except ValueError as cause:
        raise _damage(path, "USGS file with one number a line", cause) from cause


def _usgs_title(path: Path) -> list[str]:
    """Words of the title of a reflectance spectrum, which end with spectrometer and purity as in BECKb, and the quantity.

    None for files of wavelengths, bandpasses, error bars and transmittance (TRAN), and for any other file.
    """
    first = _beginning(path, LONGEST_TITLE).decode("latin-1").splitlines()
    record, _, title = "".join(first[:1]).partition(":")
    known, words = re.fullmatch(r"\s*\S+\s+Record=\d+", record), title.split()
    return words if known and len(words) > 2 and words[-1] in REFLECTANCE else []


def _waves(folder: Path) -> list[tuple[str, Curve]]:
    """Name in lower case and nm, in the order of channels, of each USGS file of wavelengths in folder."""
    found = []
    for path in sorted(folder.glob("*.txt")):
        if path.is_file() and re.search("wavelength|waves", path.name, re.IGNORECASE):
            header, *lines = _lines(path)
            unit = "nm" if re.search(r"nanometer|\bnm\b", header, re.IGNORECASE) else "um"
            found.append((path.name.lower(), _nanometres(_numbers(path, lines), unit)))
    return found


def _usgs(
    path: Path, title: list[str], lines: list[str], waves: Iterable[list[tuple[str, Curve]]]
) -> Iterator[Spectrum]:
    """waves: of each folder, the nearest first. The number of values decides, then the spectrometer, as BEC of BECKb."""
    values = _numbers(path, lines)
    values[values < DELETED] = np.nan
    for files in waves:
        fitting = [(name, nm) for name, nm in files if len(nm) == len(values)]
        if len(fitting) > 1:
            fitting = [(name, nm) for name, nm in fitting if title[-2][:3].lower() in name]
        if len(fitting) == 1:
            yield from _spectrum(" ".join(title), fitting[0][1], values)
            return
    raise InputError(
        f"{path} must have one file of as many wavelengths in its folder or one above",
        value=f"no *Wavelengths*.txt that fits its {len(values):,} values by {title[-2]}",
        hint="Copy the library's file there, such as splib07a_Wavelengths_ASD_0.35-2.5_microns_2151_ch.txt.",
    )


def _ecostress(path: Path, lines: list[str]) -> Iterator[Spectrum]:
    """The spectrum, unless it is of transmittance or emissivity."""
    pairs = (line.partition(":") for line in reversed(lines))  # so that a description's lines replace no field
    fields = {key.strip().lower(): text.strip() for key, _, text in pairs}
    measured = fields.get("y units", "")
    if measured and not measured.lower().startswith("reflect"):  # some files have "reflectence"
        return
    try:
        rows = np.array([[float(number) for number in row.groups()] for row in map(ROW.fullmatch, lines) if row])
        if len(rows) < 2 or not measured:
            raise ValueError(f"{len(rows)} lines of two numbers, and y units {measured!r}")
        x, y = rows.T
        y[y < DELETED] = np.nan
        unit = re.search(r"\(([^)]*)", fields.get("x units", ""))
        nm = _nanometres(x, unit[1] if unit else "")
        scaled = y / _scale(y, "100" if "percent" in measured.lower() else None)
    except ValueError as cause:
        raise _damage(path, "ECOSTRESS spectrum", cause) from cause
    yield from _spectrum(fields.get("name", path.name), nm, scaled)
