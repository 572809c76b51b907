"""Labelled spectra, sets of equal make-up, the space that distances are measured in, and distances
of float64 arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float64, Int64
from hsiaug.core.samples import Indexable

BINS, MARGIN = 32, 0.1
"""Bins of a histogram along an axis, and the share of the frame that they reach beyond it."""
GAP = 4.0
"""Bands are so many times as far apart as the usual ones where some between them were removed."""
MOST_AXES = 10
"""Principal axes kept: enough for the shape of a spectrum, few enough for the covariance of a small
class.
"""


@dataclass(frozen=True, eq=False)
class Spectra(Indexable):
    """Spectra with their class ids.

    Attributes
    ----------
    x : (n, B) float64
        Spectra in one unit.
    y : (n,) int64
        Class ids.
    """

    x: Float64
    y: Int64

    def __len__(self) -> int:
        return len(self.x)

    @property
    def counts(self) -> dict[int, int]:
        """Spectra of each class id that has any."""
        ids, counts = np.unique(self.y, return_counts=True)
        return dict(zip(ids.tolist(), counts.tolist(), strict=True))

    def only(self, classes: Sequence[int]) -> "Spectra":
        """The spectra of some classes."""
        return self.take(np.isin(self.y, classes))


def shared_classes(sets: Sequence[Spectra], fewest: int = 1) -> list[int]:
    """Sorted ids of the classes that have at least ``fewest`` spectra in every set."""
    counts = [spectra.counts for spectra in sets]
    return sorted(c for c in counts[0] if all(count.get(c, 0) >= fewest for count in counts))


def match_sizes(sets: Sequence[Spectra], rng: np.random.Generator) -> list[Spectra]:
    """Random subsets with the same number of spectra per class: the largest number that every set
    has.

    Most measures depend on the size and the make-up of the sets; between matched sets only the
    spectra differ.
    """
    classes = shared_classes(sets)
    sizes = {c: min(spectra.counts[c] for spectra in sets) for c in classes}
    return [spectra.take(_some(spectra.y, sizes, rng)) for spectra in sets]


def at_most(y: Int64, most: int, rng: np.random.Generator) -> Int64:
    """(m,) sorted rows of labels y (n,): all of a class with up to ``most`` of them, else ``most``
    at random.
    """
    ids, counts = np.unique(y, return_counts=True)
    return _some(
        y, {c: min(n, most) for c, n in zip(ids.tolist(), counts.tolist(), strict=True)}, rng
    )


def _some(y: Int64, sizes: dict[int, int], rng: np.random.Generator) -> Int64:
    parts = [
        rng.choice(np.flatnonzero(y == c), size=size, replace=False) for c, size in sizes.items()
    ]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))


@dataclass(frozen=True, eq=False)
class Space:
    """z-score and principal axes, fitted on real training spectra only.

    Attributes
    ----------
    mean, std : (B,) float64
    axes : (B, k) float64
        Orthonormal, by falling variance.
    """

    mean: Float64
    std: Float64
    axes: Float64

    def z(self, x: Float64) -> Float64:
        """(n, B) in scene units → (n, B) with mean 0 and standard deviation 1 per band of the
        training set.
        """
        return (x - self.mean) / self.std

    def project(self, x: Float64) -> Float64:
        """(n, B) in scene units → (n, k) scores on the principal axes."""
        return self.z(x) @ self.axes

    def residual(self, x: Float64) -> Float64:
        """(n,) length of what the principal axes do not explain: noise that was added, or smoothed
        away.
        """
        z = self.z(x)
        length: Float64 = np.linalg.norm(z - (z @ self.axes) @ self.axes.T, axis=1)
        return length


def fit_space(x: Float64, most: int = MOST_AXES) -> Space:
    """The space of training spectra (n, B), with min(most, B, max(2, n/10)) axes; constant bands
    keep scale 1.
    """
    std = x.std(axis=0)
    std[std < 1e-12] = 1.0
    mean = x.mean(axis=0)
    _, _, axes = np.linalg.svd((x - mean) / std, full_matrices=False)
    k = min(most, len(axes), max(2, len(x) // 10))
    return Space(mean, std, axes[:k].T)


def band_gaps(centres: NDArray[np.floating]) -> Int64:
    """Places of the bands (B,) before which bands were removed, as those in which water vapour
    absorbs, or another sensor begins: no line runs there.
    """
    steps = np.diff(centres.astype(np.float64))
    usual = float(np.median(steps)) or 1.0 if len(steps) else 1.0
    return np.flatnonzero((steps / usual > GAP) | (steps / usual <= 0)) + 1


def spectral_angle(u: Float64, v: Float64) -> Float64:
    """(...,) angle in degrees between spectra u and v (..., B), in scene units (Kruse et al. 1993,
    SAM).

    As 2·atan2(|û − v̂|, |û + v̂|), which is exact for small angles where arccos is not. A
    spectrum of zeros has no direction: its angle to anything is taken as 90°, and as 0° to
    another one of zeros.
    """
    u = _unit(u)
    v = _unit(v)
    near = np.linalg.norm(u - v, axis=-1)
    far = np.linalg.norm(u + v, axis=-1)
    angle: Float64 = np.degrees(2 * np.arctan2(near, np.where(near + far > 0, far, 1.0)))
    return angle


def _unit(x: Float64) -> Float64:
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    scaled: Float64 = x / np.where(length > 0, length, 1.0)
    return scaled


def plane_distance(a: Float64, b: Float64, frame: Float64) -> float:
    """Jensen–Shannon distance, 0 to 1, of the 2-D histograms of two sets of points.

    It is the root of the divergence in bits (Endres and Schindelin 2003). There are BINS × BINS
    bins; what lies beyond the outermost ones counts in them.

    Parameters
    ----------
    a : (n, 2) float64
    b : (m, 2) float64
    frame : (k, 2) float64
        Points that the bins span, with MARGIN of that on each side.
    """
    from scipy.spatial.distance import jensenshannon

    low = frame.min(axis=0)
    high = frame.max(axis=0)
    room = np.maximum(MARGIN * (high - low), 1e-9)
    low = low - room
    high = high + room
    edges = list(np.linspace(low, high, BINS + 1).T)
    p, q = (np.histogramdd(points.clip(low, high), edges)[0].ravel() for points in (a, b))
    distance = float(jensenshannon(p, q, base=2))
    # Of equal histograms rounding may leave a negative divergence.
    return 0.0 if np.isnan(distance) else distance


def shrunk_covariance(x: Float64) -> Float64:
    """(d, d) Ledoit–Wolf covariance of x (n, d), n ≥ 2 (Ledoit and Wolf 2004, J. Multivariate
    Analysis 88).
    """
    from sklearn.covariance import ledoit_wolf

    covariance: Float64 = ledoit_wolf(x)[0]
    return covariance


def frechet(mean_a: Float64, cov_a: Float64, mean_b: Float64, cov_b: Float64) -> float:
    """Fréchet distance |μ − μ'|² + tr(S + S' − 2(S^½ S' S^½)^½) of two Gaussians (Dowson and Landau
    1982).

    The formula of FID (Heusel et al. 2017, arXiv:1706.08500) without its network: the features are
    spectra.
    """
    gap = ((mean_a - mean_b) ** 2).sum()
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    trace = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    return max(0.0, float(gap + np.trace(cov_a) + np.trace(cov_b) - 2 * trace))


def frechet_between(sets: Sequence[Float64]) -> tuple[float, ...]:
    """Fréchet distances of the first set (n, d) to each of the others, of Ledoit–Wolf covariances;
    n ≥ 2.
    """
    laws = [(x.mean(axis=0), np.atleast_2d(shrunk_covariance(x))) for x in sets]
    return tuple(frechet(*laws[0], *law) for law in laws[1:])
