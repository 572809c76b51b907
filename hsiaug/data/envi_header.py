"""The text beside an ENVI file, and what it says of the numbers there.

The rules of reading are those of spectral's ``read_envi_header``, which knows the encoding of the
system alone, and takes time quadratic in the length of a header.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.base.files import read_plain
from hsiaug.base.text import in_runs
from hsiaug.data.band_centres import (
    centres_in_nm,
    centres_of_names,
    number_of,
    numbers,
    widths_in_nm,
)
from hsiaug.data.raw import BandFacts, PerBand, one_or_all, reading
from hsiaug.data.texts import decode

MAX_HEADER_BYTES = 2**20
MAX_HEADER_LINES = 50_000

LIBRARY, CLASSIFICATION = "spectral library", "classification"

OTHER_KINDS = ("meta file", "virtual mosaic", "tiff", "jpeg", "hdf", "netcdf", "nitf")
"""Words of the file type of headers beside files that are no plain arrays."""

MAGIC = "ENVI"

ESRI = re.compile(r"^\s*nrows\s+\d+\s*$", re.IGNORECASE | re.MULTILINE)
"""A line of headers of ESRI."""

Header = dict[str, str | list[str]]
"""Fields of an ENVI header by their names in lower case, with single blanks; those without a value
are left out.
"""

BAND_FIELDS = frozenset(
    {"wavelength", "wavelength units", "fwhm", "bbl", "band names", "data ignore value"}
    | {"data gain values", "data offset values", "reflectance scale factor"}
    | {"data reflectance gain values", "data reflectance offset values"}
)
"""Fields that say what the numbers of bands mean."""

OTHER_NAMES = {
    **dict.fromkeys(
        ("wavelengths", "band centers", "band centres", "band center", "center wavelength"),
        "wavelength",
    ),
    **dict.fromkeys(("wavelengths units", "wavelength unit"), "wavelength units"),
}
"""Fields that programs call otherwise than ENVI does."""

YES, NO = ("true", "yes", "t"), ("false", "no", "f")
"""Words of a bad band list beside numbers."""


def read_header(path: Path) -> Header:
    """The fields of an ENVI header. Raises SceneError where it is not valid."""
    with reading(path, "ENVI header"):
        content = read_plain(path, MAX_HEADER_BYTES)
        if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ValueError("a binary file")
        text = decode(content)
        if ESRI.search(text) and not text.lstrip().startswith(MAGIC):
            raise SceneError(
                f"{path} must be a header of ENVI",
                value="one of ESRI",
                hint="Convert its data file to a GeoTIFF, as rio convert does.",
            )
        return parse_header(text)


def parse_header(text: str) -> Header:
    """The fields of the text of a header. Raises ValueError where it is none."""
    lines = re.split(r"\r\n|\r|\n", text)
    if not lines[0].strip().startswith(MAGIC):
        raise ValueError(f"no {MAGIC} at the beginning of the first line")
    if len(lines) > MAX_HEADER_LINES:
        raise ValueError(f"more than {MAX_HEADER_LINES:,} lines")
    header: Header = {}
    further = iter(lines[1:])
    for line in further:
        key, equals, value = line.partition("=")
        if not equals or line.startswith(";"):
            continue
        key = field_name(key)
        value = value.strip()
        if value.startswith("{"):
            value = _braced(value, further, key)
        _add_field(header, key, value)
    return header


def header_of_tags(tags: Mapping[str, str]) -> Header:
    """Fields of a header that is kept as metadata of another file, as in GDAL's domain ENVI."""
    header: Header = {}
    for key, value in tags.items():
        _add_field(header, field_name(key), value.strip())
    return header


def field_name(key: str) -> str:
    """The name of a field in small letters, with single blanks, as ENVI calls it."""
    name = " ".join(key.replace("_", " ").lower().split())
    return OTHER_NAMES.get(name, name)


def _add_field(header: Header, key: str, value: str) -> None:
    """Add a field that has a value, as a list where that is in braces."""
    if value.startswith("{"):
        listed = [item.strip() for item in value.strip("{}").split(",")]
        if key == "description":
            header[key] = value.strip("{}").strip()
        elif any(listed):
            header[key] = listed
    elif value:
        header[key] = value


def _braced(value: str, further: Iterator[str], key: str) -> str:
    """A value in braces, which may go on over further lines. Raises ValueError for one that does
    not end.
    """
    parts = [value]
    while not parts[-1].endswith("}"):
        line = next(further, None)
        if line is None:
            raise ValueError(f"the braces of '{key}' are not closed")
        if not line.startswith(";"):
            parts.append(line.strip())
    return "\n".join(parts)


def text_of(header: Header, key: str) -> str | None:
    """The text of a field, or of a list with one entry; None where there is none. Raises ValueError
    for a longer list.
    """
    value = header.get(key)
    if isinstance(value, list):
        if len(value) != 1:
            raise ValueError(f"{len(value)} values of '{key}', where one is read")
        value = value[0]
    return value


def whole(path: Path, header: Header, key: str, default: int | None = None) -> int:
    """A whole number of a header. Raises SceneError, naming the field, where it is missing or
    none.
    """
    try:
        text = text_of(header, key)
        if text is None and default is not None:
            return default
        return int(str(text))
    except ValueError as cause:
        value = "no such line" if key not in header else repr(header[key])[:80]
        hint = f"Add or correct the line '{key} = …' of the header."
        raise SceneError(
            f"{path} must give '{key}', a whole number", value=value, hint=hint
        ) from cause


def facts_of_header(header: Header, bands: int, where: Path) -> BandFacts:
    """What a header says of its bands. Raises SceneError for a number that cannot be applied."""
    places = band_places(header, bands)
    bad, bad_notes = bad_bands(header, bands)
    scale, offset, scale_notes = scaling(where, header, bands)
    return replace(
        places,
        scale=scale,
        offset=offset,
        nodata=ignored_value(where, header),
        bad_bands=bad,
        notes=(*places.notes, *bad_notes, *scale_notes),
    )


def band_places(header: Header, bands: int) -> BandFacts:
    """Where the bands lie in the spectrum, and a note on each list that is not used."""
    listed = _items(header, "wavelength")
    if listed is None:
        return _places_of_names(header, bands)
    if len(listed) != bands:
        count = f"{len(listed)} entries" if len(listed) > 1 else "no list in braces"
        note = f"'wavelength' of the header is not used: {count} for {bands} bands"
        return BandFacts(notes=(note, *_unused_widths(header)))
    unit = header.get("wavelength units", "")
    stated = np.array(numbers(listed))
    centres, note = centres_in_nm(stated, unit if isinstance(unit, str) else unit[0])
    known_centres = None if np.isnan(centres).all() else centres
    widths, width_notes = _widths(header, stated, known_centres)
    notes = (*((note,) if note else ()), *width_notes)
    return BandFacts(wavelengths=known_centres, widths=widths, notes=notes)


def _items(header: Header, key: str) -> list[str] | None:
    """The entries of a list, in braces or not; None where there is no such field."""
    value = header.get(key)
    return [value] if isinstance(value, str) else value


def _places_of_names(header: Header, bands: int) -> BandFacts:
    """Where the bands lie by their names, in a header without a list of centres."""
    names = _items(header, "band names") or []
    centres = centres_of_names(names) if len(names) == bands else None
    notes = _unused_widths(header)
    if centres is not None:
        notes = ("band centres are those of the names of bands", *notes)
    return BandFacts(wavelengths=centres, notes=notes)


def _unused_widths(header: Header) -> tuple[str, ...]:
    return (
        ("'fwhm' of the header is not used: the file has no list of band centres with a unit",)
        if "fwhm" in header
        else ()
    )


def _widths(
    header: Header, stated: NDArray[np.float64], centres: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """Band widths in nm, one for all bands too, and notes."""
    listed = _items(header, "fwhm")
    if listed is None:
        return None, ()
    if centres is None:
        return None, _unused_widths(header)
    bands = len(stated)
    single = len(listed) == 1 < bands
    if not single and len(listed) != bands:
        count = f"{len(listed)} entries for {bands} bands"
        return None, (f"'fwhm' of the header is not used: {count}",)
    in_nm = widths_in_nm(numbers(listed * bands if single else listed), stated, centres)
    if in_nm is None:
        return None, ("'fwhm' of the header is not used: no widths above 0 in a unit of length",)
    return in_nm, ("'fwhm' of the header, one number, is taken for all bands",) if single else ()


def bad_bands(header: Header, bands: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Bands that the header's bbl calls bad, counted from 0; and notes."""
    listed = header.get("bbl")
    if listed is None:
        return (), ()
    listed = listed if isinstance(listed, list) else listed.split()
    if len(listed) != bands:
        return (), (f"'bbl' of the header is not used: {len(listed)} entries for {bands} bands",)
    flags = [_flag(text) for text in listed]
    odd = tuple(i for i, flag in enumerate(flags) if flag is None)
    notes = (
        (f"'bbl' of the header is no number for bands {in_runs(odd, 2)}: they are kept",)
        if odd
        else ()
    )
    return tuple(i for i, flag in enumerate(flags) if flag == 0), notes


def _flag(text: str) -> float | None:
    """0 for a bad band, 1 for a good one, or another number; None where the text is neither."""
    if text.lower() in NO:
        return 0.0
    if text.lower() in YES:
        return 1.0
    return number_of(text)


def ignored_value(path: Path, header: Header) -> float | None:
    """The no-data value of a header, which may be NaN. Raises SceneError for a text that is not one
    number.
    """
    listed = header.get("data ignore value")
    if listed is None:
        return None
    values = [number_of(text) for text in (listed if isinstance(listed, list) else [listed])]
    if None in values or len(set(map(str, values))) > 1:
        raise SceneError(
            f"{path}: 'data ignore value' must be one number",
            value=repr(listed)[:80],
            hint="Correct that line of the header.",
        )
    return values[0]


def scaling(
    path: Path, header: Header, bands: int
) -> tuple[PerBand | None, PerBand, tuple[str, ...]]:
    """Scale, offset and notes: of the gains and offsets of bands, else of the reflectance scale
    factor.

    Raises SceneError where a declared number cannot be applied.
    """
    gains, offsets = (
        _of_bands(path, header, f"data {name} values", bands) for name in ("gain", "offset")
    )
    names = [f"data reflectance {name} values" for name in ("gain", "offset")]
    others = [_of_bands(path, header, name, bands) for name in names]
    factor = _factor(path, header)
    notes = tuple[str, ...]()
    if gains is offsets is None and any(values is not None for values in others):
        gains, offsets = others
    elif any(values is not None for values in others):
        notes = (
            "'data gain values' of the header are applied, not its 'data reflectance gain values'",
        )
    if gains is offsets is None:
        return (None if factor is None else 1.0 / factor), 0.0, notes
    if factor not in (None, 1.0):
        rule = f"{path} must name one scale"
        fields = "'data gain values' and 'reflectance scale factor'"
        raise SceneError(
            rule, value=fields, hint="Delete the line of the header that the numbers do not need."
        )
    return 1.0 if gains is None else gains, 0.0 if offsets is None else offsets, notes


def _of_bands(path: Path, header: Header, key: str, bands: int) -> PerBand | None:
    """One number for each band, or for all where all are alike; None where there is no such
    field.
    """
    listed = header.get(key)
    if listed is None:
        return None
    values = numbers(listed if isinstance(listed, list) else [listed])
    sound = all(map(math.isfinite, values)) and (0.0 not in values or "gain" not in key)
    if len(values) not in (1, bands) or not sound:
        rule = f"{path}: '{key}' must be {bands} numbers, and gains other than 0"
        listing = f"{len(values)}: {', '.join(f'{value:g}' for value in values[:6])}"
        raise SceneError(rule, value=listing, hint=f"Correct '{key}' in the header, or delete it.")
    return one_or_all(values)


def _factor(path: Path, header: Header) -> float | None:
    """The reflectance scale factor, by which numbers are divided."""
    if "reflectance scale factor" not in header:
        return None
    try:
        factor = float(str(text_of(header, "reflectance scale factor")))
        if not 0 < factor < math.inf or not 0 < 1 / factor < math.inf:
            raise ValueError(f"{factor:g}")
    except ValueError as cause:
        rule = f"{path} must give one 'reflectance scale factor' above 0"
        hint = "Correct that line of the header, or delete it."
        value = repr(header["reflectance scale factor"])[:80]
        raise SceneError(rule, value=value, hint=hint) from cause
    return factor


def refuse_kind(path: Path, header: Header, *, labels: bool) -> None:
    """Raise SceneError for the header of a file that is no plain array, or, where no labels are
    asked for, of a classification.
    """
    kind = str(header.get("file type", ""))
    word = kind.lower()
    hint = ""
    if LIBRARY in word:
        hint = "Name the header of the cube; a spectral library holds single spectra."
    elif any(kind in word for kind in OTHER_KINDS):
        hint = "Export the image as ENVI Standard, or name its own file."
    elif CLASSIFICATION in word and not labels:
        hint = "Its numbers are codes of classes: name it as the labels, and the cube before them."
    if hint:
        raise SceneError(f"{path} must be of an image", value=f"file type {kind}", hint=hint)
