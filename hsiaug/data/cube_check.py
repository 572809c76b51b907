"""Looking through a cube that somebody wants to use: its axes, values, bands and pixels that will not do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError
from hsiaug.base.text import in_runs
from hsiaug.data.georeference import Declared
from hsiaug.data.raw import RawArray, stripes

SAMPLES = 200_000
"""Values that percentiles are taken of."""

BROKEN = 0.1
"""Bands that lack more than this share of the pixels that have data are dropped rather than those pixels."""


@dataclass(frozen=True, eq=False)
class CubeFacts:
    """Findings about a cube (H, W, B), in raw values.

    low, high: extremes of the valid values; typical: their 0.1th and 99.9th percentile. constant, broken: bands with
    one value only; with many values missing. empty: (H, W) bool, pixels without data in the bands that are kept.
    unfilled: those of them that hold something else than 0, and so would be taken for spectra.
    """

    shape: tuple[int, int, int]
    low: float
    high: float
    typical: tuple[float, float]
    constant: tuple[int, ...]
    broken: tuple[int, ...]
    empty: NDArray[np.bool_]
    unfilled: int


@dataclass(frozen=True)
class CubeValues:
    """How the values of a cube are understood. remarks: for the card, by its key.

    scale: None = what the ENVI header says, or none. centres: of the bands in nm, or None.
    """

    scale: float | None
    offset: float
    units: str
    bad_bands: tuple[int, ...]
    centres: tuple[float, ...] | None
    remarks: dict[str, str]


def guess_axes(shape: tuple[int, ...], labels: tuple[int, ...], where: str) -> tuple[str, list[str]]:
    """The order of a cube's axes for labels of shape (H, W), and the other orders that would fit as well.

    where: how errors name the file of the labels. Raises SceneError where no order fits.
    """
    orders = ("hwb", "bhw", "hbw", "whb", "bwh", "wbh")
    fitting = [order for order in orders if (shape[order.index("h")], shape[order.index("w")]) == labels]
    if not fitting:
        raise unlike_shapes(shape, labels, where)
    return fitting[0], fitting[1:]


def unlike_shapes(cube: tuple[int, ...], labels: tuple[int, ...], where: str) -> SceneError:
    """The error for labels of another shape than the cube's. where: how it names the file of the labels."""
    extents = ["×".join(map(str, shape)) for shape in (labels, cube)]
    rule = f"{where}: the labels must have the height and width of the cube"
    hint = "Name the label map of this very scene; crop or resample one of the two."
    return SceneError(rule, value=f"labels {extents[0]}, cube {extents[1]}", hint=hint)


@np.errstate(all="ignore")  # values that are no numbers are looked for
def look_through(view: AnyArray, nodata: float | None, bad_bands: tuple[int, ...], where: str) -> CubeFacts:
    """Read a cube (H, W, B) once, twice where values are missing.

    where: how errors name its file. nodata: the value of pixels without data; 0 counts only where every band holds it.
    bad_bands: not to be looked at. Raises SceneError where no value is valid.
    """
    bands = view.shape[2]
    good = [b for b in range(bands) if b not in set(bad_bands)]
    low, high, missing = np.full(bands, np.inf), np.full(bands, -np.inf), np.zeros(bands, dtype=np.int64)
    empty, sample, step = np.zeros(view.shape[:2], dtype=bool), [], max(1, view.size // SAMPLES)
    for rows, block in stripes(view):
        empty[rows] = ~block[:, :, good].any(axis=2)
        invalid = _invalid(block, nodata)
        if invalid is not None:
            empty[rows] |= invalid[:, :, good].all(axis=2)
            missing += np.count_nonzero(invalid[~empty[rows]], axis=0)
            block = np.where(invalid, np.nan, block)
        spectra = block[~empty[rows]]
        if len(spectra):
            low, high = np.fmin(low, np.fmin.reduce(spectra)), np.fmax(high, np.fmax.reduce(spectra))
        sample.append(spectra[::step][:, good].ravel())
    broken = tuple(b for b in good if missing[b] > BROKEN * int((~empty).sum()))
    kept = [b for b in good if b not in set(broken)]
    values = np.concatenate(sample)
    values = values[np.isfinite(values)]
    if not kept or not values.size:
        rule, hint = f"{where}: the cube must hold data", "Check `nodata`, and that this is the file of the cube."
        raise SceneError(rule, value="no band with valid values", hint=hint)
    zero = 0
    for rows, block in stripes(view) if missing[kept].any() or empty.any() else ():
        if missing[kept].any() and (lacking := _invalid(block[:, :, kept], nodata)) is not None:
            empty[rows] |= lacking.any(axis=2)
        zero += int((empty[rows] & ~block.any(axis=2)).sum())
    return CubeFacts(
        shape=(int(view.shape[0]), int(view.shape[1]), int(bands)),
        low=float(low[kept].min()),
        high=float(high[kept].max()),
        typical=(float(np.percentile(values, 0.1)), float(np.percentile(values, 99.9))),
        constant=tuple(b for b in kept if low[b] == high[b]),
        broken=broken,
        empty=empty,
        unfilled=int(empty.sum()) - zero,
    )


def _invalid(block: AnyArray, nodata: float | None) -> NDArray[np.bool_] | None:
    """(rows, W, B) of the values that are no number or no data; None where there can be none."""
    invalid = ~np.isfinite(block) if block.dtype.kind == "f" else None
    if not nodata:
        return invalid
    same = np.asarray(block == nodata)
    return same if invalid is None else invalid | same


def read_values(
    raw: RawArray, seen: CubeFacts, said: Declared, scale: float | None, units: str | None, bad_bands: tuple[int, ...]
) -> CubeValues:
    """Scale, units and bands of a cube: as given, else as its file says, else as usual, said to be a guess.

    bad_bands: those the user drops beside the ones that were found.
    """
    remarks = {}
    stated = scale if scale is not None else said.scale if said.scale is not None else raw.scale
    # As most products are stored: integers of more than 8 bits.
    wide = raw.array.dtype.kind in "iu" and raw.array.dtype.itemsize > 1
    guessed = 1e-4 if stated is None and wide and seen.typical[1] > 1.5 else None
    used = stated if stated is not None else guessed if guessed is not None else 1.0
    low, high = sorted(float(value * used + said.offset) for value in seen.typical)
    if guessed is not None:
        remarks["cube.scale"] = f"a guess: the file holds integers up to {seen.high:g} and names no scale"
    if units is None:
        units = "reflectance" if guessed is None else "reflectance or scaled radiance"
        units = "unknown" if low < -0.2 or high > 1.6 else units
        remarks["cube.units"] = f"a guess: 99.8 % of the values lie in {low:.3g} to {high:.3g}"
    reasons = {
        "asked for": bad_bands,
        "bad by the ENVI header": said.bad_bands,
        "one value only": seen.constant,
        "many values missing": seen.broken,
    }
    bad = tuple(sorted(set().union(*reasons.values())))
    if bad:
        remarks["cube.bad_bands"] = "; ".join(f"{why}: {in_runs(bands, 2)}" for why, bands in reasons.items() if bands)
    centres = said.wavelengths if raw.wavelengths is None else tuple(float(nm) for nm in raw.wavelengths)
    in_card = scale if scale is not None else said.scale if said.scale is not None else guessed
    return CubeValues(in_card, said.offset, units, bad, centres, remarks)
