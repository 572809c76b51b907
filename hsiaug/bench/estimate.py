"""What a plan will cost: from records of the same plugins on the same scene, else from the plugins' cards."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hsiaug.bench.plan import Plan
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Estimate", "estimate", "readable"]


@dataclass(frozen=True)
class Estimate:
    """seconds: of wall time. measured: share of the plugins whose times come from records of this store."""

    seconds: float
    measured: float


def estimate(plan: Plan, trials: Sequence[TrialSpec], records: Iterable[Record], jobs: int) -> Estimate:
    """Expected wall time of the trials, spread over ``jobs`` processes."""
    known = _medians(records, trials[0].scene if trials else "")
    fits = {t.fit_hash: t.generator.name for t in trials if t.lam > 0}
    parts = [("generator", name) for name in fits.values()]
    parts += [("classifier", t.classifier.name) for t in trials]
    costs = [known.get(part, plan.cards[part].seconds) for part in parts]  # type: ignore[index]
    kinds = set(parts)
    measured = sum(part in known for part in kinds) / len(kinds) if kinds else 1.0
    return Estimate(sum(costs) / max(1, jobs), measured)


def _medians(records: Iterable[Record], scene: str) -> dict[tuple[str, str], float]:
    """Median seconds of each (kind, plugin) on a scene; for classifiers fit, prediction and all the rest."""
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        spec, times = record["spec"], record["timings"]
        if spec["scene"]["name"] != scene or record["status"] != "ok":
            continue
        seconds["classifier", spec["classifier"]["name"]].append(times["fit_classifier"] + times["predict"])
        if "fit_generator" in times:
            seconds["generator", spec["generator"]["name"]].append(times["fit_generator"] + times["sample"])
    return {part: statistics.median(values) for part, values in seconds.items()}


def readable(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
