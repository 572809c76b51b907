"""What ``hsiaug benchmark --dry-run`` prints: arms or runs, their cost, and the audit of the first draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.bench.estimate import Estimate, estimate, readable
from hsiaug.bench.plan import Plan
from hsiaug.bench.schedule import Part, merged
from hsiaug.cli.output import print_json, print_lines, print_table
from hsiaug.errors import StoreError
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Record, Store

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_plan"]


def print_plan(
    parts: Sequence[Part], todo: Sequence[TrialSpec], store: Path, jobs: int, out: Console, *, as_json: bool
) -> None:
    """Print the plan of one benchmark, or of a suite. todo: the trials that the store does not hold."""
    try:
        records = list(Store(store).records())
    except StoreError:
        records = []
    plan = merged(parts)
    cost = _cost(parts, todo, records, jobs)
    if as_json:
        print_json(_as_json(parts, plan, todo, cost, jobs))
        return
    if parts[0].run:
        header = ("run", "scene", "protocol", "draws", "trials", "to run", "about")
        print_table(out, header, _runs(parts, todo, records, jobs))
    else:
        print_table(out, ("generator", "λ", "ω", "classifier", "draws", "to run"), _arms(plan, todo))
        print_lines(out, [_split_line(parts[0].plan)])
    print_lines(out, [_cost_line(plan, todo, cost, jobs)])


def _cost(parts: Sequence[Part], todo: Sequence[TrialSpec], records: Sequence[Record], jobs: int) -> Estimate:
    """What the trials of all parts cost together, scene by scene."""
    costs = []
    left = {trial.hash for trial in todo}
    for ref in dict.fromkeys(part.scene_ref for part in parts):
        plan = merged([part for part in parts if part.scene_ref == ref])
        mine = [trial for trial in plan.trials if trial.hash in left]
        left -= {trial.hash for trial in mine}
        costs += [estimate(plan, mine, records, jobs)] if mine else []
    measured = sum(cost.measured for cost in costs) / len(costs) if costs else 1.0
    return Estimate(sum(cost.seconds for cost in costs), measured)


def _runs(
    parts: Sequence[Part], todo: Sequence[TrialSpec], records: Sequence[Record], jobs: int
) -> Iterator[tuple[str, ...]]:
    """A row per run, scene and protocol. A trial that several rows share is to be run in the first of them."""
    rows: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        protocol = part.plan.trials[0].protocol.label
        rows.setdefault((part.run, part.plan.trials[0].scene, protocol), []).append(part)
    left = {trial.hash for trial in todo}
    for row, members in rows.items():
        plan = merged(members)
        mine = [trial for trial in plan.trials if trial.hash in left]
        left -= {trial.hash for trial in mine}
        about = readable(estimate(plan, mine, records, jobs).seconds) if mine else "–"
        yield (*row, str(len({t.seed for t in plan.trials})), str(len(plan.trials)), str(len(mine)), about)


def _as_json(
    parts: Sequence[Part], plan: Plan, todo: Sequence[TrialSpec], cost: Estimate, jobs: int
) -> dict[str, Any]:
    answer = {
        "trials": [{"hash": t.hash, **t.as_json()} for t in plan.trials],
        "to_run": [t.hash for t in todo],
        "seconds": cost.seconds,
        "jobs": jobs,
        "audits": [split.audit.as_json() for part in parts for split in part.plan.splits],
        "notes": list(plan.notes),
    }
    if parts[0].run:
        rows = [{"name": p.run, "scene": p.scene_ref, "trials": [t.hash for t in p.plan.trials]} for p in parts]
        answer["runs"] = rows
    return answer


def _arms(plan: Plan, todo: Sequence[TrialSpec]) -> Iterator[tuple[str, ...]]:
    """Rows of the plan: each arm with its draws, and how many of them are to run."""
    waiting = {t.hash for t in todo}
    arms: dict[tuple[str, ...], list[TrialSpec]] = {}
    for t in plan.trials:
        omega = "–" if t.omega is None else f"{t.omega:g}"
        arms.setdefault((t.generator.name, f"{t.lam:g}", omega, t.classifier.name), []).append(t)
    for arm, members in arms.items():
        yield (*arm, str(len(members)), str(sum(t.hash in waiting for t in members)))


def _split_line(plan: Plan) -> str:
    audit = plan.splits[0].audit.as_json()
    leaky = " [LEAKY]" if audit["leaky"] else ""
    return (
        f"protocol {audit['protocol']}, draw {plan.splits[0].seed}: {audit['n_train']} train, {audit['n_test']} "
        f"test pixels; {audit['centre_overlap_percent']} % of test pixels lie in training patches{leaky}"
    )


def _cost_line(plan: Plan, todo: Sequence[TrialSpec], cost: Estimate, jobs: int) -> str:
    source = "rough: from the plugins' own figures"
    if cost.measured == 1:
        source = "timed in this store"
    elif cost.measured:
        source = "partly timed in this store, partly from the plugins' own figures"
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    count = f"{len(todo)} of {len(plan.trials)} trials to run"
    return f"{count}, about {readable(cost.seconds)} with {processes} ({source})"
