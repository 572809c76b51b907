"""How long a run takes: before it begins, and while its trials end.

What a trial should take is said by the plugins' cards, corrected by records. A card's seconds are
of Indian Pines. A plugin deviates from them as in the records of trials that had it, with the same
settings.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hsiaug.bench.missing import RunRecords
from hsiaug.bench.plan import Plan
from hsiaug.registry.card import Card, preparing_params
from hsiaug.registry.hookspecs import Kind
from hsiaug.tasks.settings import PATCH
from hsiaug.tasks.task import USUAL
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.record import STAGES
from hsiaug.trial.record_json import Record
from hsiaug.trial.saved_fits import has_fit
from hsiaug.trial.spec import PluginSpec, TrialSpec

USUAL_REAL = 518
"""Training pixels of Indian Pines under ``issd``, to which the seconds of cards refer."""
LEARN_POWER = 0.4
"""Power of the training set that times grow with."""
SHORT = 0.05
"""Seconds below which times do not differ."""
MAX_RECORDS = 20_000
"""Records that costs are learned from; more would tell no more, and take longer."""
UNKNOWN = 10.0
"""Seconds of a plugin of which there is no card."""
PREPARED = "prepare"
"""The stage that is of no trial: what it makes serves a whole scene."""
TIMED = {
    kind: [name for name, stage in STAGES.items() if stage.plugin == kind and name != PREPARED]
    for kind in ("classifier", "generator")
}
"""The other stages, by the kind of the plugin that computes in them."""
LONG = 60.0
"""Seconds from which on a run says beforehand what it takes."""
SLOW_SHARE = 0.3
"""Share of a run from which on a generator or a classifier is named as slow."""
WARM_UP = 0.003
"""Share of a run after which its own pace counts as much as what was expected."""
OVERRUN = 0.25
"""Rest of a trial that runs longer than it should, as a share of the time it has run."""


class Costs:
    """Seconds by the plugins of trials.

    Attributes
    ----------
    cache : Path or None
        Cache of the store; a generator that is saved there takes no time.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self.cache = cache
        self._cards: dict[str, Card] = {}
        self._samples: Mapping[str, tuple[int, int]] = {}
        # Number and sum of measured over guessed seconds, by kind and hash of the plugin.
        self._timed: dict[tuple[str, str], tuple[int, float]] = {}
        # Generators and scenes, of which what is learnt once is there.
        self._prepared: set[str] = set()
        # By the hash of the trial.
        self._parts: dict[str, dict[str, tuple[float, bool]]] = {}

    @classmethod
    def of(cls, plan: Plan, records: Iterable[Record], cache: Path | None = None) -> "Costs":
        """Costs of the trials of a plan.

        Parameters
        ----------
        records : iterable of Record
            Records of any trials.
        """
        costs = cls(cache)
        costs._cards = {card.name: card for card in plan.cards.values()}
        costs._samples = plan.samples
        for record in records:
            if record["status"] == "ok":
                costs._learn(record)
        return costs

    @classmethod
    def of_run(cls, plan: Plan, records: RunRecords) -> "Costs":
        """Costs of the trials of a plan, learned from MAX_RECORDS of its store at most."""
        store = records.store
        return cls.of(plan, _timed_records(records), store.cache if store else None)

    def _learn(self, record: Record) -> None:
        spec = record["spec"]
        timings = record["timings"]
        samples = record["samples"]
        if record.get("prepared"):
            self._prepared.add(_once(short_hash(spec["generator"]), spec["scene"]["sha256"]))
        names = {kind: spec[kind]["name"] for kind in TIMED}
        real, synthetic = sum(samples["real"]), sum(samples["synthetic"])
        for kind, guess in self._guesses(spec["task"], names, real, synthetic).items():
            seconds = sum(timings.get(stage, 0.0) for stage in TIMED[kind])
            plugin = kind, short_hash(spec[kind])
            # Samples that a larger λ had made took no time.
            if kind == "classifier" or seconds > SHORT or plugin not in self._timed:
                number, total = self._timed.get(plugin, (0, 0.0))
                self._timed[plugin] = number + 1, total + max(SHORT, seconds) / guess

    def _guesses(
        self, task: str, names: Mapping[str, str], real: int, synthetic: int
    ) -> dict[str, float]:
        """Seconds by the cards of a trial's plugins, by kind.

        Parameters
        ----------
        task : str
            Name of its task.
        names : mapping of str to str
            Of its plugins, by kind.
        real, synthetic : int
            Samples of each.
        """
        found = {}
        for kind, size in {
            "classifier": real + synthetic,
            **({"generator": real} if synthetic else {}),
        }.items():
            card = self._cards.get(names[kind])
            seconds = card.seconds if card else UNKNOWN
            # A network takes the same number of steps of any training set.
            if card and not card.uses_device and task == USUAL:
                seconds *= float((max(1, size) / USUAL_REAL) ** LEARN_POWER)
            found[kind] = max(SHORT, seconds)
        return found

    def parts(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        """Expected seconds of what a trial makes, and whether it was timed; by a key that trials
        share with the part.
        """
        if trial.hash in self._parts:
            return self._parts[trial.hash]
        plugins: dict[str, PluginSpec] = dict(trial.plugins)
        names = {kind: plugin.name for kind, plugin in plugins.items()}
        keys = {"classifier": trial.hash, "generator": trial.fit_hash}
        real, synthetic = self._samples.get(
            trial.hash, (USUAL_REAL, int(bool(trial.generated_rate)))
        )
        found = self._parts[trial.hash] = {}
        for kind, guess in self._guesses(trial.task, names, real, synthetic).items():
            number, total = self._timed.get((kind, plugins[kind].hash), (0, 0.0))
            found[keys[kind]] = guess * (total / number if number else 1.0), number > 0
        if self.cache and has_fit(self.cache, trial):
            found.pop(trial.fit_hash, None)
        card = self._cards.get(trial.generator.name)
        if synthetic and card and card.prepares:
            once = _once(trial.generator.hash, trial.scene_sha256)
            # It may come with the plugin.
            usual = preparing_params(trial.generator.params) == preparing_params(card.params())
            comes = usual and trial.patch == PATCH and trial.scene_sha256 in card.prepared_scenes
            if once not in self._prepared and not comes:
                found[once] = card.prepare_seconds, False
        return found

    def of_fit(self, trial: TrialSpec) -> float:
        """Expected seconds of the fit that a trial needs; none of one that is saved."""
        return self.parts(trial).get(trial.fit_hash, (0.0, False))[0]

    def beyond_fit(self, trials: Iterable[TrialSpec]) -> float:
        """Expected seconds of trials without what they share."""
        return sum(self.parts(trial)[trial.hash][0] for trial in trials)


def _once(generator: str, scene: str) -> str:
    """The key of what a generator learns once for a scene, by their hashes."""
    return f"{generator} {scene}"


def _timed_records(records: RunRecords) -> Iterator[Record]:
    """Records of a run's store, MAX_RECORDS at most: those that were read before, and then
    others.
    """
    if records.store is not None:
        hashes, known = records.store.hashes()[:MAX_RECORDS], records.read_before
        yield from (known[hash] for hash in hashes if hash in known)
        yield from records.store.each(hash for hash in hashes if hash not in known)


def write_duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class TimeLeft:
    """The time that the rest of a run takes.

    Attributes
    ----------
    seconds : float
        Of the rest of a run.
    measured : bool
        Whether all its plugins were timed before it.
    """

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"ETA {'' if self.measured else 'about '}{write_duration(self.seconds)}"


class Forecast:
    """Follows the trials of a run, and says how long the rest takes: as expected, at the pace of
    what has ended.

    Parameters
    ----------
    trials : iterable of TrialSpec
        In the order in which they run; those of one scene together.
    costs : Costs
        What is known of them.
    jobs : int
        Worker processes.
    clock : callable
        Seconds, in this process.

    Attributes
    ----------
    trials : dict of str to TrialSpec
        By hash, in that order.
    """

    def __init__(
        self,
        trials: Iterable[TrialSpec],
        costs: Costs,
        *,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trials = {trial.hash: trial for trial in trials}
        self._left = dict(self.trials)
        self._jobs = max(1, jobs)
        self._clock = clock
        self.each: dict[str, float] = {}
        """Expected seconds of every trial, by hash; the first of those that share something makes
        it.
        """
        self.of_plugins: dict[tuple[Kind, str], float] = defaultdict(float)
        """Expected seconds of every generator and classifier, by kind and name."""
        self._measured = True
        # Expected seconds of what a trial prepares for others, by its hash, until it has done so.
        self._preparing: dict[str, float] = {}
        made = set[str]()
        for hash, trial in self.trials.items():
            parts = {key: found for key, found in costs.parts(trial).items() if key not in made}
            made.update(parts)
            self.each[hash] = sum(seconds for seconds, _ in parts.values())
            for key, (seconds, _) in parts.items():
                kind: Kind = "classifier" if key == trial.hash else "generator"
                self.of_plugins[kind, getattr(trial, kind).name] += seconds
                if key not in (trial.hash, trial.fit_hash):
                    self._preparing[hash] = seconds
            self._measured &= all(timed for _, timed in parts.values())
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

    def prepared(self, hash: str) -> None:
        """A running trial is past what is prepared once: its own time begins. What is prepared may
        come with hsiaug or be saved, so its seconds say nothing of the pace of the rest.
        """
        with self._lock:
            if hash in self._running and (seconds := self._preparing.pop(hash, None)) is not None:
                self.each[hash] -= seconds
                self._running[hash] = self._clock()

    def ended(self, hash: str, *, ok: bool) -> None:
        """A trial has ended; one that failed says nothing of the others, nor does one of which it
        is not known how long it prepared.
        """
        with self._lock:
            begun = self._running.pop(hash, None)
            unclear = self._preparing.pop(hash, None) is not None
            if self._left.pop(hash, None) and ok and begun is not None and not unclear:
                self._ended[0] += self.each[hash]
                self._ended[1] += self._clock() - begun

    def time_left(self) -> TimeLeft:
        """Expected time of the rest: of one scene after the other, and of each not less than its
        longest trial.
        """
        with self._lock:
            expected, real = self._ended
            pace, now = real / expected if expected else 1.0, self._clock()
            scenes: dict[str, list[float]] = defaultdict(list)
            for hash, trial in self._left.items():
                ran = now - self._running.get(hash, now)
                scenes[trial.scene_sha256].append(max(pace * self.each[hash] - ran, OVERRUN * ran))
            walls = (max(max(each), sum(each) / self._jobs) for each in scenes.values())
            return TimeLeft(sum(walls), self._measured)


def cost_lines(forecast: Forecast, jobs: int) -> Iterator[str]:
    """What a run takes, and what of it is slow, said before it begins; nothing of a short one.

    Parameters
    ----------
    forecast : Forecast
        Of its trials.
    jobs : int
        Worker processes.
    """
    time_left = forecast.time_left()
    if time_left.seconds < LONG:
        return
    rough = "" if time_left.measured else ", a rough figure: not all plugins were timed here"
    yield f"{len(forecast.trials)} trials, about {write_duration(time_left.seconds)}{rough}"
    whole = sum(forecast.of_plugins.values())
    slowest_first = sorted(forecast.of_plugins.items(), key=lambda item: -item[1])
    for (kind, name), part in slowest_first:
        if part < whole and part >= max(LONG, SLOW_SHARE * whole):
            yield (
                f"slow: {kind} {name}, about {write_duration(part / jobs)}; all else about"
                f" {write_duration((whole - part) / jobs)}"
            )
