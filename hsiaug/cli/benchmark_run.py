"""How commands run trials: until they end or are stopped, and then the tables of what came of them.

Heavy to import: a command does so once it knows that it has work.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from hsiaug.base.signals import LAST_LINE, SAID, exit_code
from hsiaug.base.terminal import Console
from hsiaug.bench.groups import Costs, write_duration
from hsiaug.bench.plan import Plan
from hsiaug.bench.plans_of_runs import hashes_by_run, join_plans
from hsiaug.bench.run import find_work, run, workers
from hsiaug.cli.output import (
    print_json,
    print_lines,
    print_table,
    read_report,
    show_report,
)
from hsiaug.report import report_json
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@contextmanager
def stoppable(err: Console) -> Iterator[None]:
    """Let signals that end a run (:mod:`hsiaug.base.signals`) do so with one line."""
    LAST_LINE[0] = "stopped: what is finished is in the store; run the same command to go on"
    try:
        yield
    except KeyboardInterrupt as stopped:
        print_lines(err, LAST_LINE)
        SAID.extend(LAST_LINE)
        raise typer.Exit(exit_code(stopped)) from None


def run_and_print(
    plans: Sequence[Plan],
    store: Path,
    *,
    by: str | None = None,
    as_json: bool = False,
    **run_options: Any,
) -> None:
    """Run what is missing of plans; print what is missing or damaged, and the tables of every run.

    Ends with exit code 1 where a trial failed, or has no record.

    Parameters
    ----------
    by : str or None
        The rows of the tables; None for those of a report.
    run_options : object
        Arguments of :func:`hsiaug.bench.run.run`.
    """
    err = Console(stderr=True)
    with stoppable(err):
        reading = run(
            plans,
            store,
            console=err,
            say=lambda line: print_lines(err, [line]),
            warn=lambda line: print_lines(err, [line]),
            **run_options,
        )
    if reading is None:
        return
    runs = hashes_by_run(plans)
    planned = len(set[str]().union(*runs.values()))
    records = Store(store)
    report = read_report(records, runs)
    if as_json:
        print_json({"store": str(store), "planned": planned, **report_json(report, by)})
    else:
        show_report(report, records, by)
    missing = planned - len(reading.records)
    if missing:
        print_lines(
            err,
            [f"{missing} of {planned} trials have no sound record in {store}: run this again"],
        )
    if missing or any(record["status"] == "failed" for record in reading.records):
        raise typer.Exit(1)


# --dry-run


def print_plan(
    plans: Sequence[Plan],
    *,
    store: Path,
    device: str,
    jobs: int | None,
    out: Console,
    notes: Console,
    as_json: bool,
) -> None:
    """Print the plan of one benchmark, or of a suite.

    Parameters
    ----------
    plans : sequence of Plan
        Of one benchmark, or of all runs of a suite.
    store : Path
        Folder of the records, which decide what is to run.
    device, jobs
        As of :func:`hsiaug.bench.run.run`.
    out, notes : Console
        Where the plan is printed, and its notes.
    as_json : bool
        Print JSON in place of tables.

    Raises
    ------
    InputError
        Where the samples of a trial do not fit into memory.
    """
    plan, missing = find_work(plans, store, "only-missing", lambda line: print_lines(notes, [line]))
    todo = missing.todo
    jobs = workers(jobs, device, plan)
    seconds = Costs(plan, store / "cache").each(todo)
    whole = sum(seconds.values()) / jobs
    if as_json:
        print_json(_as_json(plans, plan, todo, whole, jobs))
        return
    if plan.run:
        header = ("run", "scene", "protocol", "splits", "trials", "to run", "about")
        print_table(out, header, _runs(plans, seconds, jobs))
    else:
        print_table(
            out,
            ("generator", "λ", "M", "ω", "classifier", "synthetic", "splits", "to run"),
            _configurations(plan, todo),
        )
        split = next(iter(plan.splits.values()))
        audit = split.audit.as_json()
        leaky = " [LEAKY]" if audit["leaky"] else ""
        line = (
            f"protocol {audit['protocol']}, split {split.seed}: {audit['n_train']} training and"
            f" {audit['n_test']} test pixels; {audit['centre_overlap_percent']} % of test pixels"
            f" are in training {plan.task.metrics.parts}{leaky}"
        )
        print_lines(out, [line])
    count = f"{len(todo)} of {len(plan.trials)} trials to run"
    if plan.nothing:
        count += f" ({len(plan.nothing)} make nothing)"
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    about = f"about {write_duration(whole)} with {processes}, as the cards of the plugins say"
    print_lines(out, [f"{count}, {about}"])


def _runs(
    plans: Sequence[Plan], seconds: Mapping[str, float], jobs: int
) -> Iterator[tuple[object, ...]]:
    """A row per run, scene and protocol. A trial that several rows share is to be run in the first
    of them.
    """
    rows: dict[tuple[str, str, str], list[Plan]] = {}
    for plan in plans:
        first = plan.trials[0]
        rows.setdefault((plan.run, first.scene, first.protocol.label), []).append(plan)
    remaining = set(seconds)
    for row, members in rows.items():
        plan = join_plans(members)
        first_here = [trial for trial in plan.trials if trial.hash in remaining]
        remaining -= {trial.hash for trial in first_here}
        expected = sum(seconds[trial.hash] for trial in first_here) / jobs
        about = write_duration(expected) if first_here else None
        yield *row, len({t.seed for t in plan.trials}), len(plan.trials), len(first_here), about


def _as_json(
    plans: Sequence[Plan], plan: Plan, todo: Sequence[TrialSpec], seconds: float, jobs: int
) -> dict[str, object]:
    answer = {
        "trials": [
            {"hash": t.hash, **t.as_json(), "synthetic": plan.samples[t.hash][1]}
            for t in plan.trials
        ],
        "to_run": [t.hash for t in todo],
        "seconds": seconds,
        "jobs": jobs,
        "audits": [split.audit.as_json() for member in plans for split in member.splits.values()],
        "notes": list(plan.notes),
    }
    if plan.run:
        rows = [
            {
                "name": member.run,
                "scene": member.scene_ref,
                "trials": [t.hash for t in member.trials],
            }
            for member in plans
        ]
        answer["runs"] = rows
    return answer


def _configurations(plan: Plan, todo: Sequence[TrialSpec]) -> Iterator[tuple[object, ...]]:
    """Rows of the plan: each configuration with the synthetic samples of a split, its splits, and
    how many of them are to run.
    """
    waiting = {t.hash for t in todo}
    rows: dict[tuple[object, ...], list[TrialSpec]] = {}
    for t in plan.trials:
        name = t.generator.name + ALONE * (t.train != BOTH)
        settings = (name, t.rate.lam, t.rate.times, t.omega, t.classifier_label)
        rows.setdefault(settings, []).append(t)
    for row, members in rows.items():
        sample_range = _between([plan.samples[t.hash][1] for t in members])
        yield *row, sample_range, len(members), sum(t.hash in waiting for t in members)


def _between(numbers: Sequence[int]) -> str:
    """``1,450``, or the range ``1,434–1,460`` where the numbers differ."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
