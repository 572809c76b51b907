"""Looking through a cube that somebody wants to use: its axes, values, bands and pixels that will
not do.
"""

import math
from dataclasses import dataclass

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools
from hsiaug.base.errors import SceneError
from hsiaug.base.text import in_runs
from hsiaug.data.raw import PerBand, RawArray, stripes

SAMPLES = 200_000
"""Values that percentiles are taken of."""

HUGE = 1e20
"""No stored number of a cube is as large: netCDF and GDAL fill with such ones."""

BROKEN = 0.1
"""Bands that lack more than this share of the pixels that have data are dropped rather than those
pixels.
"""


@dataclass(frozen=True, eq=False)
class CubeFacts:
    """Findings about a cube (H, W, B), in raw values.

    Attributes
    ----------
    low, high : float
        Extremes of the valid values.
    typical : (float, float)
        Their 0.1th and 99.9th percentile.
    constant, broken : tuple of int
        Bands with one value only; with many values missing.
    empty : (H, W) bool
        Pixels without data in the bands that are kept.
    unfilled : int
        Those of them that hold something else than 0, and so would be taken for spectra.
    filler : (float, int) or None
        A number that seems to stand for missing data although nothing says so, and how many
        pixels hold it; None = there is none.
    """

    shape: tuple[int, int, int]
    low: float
    high: float
    typical: tuple[float, float]
    constant: tuple[int, ...]
    broken: tuple[int, ...]
    empty: Bools
    unfilled: int
    filler: tuple[float, int] | None = None


@dataclass(frozen=True)
class CubeValues:
    """How the values of a cube are understood.

    Attributes
    ----------
    remarks : dict of str to str
        For the card, by its key.
    scale : float or None
        For the card, None = what the file says.
    used, offset : PerBand or None
        What the stored numbers are multiplied by, None = by nothing, and what is added.
    """

    scale: float | None
    used: PerBand | None
    offset: PerBand
    units: str
    bad_bands: tuple[int, ...]
    remarks: dict[str, str]


def unlike_shapes(cube: tuple[int, ...], labels: tuple[int, ...], where: str) -> SceneError:
    """The error for labels of another shape than the cube's.

    Parameters
    ----------
    where : str
        How it names the file of the labels.
    """
    extents = ["×".join(map(str, shape)) for shape in (labels, cube)]
    return SceneError(
        f"{where}: the labels must have the height and width of the cube",
        value=f"labels {extents[0]}, cube {extents[1]}",
        hint="Name the label map of this very scene; crop, reshape or resample one of the two.",
    )


@np.errstate(all="ignore")  # values that are no numbers are looked for
def look_through(
    view: AnyArray,
    nodata: PerBand | None,
    bad_bands: tuple[int, ...],
    where: str,
    void: Bools | None = None,
) -> CubeFacts:
    """Read a cube (H, W, B) once, twice where values are missing.

    Parameters
    ----------
    where : str
        How errors name its file.
    nodata : PerBand or None
        The value of pixels without data, of all bands or of each; 0 of all bands counts only where
        every band holds it.
    bad_bands : tuple of int
        Not to be looked at.
    void : (H, W) bool or None
        Pixels that the file masks.

    Raises
    ------
    SceneError
        Where no value is valid.
    """
    bands = view.shape[2]
    good = [band for band in range(bands) if band not in set(bad_bands)]
    if not good:
        raise SceneError(
            f"{where}: the cube must have a band that is not bad",
            value=f"{bands} bad bands of {bands}",
            hint="Correct the list of bad bands of the file (bbl, good_wavelengths), or"
            " `bad_bands`.",
        )
    low = np.full(bands, np.inf)
    high = np.full(bands, -np.inf)
    missing = np.zeros(bands, dtype=np.int64)
    empty = np.zeros(view.shape[:2], dtype=bool) if void is None else void.copy()
    sample = []
    step = max(1, view.size // SAMPLES)
    for rows, block in stripes(view):
        empty[rows] |= ~block[:, :, good].any(axis=2)
        if (invalid := _invalid(block, nodata)) is not None:
            empty[rows] |= invalid[:, :, good].all(axis=2)
            missing += np.count_nonzero(invalid[~empty[rows]], axis=0)
            block = np.where(invalid, np.nan, block)
        spectra = block[~empty[rows]]
        if len(spectra):
            low = np.fmin(low, np.fmin.reduce(spectra))
            high = np.fmax(high, np.fmax.reduce(spectra))
        sample.append(spectra[::step][:, good].ravel())
    broken = tuple(band for band in good if missing[band] > BROKEN * int((~empty).sum()))
    usable = [band for band in good if band not in set(broken)]
    values = np.concatenate(sample)
    values = values.astype(np.uint8) if values.dtype.kind == "b" else values
    values = values[np.isfinite(values)]
    if not usable or not values.size:
        raise SceneError(
            f"{where}: the cube must hold data",
            value="no band with valid values",
            hint="Check `nodata`, and that this is the file of the cube.",
        )
    zero = 0
    for rows, block in stripes(view) if missing[usable].any() or empty.any() else ():
        if missing[usable].any() and (lacking := _invalid(block, nodata)) is not None:
            empty[rows] |= lacking[:, :, usable].any(axis=2)
        zero += int((empty[rows] & ~block.any(axis=2)).sum())
    ends = float(low[usable].min()), float(high[usable].max())
    return CubeFacts(
        shape=(int(view.shape[0]), int(view.shape[1]), int(bands)),
        low=ends[0],
        high=ends[1],
        typical=(float(np.percentile(values, 0.1)), float(np.percentile(values, 99.9))),
        constant=tuple(band for band in usable if low[band] == high[band]),
        broken=broken,
        empty=empty,
        unfilled=int(empty.sum()) - zero,
        filler=_filler(view, usable, empty, ends),
    )


def _filler(
    view: AnyArray, usable: list[int], empty: Bools, ends: tuple[float, float]
) -> tuple[float, int] | None:
    """An undeclared number that seems to mark missing data, and the number of pixels that hold it.

    Only the extremes of a cube are looked at: a negative filler in any band, a large one in all.
    """
    usual = {-9999.0, -999.0, -99.0, -99999.0, -32768.0, 65535.0}
    if view.dtype.kind in "iu" and view.dtype.itemsize > 1:
        of_type = np.iinfo(view.dtype)
        usual |= {float(of_type.min), float(of_type.min + 1), float(of_type.max)} - {0.0, 1.0}
    for value in ends:
        if value not in usual and abs(value) < HUGE:
            continue
        count = 0
        for rows, block in stripes(view):
            same = block[:, :, usable] == value
            same = same.any(axis=2) if value < 0 else same.all(axis=2)
            count += int((same & ~empty[rows]).sum())
        if count:
            return value, count
    return None


def _invalid(block: AnyArray, nodata: PerBand | None) -> Bools | None:
    """(rows, W, B) of the values that are no number or no data; None where there can be none."""
    invalid = ~np.isfinite(block) if block.dtype.kind == "f" else None
    if not nodata:
        return invalid
    same = np.asarray(block == np.asarray(nodata))
    return same if invalid is None else invalid | same


def card_nodata(facts: CubeFacts, nodata: PerBand | None) -> float | None:
    """The raw value of no data as a card says it: NaN where none is known; None where every pixel
    has data or holds 0, and where the file has one for each band.
    """
    if isinstance(nodata, tuple) or not facts.unfilled:
        return None
    return math.nan if nodata is None else nodata


def read_values(
    raw: RawArray,
    facts: CubeFacts,
    scale: float | None,
    units: str | None,
    bad_bands: tuple[int, ...],
) -> CubeValues:
    """Scale, units and bands of a cube: as given, else as its file states, else a guess, which a
    remark reports.

    Parameters
    ----------
    bad_bands : tuple of int
        Those the user drops beside the ones that were found.
    """
    remarks = {}
    # As most products are stored: integers of more than 8 bits.
    wide = raw.array.dtype.kind in "iu" and raw.array.dtype.itemsize > 1
    stated = scale if scale is not None else raw.scale
    guessed = 1e-4 if stated is None and wide and facts.typical[1] > 1.5 else None
    if guessed is not None:
        remarks["cube.scale"] = (
            f"a guess: the file holds integers up to {facts.high:g} and names no scale"
        )
    in_card = scale if scale is not None else guessed
    used, offset = (in_card, 0.0) if in_card is not None else (raw.scale, raw.offset)
    if units is None and raw.units is not None and in_card is None:
        units = raw.units
    if units is None:
        scaled = np.multiply.outer(facts.typical, 1.0 if used is None else used) + offset
        low, high = float(scaled.min()), float(scaled.max())
        units = "reflectance" if guessed is None else "reflectance or scaled radiance"
        units = "unknown" if low < -0.2 or high > 1.6 else units
        remarks["cube.units"] = f"a guess: 99.8 % of the values lie in {low:.3g} to {high:.3g}"
    reasons = {
        "asked for": bad_bands,
        "bad by the file": raw.bad_bands,
        "one value only": facts.constant,
        "many values missing": facts.broken,
    }
    bad = tuple(sorted(set().union(*reasons.values())))
    if bad:
        remarks["cube.bad_bands"] = "; ".join(
            f"{why}: {in_runs(bands, 2)}" for why, bands in reasons.items() if bands
        )
    return CubeValues(in_card, used, offset, units, bad, remarks)
