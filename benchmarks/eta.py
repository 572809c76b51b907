"""How right the ETA of a run is: the timings of records, replayed in the order of a plan.

    python -m benchmarks.eta STORE… [--jobs 1,2,4] [--minutes 4]

Every store, and every scene of one that holds several, is a run, with as many worker processes as ``--jobs`` says; runs
shorter than ``--minutes`` are left out. Nothing is known of it before but the seconds on the plugins' cards. Stages take
the processor's seconds of the records, as the clock's hold what else the machine did. Prints what was said over what
it took from then on, after 10, 20 and 50 % of the run, and the share of runs in which that was right within 30 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import heapq
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.common import say
from hsiaug.bench.costs import Costs, Guess, guess
from hsiaug.bench.dispatch import groups
from hsiaug.bench.eta import Forecast, TimeLeft
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Record, Store

MARKS = (0.1, 0.2, 0.5)
START = 2.0
"""Seconds until a process has loaded its libraries."""


@dataclasses.dataclass(frozen=True)
class Values:
    """The hyper-parameters of a record's plugin."""

    values: str


@dataclasses.dataclass
class Run:
    """Trials in the order of a plan, with their seconds by stage. besides: those outside the stages."""

    trials: list[TrialSpec]
    stages: dict[str, dict[str, float]]
    besides: dict[str, float]
    guesses: dict[str, Guess]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--jobs", default="1,2,4")
    parser.add_argument("--minutes", type=float, default=4.0)
    asked = parser.parse_args()
    found: dict[int, list[list[float]]] = defaultdict(list)
    for store in asked.stores:
        records = [r for r in Store(store).read().records if r["status"] == "ok" and "cpu_seconds" in r]
        for name, some in runs(records):
            run = made(some)
            for jobs in map(int, asked.jobs.split(",")):
                ends, _ = replay(run, jobs, ())
                if ends[-1] < 60 * asked.minutes:
                    continue
                at = [next(i for i, end in enumerate(ends) if end >= mark * ends[-1]) for mark in MARKS]
                _, told = replay(run, jobs, at)
                ratios = [told[i].seconds / max(1e-9, ends[-1] - ends[i]) for i in at]
                found[jobs].append(ratios)
                line = " ".join(f"{ratio:.2f}" for ratio in ratios)
                say(f"{store.name} {name}, {jobs} processes, {len(ends)} trials, {ends[-1] / 60:.0f} min: {line}")
    for jobs, each in found.items():
        right = [sum(0.7 <= ratios[i] <= 1.3 for ratios in each) for i in range(len(MARKS))]
        said = ", ".join(f"{n} of {len(each)} after {mark:.0%}" for n, mark in zip(right, MARKS, strict=True))
        say(f"{jobs} processes, within 30 %: {said}")


def runs(records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    """All records as one run, and those of each scene as another where there are several."""
    scenes = list(
        dict.fromkeys(r["spec"]["scene"]["name"] for r in sorted(records, key=lambda r: str(r["created"])))
    )
    yield "whole", sorted(records, key=lambda r: scenes.index(r["spec"]["scene"]["name"]))
    if len(scenes) > 1:
        for scene in scenes:
            yield scene, [r for r in records if r["spec"]["scene"]["name"] == scene]


def made(records: Sequence[Record]) -> Run:
    """The run that the records are of, draw by draw and generator by generator."""
    pairs = [(spec_of(record), record) for record in records]
    order = {trial.scene: i for i, (trial, _) in reversed(list(enumerate(pairs)))}
    pairs.sort(
        key=lambda p: (
            order[p[0].scene], p[0].protocol.label, p[0].seed, bool(p[0].rate), p[0].fit_hash, p[0].omega or 0.0,
            p[0].rate, p[0].classifier.canonical, p[0].view,
        )
    )  # fmt: skip
    by_hash = {trial.hash: record for trial, record in pairs}
    run = Run([trial for trial, _ in pairs], {}, {}, {})
    for group in groups(run.trials):
        share_out(run, group, by_hash)
    for trial, record in pairs:
        cards = card("generator", trial.generator.name), card("classifier", trial.classifier.name)
        real, synthetic = (sum(record["samples"][kind]) for kind in ("real", "synthetic"))
        run.guesses[trial.hash] = guess(cards, real, synthetic, record["audit"]["n_test"])
    return run


def share_out(run: Run, group: Sequence[TrialSpec], records: Mapping[str, Record]) -> None:
    """The seconds of trials that share a fit, whoever of them comes first here: the records may have another order."""
    busy = [records[t.hash]["cpu_seconds"] for t in group]
    fit = max(one.get("fit_generator", 0.0) for one in busy)
    besides = sorted((max(0.0, 2 * one["total"] - sum(one.values())) for one in busy), reverse=True)
    sampled = sum(one.get("sample", 0.0) for one in busy)
    sizes = [sum(records[t.hash]["samples"]["synthetic"]) for t in group]
    most = 0
    for trial, one, size, rest in zip(group, busy, sizes, besides, strict=True):
        stages = {"fit_classifier": one["fit_classifier"], "predict": one["predict"]}
        if size:
            stages |= {"fit_generator": fit, "sample": sampled * max(0, size - most) / max(sizes)}
        most = max(most, size)
        run.stages[trial.hash], run.besides[trial.hash] = stages, rest


def replay(run: Run, jobs: int, ask: Sequence[int]) -> tuple[list[float], dict[int, TimeLeft]]:
    """When each trial ends, and what is forecast as those end whose numbers are in ``ask``."""
    batches = [groups(list(some)) for _, some in groupby(run.trials, key=lambda trial: trial.scene_sha256)]
    if jobs > 1:
        batches = [sorted(batch, key=lambda group: -expected(run, group)) for batch in batches]
    trials = {t.hash: t for batch in batches for group in batch for t in group}
    clock, ends, told = Clock(), [], {}
    forecast = Forecast(trials, Costs(run.guesses), jobs=jobs, clock=clock)
    for batch in batches:
        for hash in carried_out(run, batch, jobs, clock, forecast):
            if ask:
                forecast.ended(hash, run.stages[hash])
            if len(ends) in ask:
                told[len(ends)] = forecast.left()
            ends.append(clock.now)
    return ends, told


def expected(run: Run, group: Sequence[TrialSpec]) -> float:
    """Seconds of a group, as they are guessed before the run."""
    each = [run.guesses[t.hash] for t in group]
    return each[0].fit + each[0].samples + sum(one.learn + one.predict for one in each)


def carried_out(
    run: Run, batch: Sequence[Sequence[TrialSpec]], jobs: int, clock: Clock, forecast: Forecast
) -> Iterator[str]:
    """The hashes of the trials of a scene, each as it ends."""
    waiting = deque(deque(group) for group in batch)
    parts: list[deque[TrialSpec]] = [deque() for _ in range(jobs)]
    fitted: set[str] = set()
    running: list[tuple[float, int, str]] = []
    idle, cold = set(range(jobs)), set(range(jobs))
    while True:
        for worker in sorted(idle):
            if not parts[worker]:
                longest = max(parts, key=len)
                half = [longest.pop() for _ in range(len(longest) // 2)] if not waiting else []
                parts[worker] = waiting.popleft() if waiting else deque(reversed(half))
            if parts[worker]:
                trial = parts[worker][0]
                forecast.started(trial.hash)
                stages = run.stages[trial.hash]
                seconds = sum(stages.values()) + run.besides[trial.hash] + START * (worker in cold)
                seconds -= stages.get("fit_generator", 0.0) if trial.fit_hash in fitted else 0.0
                fitted |= {trial.fit_hash} if "fit_generator" in stages else set()
                cold.discard(worker)
                idle.discard(worker)
                heapq.heappush(running, (clock.now + seconds, worker, trial.hash))
        if not running:
            return
        clock.now, worker, hash = heapq.heappop(running)
        parts[worker].popleft()
        idle.add(worker)
        yield hash


def spec_of(record: Record) -> TrialSpec:
    spec: dict[str, Any] = record["spec"]
    protocol = spec["protocol"]
    text = ":".join(str(protocol[key]) for key in ("name", "argument") if protocol[key] not in (None, ""))
    plugins = [
        PluginSpec(one["name"], one["version"], Values(repr(sorted(one["params"].items()))))
        for one in (spec["generator"], spec["classifier"])
    ]
    return TrialSpec(
        spec["task"], spec["scene"]["name"], spec["scene"]["sha256"], parse_protocol(text, protocol["buffer"]),
        spec["patch"], spec["seed"], *plugins, Rate.of(spec), spec["omega"], view=spec.get("view", "raw"),
    )  # fmt: skip


@cache
def card(kind: Any, name: str) -> Card | None:
    found: Card = registry().find(kind, name).load().card
    return found


if __name__ == "__main__":
    main()
