"""Costs of trials: seconds by stage, guessed from the plugins' cards and corrected by measured times.

A card's seconds are of its plugin's usual parameters on Indian Pines. The logarithm of measured over guessed seconds is
averaged by stage, plugin, parameters, scene, setting and kind of trial: a stage deviates from its guess as the most
special of these that has been timed.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path
from statistics import fmean
from typing import Any

from hsiaug.bench.plan import Plan
from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Kind
from hsiaug.tasks.task import USUAL, get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.hashing import canonical_json, short_hash
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

__all__ = ["Costs", "Forecast", "Guess", "Part", "TimeLeft", "guess", "parts_of", "readable"]

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
SAMPLES_SHARE = 0.1
"""Share of sampling in the seconds of a generator."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""
PRIOR = 0.3
"""Weight of the more general average, in measured times."""
MOST = 20_000
"""Records that costs are learned from; more would tell no more, and take longer."""


@dataclass(frozen=True)
class Guess:
    """Seconds of the stages of a trial, before it runs.

    fit, samples: of the generator, which one of the trials that share them spends; 0 where there are none. learn: of the
    classifier, with its prediction. made: synthetic samples. prepare: of the generator, which the first trial of a scene
    spends. unusual: names of plugins with other parameters than those of which their cards speak.
    """

    fit: float
    samples: float
    learn: float
    made: int
    unusual: tuple[str, ...] = ()
    prepare: float = 0.0


UNKNOWN = Guess(10.0, 1.0, 5.0, 1)
"""Stages of a trial for which there is no guess."""


@dataclass(frozen=True)
class Part:
    """A stage of a trial. levels: labels of what it has in common with others, from the stage to the kind of trial."""

    guess: float
    levels: tuple[str, ...]


class Costs:
    """Guesses by the hashes of trials, and logarithms of measured over guessed seconds."""

    def __init__(self, guesses: Mapping[str, Guess] | None = None) -> None:
        self._guesses = dict(guesses or {})
        # Number and mean, by label.
        self._timed: dict[str, tuple[int, float]] = {}

    @classmethod
    def of(cls, plans: Sequence[Plan], records: Iterable[Record], cache: Path | None = None) -> Costs:
        """Costs of the trials of some plans. records: of any trials; those of the same plugins tell, the first MOST.

        cache: of the store; what generators learnt without labels and is saved there takes no time.
        """
        cards: dict[tuple[Kind, str], Card] = {}
        guesses: dict[str, Guess] = {}
        keys = _preparations(plans)
        there = {key for key in keys.values() if cache and (cache / key).is_dir()}
        for plan in plans:
            cards |= plan.cards
            for t in plan.trials:
                both = plan.cards["generator", t.generator.name], plan.cards["classifier", t.classifier.name]
                unusual = (
                    spec.name
                    for spec, card in zip((t.generator, t.classifier), both, strict=True)
                    if spec.params != card.params()
                )
                rough = guess(both, *plan.samples[t.hash], pixels=t.task == USUAL, unusual=tuple(unusual))
                if t.hash in keys and keys[t.hash] not in there:
                    rough = replace(rough, prepare=both[0].prepare_seconds)
                    there.add(keys[t.hash])
                guesses.setdefault(t.hash, rough)
        made = cls(guesses)
        for record in islice(records, MOST):
            made._learn(record, cards)
        return made

    def _learn(self, record: Record, cards: Mapping[tuple[Kind, str], Card]) -> None:
        if record["status"] != "ok":
            return
        spec, samples = record["spec"], record["samples"]
        generator = cards.get(("generator", spec["generator"]["name"]))
        classifier = cards.get(("classifier", spec["classifier"]["name"]))
        real, synthetic = sum(samples["real"]), sum(samples["synthetic"])
        rough = guess((generator, classifier), real, synthetic, pixels=spec["task"] == USUAL)
        once = (record.get("prepared") or {}).get("seconds", 0.0)
        if generator and once:
            rough = replace(rough, prepare=generator.prepare_seconds)
        for stage, part in parts_of(spec, rough, rough.made).items():
            card = classifier if stage == "fit_classifier" else generator
            seconds = once if stage == "prepare" else record["timings"].get(stage, 0.0)
            seconds += record["timings"].get("predict", 0.0) if stage == "fit_classifier" else 0.0
            # Samples that a larger λ had made took no time.
            if card is not None and not (stage == "sample" and seconds <= SHORT and self.knows(part)):
                self.add(part, seconds)

    def forget_fits(self, hashes: Iterable[str]) -> None:
        """Guess no time for the fits of these trials: they are in a cache."""
        self._guesses |= {hash: replace(self.guess(hash), fit=0.0) for hash in hashes}

    def guess(self, hash: str) -> Guess:
        """Seconds of a trial's stages, however little is known."""
        return self._guesses.get(hash, UNKNOWN)

    def add(self, part: Part, seconds: float) -> None:
        """Take in a measured time."""
        ratio = math.log(max(SHORT, seconds) / max(SHORT, part.guess))
        for label in part.levels:
            number, mean = self._timed.get(label, (0, 0.0))
            self._timed[label] = number + 1, mean + (ratio - mean) / (number + 1)

    def knows(self, part: Part, level: int = -1) -> bool:
        """Whether a part has been timed that is alike down to a level."""
        return part.levels[level] in self._timed

    def seconds(self, part: Part) -> float:
        """Expected seconds of a part."""
        ratio = 0.0
        for label in part.levels:
            number, mean = self._timed.get(label, (0, 0.0))
            ratio += (mean - ratio) * number / (number + PRIOR)
        return max(SHORT, part.guess) * math.exp(ratio)


def _preparations(plans: Sequence[Plan]) -> dict[str, str]:
    """What a generator learns without labels, by the hash of each trial that needs it: the name of its folder in a cache.

    Looks at the pixels once a scene, and once a draw where draws show different ones.
    """
    pixels: dict[tuple[str, ...], str] = {}
    found: dict[str, str] = {}
    for plan in plans:
        bench, splits = Workbench(plan.scene, get_task(plan.task)), {split.seed: split for split in plan.splits}
        hides = any(getattr(split, "hidden", None) is not None for split in plan.splits)
        for trial in plan.trials:
            card = plan.cards["generator", trial.generator.name]
            if card.prepares and plan.samples[trial.hash][1]:
                place = trial.scene_sha256, card.scope, trial.draw_hash if hides or card.scope == "none" else ""
                if place not in pixels:
                    if split := splits.get(trial.seed):
                        bench.give(trial, split)
                    pixels[place] = bench.pixels(trial, card.scope)
                found[trial.hash] = short_hash(trial.generator.of_preparation(pixels[place], trial.patch))
    return found


def guess(
    cards: tuple[Card | None, Card | None],
    real: int,
    made: int,
    *,
    pixels: bool = True,
    unusual: tuple[str, ...] = (),
) -> Guess:
    """Stages by the cards of generator and classifier. real, made: training and synthetic samples.

    pixels: whether samples are single pixels, to which the seconds of cards can be scaled.
    """
    generator, classifier = cards
    making = generator.seconds if generator and made else 0.0
    learning = classifier.seconds if classifier else UNKNOWN.learn
    fit = making * (1 - SAMPLES_SHARE) * _growth(generator, real, pixels)
    return Guess(fit, making * SAMPLES_SHARE, learning * _growth(classifier, real + made, pixels), made, unusual)


def _growth(card: Card | None, size: int, pixels: bool) -> float:
    """Factor on a card's seconds for a training set of that size; a network takes the same number of steps of any."""
    if card is None or card.uses_device or not pixels:
        return 1.0
    return float((max(1, size) / USUAL_REAL) ** LEARN_POWER)


def parts_of(spec: Mapping[str, Any], rough: Guess, new: int) -> dict[str, Part]:
    """The stages of a trial, by their names; of those of its generator only where it makes samples.

    spec: of the trial, as JSON. new: samples that no earlier trial of its fit makes.
    """
    generator, classifier = spec["generator"], spec["classifier"]
    place = f"{spec['task']} {spec['scene']['sha256']}", f"{canonical_json(spec['protocol'])} {spec['patch']}"
    learner = (classifier["name"], f"{short_hash(classifier)} {spec.get('view', '')}", *place)
    like = f"{generator['name']} {Rate.of(spec)}"
    stages: dict[str, tuple[float, tuple[str, ...]]] = {"fit_classifier": (rough.learn, (*learner, like))}
    if rough.made:
        maker = (generator["name"], short_hash(generator), *place)
        samples = rough.samples * (new or rough.made) / rough.made
        stages |= {"fit_generator": (rough.fit, maker), "sample": (samples, (*maker, str(spec["omega"])))}
        if rough.prepare:
            stages["prepare"] = rough.prepare, maker
    return {
        stage: Part(seconds, tuple(accumulate((stage, *steps), "{} {}".format)))
        for stage, (seconds, steps) in stages.items()
    }


def readable(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


WARM_UP = 0.003
"""Share of a run after which its own pace counts as much as what was expected."""
OVERRUN = 1.25
"""Expected time of a trial that runs longer than it should, as a multiple of the time it has run."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: share of the kinds of stages that were timed before it.

    unknown: names of plugins that were not timed with their parameters, of which no card speaks.
    """

    seconds: float
    measured: float
    unknown: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The time as people say it, where more than a guess is known."""
        return "unknown" if self.unknown else readable(self.seconds)

    def __str__(self) -> str:
        return f"ETA {'' if self.measured == 1 else 'about '}{readable(self.seconds)}"


class Forecast:
    """Follows the trials of a run, and says how long the rest takes: as expected, at the pace of what has ended.

    trials: by hash, in the order in which they run; those of one scene together. costs: what is known of them. jobs:
    worker processes. clock: seconds, in this process.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        costs: Costs,
        *,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left, self._jobs, self._clock = dict(trials), max(1, jobs), clock
        self._each: dict[str, float] = {}
        known: dict[str, bool] = {}
        unknown: dict[str, None] = {}
        fitted, most = set[str](), dict[tuple[str, float | None], int]()
        for hash, trial in trials.items():
            guess, pool = costs.guess(hash), (trial.fit_hash, trial.omega)
            # Every λ takes a prefix of the same pool of samples.
            made = guess.made if trial.made else 0
            new = max(0, made - most.get(pool, 0))
            most[pool] = max(made, most.get(pool, 0))
            first = trial.fit_hash not in fitted
            fitted.add(trial.fit_hash)
            spent = {"prepare": first, "fit_generator": first, "sample": first or new > 0}
            parts = {s: part for s, part in parts_of(trial.as_json(), guess, new).items() if spent.get(s, True)}
            self._each[hash] = sum(map(costs.seconds, parts.values()))
            known |= {part.levels[-1]: costs.knows(part) for part in parts.values()}
            plugins = {part.levels[1].removeprefix(f"{stage} "): part for stage, part in parts.items()}
            unknown |= {n: None for n, part in plugins.items() if n in guess.unusual and not costs.knows(part, 2)}
        self._measured, self._unknown = fmean(known.values()) if known else 1.0, tuple(unknown)
        self._running: dict[str, float] = {}
        # Expected and real seconds of what has ended.
        prior = WARM_UP * sum(self._each.values())
        self._ended = [prior, prior]
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def each(self) -> dict[str, float]:
        """Return the expected seconds of every trial, by hash; the first of those that share a fit makes it."""
        return self._each

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew."""
        with self._lock:
            self._running[hash] = self._clock()

    def ended(self, hash: str, *, ok: bool) -> None:
        """A trial has ended; one that failed says nothing of the others."""
        with self._lock:
            begun = self._running.pop(hash, None)
            if self._left.pop(hash, None) and ok and begun is not None:
                self._ended[0] += self._each[hash]
                self._ended[1] += self._clock() - begun

    def left(self) -> TimeLeft:
        """Expected time of the rest."""
        with self._lock:
            expected, real = self._ended
            pace, now = real / expected if expected else 1.0, self._clock()
            scenes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
            for hash, trial in self._left.items():
                seconds, ran = pace * self._each[hash], now - self._running.get(hash, now)
                rest = seconds - ran if ran <= seconds else (OVERRUN - 1) * ran
                scenes[trial.scene_sha256][trial.fit_hash].append(rest)
            walls = (_wall(groups.values(), self._jobs) for groups in scenes.values())
            return TimeLeft(sum(walls), self._measured, self._unknown)


def _wall(groups: Iterable[list[float]], jobs: int) -> float:
    """Seconds until all groups have ended: one after the other goes to the process that is free first.

    The first trial of a group must end in the process that begins it; those behind it are shared at the end.
    """
    free = [0.0] * jobs
    least = 0.0
    for first, *behind in groups:
        begin = heapq.heappop(free)
        least = max(least, begin + first)
        heapq.heappush(free, begin + first + sum(behind))
    return max(least, sum(free) / jobs)
