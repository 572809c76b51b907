"""What a plan will cost: from records of the same plugins on the same scene, else from the plugins' cards."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hsiaug.bench.plan import Plan
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Estimate", "estimate", "expected_seconds", "longest_first", "readable"]

Part = tuple[str, str]
"""A plugin: its kind and name."""


@dataclass(frozen=True)
class Estimate:
    """seconds: of wall time. measured: share of the plugins whose times come from records of this store."""

    seconds: float
    measured: float


def estimate(plan: Plan, trials: Sequence[TrialSpec], records: Iterable[Record], jobs: int) -> Estimate:
    """Expected wall time of the trials, spread over ``jobs`` processes."""
    known = _medians(records, trials[0].scene if trials else "")
    parts = [part for needed in _parts(trials).values() for part in needed]
    costs = [_seconds(part, known, plan) for part in parts]
    kinds = set(parts)
    measured = sum(part in known for part in kinds) / len(kinds) if kinds else 1.0
    return Estimate(sum(costs) / max(1, jobs), measured)


def longest_first(plan: Plan, trials: Sequence[TrialSpec], records: Iterable[Record]) -> list[TrialSpec]:
    """Trials that share a fit stay together, and the costliest such group comes first: left to the end, it would keep
    one process busy while the others have nothing left to do."""
    known = _medians(records, trials[0].scene if trials else "")
    costs = {fit: sum(_seconds(part, known, plan) for part in needed) for fit, needed in _parts(trials).items()}
    return sorted(trials, key=lambda t: -costs[t.fit_hash])


def _parts(trials: Iterable[TrialSpec]) -> dict[str, list[Part]]:
    """The plugins that each fit's trials have to run, once for every time they run."""
    parts: dict[str, list[Part]] = {}
    for trial in trials:
        needed = parts.setdefault(trial.fit_hash, [])
        generator = ("generator", trial.generator.name)
        if trial.lam > 0 and generator not in needed:
            needed.append(generator)
        needed.append(("classifier", trial.classifier.name))
    return parts


def _seconds(part: Part, known: Mapping[Part, float], plan: Plan) -> float:
    return known.get(part, plan.cards[part].seconds)  # type: ignore[index]


def _medians(records: Iterable[Record], scene: str) -> dict[Part, float]:
    """Median seconds of each (kind, plugin) on a scene; for classifiers fit, prediction and all the rest."""
    seconds: dict[Part, list[float]] = defaultdict(list)
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


def expected_seconds(plan: Plan, trials: Sequence[TrialSpec], records: Iterable[Record]) -> dict[str, float]:
    """Hash → seconds that a trial is expected to take; the first of those that share a fit makes it."""
    kept = list(records)
    known = {scene: _medians(kept, scene) for scene in {trial.scene for trial in trials}}
    seconds: dict[str, float] = {}
    fitted: set[tuple[str, Part]] = set()
    for trial in trials:
        generator: Part = ("generator", trial.generator.name)
        new = trial.lam > 0 and (trial.fit_hash, generator) not in fitted
        fitted |= {(trial.fit_hash, generator)} if new else set()
        parts = [generator] * new + [("classifier", trial.classifier.name)]
        seconds[trial.hash] = sum(_seconds(part, known[trial.scene], plan) for part in parts)
    return seconds
