"""Pseudo-labels: which unlabelled pixels get a class's text, and which samples are believed.

An extension of the paper's semi-supervision, switchable. Two probes fitted on real training pixels only, shrinkage LDA
and an RBF support vector machine on local means of principal components at several scales, vote for every visible
pixel. The votes are spread along the pixel grid, weakly across spectral edges (label spreading after Zhou et al., NIPS
2004, on a grid whose weights are those of Grady's random walker, 2006). The most confident pixels of each class are
taken, a bounded number of each.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.special import softmax

from hsiaug.api import TrainView
from hsiaug_nets.grid import spread

__all__ = ["Probe", "confident", "fit_probe", "spread_votes"]

COMPONENTS = 60
MARGIN_COMPONENTS = 30
GUIDES = 10
PENALTY, REACH = 100.0, 0.5
"""C, and γ times the number of features, of the support vector machine; chosen on draws from 100 on."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A classifier of the centre pixel of a patch, from local means. classes: (k,) int64 ids, in output order."""

    matrix: NDArray[np.float64]
    scales: tuple[int, ...]
    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]
    classes: NDArray[np.int64]
    temperature: float

    def patches(self, x: NDArray[np.float32], view_mean: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, k) probabilities for patches (n, B, p, p) in scene units."""
        middle = x.shape[2] // 2
        parts = []
        for scale in self.scales:
            r = min(scale // 2, middle)
            box = x[:, :, middle - r : middle + r + 1, middle - r : middle + r + 1].mean(axis=(2, 3))
            parts.append((box - view_mean) @ self.matrix)
        return self._votes(np.concatenate(parts, axis=1))

    def _votes(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(softmax((features @ self.weights.T + self.offsets) / self.temperature, axis=1))


def fit_probe(view: TrainView, temperature: float) -> tuple[Probe, NDArray[np.float64]]:
    """The LDA probe, and the votes (H, W, k) of both probes for all pixels, 0 where hidden; they sum to 1."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    mean = view.normaliser.mean
    seen = (view.cube[view.visible] - mean) / view.normaliser.std
    values, vectors = np.linalg.eigh(np.cov(seen.astype(np.float64), rowvar=False).reshape(view.bands, view.bands))
    keep = np.argsort(-values)[: min(COMPONENTS, view.bands)]
    keep = keep[values[keep] > 1e-9]
    matrix = vectors[:, keep] / view.normaliser.std[:, None]
    scales = tuple(dict.fromkeys(min(s, view.patch) for s in (1, 5, 9)))
    plane = np.where(view.visible[:, :, None], view.cube - mean, 0.0) @ matrix
    layers = [local_mean(plane, view.visible, scale) for scale in scales]
    features = np.concatenate(layers, axis=2)
    rows, columns = view.coords.T
    with warnings.catch_warnings():
        # A class of a single pixel has no spread; the other classes' serves it.
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(features[rows, columns], view.y)
    weights, offsets = lda.coef_, lda.intercept_
    if len(lda.classes_) == 2:
        weights, offsets = np.concatenate([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2
    probe = Probe(matrix, scales, weights, offsets, lda.classes_.astype(np.int64), temperature)
    flat = features.reshape(-1, features.shape[2])
    first = np.concatenate(
        [np.arange(min(MARGIN_COMPONENTS, len(keep))) + i * len(keep) for i in range(len(scales))]
    )
    votes = probe._votes(flat) + _margin_votes(flat[:, first], view)
    return probe, votes.reshape(*view.visible.shape, -1) * (view.visible / 2)[:, :, None]


def _margin_votes(features: NDArray[np.float64], view: TrainView) -> NDArray[np.float64]:
    """(H·W, k) soft votes of an RBF support vector machine on the same local means."""
    from sklearn.svm import SVC

    rows = np.ravel_multi_index(tuple(view.coords.T), view.visible.shape)
    scaled = features / np.maximum(features[view.visible.ravel()].std(axis=0), 1e-12)
    machine = SVC(C=PENALTY, gamma=REACH / features.shape[1], random_state=0).fit(scaled[rows], view.y)
    scores = machine.decision_function(scaled)
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    return np.asarray(softmax(scores, axis=1))


def local_mean(plane: NDArray[np.float64], visible: NDArray[np.bool_], scale: int) -> NDArray[np.float64]:
    """(H, W, k) mean over the visible pixels of each scale×scale window."""
    if scale == 1:
        return plane
    total = ndimage.uniform_filter(plane, (scale, scale, 1))
    share = ndimage.uniform_filter(visible.astype(np.float64), scale)
    mean: NDArray[np.float64] = total / np.maximum(share, 1e-9)[:, :, None]
    return mean


def spread_votes(
    votes: NDArray[np.float64], view: TrainView, probe: Probe, alpha: float, rounds: int
) -> NDArray[np.float64]:
    """Votes (H, W, k) spread along the grid: q ← (1−α)·votes + α·(mean of the neighbours' q, weak across edges)."""
    guide = np.where(view.visible[:, :, None], view.cube - view.normaliser.mean, 0.0) @ probe.matrix[:, :GUIDES]
    scale = guide[view.visible].std(axis=0)
    guide = ndimage.uniform_filter(guide / np.maximum(scale, 1e-9), (3, 3, 1))
    flat = votes.reshape(-1, votes.shape[2])
    return spread(flat, _grid(guide, view.visible), alpha, rounds).reshape(votes.shape)


def _grid(guide: NDArray[np.float64], visible: NDArray[np.bool_]) -> sparse.csr_array:
    """Weights exp(−d²/median d²) between visible 4-neighbours of the pixel grid."""
    height, width = visible.shape
    index = np.arange(height * width).reshape(height, width)
    rows, columns, weights = [], [], []
    for a, b in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = visible[a] & visible[b]
        distance = ((guide[a] - guide[b]) ** 2).mean(axis=2)
        weight = np.exp(-distance / max(float(np.median(distance[both])), 1e-12))[both]
        rows += [index[a][both], index[b][both]]
        columns += [index[b][both], index[a][both]]
        weights += [weight, weight]
    size = height * width
    joined = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(sparse.coo_array(joined, shape=(size, size)))


def confident(
    votes: NDArray[np.float64], view: TrainView, classes: NDArray[np.int64], most: int, share: float
) -> Mapping[int, NDArray[np.int32]]:
    """{class id: (m, 2) unlabelled pixels}: of those that are named so, the ``share`` with the widest margin, at most
    ``most``, so that no class floods the others."""
    rows, columns = view.unlabelled.T
    ballots = votes[rows, columns]
    ranked = np.sort(ballots, axis=1)
    margin = ranked[:, -1] - (ranked[:, -2] if ranked.shape[1] > 1 else 0)
    winner = classes[ballots.argmax(axis=1)]
    chosen = {}
    for c in classes.tolist():
        named = np.flatnonzero(winner == c)
        count = min(most, max(min(5, len(named)), int(len(named) * share)))
        chosen[c] = view.unlabelled[named[np.argsort(-margin[named], kind="stable")[:count]]]
    return chosen
