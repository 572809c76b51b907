"""Spectral transforms: what of each pixel's spectrum a classifier is shown.

A transform is applied pixel by pixel, to real and synthetic samples alike, after a generator has
made them in the scene's units. Generators so know nothing of transforms, and the gain of a better
transform is no gain of a generator. Users choose one by ``--view``:

``raw``
    The spectrum as the scene holds it.
``unit``
    Divided by its Euclidean norm: shape without brightness, and so without most of the
    illumination.
``derivative``
    Differences of neighbouring bands, by wavelength where that is known: offsets drop out.
``continuum``
    Divided by its upper convex hull over wavelength: depths of absorption bands.
``raw+unit``
    Both, one after the other along the bands.

``auto`` is no transform of its own: :mod:`hsiaug.tasks.view_choice` chooses one of these, draw by
split.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hsiaug.base.arrays import Bools, Float32, Float64
from hsiaug.core.view_names import RAW

ROWS_BYTES, HULL_BYTES = 2**19, 4 * 2**20
"""Spectra are converted in parts of about this size, which a processor keeps at hand; hulls in
larger ones, as each band of a part is a step of Python.
"""


@dataclass(frozen=True, eq=False)
class SpectralView:
    """A spectral transform that classifiers get their spectra in, such as unit norm.

    Attributes
    ----------
    name : str
        A value of ``--view``: "raw", "unit", "raw+unit", "derivative", "continuum" and so on.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, or None if unknown.
    scores : mapping of str to float or None
        If the transform was chosen by cross-validation, the score of each, 0..1; else None.

    See Also
    --------
    choose_view : chooses a transform for a classifier.
    train_view_seen : applies it to a train view.
    """

    name: str
    wavelengths: Float64 | None = None
    scores: Mapping[str, float] | None = None

    def __call__(self, x: Float32, axis: int) -> Float32:
        """Transform spectra.

        A spectrum gives the same numbers to the bit, wherever it stands in whichever array.

        Parameters
        ----------
        x : array of float32
            Spectra in scene units along one axis, of B bands.
        axis : int
            That axis.

        Returns
        -------
        array of float32
            The same axes, of B' bands along that one.
        """
        if self.name == RAW:
            return x
        shape = list(x.shape)
        shape[axis] = self.bands(x.shape[axis])
        transformed = np.empty(shape, dtype=np.float32)
        # A single spectrum too has rows then.
        rows = np.atleast_2d(np.moveaxis(x, axis, -1))
        out_rows = np.atleast_2d(np.moveaxis(transformed, axis, -1))
        bytes_at_once = HULL_BYTES if self.name == "continuum" else ROWS_BYTES
        step = max(1, bytes_at_once // max(1, rows[:1].nbytes))
        for start in range(0, len(rows), step):
            block = np.ascontiguousarray(rows[start : start + step])
            spectra = self._rows(block.reshape(-1, block.shape[-1]))
            out_rows[start : start + step] = spectra.reshape(*block.shape[:-1], spectra.shape[-1])
        return transformed

    def bands(self, bands: int) -> int:
        """Number of bands B' after the transform of B bands."""
        return {"derivative": bands - 1, "raw+unit": 2 * bands}.get(self.name, bands)

    @property
    def shown_wavelengths(self) -> Float64 | None:
        """(B',) band centres in nm after the transform; None if they have none, or are on two
        axes.
        """
        if self.wavelengths is None or self.name == "raw+unit":
            return None
        if self.name == "derivative":
            ordered = np.sort(self.wavelengths)
            return (ordered[1:] + ordered[:-1]) / 2
        return self.wavelengths

    def _rows(self, x: Float32) -> Float32:
        if self.name == "unit":
            return unit_norm(x)
        if self.name == "raw+unit":
            return np.concatenate([x, unit_norm(x)], axis=1)
        places = self.wavelengths
        if places is None:
            places = np.arange(x.shape[1], dtype=np.float64)
        # Where detectors overlap, bands do not come in the order of their wavelengths.
        order = np.argsort(places, kind="stable")
        if self.name == "derivative":
            return derivative(x[:, order], places[order])
        if self.name != "continuum":
            raise ValueError(f"a spectral view that is not known: {self.name}")
        ratio = np.empty_like(x)
        ratio[:, order] = continuum_removed(x[:, order], places[order])
        return ratio


RAW_VIEW = SpectralView(RAW)


def unit_norm(x: Float32) -> Float32:
    """(n, B) float32 → the same divided by their Euclidean norms; a spectrum of zeros stays.

    The angle between spectra, which brightness does not change: Kruse et al., The Spectral Image
    Processing System, Remote Sensing of Environment 44, 1993, doi:10.1016/0034-4257(93)90013-N.
    """
    norm = np.sqrt(np.square(x, dtype=np.float64).sum(axis=1, keepdims=True))
    return np.asarray(x / np.where(norm > 0, norm, 1), dtype=np.float32)


def derivative(x: Float32, places: Float64) -> Float32:
    """(n, B) float32 over places (B,), in order → (n, B − 1) first differences, per unit of place.

    F. Tsai and W. Philpot, Derivative analysis of hyperspectral data, Remote Sensing of Environment
    66, 1998, doi:10.1016/S0034-4257(98)00032-7; without their smoothing, as the classifiers weigh
    bands by themselves.
    """
    gaps = np.diff(places)
    return np.asarray(np.diff(x, axis=1) / np.where(gaps > 0, gaps, 1), dtype=np.float32)


def continuum_removed(x: Float32, places: Float64) -> Float32:
    """(n, B) float32 → in 0..1: each spectrum divided by its upper convex hull over places (B,), in
    order.

    R. N. Clark and T. L. Roush, Reflectance spectroscopy: quantitative analysis techniques for
    remote sensing applications, Journal of Geophysical Research 89(B7), 1984,
    doi:10.1029/JB089iB07p06329. The continuum there is of straight lines between chosen maxima; the
    hull chooses them. Where the hull is not above 0 (no data, values that were corrected too far)
    there is no continuum and the value is 1; a negative value of the spectrum counts as 0.
    """
    values = x.astype(np.float64)
    hull = _hull(values, places)
    ratio = np.divide(values, hull, out=np.ones_like(values), where=hull > 0)
    return np.clip(ratio, 0, 1).astype(np.float32)


def _hull(y: Float64, places: Float64) -> Float64:
    """(n, B) upper convex hulls, read at every place: Andrew's monotone chain, on all spectra at
    once.
    """
    n, bands = y.shape
    heights = np.ascontiguousarray(y.T).ravel()
    every_row = np.arange(n)
    # The corner before each place in the chain that ends there.
    before = np.zeros((bands, n), dtype=np.intp)
    for b in range(1, bands):
        before[b] = b - 1
        # A chain of two places has no corner that could go.
        rows = every_row if b > 1 else every_row[:0]
        while len(rows):
            j = before[b].take(rows)
            at = j * n + rows
            i = before.take(at)
            low = heights.take(i * n + rows)
            middle = heights.take(at)
            high = heights[b * n :].take(rows)
            # The last corner goes where it lies on or below the line from the one before it to the
            # new point.
            run_to_new = places[b] - places[i]
            run_to_corner = places[j] - places[i]
            below = (middle - low) * run_to_new <= (high - low) * run_to_corner
            rows = rows[below]
            i = i[below]
            before[b, rows] = i
            rows = rows[i > 0]
    corner = np.zeros((n, bands), dtype=bool)
    corner[:, 0] = True
    rows = every_row
    last = np.full(n, bands - 1)
    while len(rows):
        corner[rows, last] = True
        last = before[last, rows]
        rows = rows[last > 0]
        last = last[last > 0]
    return _between(y, places, corner)


def _between(y: Float64, places: Float64, corner: Bools) -> Float64:
    """(n, B): straight lines between the corners (n, B) of each spectrum; the first and last band
    are corners.
    """
    corners = np.flatnonzero(corner)
    left = y.ravel()[corners]
    place = places[corners % y.shape[1]]
    # From the last band, a corner, no line goes on: its share is 0, whatever spectrum comes next.
    rise = np.diff(left, append=left[-1:])
    width = np.diff(place, append=place[-1:])
    lines = np.stack([left, place, rise, np.where(width > 0, width, 1)])
    start, place, rise, width = np.repeat(lines, np.diff(corners, append=y.size), axis=1).reshape(
        4, *y.shape
    )
    return np.asarray(start + (places - place) / width * rise)
