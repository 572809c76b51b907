"""The time that a plan takes: from records of the same plugins on the same draws, else from the plugins' cards.

A card's seconds are of its plugin's usual parameters. With others (another preset, ``set``) the time of a plan is
unknown until a record tells it.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Record

__all__ = [
    "Estimate",
    "Guess",
    "Known",
    "estimate",
    "expected_seconds",
    "guess",
    "guesses",
    "longest_first",
    "readable",
    "timed",
]

NEAR = 1.1
"""Ratio of two sizes of a training set within which a time of the one is a time of the other."""
SETTING = ("task", "scene", "protocol", "patch")
"""What of a spec the times of a plugin depend on, beside the plugin."""
USUAL_REAL, USUAL_TEST = 518, 8172
"""Training and test pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
SAMPLES_SHARE, PREDICT_SHARE = 0.1, 0.2
"""Shares of sampling in the seconds of a generator, and of prediction in those of a classifier."""
LEARN_POWER, TEST_POWER = 0.4, 0.8
"""Powers of the training and of the test set that times grow with."""
STEEPEST = 2.0
"""Power of the size of a training set that a classifier's time may grow with: that of a kernel matrix."""


class Times:
    """Seconds of trials of one kind, by the size of the training set in real samples; sizes within 10 % are one."""

    def __init__(self, told: Iterable[tuple[float, float]]) -> None:
        near: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for size, seconds in told:
            near[round(math.log(size, NEAR))].append((size, seconds))
        points = ([*zip(*some, strict=True)] for some in near.values())
        self._points = sorted((statistics.fmean(sizes), statistics.median(times)) for sizes, times in points)

    def tell(self, size: float) -> bool:
        """Whether there is a time of that size, or nearly."""
        return _same(self._nearest(size)[0], size)

    def at(self, size: float) -> float:
        """Median seconds of the nearest size, and from there a power law through the sizes that were timed."""
        nearest, seconds = self._nearest(size)
        return seconds if _same(nearest, size) else seconds * float((size / nearest) ** self._power())

    def _nearest(self, size: float) -> tuple[float, float]:
        return min(self._points, key=lambda point: abs(math.log(point[0] / size)))

    def _power(self) -> float:
        """1 where a single size was timed."""
        (low, first), (high, last) = self._points[0], self._points[-1]
        if low == high or not (first > 0 and last > 0):
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


@dataclass(frozen=True)
class Guess:
    """Seconds of the stages of a trial, before it runs.

    fit, samples: of the generator, which one of the trials that share them spends; 0 where there are none. made:
    synthetic samples.
    """

    fit: float
    samples: float
    learn: float
    predict: float
    made: int


def estimate(plan: Plan, trials: Sequence[TrialSpec], known: Known, jobs: int) -> Estimate:
    """Expected wall time of the trials, spread over ``jobs`` processes. known: what :func:`timed` found."""
    parts = [part for _, part in _parts(plan, trials)]
    total = sum(_seconds(part, known, plan) for part in parts)
    kinds = {(part.key, part.size) for part in parts}
    told = sum(key in known and known[key].tell(size) for key, size in kinds)
    unknown = [p.spec.name for p in parts if p.key not in known and p.spec.params != _card(p, plan).params()]
    measured = told / len(kinds) if kinds else 1.0
    return Estimate(total / max(1, jobs), measured, tuple(dict.fromkeys(unknown)))


def expected_seconds(plan: Plan, trials: Iterable[TrialSpec], known: Known) -> dict[str, float]:
    """Hash → seconds that a trial is expected to take; the first of those that share a fit makes it."""
    seconds: dict[str, float] = defaultdict(float)
    for trial, part in _parts(plan, trials):
        seconds[trial.hash] += _seconds(part, known, plan)
    return seconds


def longest_first(trials: Sequence[TrialSpec], seconds: Mapping[str, float]) -> list[TrialSpec]:
    """Trials that share a fit stay together, and the costliest such group comes first: left to the end, it would keep
    one process busy while the others have nothing left to do. seconds: what :func:`expected_seconds` found."""
    costs: dict[str, float] = defaultdict(float)
    for trial in trials:
        costs[trial.fit_hash] += seconds[trial.hash]
    return sorted(trials, key=lambda t: -costs[t.fit_hash])


def guesses(plan: Plan, trials: Iterable[TrialSpec], known: Known, tested: Mapping[str, int]) -> dict[str, Guess]:
    """Hash → seconds of a trial's stages, however little is known of its plugins with these parameters.

    tested: test samples of each trial's draw, by hash.
    """
    found: dict[str, Guess] = {}
    for trial, *parts in _each(plan, trials):
        seconds = [0.0 if part is None else _seconds(part, known, plan) for part in parts]
        # A card speaks of Indian Pines; where records tell, they tell of this very scene.
        cards = [
            None if part is None or part.key in known or trial.task != "pixels" else _card(part, plan)
            for part in parts
        ]
        found[trial.hash] = guess(seconds, cards, *plan.samples[trial.hash], tested.get(trial.hash, 0))
    return found


def guess(seconds: Sequence[float], cards: Sequence[Card | None], real: int, made: int, tested: int) -> Guess:
    """Stages from the seconds of generator and classifier.

    cards: of those whose seconds are a card's. real, made, tested: training, synthetic and test samples; 0 = unknown.
    """
    generator, classifier = seconds
    test = (max(1, tested) / USUAL_TEST) ** TEST_POWER if tested and cards[1] else 1.0
    return Guess(
        generator * (1 - SAMPLES_SHARE) * _growth(cards[0], real),
        generator * SAMPLES_SHARE,
        classifier * (1 - PREDICT_SHARE) * _growth(cards[1], real),
        classifier * PREDICT_SHARE * test,
        made,
    )


def _growth(card: Card | None, size: int) -> float:
    """Factor on a card's seconds for a training set of that size; a network takes the same number of steps of any."""
    return 1.0 if card is None or card.uses_device else (max(1, size) / USUAL_REAL) ** LEARN_POWER


def _parts(plan: Plan, trials: Iterable[TrialSpec]) -> Iterator[tuple[TrialSpec, _Part]]:
    """Every plugin that has to run, with its trial: the first of those that share a fit makes it."""
    fitted: set[str] = set()
    for trial, generator, classifier in _each(plan, trials):
        if generator and trial.fit_hash not in fitted:
            fitted.add(trial.fit_hash)
            yield trial, generator
        yield trial, classifier


def _each(plan: Plan, trials: Iterable[TrialSpec]) -> Iterator[tuple[TrialSpec, _Part | None, _Part]]:
    """Every trial with its plugins; there is no generator where λ asks for no sample."""
    for trial in trials:
        real, made = plan.samples[trial.hash]
        setting = _setting(trial.as_json())
        generator = _Part("generator", trial.generator, setting, 1.0) if made else None
        yield trial, generator, _Part("classifier", trial.classifier, setting, (real + made) / real)


def timed(records: Iterable[Record]) -> Known:
    """The times of trials that went well, by plugin and setting; for classifiers fit and prediction together."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        if record["status"] != "ok":
            continue
        spec, times, samples = record["spec"], record["timings"], record["samples"]
        size = 1 + sum(samples["synthetic"]) / max(1, sum(samples["real"]))
        told = {"classifier": (size, times["fit_classifier"] + times["predict"])}
        if "fit_generator" in times:
            told["generator"] = 1.0, times["fit_generator"] + times["sample"]
        for kind, time in told.items():
            found[kind, f"{canonical_json(spec[kind])} {_setting(spec)}"].append(time)
    return {key: Times(told) for key, told in found.items()}


def _setting(spec: Mapping[str, Any]) -> str:
    return canonical_json({key: spec[key] for key in SETTING})


def _seconds(part: _Part, known: Known, plan: Plan) -> float:
    """From records of a training set as large; else as far as records of others let expect; else as the card says."""
    times = known.get(part.key)
    return times.at(part.size) if times else _card(part, plan).seconds


def _same(one: float, other: float) -> bool:
    return max(one, other) <= NEAR * min(one, other)


def _card(part: _Part, plan: Plan) -> Card:
    return plan.cards[part.kind, part.spec.name]  # type: ignore[index]


def readable(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
