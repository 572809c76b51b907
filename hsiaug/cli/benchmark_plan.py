"""Output of ``hsiaug benchmark --dry-run``: arms or runs, their cost, and the audit of the first draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.errors import StoreError
from hsiaug.bench.costs import Costs, parts_of, readable
from hsiaug.bench.engine import Job, outline
from hsiaug.bench.eta import Forecast, TimeLeft
from hsiaug.bench.memory_check import check_memory
from hsiaug.bench.plan import Plan
from hsiaug.bench.run import Existing, batches_of, held, missing, workers
from hsiaug.bench.sample_counts import between
from hsiaug.bench.schedule import join_plans
from hsiaug.cli.output import print_json, print_lines, print_table
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.bench.cluster_settings import ClusterSettings


def print_plan(
    plans: Sequence[Plan],
    store: Path,
    existing: Existing,
    device: str,
    jobs: int | None,
    settings: ClusterSettings,
    out: Console,
    notes: Console,
    *,
    as_json: bool,
) -> None:
    """Print the plan of one benchmark, or of a suite; the arguments are those of :func:`hsiaug.bench.run.run`.

    Raises InputError where the samples of a trial do not fit into memory.
    """
    plan, jobs = join_plans(plans), workers(jobs, device, plans)
    kept = held(plan.trials, store)
    todo = missing(plan.trials, kept, existing)
    check_memory(plans, todo)
    print_lines(notes, (f"note: {note}" for note in (*plan.notes, *plan.short)))
    todo = [trial for trial in todo if trial.hash not in plan.nothing]
    try:
        there = Store(store)
        costs = Costs.of(plans, there.each(known=kept) if todo else (), there.cache)
    except StoreError:
        costs = Costs.of(plans, ())
    left = Forecast({trial.hash: trial for trial in todo}, costs, jobs=jobs).left()
    job, waiting = partial(Job, store=store, device="auto"), {trial.hash: trial for trial in todo}
    where = outline(settings, batches_of(plans, waiting, job, costs, jobs))
    if as_json:
        print_json({**_as_json(plans, plan, todo, left, jobs), "on": settings.on, "outline": where})
        return
    if plan.run:
        header = ("run", "scene", "protocol", "draws", "trials", "to run", "about")
        print_table(out, header, _runs(plans, todo, costs, jobs))
    else:
        print_table(out, ("generator", "λ", "ω", "classifier", "synthetic", "draws", "to run"), _arms(plan, todo))
        print_lines(out, [_split_line(plan)])
    print_lines(out, [*_once_lines(todo, costs), _cost_line(plan, todo, left, jobs)])
    print_lines(out, [f"--on {settings.on}: {where}"] if where else [])


def _runs(
    plans: Sequence[Plan], todo: Sequence[TrialSpec], costs: Costs, jobs: int
) -> Iterator[tuple[object, ...]]:
    """A row per run, scene and protocol. A trial that several rows share is to be run in the first of them."""
    rows: dict[tuple[str, str, str], list[Plan]] = {}
    for plan in plans:
        first = plan.trials[0]
        rows.setdefault((plan.run, first.scene, first.protocol.label), []).append(plan)
    left = {trial.hash for trial in todo}
    for row, members in rows.items():
        plan = join_plans(members)
        mine = [trial for trial in plan.trials if trial.hash in left]
        left -= {trial.hash for trial in mine}
        about = Forecast({t.hash: t for t in mine}, costs, jobs=jobs).left().text if mine else None
        yield *row, len({t.seed for t in plan.trials}), len(plan.trials), len(mine), about


def _as_json(
    plans: Sequence[Plan], plan: Plan, todo: Sequence[TrialSpec], cost: TimeLeft, jobs: int
) -> dict[str, object]:
    answer = {
        "trials": [{"hash": t.hash, **t.as_json(), "synthetic": plan.samples[t.hash][1]} for t in plan.trials],
        "to_run": [t.hash for t in todo],
        "seconds": None if cost.unknown else cost.seconds,
        "seconds_unknown": list(cost.unknown),
        "jobs": jobs,
        "audits": [split.audit.as_json() for one in plans for split in one.splits],
        "notes": [*plan.notes, *plan.short],
    }
    if plan.run:
        rows = [{"name": one.run, "scene": one.scene_ref, "trials": [t.hash for t in one.trials]} for one in plans]
        answer["runs"] = rows
    return answer


def _arms(plan: Plan, todo: Sequence[TrialSpec]) -> Iterator[tuple[object, ...]]:
    """Rows of the plan: each arm with the synthetic samples of a draw, its draws, and how many of them are to run."""
    waiting = {t.hash for t in todo}
    arms: dict[tuple[object, ...], list[TrialSpec]] = {}
    for t in plan.trials:
        name = t.generator.name + ALONE * (t.train != BOTH)
        arms.setdefault((name, t.rate, t.omega, t.classifier_label), []).append(t)
    for arm, members in arms.items():
        made = between([plan.samples[t.hash][1] for t in members])
        yield *arm, made, len(members), sum(t.hash in waiting for t in members)


def _split_line(plan: Plan) -> str:
    audit = plan.splits[0].audit.as_json()
    leaky = " [LEAKY]" if audit["leaky"] else ""
    return (
        f"protocol {audit['protocol']}, draw {plan.splits[0].seed}: {audit['n_train']} train, {audit['n_test']} "
        f"test pixels; {audit['centre_overlap_percent']} % of test pixels lie in training patches{leaky}"
    )


def _once_lines(todo: Sequence[TrialSpec], costs: Costs) -> Iterator[str]:
    """What generators learn once, and for how many of the draws each."""
    spent: dict[str, list[float]] = {}
    for trial in todo:
        guess = costs.guess(trial.hash)
        if guess.prepare:
            part = parts_of(trial.as_json(), guess, guess.made)["prepare"]
            spent.setdefault(trial.generator.name, []).append(costs.seconds(part))
    for name, seconds in spent.items():
        times = "once" if len(seconds) == 1 else f"{len(seconds)} times"
        yield f"{name} learns without labels {times}, about {readable(sum(seconds))}"


def _cost_line(plan: Plan, todo: Sequence[TrialSpec], cost: TimeLeft, jobs: int) -> str:
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    count = f"{len(todo)} of {len(plan.trials)} trials to run"
    if plan.nothing:
        count += f" ({len(plan.nothing)} make nothing)"
    if cost.unknown:
        names = ", ".join(cost.unknown)
        return f"{count}, time unknown: {names} with these parameters not timed in this store yet ({processes})"
    rough = (
        "rough: partly timed in this store"
        if cost.measured
        else "rough: the plugins' own figures, of Indian Pines"
    )
    return (
        f"{count}, about {cost.text} with {processes} ({'timed in this store' if cost.measured == 1 else rough})"
    )
