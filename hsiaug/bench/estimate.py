"""What a plan will cost: from records of the same plugins on the same draws, else from what the plugins' cards say.

A card speaks of its plugin's usual parameters. With others (another preset, ``set``) a plugin costs what it costs: as
long as no record tells, the cost of the plan is unknown.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hsiaug.bench.guess import Guess, guess
from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Record

__all__ = [
    "Estimate",
    "Known",
    "estimate",
    "expected_seconds",
    "guesses",
    "longest_first",
    "readable",
    "timed",
]

NEAR = 1.1
"""Ratio of two sizes of a training set within which a time of the one is a time of the other."""
SETTING = ("task", "scene", "protocol", "patch")
"""What of a spec the times of a plugin depend on, beside the plugin."""
STEEPEST = 2.0
"""Power of the size of a training set that a classifier's time may grow with: that of a kernel matrix."""


class Times:
    """Seconds of trials of one kind, by the size of the training set in real samples."""

    def __init__(self, told: Iterable[tuple[float, float]]) -> None:
        found = sorted(told)
        self._sizes, self._seconds = [size for size, _ in found], [seconds for _, seconds in found]
        self._medians: dict[tuple[int, int], float] = {}

    def tell(self, size: float) -> bool:
        """Whether there is a time of that size, or nearly."""
        return _same(self._nearest(size), size)

    def at(self, size: float) -> float:
        """Median seconds of the nearest size, and from there a power law through the sizes that were timed."""
        nearest = self._nearest(size)
        there = self._median(nearest)
        if _same(nearest, size):
            return there
        return there * float((size / nearest) ** self._power())

    def _nearest(self, size: float) -> float:
        place = bisect_left(self._sizes, size)
        return min(self._sizes[max(0, place - 1) : place + 1], key=lambda s: abs(math.log(s / size)))

    def _median(self, size: float) -> float:
        """Of the times of that size, and nearly."""
        part = bisect_left(self._sizes, size, key=lambda s: s * NEAR), bisect_right(self._sizes, NEAR * size)
        if part not in self._medians:
            self._medians[part] = statistics.median(self._seconds[slice(*part)])
        return self._medians[part]

    def _power(self) -> float:
        """1 where a single size was timed."""
        low, high = self._sizes[0], self._sizes[-1]
        if _same(low, high):
            return 1.0
        first, last = self._median(low), self._median(high)
        if not (first > 0 and last > 0):
            return 1.0
        return min(STEEPEST, max(0.0, math.log(last / first) / math.log(high / low)))


Known = Mapping[tuple[str, str], Times]
"""Every time that records tell, by what ran where."""


@dataclass(frozen=True)
class _Part:
    """A plugin that has to run. size: of the training set with its synthetic samples, in multiples of the real ones."""

    kind: str
    spec: PluginSpec
    setting: str
    size: float

    @cached_property
    def key(self) -> tuple[str, str]:
        """What a time must share to tell of it: the plugin with its parameters, the scene and the draws."""
        return self.kind, f"{self.spec.canonical} {self.setting}"


@dataclass(frozen=True)
class Estimate:
    """Wall time of trials.

    guess: seconds to plan with. seconds: the same; None where they are a guess only, because plugins have not run with
    these parameters yet. unknown: names of these plugins. measured: share of the plugins whose times come from records.
    """

    guess: float
    measured: float
    unknown: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        return None if self.unknown else self.guess

    @property
    def text(self) -> str:
        """As people say it."""
        return "unknown" if self.unknown else readable(self.guess)


def estimate(plan: Plan, trials: Sequence[TrialSpec], known: Known, jobs: int) -> Estimate:
    """Expected wall time of the trials, spread over ``jobs`` processes. known: what :func:`timed` found."""
    parts = [part for needed in _parts(plan, trials).values() for part in needed]
    total = sum(_seconds(part, known, plan) for part in parts)
    kinds = {(part.key, part.size) for part in parts}
    told = sum(key in known and known[key].tell(size) for key, size in kinds)
    unknown = [p.spec.name for p in parts if p.key not in known and not _declared(p, plan)]
    measured = told / len(kinds) if kinds else 1.0
    return Estimate(total / max(1, jobs), measured, tuple(dict.fromkeys(unknown)))


def longest_first(plan: Plan, trials: Sequence[TrialSpec], known: Known) -> list[TrialSpec]:
    """Trials that share a fit stay together, and the costliest such group comes first: left to the end, it would keep
    one process busy while the others have nothing left to do."""
    needs = _parts(plan, trials)
    costs = {fit: sum(_seconds(part, known, plan) for part in needed) for fit, needed in needs.items()}
    return sorted(trials, key=lambda t: -costs[t.fit_hash])


def expected_seconds(plan: Plan, trials: Sequence[TrialSpec], known: Known) -> dict[str, float]:
    """Hash → seconds that a trial is expected to take; the first of those that share a fit makes it.

    Trials of which nobody can tell are left out.
    """
    seconds: dict[str, float] = {}
    fitted: set[str] = set()
    for trial, made, classifier in _each(plan, trials):
        parts = [classifier] if made is None or trial.fit_hash in fitted else [made, classifier]
        fitted.add(trial.fit_hash)
        if all(part.key in known or _declared(part, plan) for part in parts):
            seconds[trial.hash] = sum(_seconds(part, known, plan) for part in parts)
    return seconds


def guesses(plan: Plan, trials: Sequence[TrialSpec], known: Known, tested: Mapping[str, int]) -> dict[str, Guess]:
    """Hash → what is guessed of a trial, however little is known of its plugins with these parameters.

    tested: test samples of each trial's draw, by hash.
    """
    found: dict[str, Guess] = {}
    for trial, generator, classifier in _each(plan, trials):
        (real, made), parts = plan.samples[trial.hash], (generator, classifier)
        seconds = [0.0 if part is None else _seconds(part, known, plan) for part in parts]
        # A card speaks of Indian Pines; where records tell, they tell of this very scene.
        cards = [
            None if part is None or part.key in known or trial.task != "pixels" else _card(part, plan)
            for part in parts
        ]
        found[trial.hash] = guess(seconds, cards, real, made, tested.get(trial.hash, 0))
    return found


def _parts(plan: Plan, trials: Iterable[TrialSpec]) -> dict[str, list[_Part]]:
    """What each fit's trials have to run: the generator once, a classifier for each of them."""
    parts: dict[str, list[_Part]] = {}
    for trial, made, classifier in _each(plan, trials):
        needed = parts.setdefault(trial.fit_hash, [])
        if made and all(part.spec != trial.generator for part in needed):
            needed.append(made)
        needed.append(classifier)
    return parts


def _each(plan: Plan, trials: Iterable[TrialSpec]) -> Iterator[tuple[TrialSpec, _Part | None, _Part]]:
    """Every trial with what it runs; there is no generator where λ asks for nothing."""
    canonical = _Canonical()
    for trial in trials:
        real, made = plan.samples[trial.hash]
        whole = trial.as_json()
        setting = canonical({key: whole[key] for key in SETTING})
        generator = _Part("generator", trial.generator, setting, 1.0) if made else None
        yield trial, generator, _Part("classifier", trial.classifier, setting, (real + made) / real)


def timed(records: Iterable[Record]) -> Known:
    """What the records of trials that went well tell; for classifiers fit and prediction together."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    canonical = _Canonical()
    for record in records:
        if record["status"] != "ok":
            continue
        spec, times, samples = record["spec"], record["timings"], record["samples"]
        size = 1 + sum(samples["synthetic"]) / max(1, sum(samples["real"]))
        seconds = {"classifier": times["fit_classifier"] + times["predict"]}
        if "fit_generator" in times:
            seconds["generator"] = times["fit_generator"] + times["sample"]
        setting = canonical({key: spec[key] for key in SETTING})
        for kind, value in seconds.items():
            key = kind, f"{canonical(spec[kind])} {setting}"
            found[key].append((size if kind == "classifier" else 1.0, value))
    return {key: Times(told) for key, told in found.items()}


class _Canonical:
    """The canonical JSON of values, each made once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, value: Mapping[str, Any]) -> str:
        written = repr(value)
        if written not in self._known:
            self._known[written] = canonical_json(value)
        return self._known[written]


def _seconds(part: _Part, known: Known, plan: Plan) -> float:
    """From records of a training set as large; else as far as records of others let expect; else as the card says."""
    times = known.get(part.key)
    return times.at(part.size) if times else _card(part, plan).seconds


def _same(one: float, other: float) -> bool:
    return max(one, other) <= NEAR * min(one, other)


def _declared(part: _Part, plan: Plan) -> bool:
    """True where a card's seconds are of these very parameters."""
    return bool(part.spec.params == _card(part, plan).params())


def _card(part: _Part, plan: Plan) -> Card:
    return plan.cards[part.kind, part.spec.name]  # type: ignore[index]


def readable(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
