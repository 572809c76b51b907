"""Learning curves and label equivalents for machines: rows of CSV, and plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from hsiaug.metrics.significance import MeanStd
from hsiaug.report.scenes.label_curves import SCORES, ArmWorth, LabelCurve
from hsiaug.report.scores import Metric
from hsiaug.report.views_labels import label_notes, labels_text, said

__all__ = ["curve_rows", "curves_json"]

SAME = ("scene", "protocol", "protocol_argument", "classifier", "view", "placement")
"""Keys of a row that all rows of a curve share."""


def _plain(value: float | None, most: int) -> float | str | None:
    """A number, or ``< 0`` and ``> 20``, which JSON has no number for."""
    return labels_text(value, most) if value is not None and math.isinf(value) else value


def curve_rows(curves: Sequence[LabelCurve]) -> Iterator[dict[str, Any]]:
    """For CSV: a row for each point of a curve, and for each arm, by score."""
    for curve in curves:
        for score in SCORES:
            for k, mean in zip(curve.labels, curve.means.get(score.key, ()), strict=False):
                yield {**_shared(curve, score), "labels": k, **_numbers(mean)}
            for arm in curve.arms:
                if score.key in arm.worth:
                    yield {**_shared(curve, score), **_of_arm(curve, arm, score)}


def _shared(curve: LabelCurve, score: Metric) -> dict[str, Any]:
    condition = curve.table.condition
    return {
        "scene": condition.scene,
        "protocol": condition.protocol,
        "protocol_argument": condition.argument,
        "classifier": curve.classifier.name,
        "view": curve.classifier.view,
        "placement": curve.placement,
        "score": score.key,
        "generator": "none",
        "lambda": 0.0,
        "omega": None,
    }


def _of_arm(curve: LabelCurve, arm: ArmWorth, score: Metric) -> dict[str, Any]:
    found, most, own = arm.worth[score.key], curve.labels[-1], arm.cell.arm
    return {
        "generator": curve.table.labels[own.generator],
        "lambda": own.lam,
        "omega": own.omega,
        **_numbers(arm.means[score.key]),
        "equivalent": _plain(found.value, most),
        "low": _plain(found.low, most),
        "high": _plain(found.high, most),
    }


def _numbers(mean: MeanStd) -> dict[str, Any]:
    return {"mean": mean.mean, "std": mean.std, "n": mean.n}


def curves_json(curves: Sequence[LabelCurve]) -> list[dict[str, Any]]:
    """Curves and equivalents as plain values: scores as fractions, what is censored as ``< 0`` or ``> 20``."""
    answer = []
    for curve in curves:
        rows = list(curve_rows([curve]))
        kept = [{key: v for key, v in row.items() if key not in SAME} for row in rows]
        answer.append(
            {
                **{key: rows[0][key] for key in SAME},
                "labels": curve.labels,
                "seeds": curve.seeds,
                "test_pixels": curve.pixels,
                "overlap_percent": curve.overlap,
                "capped_classes": curve.capped,
                "curve": [row for row in kept if "labels" in row],
                "arms": [row for row in kept if "equivalent" in row],
                "said": [said(curve, arm) for arm in curve.arms],
                "notes": list(label_notes([curve])),
            }
        )
    return answer
