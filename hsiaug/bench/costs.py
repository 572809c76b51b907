"""Expected seconds of trials, for dry runs, the time left and deadlines: of the plugins' cards, corrected by records.

A card's seconds are of Indian Pines. A stage deviates from them as the records of trials most like it do: of the same
plugin, scene and protocol, else of the same plugin.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hsiaug.bench.plan import Plan
from hsiaug.protocol.balance import Rate
from hsiaug.registry.card import Card
from hsiaug.tasks.task import USUAL
from hsiaug.trial.cache import has_fit
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
SAMPLES_SHARE = 0.1
"""Share of sampling in the seconds of a generator."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""
MOST = 20_000
"""Records that costs are learned from; more would tell no more, and take longer."""
UNKNOWN = 10.0
"""Seconds of a stage of which there is no card."""

Like = tuple[str, ...]
"""What a stage has in common with others: its name, its plugin, the draws and, of a classifier, the samples."""


class Costs:
    """Seconds by the stages of trials. cache: of the store; what is saved there takes no time."""

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache
        self._cards: dict[str, Card] = {}
        self._samples: dict[str, tuple[int, int]] = {}
        # Number and sum of measured over guessed seconds.
        self._timed: dict[Like, tuple[int, float]] = {}
        self.prepared: set[Like] = set()

    @classmethod
    def of(cls, plans: Sequence[Plan], records: Iterable[Record], cache: Path | None = None) -> Costs:
        """Costs of the trials of some plans. records: of any trials, of which the first MOST are read."""
        costs = cls(cache)
        for plan in plans:
            costs._cards |= {card.name: card for card in plan.cards.values()}
            costs._samples |= plan.samples
        for record in islice(records, MOST):
            if record["status"] == "ok":
                costs._learn(record)
        return costs

    def _learn(self, record: Record) -> None:
        timings, prepared = record["timings"], record.get("prepared")
        made = sum(record["samples"]["synthetic"])
        for like, guess in self._guesses(record["spec"], sum(record["samples"]["real"]), made).items():
            seconds = timings.get(like[0], 0.0)
            if like[0] == "prepare":
                if not prepared:
                    continue
                seconds = prepared["seconds"]
                self.prepared.add(like)
            elif like[0] == "fit_classifier":
                seconds += timings.get("predict", 0.0)
            elif seconds <= SHORT and like in self._timed:
                # Samples that a larger λ had made took no time.
                continue
            for known in (like[:2], like):
                number, total = self._timed.get(known, (0, 0.0))
                self._timed[known] = number + 1, total + max(SHORT, seconds) / max(SHORT, guess)

    def _guesses(self, spec: Mapping[str, object], real: int, made: int) -> dict[Like, float]:
        """Seconds of the stages of a trial by the cards. spec: as JSON."""
        pixels = spec["task"] == USUAL
        place = canonical_json([spec[key] for key in ("task", "scene", "protocol", "patch")])

        def named(kind: str) -> tuple[Card | None, str]:
            plugin = spec[kind]
            assert isinstance(plugin, dict)
            return self._cards.get(plugin["name"]), canonical_json(plugin)

        def growth(card: Card | None, size: int) -> float:
            # A network takes the same number of steps of any training set.
            grows = card is not None and not card.uses_device and pixels
            return float((max(1, size) / USUAL_REAL) ** LEARN_POWER) if grows else 1.0

        (classifier, learner), (generator, maker) = named("classifier"), named("generator")
        learning = (classifier.seconds if classifier else UNKNOWN) * growth(classifier, real + made)
        # Shown spectra and the number of samples matter to a classifier.
        found: dict[Like, float] = {
            ("fit_classifier", learner, place, f"{spec.get('view')} {Rate.of(spec)}"): learning
        }
        if made:
            making = generator.seconds if generator else UNKNOWN
            fit = making * (1 - SAMPLES_SHARE) * growth(generator, real)
            found |= {("fit_generator", maker, place): fit, ("sample", maker, place): making * SAMPLES_SHARE}
            if generator and generator.prepares:
                found["prepare", maker, canonical_json(spec["scene"])] = generator.prepare_seconds
        return found

    def stages(self, trial: TrialSpec) -> dict[Like, tuple[float, bool]]:
        """Expected seconds of a trial's stages, and whether the very like was timed."""
        real, made = self._samples.get(trial.hash, (USUAL_REAL, int(bool(trial.made))))
        found = {}
        for like, guess in self._guesses(trial.as_json(), real, made).items():
            number, total = self._timed.get(like) or self._timed.get(like[:2]) or (0, 0.0)
            found[like] = max(SHORT, guess) * (total / number if number else 1.0), like in self._timed
        return found


def write_duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


WARM_UP = 0.003
"""Share of a run after which its own pace counts as much as what was expected."""
OVERRUN = 0.25
"""Rest of a trial that runs longer than it should, as a share of the time it has run."""


@dataclass(frozen=True)
class TimeLeft:
    """seconds: of the rest of a run. measured: whether all kinds of its stages were timed before it."""

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{write_duration(self.seconds)}"


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
        self.each: dict[str, float] = {}
        """Expected seconds of every trial, by hash; the first of those that share something makes it."""
        self._measured, made = True, {*costs.prepared}
        for hash, trial in trials.items():
            seconds = 0.0
            for like, (expected, timed) in costs.stages(trial).items():
                place = {
                    "prepare": like,
                    "fit_generator": (trial.fit_hash,),
                    "sample": (trial.fit_hash, str(trial.omega)),
                    "fit_classifier": (trial.hash, ""),
                }[like[0]]
                saved = like[0] == "fit_generator" and costs.cache and has_fit(costs.cache, trial)
                if place not in made and not saved:
                    seconds += expected
                    self._measured &= timed
                made.add(place)
            self.each[hash] = seconds
        self._running: dict[str, float] = {}
        # Expected and real seconds of what has ended.
        prior = WARM_UP * sum(self.each.values())
        self._ended = [prior, prior]
        # Events come from the thread that listens to workers, and the bar is drawn by another.
        self._lock = threading.Lock()

    def started(self, hash: str) -> None:
        """A trial begins, perhaps anew."""
        with self._lock:
            self._running[hash] = self._clock()

    def ended(self, hash: str, *, ok: bool) -> None:
        """A trial has ended; one that failed says nothing of the others."""
        with self._lock:
            begun = self._running.pop(hash, None)
            if self._left.pop(hash, None) and ok and begun is not None:
                self._ended[0] += self.each[hash]
                self._ended[1] += self._clock() - begun

    def left(self) -> TimeLeft:
        """Expected time of the rest: of one scene after the other, and of each not less than its longest trial."""
        with self._lock:
            expected, real = self._ended
            pace, now = real / expected if expected else 1.0, self._clock()
            scenes: dict[str, list[float]] = defaultdict(list)
            for hash, trial in self._left.items():
                ran = now - self._running.get(hash, now)
                scenes[trial.scene_sha256].append(max(pace * self.each[hash] - ran, OVERRUN * ran))
            walls = (max(max(each), sum(each) / self._jobs) for each in scenes.values())
            return TimeLeft(sum(walls), self._measured)
