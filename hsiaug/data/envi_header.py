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

from hsiaug.base.arrays import Float64
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

OTHER_KINDS = ("meta file", "virtual mosaic", "tiff", "jpeg", "hdf", "netcdf", "nitf")
"""Words of the file type of headers beside files that are no plain arrays."""

MAGIC = "ENVI"

ESRI = re.compile(r"^\s*nrows\s+\d+\s*$", re.IGNORECASE | re.MULTILINE)
"""A line of headers of ESRI."""

Header = dict[str, list[str]]
"""Fields of an ENVI header by their names in lower case, with single blanks, each as a list; those
without a value are left out.
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

FLAGS = dict.fromkeys(("true", "yes", "t"), 1.0) | dict.fromkeys(("false", "no", "f"), 0.0)
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
    items = [value.strip("{}").strip()]
    if value.startswith("{") and key != "description":
        items = [item.strip() for item in items[0].split(",")]
    elif key == "bbl":
        items = value.split()
    if any(items):
        header[key] = items


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


def whole(path: Path, header: Header, key: str, default: int | None = None) -> int:
    """A whole number of a header. Raises SceneError, naming the field, where it is missing or
    none.
    """
    if key not in header and default is not None:
        return default
    try:
        (text,) = header.get(key, [])
        return int(text)
    except ValueError as cause:
        raise SceneError(
            f"{path} must give '{key}', a whole number",
            value=repr(", ".join(header[key]))[:80] if key in header else "no such line",
            hint=f"Add or correct the line '{key} = …' of the header.",
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
    """Where the bands lie in the spectrum, and a note on each list that is not used. Widths are in
    the unit of the stated centres.
    """
    listed = header.get("wavelength")
    stated: Float64 | None = None
    centres: Float64 | None = None
    note = ""
    if listed is None:
        names = header.get("band names", [])
        centres = centres_of_names(names) if len(names) == bands else None
        note = "band centres are those of the names of bands" if centres is not None else ""
    elif len(listed) != bands:
        count = f"{len(listed)} entries" if len(listed) > 1 else "no list in braces"
        note = f"'wavelength' of the header is not used: {count} for {bands} bands"
    else:
        stated = np.array(numbers(listed))
        in_nm, note = centres_in_nm(stated, header.get("wavelength units", [""])[0])
        centres = None if np.isnan(in_nm).all() else in_nm
    notes: tuple[str, ...] = (note,) if note else ()
    if (listed := header.get("fwhm")) is None:
        return BandFacts(wavelengths=centres, notes=notes)
    of_all = stated is not None and len(listed) == 1 < len(stated)
    widths = widths_in_nm(
        numbers(listed * len(stated) if stated is not None and of_all else listed), stated, centres
    )
    if widths is None:
        why = "the file has no list of band centres with a unit"
        if stated is not None and centres is not None:
            why = f"{len(listed)} entries for {len(stated)} bands, or none above 0"
        notes += (f"'fwhm' of the header is not used: {why}",)
    elif of_all:
        notes += ("'fwhm' of the header, one number, is taken for all bands",)
    return BandFacts(wavelengths=centres, widths=widths, notes=notes)


def bad_bands(header: Header, bands: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Bands that the header's bbl calls bad, counted from 0; and notes."""
    listed = header.get("bbl")
    if listed is None:
        return (), ()
    if len(listed) != bands:
        return (), (f"'bbl' of the header is not used: {len(listed)} entries for {bands} bands",)
    flags = [FLAGS.get(text.lower(), number_of(text)) for text in listed]
    odd = [band for band, flag in enumerate(flags) if flag is None]
    note = f"'bbl' of the header is no number for bands {in_runs(odd, 2)}: they are kept"
    return tuple(band for band, flag in enumerate(flags) if flag == 0), (note,) if odd else ()


def ignored_value(path: Path, header: Header) -> float | None:
    """The no-data value of a header, which may be NaN. Raises SceneError for a text that is not one
    number.
    """
    listed = header.get("data ignore value")
    if listed is None:
        return None
    values = list(map(number_of, listed))
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
    factor = _factor(path, header)
    both = [
        [_of_bands(path, header, f"{kind} {name} values", bands) for name in ("gain", "offset")]
        for kind in ("data", "data reflectance")
    ]
    stated = [pair for pair in both if pair != [None, None]]
    if not stated:
        return None if factor is None else 1.0 / factor, 0.0, ()
    if factor not in (None, 1.0):
        raise SceneError(
            f"{path} must name one scale",
            value="'data gain values' and 'reflectance scale factor'",
            hint="Delete the line of the header that the numbers do not need.",
        )
    gain, offset = stated[0]
    note = "'data gain values' of the header are applied, not its 'data reflectance gain values'"
    notes = (note,) if len(stated) == 2 else ()
    return 1.0 if gain is None else gain, 0.0 if offset is None else offset, notes


def _of_bands(path: Path, header: Header, key: str, bands: int) -> PerBand | None:
    """One number for each band, or for all where all are alike; None where there is no such
    field.
    """
    if key not in header:
        return None
    values = numbers(header[key])
    sound = all(map(math.isfinite, values)) and (0.0 not in values or "gain" not in key)
    if len(values) not in (1, bands) or not sound:
        raise SceneError(
            f"{path}: '{key}' must be {bands} numbers, and gains other than 0",
            value=f"{len(values)}: {', '.join(f'{value:g}' for value in values[:6])}",
            hint=f"Correct '{key}' in the header, or delete it.",
        )
    return one_or_all(values)


def _factor(path: Path, header: Header) -> float | None:
    """The reflectance scale factor, by which numbers are divided."""
    listed = header.get("reflectance scale factor")
    if listed is None:
        return None
    (factor,) = numbers(listed) if len(listed) == 1 else (math.nan,)
    if not 0 < factor < math.inf or not 1 / factor < math.inf:
        raise SceneError(
            f"{path} must give one 'reflectance scale factor' above 0",
            value=repr(", ".join(listed))[:80],
            hint="Correct that line of the header, or delete it.",
        )
    return factor


def refuse_kind(path: Path, header: Header, *, labels: bool) -> None:
    """Raise SceneError for the header of a file that is no plain array, or, where no labels are
    asked for, of a classification.
    """
    kind = " ".join(header.get("file type", ()))
    word = kind.lower()
    hint = ""
    if "spectral library" in word:
        hint = "Name the header of the cube; a spectral library holds single spectra."
    elif any(other in word for other in OTHER_KINDS):
        hint = "Export the image as ENVI Standard, or name its own file."
    elif "classification" in word and not labels:
        hint = "Its numbers are codes of classes: name it as the labels, and the cube before them."
    if hint:
        raise SceneError(f"{path} must be of an image", value=f"file type {kind}", hint=hint)
