"""A score of synthetic labels beside its ceiling and its floor, and the share of wrong labels that it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.calibration import CalibrationCurve

__all__ = ["Interval", "LabelScore", "ScoreKind", "known", "label_score", "percentiles"]

USABLE = -0.9
"""A curve is read only where the score falls with q at least this surely (Spearman)."""

Interval = tuple[float, float]

ScoreKind = tuple[str, str, float]
"""Label, unit, and 1 where more is better, else −1. Shares are computed in 0..1 and given in %."""


@dataclass(frozen=True)
class LabelScore:
    """One score of the synthetic labels, over n samples or tiles. None where it cannot be had.

    value, ceiling, floor: in ``unit``. interval: 95 % of ``value``, as r_interval and wrong_interval from bootstraps of
        samples, or of whole tiles; pixels of a scene are correlated, so take those of samples as the narrowest that
        they could be.
    r: (value − floor) / (ceiling − floor); above 1 the samples are *more* typical of their classes than held-out real
        ones are, which is not "better".
    wrong: the equivalent share of wrong labels in %; 0 at the ceiling and above, 80 at most. None where the score does
        not fall surely with q, as its calibration curve's ``spearman`` says: −1 at best, −.9 at worst.
    beyond: {"value", "ceiling" or "floor": "≤" or "≥"} where the estimate of a share lay outside 0..100 % and is given
        as that bound: ≤ 0 is better than real held-out tiles, the clean end of the calibration.
    """

    name: str
    label: str
    unit: str
    value: float | None
    interval: Interval | None
    ceiling: float | None
    floor: float | None
    r: float | None
    r_interval: Interval | None
    wrong: float | None
    wrong_interval: Interval | None
    spearman: float | None
    curve: tuple[float, ...]
    n: int
    beyond: Mapping[str, str] = field(default_factory=dict)


def label_score(
    name: str,
    kind: ScoreKind,
    made: NDArray[np.float64],
    *,
    ceiling: float,
    floor: float,
    r_rounds: NDArray[np.float64],
    curve: CalibrationCurve,
    n: int,
) -> LabelScore:
    """The score of ``made`` (1 + rounds,): its value, then those of bootstrap rounds, whose r are r_rounds (rounds,)."""
    label, unit, better = kind
    sign = better * (100 if unit == "%" else 1)
    value, room = float(made[0]), ceiling - floor > 1e-9  # False also for NaN
    usable = curve.spearman is not None and curve.spearman <= USABLE
    return LabelScore(
        name,
        label,
        unit,
        value=known(sign * value),
        interval=percentiles(sign * made[1:]),
        ceiling=known(sign * ceiling),
        floor=known(sign * floor),
        r=known((value - floor) / (ceiling - floor)) if room else None,
        r_interval=percentiles(r_rounds) if room else None,
        wrong=known(curve.percent(value)) if usable else None,
        wrong_interval=percentiles(curve.percents(made[1:])) if usable else None,
        spearman=curve.spearman,
        curve=tuple(float(sign * v) for v in curve.mean),
        n=n,
    )


def known(value: float) -> float | None:
    """The number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def percentiles(values: NDArray[np.float64]) -> Interval | None:
    """The 95 % interval of bootstrap rounds (rounds,); None where all are NaN."""
    if np.isnan(values).all():
        return None
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
