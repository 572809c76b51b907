"""What advice works with: the records that are there, what more of them cost, and work that ends in time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hsiaug.bench.command import command_for
from hsiaug.bench.dispatch import Work, groups
from hsiaug.bench.engine import Engine
from hsiaug.bench.estimate import Estimate, Guess, estimate, guesses, timed
from hsiaug.bench.execute import Run
from hsiaug.bench.gains import Results, key
from hsiaug.bench.ledger import OnEvent
from hsiaug.bench.plan import Plan
from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import TaskData
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record, Store

__all__ = ["AdviceContext", "Prices", "do", "results", "work"]


@dataclass(frozen=True)
class AdviceContext:
    """The data, the plugins and the store of one piece of advice, from start to end (seconds as ``time.time()``).

    known: records of trials that went well, by hash, once they were read.
    """

    scene: TaskData
    scene_ref: str
    plugins: Registry
    store: Store
    device: str
    engine: Engine
    start: float
    end: float
    watch: Callable[[Mapping[str, TrialSpec], Mapping[str, Guess]], AbstractContextManager[OnEvent]]
    known: dict[str, Record] = field(default_factory=dict)

    def record(self, trial: TrialSpec) -> Record | None:
        """The record of a trial that went well, or None."""
        if trial.hash not in self.known:
            record = self.store.sound(trial.hash)
            if record is None or record["status"] != "ok":
                return None
            self.known[trial.hash] = record
        return self.known[trial.hash]

    def missing(self, trials: Iterable[TrialSpec]) -> list[TrialSpec]:
        """Those without such a record."""
        return [trial for trial in trials if not self.record(trial)]


class Prices:
    """What trials of a plan cost, as far as is known now.

    What was timed on draws of another protocol is taken for a plugin that was not timed on these yet. Cards speak of
    another machine: the classifiers timed here, in proportion to their cards, correct the cards of all others. The
    quickest of them does, as some take far longer on more pixels, and that is not the machine's doing.
    """

    def __init__(self, plan: Plan, context: AdviceContext) -> None:
        taken = _medians(context.known.values())
        paces = [
            taken[part] / card.seconds
            for part, card in plan.cards.items()
            if part in taken and part[0] == "classifier" and card.seconds and card.learns_samples
        ]
        pace = min(paces, default=1.0)
        seconds = {part: taken.get(part, card.seconds * pace) for part, card in plan.cards.items()}
        cards = {part: replace(card, seconds=seconds[part]) for part, card in plan.cards.items()}
        self._plan = replace(plan, cards=cards)
        self._timed = timed(record for trial in plan.trials if (record := context.record(trial)))
        self._jobs = context.engine.jobs

    def wall(self, trials: Sequence[TrialSpec]) -> Estimate:
        """Expected wall time: at least that of the longest group that shares a fit."""
        each = [self.alone(group).guess for group in groups(trials)]
        return replace(self.alone(trials), guess=max([sum(each) / self._jobs, *each]))

    def alone(self, trials: Sequence[TrialSpec]) -> Estimate:
        """Expected time of one process."""
        return estimate(self._plan, trials, self._timed, 1)

    def guesses(self, trials: Sequence[TrialSpec]) -> dict[str, Guess]:
        """What is guessed of each trial, by its hash."""
        return guesses(self._plan, trials, self._timed, {})


def _medians(records: Iterable[Record]) -> dict[tuple[Kind, str], float]:
    """Median seconds of every plugin, whatever it ran on."""
    seconds: dict[tuple[Kind, str], list[float]] = {}
    for record in records:
        spec, times = record["spec"], record["timings"]
        seconds.setdefault(("classifier", spec["classifier"]["name"]), []).append(
            times["fit_classifier"] + times["predict"]
        )
        if "fit_generator" in times:
            seconds.setdefault(("generator", spec["generator"]["name"]), []).append(
                times["fit_generator"] + times["sample"]
            )
    return {part: statistics.median(values) for part, values in seconds.items()}


def do(plan: Plan, trials: Iterable[TrialSpec], todo: Iterator[Work], context: AdviceContext, run: Run) -> None:
    """Carry out work on some of these trials of a plan as it comes, until all of it has ended."""
    missing = {trial.hash: trial for trial in context.missing(trials)}
    if missing:
        rough = Prices(plan, context).guesses(list(missing.values()))
        with context.watch(missing, rough) as on_event:
            run(todo, on_event)


def work(plan: Plan, trials: Sequence[TrialSpec], context: AdviceContext, end: float) -> Iterator[Work]:
    """What is missing, in groups that share a fit, with the latest start of each trial.

    The first of a group is to leave time for the others: half a group is of no use.
    """
    for group in groups(context.missing(trials)):
        prices = Prices(plan, context)
        costs = [prices.alone(group[: i + 1]).guess for i in range(len(group))]
        each = [costs[-1], *(b - a for a, b in pairwise(costs))]
        expected = {trial.hash: cost for trial, cost in zip(group, each, strict=True)}
        latest = {hash: end - cost for hash, cost in expected.items()}
        if time.time() <= latest[group[0].hash]:
            commands = {trial.hash: command_for(trial, context.scene_ref) for trial in group}
            yield Work(group, commands, latest, expected)


def results(plan: Plan, context: AdviceContext) -> Results:
    """The records of a plan that are there."""
    return {key(trial): record for trial in plan.trials if (record := context.record(trial))}
