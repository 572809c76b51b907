"""Looking through a cube that somebody wants to use: its axes, values, bands and pixels that will not do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError

__all__ = [
    "CubeFacts",
    "guess_axes",
    "look_through",
    "runs",
    "stripes",
    "unlike_shapes",
    "usual_scale",
    "usual_units",
]

STRIPE_BYTES = 32 * 2**20
"""Rows are read in stripes of about this size, so that a cube larger than memory can be looked through."""

SAMPLES = 200_000
"""Values that percentiles are taken of."""

FEW = 4
"""Spectra of fewer bands may well be flat; of so few flat pixels nothing is said."""

BROKEN = 0.1
"""Bands that lack more than this share of the pixels that have data are dropped rather than those pixels."""


@dataclass(frozen=True, eq=False)
class CubeFacts:
    """Findings about a cube (H, W, B), in raw values.

    low, high: extremes of the valid values; typical: their 0.1th and 99.9th percentile.
    constant, broken: bands with one value only; with many values missing.
    empty: (H, W) bool, pixels without data in the bands that are kept. unfilled: those of them that hold something
    else than 0, and so would be taken for spectra.
    suspect: a value that many pixels hold in every band, other than 0 and the declared one; and how many.
    """

    shape: tuple[int, int, int]
    low: float
    high: float
    typical: tuple[float, float]
    constant: tuple[int, ...]
    broken: tuple[int, ...]
    empty: NDArray[np.bool_]
    unfilled: int
    suspect: tuple[float, int] | None


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
    return SceneError(
        f"{where}: the labels must have the height and width of the cube",
        value=f"labels {extents[0]}, cube {extents[1]}",
        hint="Name the label map of this very scene; crop or resample one of the two.",
    )


@np.errstate(all="ignore")  # values that are no numbers are looked for
def look_through(view: NDArray[Any], nodata: float | None, bad_bands: tuple[int, ...], where: str) -> CubeFacts:
    """Read a cube (H, W, B) once, twice where values are missing.

    where: how errors name its file.
    nodata: the value of pixels without data; 0 counts only where every band holds it. bad_bands: not to be looked at.
    Raises SceneError where no value is valid.
    """
    height, width, bands = (int(n) for n in view.shape)
    dropped = set(bad_bands)
    good = [b for b in range(bands) if b not in dropped]
    tally = _Tally(good, bands, nodata, max(1, view.size // SAMPLES))
    empty = np.concatenate([tally.add(block) for _, block in stripes(view)])
    there = int((~empty).sum())
    broken = tuple(b for b in good if tally.missing[b] > BROKEN * there)
    lost = set(broken)
    kept = [b for b in good if b not in lost]
    values = np.concatenate(tally.sample)
    values = values[np.isfinite(values)]
    if not kept or not values.size:
        raise SceneError(
            f"{where}: the cube must hold data",
            value="no band with valid values",
            hint="Check `nodata`, and that this is the file of the cube.",
        )
    zero = 0
    for top, block in stripes(view):
        here = empty[top : top + len(block)]
        if tally.missing[kept].any() and (lacking := _invalid(block[:, :, kept], nodata)) is not None:
            here |= lacking.any(axis=2)
        zero += int((here & ~block.any(axis=2)).sum())
    constant = tuple(b for b in kept if tally.low[b] == tally.high[b])
    most = max(tally.flat.items(), key=lambda item: item[1], default=(0.0, 0))
    return CubeFacts(
        shape=(height, width, bands),
        low=float(tally.low[kept].min()),
        high=float(tally.high[kept].max()),
        typical=(float(np.percentile(values, 0.1)), float(np.percentile(values, 99.9))),
        constant=constant,
        broken=broken,
        empty=empty,
        unfilled=int(empty.sum()) - zero,
        suspect=most if most[1] > max(FEW, there // 1000) else None,
    )


class _Tally:
    """Counts of a cube, added stripe by stripe: extremes and missing values by band; a sample; flat spectra."""

    def __init__(self, good: list[int], bands: int, nodata: float | None, step: int) -> None:
        self._good, self._nodata, self._step = good, nodata, step
        self.low, self.high = np.full(bands, np.inf), np.full(bands, -np.inf)
        self.missing = np.zeros(bands, dtype=np.int64)
        self.sample: list[NDArray[Any]] = []
        self.flat: dict[float, int] = {}

    def add(self, block: NDArray[Any]) -> NDArray[np.bool_]:
        """Count a stripe (rows, W, B); returns (rows, W), the pixels without data in any good band."""
        good = self._good
        seen = block[:, :, good]
        empty = np.asarray(~seen.any(axis=2))
        invalid = _invalid(block, self._nodata)
        values = block
        if invalid is not None:
            empty |= invalid[:, :, good].all(axis=2)
            self.missing += np.count_nonzero(invalid[~empty], axis=0)
            values = np.where(invalid, np.nan, block)
        values = values[~empty]
        if len(values):
            self.low = np.fmin(self.low, np.fmin.reduce(values))
            self.high = np.fmax(self.high, np.fmax.reduce(values))
        self.sample.append(values[:: self._step][:, good].ravel())
        self._count_flat(seen[~empty])
        return empty

    def _count_flat(self, spectra: NDArray[Any]) -> None:
        """Count, by value, the spectra (n, B) that hold one value in every band."""
        if spectra.shape[1] < FEW or not len(spectra):
            return
        same = np.flatnonzero(spectra[:, 0] == spectra[:, -1])
        same = same[(spectra[same] == spectra[same][:, :1]).all(axis=1)]
        for value, count in zip(*np.unique(spectra[same, 0], return_counts=True), strict=True):
            self.flat[float(value)] = self.flat.get(float(value), 0) + int(count)


def stripes(view: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """First row and (rows, W, B) of one stripe after the other."""
    rows = max(1, STRIPE_BYTES // max(1, view[0].size * 8))
    for top in range(0, len(view), rows):
        yield top, np.asarray(view[top : top + rows])


def _invalid(block: NDArray[Any], nodata: float | None) -> NDArray[np.bool_] | None:
    """(rows, W, B) of the values that are no number or no data; None where there can be none."""
    invalid = ~np.isfinite(block) if block.dtype.kind == "f" else None
    if nodata:
        same = np.asarray(block == block.dtype.type(nodata)) if _holds(block.dtype, nodata) else None
        if same is not None:
            invalid = same if invalid is None else invalid | same
    return invalid


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether a value can stand in an array of that type: −9999 cannot in one of unsigned integers."""
    if dtype.kind == "f":
        return True
    if dtype.kind not in "iu" or value != int(value):
        return False
    return bool(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max)


def usual_scale(dtype: np.dtype[Any], facts: CubeFacts) -> float | None:
    """1e-4 for integers of more than 8 bits, as most products are stored; None elsewhere."""
    wide = dtype.kind in "iu" and dtype.itemsize > 1
    return 1e-4 if wide and facts.typical[1] > 1.5 else None


def usual_units(low: float, high: float, *, scale_known: bool) -> str:
    """Return the probable units of scaled values between low and high; "unknown" if they cannot be told."""
    if low < -0.2 or high > 1.6:
        return "unknown"
    return "reflectance" if scale_known else "reflectance or scaled radiance"


def runs(bands: tuple[int, ...]) -> str:
    """0, 1, 2, 7 → ``0–2, 7``."""
    groups = itertools.groupby(enumerate(bands), key=lambda item: item[1] - item[0])
    parts = [[band for _, band in group] for _, group in groups]
    return ", ".join(f"{part[0]}–{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)
