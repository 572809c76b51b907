"""How often the synthetic samples of a class may show as much spread as whole patches round its
pixels have, which hold pixels of other classes too.

With few labels a classifier draws its borders too near to the few spectra that it has seen, so that
samples should spread. Where classes lie apart that is harmful: what is added are other classes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import SpectralView

STEEP = 4
"""Power of its confusability to which a class has samples of all pixels: a class that is half as
wide as its distance to the next has one in sixteen.
"""


def confusability(spectra: Mapping[int, NDArray[np.float32]]) -> dict[int, float]:
    """Spread of each class over the distance from its mean to that of the nearest other class.

    The spread is the root of the mean squared distance of unit-norm spectra to their mean. 0 for a
    class alone, or whose mean is that of another.

    Parameters
    ----------
    spectra : mapping of int to array (m, B) of float32
        By class id, of pixels with a label, or that the teacher is trusted to name.
    """
    unit = SpectralView("unit")
    centres = {c: unit(of_class, axis=1) for c, of_class in spectra.items()}
    means = {c: x.mean(axis=0) for c, x in centres.items()}
    found = {}
    for c, x in centres.items():
        distances = [np.linalg.norm(means[c] - means[other]) for other in means if other != c]
        nearest = min(distances, default=0.0)
        spread = np.sqrt(((x - means[c]) ** 2).sum(axis=1).mean())
        found[c] = float(spread / nearest) if nearest > 0 else 0.0
    return found


def wide_shares(confusable: Mapping[int, float]) -> dict[int, float]:
    """By class id the share of samples, 0..1, that all pixels of patches count for."""
    return {c: min(1.0, value**STEEP) for c, value in confusable.items()}
