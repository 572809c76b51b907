"""The data, the existing records and the time-limited runs of further trials that advice works
with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from hsiaug.advice.gains import Results, results_of
from hsiaug.base.terminal import log_console
from hsiaug.bench.engine import Engine
from hsiaug.bench.groups import Costs
from hsiaug.bench.plan import Draw, Plan
from hsiaug.bench.run import run
from hsiaug.registry.lookup import Registry
from hsiaug.report.trials import trials_of_records
from hsiaug.tasks.scores import MetricSet
from hsiaug.tasks.types import TaskData
from hsiaug.trial.arm import NONE
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@dataclass(frozen=True)
class Session:
    """One piece of advice, from start to end (seconds as ``time.time()``).

    Attributes
    ----------
    watch : callable
        Is told what is run next, and what is best so far.
    known : dict of str to Record
        Records of trials that went well, by hash, once they were read.
    draw : callable
        Gives the splits of the scene, each drawn once.
    scores : MetricSet
        The main one is what configurations are clearly different by.
    large : tuple of int
        Ids of the classes that it is averaged over, none: all of them.
    """

    scene: TaskData
    scene_ref: str
    plugins: Registry
    store: Store
    device: str
    engine: Engine
    start: float
    end: float
    watch: Callable[[str], None]
    draw: Draw
    scores: MetricSet
    known: dict[str, Record] = field(default_factory=dict)
    large: tuple[int, ...] = ()

    def record(self, trial: TrialSpec) -> Record | None:
        """The record of a trial that went well, or None."""
        if trial.hash not in self.known:
            record = self.store.sound(trial.hash)
            if record is None or record["status"] != "ok":
                return None
            self.known[trial.hash] = record
        return self.known[trial.hash]

    def failed(self, trials: Iterable[TrialSpec]) -> tuple[str, ...]:
        """Hashes of the trials that failed."""
        return tuple(t.hash for t in trials if not self.record(t) and self.store.sound(t.hash))

    def results(self, plan: Plan) -> Results:
        """The records of a plan that are there, configuration by configuration."""
        records = (record for trial in plan.trials if (record := self.record(trial)))
        return results_of(trials_of_records(records), self.large)

    def seconds(self, plan: Plan, trials: Iterable[TrialSpec]) -> float:
        """The wall time that those of a plan's trials take which have no such record: as the cards
        of plugins say, at the speed of the trials of the same generator that have ended, or else of
        all.
        """
        costs = Costs(plan)
        generator = {trial.hash: trial.generator.name for trial in plan.trials}
        ended = costs.each(trial for trial in plan.trials if trial.hash in self.known)
        missing = costs.each(trial for trial in trials if not self.record(trial))

        def pace(name: str | None) -> float | None:
            those = [hash for hash in ended if name in (None, generator[hash])]
            expected = sum(ended[hash] for hash in those)
            took = sum(self.known[hash]["timings"]["total"] for hash in those)
            return took / expected if expected else None

        usual = pace(None) or 1.0
        paces = {name: pace(name) or usual for name in set(generator.values())}
        rest = sum(seconds * paces[generator[hash]] for hash, seconds in missing.items())
        return rest / self.engine.jobs

    def run(self, plan: Plan, trials: Sequence[TrialSpec]) -> None:
        """Run those of a plan's trials that have no such record; none is begun that would not end
        in time.
        """
        if any(self.record(trial) is None for trial in trials):
            self.watch(f"{_names_of(trials)}{self._best_so_far(plan)}")
            reading = run(
                [replace(plan, trials=tuple(trials), notes=())],
                self.store.root,
                device=self.device,
                engine=self.engine,
                deadline=self.end,
                console=log_console(quiet=True),
                say=lambda line: None,
                warn=lambda line: None,
            )
            records = reading.records if reading else ()
            self.known.update({r["hash"]: r for r in records if r["status"] == "ok"})

    def _best_so_far(self, plan: Plan) -> str:
        """The configuration of the highest mean, for a line of progress; empty before there is
        one.
        """
        means = {
            key: fmean(scores)
            for key, cell in self.results(plan).items()
            if key[-1] in plan.learning_classifiers
            and (scores := cell.values(self.scores.main.key))
        }
        if not means:
            return ""
        generator, _, _, classifier = max(means, key=means.__getitem__)
        with_samples = "" if generator == NONE else f" with {generator}"
        return f" · best so far: {classifier}{with_samples}"


def _names_of(trials: Iterable[TrialSpec]) -> str:
    """``cnn2d, svm with gaussian``, or ``svm without samples``."""
    classifiers = dict.fromkeys(trial.classifier.name for trial in trials)
    generators = dict.fromkeys(trial.generator.name for trial in trials if trial.rate)
    samples = f"with {', '.join(generators)}" if generators else "without samples"
    return f"{', '.join(classifiers)} {samples}"
