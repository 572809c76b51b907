"""Does a word's attention map show where its class is? AUC over pixels, and IoU at the mean threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.neighbours import rank_nearer

__all__ = ["MapScore", "area_under_curve", "mean_scores", "overlap", "score_map"]


@dataclass(frozen=True)
class MapScore:
    """auc: ½ = the map knows nothing of the region, 1 = it is highest inside. iou: 0..1. n: patches."""

    auc: float
    iou: float
    n: int


def score_map(
    values: NDArray[np.floating], region: NDArray[np.bool_], known: NDArray[np.bool_]
) -> MapScore | None:
    """Score a map (p, p) against the class's region (p, p), over the ``known`` (labelled) pixels (p, p).

    None where the known pixels are all inside the region, or all outside.
    """
    inside, seen = region[known], values[known]
    if inside.all() or not inside.any():
        return None
    return MapScore(area_under_curve(seen, inside), overlap(seen > values.mean(), inside), 1)


def area_under_curve(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> float:
    """Area under the ROC curve of values (n,): P(value inside > value outside) + ½ P(equal); inside: (n,)."""
    return rank_nearer(values[~inside], values[inside])


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 0 where both are empty."""
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 0.0


def mean_scores(scores: Sequence[MapScore | None]) -> MapScore | None:
    """Mean over the patches that could be scored; None where none could."""
    known = [score for score in scores if score is not None]
    if not known:
        return None
    return MapScore(
        float(np.mean([score.auc for score in known])), float(np.mean([score.iou for score in known])), len(known)
    )
