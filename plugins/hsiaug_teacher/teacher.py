"""From a train view to soft votes for every unlabelled pixel.

Eight voters fitted on labelled samples vote for every pixel, one for each of four spectral views and of two sets of
local means of principal components: of the pixel alone, and of windows of several sizes round it. Their shares are
multiplied (the logarithmic opinion pool of Genest and Zidek, Combining Probability Distributions, Statistical Science 1,
1986), so that a class which one voter rules out is not named, and then averaged over the neighbourhood of each pixel.
Pixels of one name that touch are a segment. One that holds a training pixel of its class continues what was labelled; on
a segment far from any, a name rests on spectra alone, and is far more often wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from hsiaug.api import SpectralView, TrainView, train_view_seen
from hsiaug_teacher.features import SIDES, fit_local_means
from hsiaug_teacher.voter import Probe, fit_voter

__all__ = ["Lesson", "Votes", "teach"]

VIEWS = ("raw", "unit", "derivative", "continuum")
FEWEST = 3
"""Bands that the views beside ``raw`` need."""
COMPONENTS, MARGIN_COMPONENTS = 60, 30
"""Components per window that the discriminant reads, and the first of them, which the machine reads."""
COST, REACH = 10.0, 0.5
"""C, and γ times the number of features, of the machine."""
NEIGHBOURHOOD = 5
"""Pixels: side of the window over which shares are averaged. Views and windows were chosen on draws 100 to 104 of Indian
Pines and of crops of Houston, Pavia and Jasper Ridge under ``issd``: there windows alone mislead everywhere but on Indian
Pines, and single pixels alone on Indian Pines."""
LEAST_SHARE = 1e-6
"""No voter rules a class out for good."""


@dataclass(frozen=True, eq=False)
class Votes:
    """pixels: (m, 2) int32, unlabelled. shares: (m, k) float64, rows sum to 1. classes: (k,) int64 ids, ascending.

    attached: (m,) bool, the pixel lies in a segment with a training pixel of the class that it votes most for.
    """

    pixels: NDArray[np.int32]
    shares: NDArray[np.float64]
    classes: NDArray[np.int64]
    attached: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a teacher says of a view. probe: names any patch; it was fitted on real training pixels only."""

    votes: Votes
    probe: Probe


def teach(view: TrainView) -> Lesson:
    """Fit a teacher on the training pixels of a view; its votes are for the unlabelled pixels, which may be none."""
    pixels, known = np.concatenate([view.unlabelled, view.coords]), len(view.unlabelled)
    weight = np.ones(len(view.y), dtype=np.float32)
    logs, probes = [], []
    for name in VIEWS if view.bands >= FEWEST else VIEWS[:1]:
        seen = train_view_seen(view, SpectralView(name, view.wavelengths))
        means, features = fit_local_means(seen, pixels, COMPONENTS, SIDES)
        each = len(means.projection.offset)
        for windows in dict.fromkeys((len(means.sides), 1)):
            read = features[:, : each * windows]
            first = np.arange(min(MARGIN_COMPONENTS, each))
            columns = np.concatenate([first + i * each for i in range(windows)])
            voter = fit_voter(read[known:], view.y, weight, columns, cost=COST, reach=REACH)
            logs.append(np.log(np.maximum(voter.shares(read), LEAST_SHARE)))
            probes.append(Probe(means, voter.discriminant))
    pooled = softmax(np.mean(logs, axis=0), axis=1)
    shares = _averaged(pooled, pixels, view.visible.shape)
    classes = probes[0].classes
    attached = _attached(view, classes[shares[:known].argmax(axis=1)])
    # The first voter reads raw spectra over all windows, and so whole patches in the scene's units.
    return Lesson(Votes(view.unlabelled, shares[:known], classes, attached), probes[0])


def _attached(view: TrainView, named: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each unlabelled pixel, named after a class (m,), lies in a segment with a training pixel of that class."""
    from scipy.ndimage import label

    names = np.zeros(view.visible.shape, dtype=np.int64)
    names[view.unlabelled[:, 0], view.unlabelled[:, 1]] = named
    names[view.coords[:, 0], view.coords[:, 1]] = view.y
    attached = np.zeros(names.shape, dtype=bool)
    for c in view.counts:
        segment, _ = label(names == c)
        rows, columns = view.coords[view.y == c].T
        attached |= (segment > 0) & np.isin(segment, segment[rows, columns])
    return np.asarray(attached[view.unlabelled[:, 0], view.unlabelled[:, 1]])


def _averaged(
    shares: NDArray[np.float64], pixels: NDArray[np.int32], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Shares (n, k) of pixels (n, 2), each the mean over those of its neighbourhood that are among the pixels."""
    from scipy.ndimage import uniform_filter

    at = (pixels[:, 0], pixels[:, 1])
    plane = np.zeros(shape)
    plane[at] = 1
    known = uniform_filter(plane, NEIGHBOURHOOD, mode="constant")[at]
    made = np.empty_like(shares)
    for column in range(shares.shape[1]):
        plane[at] = shares[:, column]
        made[:, column] = uniform_filter(plane, NEIGHBOURHOOD, mode="constant")[at] / known
    return made
