"""Scores of labels from the counts of :mod:`hsiaug.metrics.dense.tile_counts`, for many sets of counts at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.accuracy import cohen_kappa, mean_known, recall
from hsiaug.metrics.calibration import ScoreKind
from hsiaug.metrics.dense.references import References
from hsiaug.metrics.dense.tile_counts import REACH, SHIFTS, Counts
from hsiaug.metrics.distances import root_trace, spectral_angle

__all__ = ["SCORES", "score_all"]

Array = NDArray[np.float64]

SCORES: dict[str, ScoreKind] = {
    "agreement": ("R1 probe agreement, mean over classes", "%", 1),
    "pixels": ("R1 probe agreement, of pixels", "%", 1),
    "kappa": ("R1 probe κ", "", 1),
    "nearest_class": ("R2 nearest class is the label", "%", 1),
    "msad": ("R2 angle between class means", "°", -1),
    "frechet": ("R2 class-conditional Fréchet", "", -1),
    "boundary": ("R3 AUC of mask edges", "", 1),
    "peak": ("R3 agreement unshifted less its best", "%", 1),
    "offset": ("R3 offset of the peak", "px", -1),
    "change_angle": ("R5 AUC of the angle between dates", "", 1),
    "change_size": ("R5 AUC of the change vector", "", 1),
}
"""By the name of a score; the table's order."""


def score_all(counts: Counts, references: References) -> dict[str, Array]:
    """{score: (...)} in the natural direction, shares in 0..1; NaN where a score is not defined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        confusion = counts["confusion"]
        n, pixels, nearest = np.moveaxis(counts["right"], -1, 0)
        scores = {
            "agreement": mean_known(recall(confusion)).mean(axis=-1),
            "pixels": pixels / n,
            "kappa": cohen_kappa(confusion).mean(axis=-1),
            "nearest_class": nearest / n,
            "boundary": _auc(counts["edges"]),
        }
        angle, frechet = _class_distances(counts["moments"], references)
        scores |= {"msad": mean_known(angle), "frechet": mean_known(frechet)}
        shifts = counts["shifts"]
        scores |= _peak(shifts[..., 1] / shifts[..., 0])
        if "change" in counts:
            auc = _auc(counts["change"])
            scores |= {"change_angle": auc[..., 0], "change_size": auc[..., 1]}
    return {name: scores[name] for name in SCORES if name in scores}


def _auc(histograms: Array) -> Array:
    """(...,) P(on > off) + ½ P(equal) from histograms (..., 2, cells) of off and on."""
    off, on = histograms[..., 0, :], histograms[..., 1, :]
    below = np.cumsum(off, axis=-1) - off / 2
    auc: Array = (on * below).sum(axis=-1) / (on.sum(axis=-1) * off.sum(axis=-1))
    return auc


def _peak(curve: Array) -> dict[str, Array]:
    """Of A(d) (..., 81): A(0) − max A, and the distance of the peak from 0.

    The distance is not defined where A rises by less than a hundredth over the ring of the widest shifts: without
    edges no misregistration can be seen.
    """
    far = np.array([max(abs(dy), abs(dx)) == REACH for dy, dx in SHIFTS])
    base = curve[..., far].mean(axis=-1)
    top = curve.max(axis=-1)
    flat = ~(top - base > 0.01)
    above = np.clip(curve - ((top + base) / 2)[..., None], 0, None)
    total = above.sum(axis=-1)
    centre = above @ np.array(SHIFTS, dtype=np.float64) / total[..., None]
    return {
        "peak": np.where(np.isnan(top), np.nan, curve[..., len(SHIFTS) // 2] - top),
        "offset": np.where(flat, np.nan, np.linalg.norm(centre, axis=-1)),
    }


def _class_distances(moments: Array, references: References) -> tuple[Array, Array]:
    """(..., C) angle between the mean spectra of each class and of its training pixels, and Fréchet distance of scores.

    NaN for a class of too few pixels for a covariance, or none in training. The formula is Dowson and Landau's (1982).
    """
    space, k = references.space, references.means.shape[1]
    n = moments[..., 0]
    some = (n > k) & ~np.isnan(references.means[:, 0])
    safe = np.where(some, n, 1)[..., None]
    means, ours = moments[..., 1 : 1 + k] / safe, np.nan_to_num(references.means)
    second = np.zeros((*means.shape, k))
    row, column = np.triu_indices(k)
    second[..., row, column] = second[..., column, row] = moments[..., 1 + k :] / safe
    covariances = second - means[..., :, None] * means[..., None, :]
    angles = spectral_angle(*(space.mean + (m @ space.axes.T) * space.std for m in (means, ours)))
    gap = ((means - ours) ** 2).sum(axis=-1)
    trace = np.trace(covariances, axis1=-2, axis2=-1) + np.trace(references.covariances, axis1=-2, axis2=-1)
    distance = (gap + trace - 2 * root_trace(references.covariances, covariances)).clip(0)
    return np.where(some, angles, np.nan), np.where(some, distance, np.nan)
