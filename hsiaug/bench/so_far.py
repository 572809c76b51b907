"""What the splits that have ended show while the others of a run go on: numbers, and no verdict."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import fmean

from hsiaug.bench.plan import Plan
from hsiaug.trial.arm import NONE
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

Place = tuple[int, int]
"""A plan, by its number, and a split of it, by its seed."""


class SoFar:
    """Follows the splits of the plans of a run.

    Parameters
    ----------
    plans : sequence of Plan
        Of the run.
    waiting : collection of str
        Hashes of the trials that are to run.
    store : Store
        Has their records.

    Attributes
    ----------
    where : str
        ``txt2hsi · split 3 of 7``: the generator and the split of the trial that began last.
    numbers : str
        The gains of the splits that have ended; empty before the first has.
    """

    def __init__(self, plans: Sequence[Plan], waiting: Collection[str], store: Store) -> None:
        self._plans, self._store = plans, store
        self._left: dict[Place, set[str]] = {}
        self._places: dict[str, list[Place]] = defaultdict(list)
        for number, plan in enumerate(plans):
            for trial in plan.trials:
                left = self._left.setdefault((number, trial.seed), set())
                if trial.hash in waiting:
                    left.add(trial.hash)
                    self._places[trial.hash].append((number, trial.seed))
        self._trials = {
            trial.hash: trial for plan in plans for trial in plan.trials if trial.hash in waiting
        }
        self._latest = 0
        self.where = self.numbers = ""

    @property
    def splits(self) -> str:
        """``2 of 7 splits`` of the plan whose trial ended last; empty where none has ended."""
        ended = len(self._ended(self._latest))
        return f"{ended} of {len(self._seeds(self._latest))} splits" if ended else ""

    def start(self, hash: str) -> None:
        """A trial begins."""
        trial = self._trials[hash]
        number, seed = self._places[hash][0]
        seeds = self._seeds(number)
        place = f"split {seeds.index(seed) + 1} of {len(seeds)}"
        run = self._plans[number].run
        self.where = " · ".join(filter(None, (run, trial.generator.name, place)))

    def end(self, hash: str) -> None:
        """A trial has ended."""
        for place in self._places[hash]:
            self._latest = place[0]
            left = self._left[place]
            left.discard(hash)
            if not left:
                self.numbers = self._numbers(place[0])

    def _seeds(self, number: int) -> list[int]:
        return [seed for plan, seed in self._left if plan == number]

    def _ended(self, number: int) -> list[int]:
        return [seed for (plan, seed), left in self._left.items() if plan == number and not left]

    def _numbers(self, number: int) -> str:
        """The smallest and the largest gain of the generators that were asked for over no samples,
        in points of the metric of the task.
        """
        plan, ended = self._plans[number], self._ended(number)
        metric = plan.task.metrics.main
        without: dict[tuple[str, int], float] = {}
        gains: dict[tuple[object, str], list[float]] = defaultdict(list)
        scored = []
        for trial in plan.trials:
            if trial.seed in ended and trial.classifier.name in plan.learning_classifiers:
                value = _score(self._store.sound(trial.hash), metric.key)
                if value is not None:
                    scored.append((trial, value))
        for trial, value in scored:
            if trial.generator.name == NONE:
                without[trial.classifier_label, trial.seed] = value
        for trial, value in scored:
            before = without.get((trial.classifier_label, trial.seed))
            if before is not None and _is_asked(plan, trial):
                gains[trial.arm, trial.classifier_label].append(100 * (value - before))
        if not gains:
            return ""
        means = sorted(fmean(values) for values in gains.values())
        several = f"{means[0]:+.1f} to {means[-1]:+.1f}" if len(means) > 1 else f"{means[0]:+.1f}"
        several = several.replace("-", "−")
        return f"so far, not a result: {several} points of {metric.short} over no samples"


def _is_asked(plan: Plan, trial: TrialSpec) -> bool:
    return trial.generator.name in plan.asked and trial.generator.name != NONE


def _score(record: Record | None, key: str) -> float | None:
    """A metric of a record that went well."""
    value = ((record or {}).get("metrics") or {}).get(key)
    return float(value) if isinstance(value, int | float) else None
