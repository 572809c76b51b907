"""Band centres in nanometres, by one rule for headers, tags, cards and arrays."""

import re
from collections.abc import Sequence

import numpy as np

from hsiaug.base.arrays import Float64

MAX_WAVELENGTH_NM = 1e9
"""A metre in nanometres: no band lies beyond."""

MICRO = 100.0
"""No sensor of reflected light reaches 100 µm, and none starts below 100 nm."""

NANOMETRES = {
    **dict.fromkeys(("nanometers", "nanometer", "nanometres", "nanometre", "nm"), 1.0),
    **dict.fromkeys(
        ("micrometers", "micrometer", "micrometres", "micrometre", "microns", "micron"), 1e3
    ),
    **dict.fromkeys(("um", "µm", "μm"), 1e3),
    **dict.fromkeys(("angstroms", "angstrom", "å"), 0.1),
    **dict.fromkeys(("millimeters", "millimeter", "millimetres", "mm"), 1e6),
    **dict.fromkeys(("centimeters", "centimeter", "centimetres", "cm"), 1e7),
    **dict.fromkeys(("meters", "meter", "metres", "metre", "m"), 1e9),
}
"""Nanometres in one of each unit of length."""

NAMED_CENTRE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*([A-Za-zµμåÅ]+)\s*\)?\s*$")
"""A number with a unit at the end of the name of a band."""

WAVENUMBERS = ("wavenumber", "wavenumbers", "cm-1", "cm^-1", "1/cm")
"""Names of the unit of waves per centimetre."""


def centres_in_nm(values: Sequence[float] | Float64, unit: str = "") -> tuple[Float64, str]:
    """Band centres in nanometres.

    Parameters
    ----------
    values : (bands,) floats
        Centres as they are given; NaN, or a number that no wavelength can be, where one is not
        known.
    unit : str
        Their unit, in any spelling; "" or "unknown" where none is given.

    Returns
    -------
    centres : (bands,) float64
        In nanometres, NaN where a centre is not known: everywhere for a unit that is none of
        length.
    note : str
        What was guessed or not understood, as a sentence; "" where nothing was.
    """
    centres = np.array(values, dtype=np.float64)
    word = unit.strip().lower()
    with np.errstate(all="ignore"):
        centres[~((centres > 0) & np.isfinite(centres))] = np.nan
        finite = centres[np.isfinite(centres)]
        if not finite.size:
            return np.full(centres.shape, np.nan), ""
        if word in WAVENUMBERS:
            return tidy(1e7 / centres), ""
        short = finite.max() < MICRO
        if word in ("", "unknown", "none"):
            note = (
                "band centres have no unit: values below 100 are taken as micrometres"
                if short
                else ""
            )
            factor = 1e3 if short else 1.0
        elif word not in NANOMETRES:
            return (
                np.full(centres.shape, np.nan),
                f"band centres in {unit.strip()[:40]!r} are not used",
            )
        else:
            factor, note = _plausible(NANOMETRES[word], finite, unit.strip())
        centres *= factor
        centres[centres >= MAX_WAVELENGTH_NM] = np.nan
    return tidy(centres), note


def centres_of_names(names: Sequence[str]) -> Float64 | None:
    """Band centres in nm, where the names of all bands say one with its unit, as "Band 3 (450.2
    Nanometers)"; else None.
    """
    matches = [NAMED_CENTRE.search(name) for name in names]
    places = [(float(match[1]), match[2].lower()) for match in matches if match is not None]
    if len(places) < len(names) or not places or any(u not in NANOMETRES for _, u in places):
        return None
    if len({unit for _, unit in places}) > 1 or len(set(places)) < len(places):
        return None
    return centres_in_nm([centre for centre, _ in places], places[0][1])[0]


def widths_in_nm(
    widths: Sequence[float] | Float64,
    stated: Float64 | None,
    centres: Float64 | None,
) -> Float64 | None:
    """Band widths in nanometres.

    Parameters
    ----------
    widths : (bands,) floats
        In the unit of ``stated``.
    stated, centres : (bands,) float64 or None
        Band centres as the file states them, and in nanometres; None where there are none.

    Returns
    -------
    (bands,) float64, NaN where a width is not known; None where the unit is not known, or is none
    of length.
    """
    if stated is None or centres is None or len(widths) != len(stated):
        return None
    with np.errstate(all="ignore"):
        factors = (centres / stated)[np.isfinite(centres)]
    if not factors.size or not np.allclose(factors, factors[0], rtol=1e-6):
        return None
    in_nm = np.array(widths, dtype=np.float64) * factors[0]
    in_nm[~((in_nm > 0) & np.isfinite(in_nm))] = np.nan
    return None if np.isnan(in_nm).all() else tidy(in_nm)


def _plausible(factor: float, finite: Float64, unit: str) -> tuple[float, str]:
    """Nanometres in a unit, or in the one that is meant where no sensor has bands at such
    places.
    """
    first = f"{finite.min():g}"
    last = f"{finite.max():g}"
    if factor == 1.0 and finite.max() < MICRO:
        return (
            1e3,
            f"band centres of {first} to {last} declared in {unit} are taken as micrometres",
        )
    if factor > 1.0 and finite.min() * factor >= 1e3 * MICRO and finite.min() >= MICRO:
        return (
            1.0,
            f"band centres of {first} to {last} declared in {unit} are taken as nanometres",
        )
    return factor, ""


def tidy(centres: Float64) -> Float64:
    """All digits that were given, without those that a multiplication adds."""
    return np.array([float(f"{value:.12g}") for value in centres.tolist()])


def numbers(texts: Sequence[object]) -> list[float]:
    """Each text as a number, NaN where it is none."""
    return [number if (number := number_of(text)) is not None else np.nan for text in texts]


def number_of(text: object) -> float | None:
    """The number that a text of a header begins with, as "NaN", "-1.7e+308" or "1.5D2"; None where
    there is none.
    """
    pattern = (
        r"\s*[{\[]?\s*([-+]?(?:nan|inf(?:inity)?|(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?))(?![\d.])"
    )
    match = re.match(pattern, str(text), re.IGNORECASE) if text is not None else None
    if match is None:
        return None
    word = match[1].lower()
    return float(word if "n" in word else word.replace("d", "e"))
