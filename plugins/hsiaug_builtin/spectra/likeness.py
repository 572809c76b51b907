"""Whether a view shows pixels of a scene that is known, in whatever units, order, crop or rounding.

In a copy of a scene most pixels lie nearer to one of the original than neighbours of the original lie to each other; in
another scene, or another part of the same one, next to none does. Spectra are compared as means over 50 nm, so that a
band more or fewer changes little: once relative to their own mean, which neither a crop nor a factor changes, and once
in standard deviations of each band over the whole scene, which no gain and no offset per band changes.

Not told are a crop that has a gain per band too, spectra that were smoothed or resampled, and the same place at another
time or by another sensor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOOK", "alike", "looks"]

EDGES = np.arange(400.0, 2501.0, 50.0)
WINDOWS = len(EDGES) - 1
LOOK = 2 * WINDOWS
NEAR = 0.4
"""Share of the distance between neighbours in its scene, within which a pixel is taken for a copy."""
SHARE, LEAST = 0.03, 3
"""Least share of training or of known pixels that have copies, and their least number. Between five scenes (Indian
Pines, Jasper Ridge, Samson, crops of Houston and Pavia), and between halves of each, at most 0.8 % have."""

Looks = NDArray[np.float32]


def looks(spectra: NDArray[np.float32], scene: NDArray[np.float32], wavelengths: NDArray[np.float64]) -> Looks:
    """(n, B) spectra of a scene → (n, ``LOOK``): what :func:`alike` compares; NaN where the sensor has no band.

    scene: (m, B), all of its pixels that may be seen.
    """
    mean, spread = scene.mean(axis=0, dtype=float), scene.std(axis=0, dtype=float)
    standard = (spectra - mean) / np.where(spread > 0, spread, 1)
    window = np.digitize(wavelengths, EDGES) - 1
    made = np.full((len(spectra), LOOK), np.nan, dtype=np.float32)
    for i in set(window.tolist()) & set(range(WINDOWS)):
        made[:, i] = spectra[:, window == i].mean(axis=1, dtype=float)
        made[:, WINDOWS + i] = standard[:, window == i].mean(axis=1)
    return made


def alike(known: Looks, training: Looks, visible: Looks) -> bool:
    """Whether pixels of a view are copies of known ones, all by their :func:`looks`.

    training: of its training pixels, which are labelled, as the known ones are. visible: of all that it shows.
    """
    shown = np.concatenate([training, visible])
    seen = np.flatnonzero(~np.isnan(known[:, :WINDOWS]).any(axis=0) & ~np.isnan(shown[:, :WINDOWS]).any(axis=0))
    if len(seen) < LEAST or len(known) < LEAST:
        return False
    # Standard deviations as large as they are in the scene: dark bands are next to noise.
    weights = known[:, seen].std(axis=0)
    return _has_copies(_shape(known[:, seen]), _shape(shown[:, seen]), len(training)) or _has_copies(
        known[:, WINDOWS + seen] * weights, shown[:, WINDOWS + seen] * weights, len(training)
    )


def _shape(spectra: Looks) -> Looks:
    """Relative to the mean of each; 0 where that is none."""
    mean = spectra.mean(axis=1, keepdims=True)
    return np.asarray(np.divide(spectra, mean, out=np.zeros_like(spectra), where=mean > 0))


def _has_copies(known: Looks, shown: Looks, training: int) -> bool:
    """training: how many of those that are shown, the first ones."""
    from scipy.spatial import cKDTree

    tree = cKDTree(known)
    apart = np.asarray(tree.query(known, k=2)[0])[:, 1]
    # An outlier has no neighbour: whatever is far from the scene would be near to it.
    apart = NEAR * np.minimum(apart, np.median(apart))
    distance, nearest = map(np.asarray, tree.query(shown, distance_upper_bound=float(apart.max()) or 1e-12))
    found = np.flatnonzero(np.isfinite(distance))
    found = found[distance[found] < apart[nearest[found]]]
    copies = (nearest[found[found < training]], training), (nearest[found], len(known))
    return any(len(np.unique(of)) >= max(LEAST, SHARE * all) for of, all in copies)
