"""Attention maps against regions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hsiaug.metrics.attention import area_under_curve, mean_scores, score_map


def test_area_under_the_curve_agrees_with_scikit_learn_ties_included(rng: np.random.Generator) -> None:
    values, inside = rng.integers(5, size=40), rng.random(40) < 0.4

    assert area_under_curve(values, inside) == pytest.approx(roc_auc_score(inside, values))


def test_only_known_pixels_are_scored() -> None:
    region = np.zeros((3, 3), dtype=bool)
    region[0] = True
    values = np.where(region, 0.9, 0.1)
    values[2, 2] = 0.95
    known = np.ones((3, 3), dtype=bool)

    # One of six pixels outside lies above all three inside.
    wrong = score_map(values, region, known)
    assert wrong is not None and wrong.auc == pytest.approx(5 / 6) and wrong.iou == pytest.approx(3 / 4)
    known[2, 2] = False
    right = score_map(values, region, known)
    assert right is not None and (right.auc, right.iou) == (1, 1)


def test_a_patch_of_one_class_has_no_score() -> None:
    full = np.ones((3, 3), dtype=bool)

    assert score_map(np.ones((3, 3)), full, full) is None
    assert score_map(np.ones((3, 3)), ~full, full) is None
    assert mean_scores([None]) is None
