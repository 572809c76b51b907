"""Is a known share of wrong pixels found again? The judge's estimate on real tiles that it never met, damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hsiaug.metrics.dense.damage import DAMAGES, damage, wrong_share
from hsiaug.metrics.dense.estimator import QualityEstimator
from hsiaug.seeds import derive_seed
from hsiaug.tiles import DenseSamples

__all__ = ["DamageEstimate", "found_again"]

LEVELS = (5, 10, 20, 40)


@dataclass(frozen=True)
class DamageEstimate:
    """Damage of one kind, "" for none: the share asked for, reached, and estimated, all in % of labelled pixels.

    estimate, low, high: by the judge as it is, with its 95 % interval. unseen: by the judge calibrated without this
    kind of damage. single: by the score "pixels" alone.
    """

    kind: str
    asked: float
    true: float
    estimate: float
    low: float
    high: float
    unseen: float
    single: float

    @property
    def error(self) -> float:
        """Points by which the estimate is too high."""
        return self.estimate - self.true


def found_again(
    judge: QualityEstimator,
    judged: DenseSamples,
    levels: Sequence[float] = LEVELS,
    seed: int = 0,
) -> list[DamageEstimate]:
    """Damage real tiles ``judged``, which must be none of the judge's, and have them judged."""
    rng = np.random.default_rng(derive_seed("found again", seed))
    masks = judge.known(judged.masks)
    view = judge.look(judged.images)
    rows = []
    for kind in ("", *DAMAGES):
        others = [k for k in DAMAGES if k != kind]
        for level in levels if kind else (0,):
            worse = damage(masks, kind, level, judge.ids, rng) if kind else masks
            reading = judge.read(view, worse)
            low, high = np.percentile(judge.curves["joint"].percents(reading["joint"][1:]), [2.5, 97.5])
            rows.append(
                DamageEstimate(
                    kind=kind,
                    asked=level,
                    true=wrong_share(worse, masks),
                    estimate=judge.percent(reading),
                    low=float(low),
                    high=float(high),
                    unseen=judge.estimate(reading, others),
                    single=judge.percent(reading, "pixels"),
                )
            )
    return rows
