"""``hsiaug benchmark``: run what is missing of a plan, and print its table."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.bench.estimate import Estimate
    from hsiaug.bench.plan import Plan
    from hsiaug.scene import Scene
    from hsiaug.trial.spec import TrialSpec
    from hsiaug.trial.store import Record, Store

__all__ = ["benchmark"]


class Existing(StrEnum):
    """What to do about trials that the store already holds."""

    only_missing = "only-missing"
    all = "all"
    none = "none"


class PresetName(StrEnum):
    """Sizes that plugins offer."""

    tiny = "tiny"
    cpu = "cpu"
    paper = "paper"


def benchmark(
    scene: options.SceneRef,
    generator: Annotated[
        str, typer.Option(help="Generators, between commas; none and duplicate always run.")
    ] = "smote",
    classifier: Annotated[
        str, typer.Option(help="Classifiers, between commas; coords always runs.")
    ] = "svm,cnn2d",
    lambda_: Annotated[
        str,
        typer.Option(
            "--lambda", help="Sample balance rates λ, between commas: 1 fills every class to the largest."
        ),
    ] = "1",
    omega: Annotated[
        str | None,
        typer.Option(
            help="Guidance strengths ω, between commas; 0 = purely conditional. Default: the generator's."
        ),
    ] = None,
    protocol: options.Protocol = "issd",
    buffer: options.Buffer = None,
    seeds: Annotated[
        str, typer.Option(help="Draws: a number N (0 to N-1), a range 100-109, or a list 3,5,8-9.")
    ] = "5",
    patch: options.Patch = 9,
    store: options.StoreDir = Path("hsiaug-results"),
    existing: Annotated[
        Existing,
        typer.Option(
            help="only-missing: take trials from the store, run the rest (failed ones again). all: run everything "
            "again. none: run nothing, show what the store holds."
        ),
    ] = Existing.only_missing,
    preset: Annotated[PresetName, typer.Option(help="Size of the plugins that offer several.")] = PresetName.cpu,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="PLUGIN.PARAMETER=VALUE; repeat for more.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto (a GPU if there is one), cpu, cuda, cuda:1, mps.")] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Worker processes. Default: one per core on the CPU, 1 on a GPU.", min=1)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, its cost and its splits; run nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> None:
    """Benchmark generators on a scene with few, unequal labels.

    Runs every generator × λ × ω × classifier on the same draws, with the controls [bold]none[/bold],
    [bold]duplicate[/bold] and [bold]coords[/bold], and prints OA / AA / κ, the gain over the controls, and the
    protocol's audit. Finished trials are kept: a stopped run goes on where it was.

    Examples:

      hsiaug benchmark indian_pines --generator smote --classifier svm,cnn2d --lambda 0.5

      hsiaug benchmark indian_pines --generator smote,mixup --lambda 0.5,1 --protocol kshot:10 --seeds 10

      hsiaug benchmark my_scene.toml --generator smote --dry-run
    """
    # One thread per trial: trials run side by side instead, and give the same result whatever --jobs is.
    # Set before the numerical libraries load.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rich.console import Console

    from hsiaug.bench.plan import Request, build_plan
    from hsiaug.data import load_scene
    from hsiaug.plugins.registry import registry
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.trial.store import Store
    from hsiaug.trial.task import get_task

    request = Request(
        protocol=parse_protocol(protocol, buffer),
        generators=options.words(generator),
        classifiers=options.words(classifier),
        lambdas=options.numbers("--lambda", lambda_),
        omegas=[] if omega is None else options.numbers("--omega", omega),
        seeds=options.seeds(seeds),
        patch=patch,
        preset=preset.value,
        overrides=options.overrides(set_ or []),
    )
    loaded = load_scene(scene)
    plan = build_plan(loaded, get_task("pixels"), request, registry())
    jobs = _jobs(jobs, device, plan)
    out, err = Console(), Console(stderr=True)
    print_lines(err, (f"note: {note}" for note in plan.notes))
    if dry_run:
        _print_plan(plan, _missing(plan, store, existing), store, jobs, out, as_json=json)
        return
    kept = Store(store, create=existing is not Existing.none)
    kept.sweep()
    _run(plan, _missing(plan, store, existing), loaded, scene, kept, device, jobs, err)
    records = [record for trial in plan.trials if (record := kept.get(trial.hash))]
    _print_result(records, plan, kept, out, as_json=json)
    if any(record["status"] != "ok" for record in records):
        raise typer.Exit(1)


def _jobs(asked: int | None, device: str, plan: Plan) -> int:
    """Processes to run: as asked, else one per core, but one only where a GPU does the work."""
    from hsiaug.trial.machine import resolve_device

    used = {resolve_device(device, card) for card in plan.cards.values()}
    if asked is not None:
        return asked
    return 1 if used != {"cpu"} else os.cpu_count() or 1


def _missing(plan: Plan, store: Path, existing: Existing) -> list[TrialSpec]:
    """The trials to run."""
    from hsiaug.errors import StoreError
    from hsiaug.trial.store import Store

    if existing is Existing.none:
        return []
    try:
        kept = Store(store)
    except StoreError:
        return list(plan.trials)
    if existing is Existing.all:
        return list(plan.trials)
    return [t for t in plan.trials if (kept.get(t.hash) or {"status": "missing"})["status"] != "ok"]


def _run(
    plan: Plan,
    todo: Sequence[TrialSpec],
    scene: Scene,
    scene_ref: str,
    store: Store,
    device: str,
    jobs: int,
    err: Console,
) -> None:
    from hsiaug.bench.command import command_for
    from hsiaug.bench.execute import Job, execute
    from hsiaug.bench.progress import watching

    reused = len(plan.trials) - len(todo)
    if reused:
        print_lines(err, [f"{reused} of {len(plan.trials)} trials are taken from {store.root}"])
    if not todo:
        return
    commands = {trial.hash: command_for(trial, scene_ref) for trial in todo}
    try:
        with watching({trial.hash: trial for trial in todo}, err) as on_event:
            execute(todo, scene, Job(todo[0].task, scene_ref, store.root, device, commands), jobs, on_event)
    except KeyboardInterrupt:
        print_lines(err, ["stopped: what is finished is in the store; run the same command to go on"])
        raise typer.Exit(130) from None


def _print_plan(
    plan: Plan, todo: Sequence[TrialSpec], store: Path, jobs: int, out: Console, *, as_json: bool
) -> None:
    from hsiaug.bench.estimate import estimate
    from hsiaug.errors import StoreError
    from hsiaug.trial.store import Store

    try:
        records = list(Store(store).records())
    except StoreError:
        records = []
    cost = estimate(plan, todo, records, jobs)
    audits = [split.audit.as_json() for split in plan.splits]
    if as_json:
        answer = {
            "trials": [{"hash": t.hash, **t.as_json()} for t in plan.trials],
            "to_run": [t.hash for t in todo],
            "seconds": cost.seconds,
            "jobs": jobs,
            "audits": audits,
            "notes": list(plan.notes),
        }
        typer.echo(json_module.dumps(answer, ensure_ascii=False, allow_nan=False))
        return
    print_table(out, ("generator", "λ", "ω", "classifier", "draws", "to run"), _arms(plan, todo))
    print_lines(out, (_split_line(plan, audits[0]), _cost_line(plan, todo, cost, jobs)))


def _arms(plan: Plan, todo: Sequence[TrialSpec]) -> Iterator[tuple[str, ...]]:
    """Rows of the plan: each arm with its draws, and how many of them are to run."""
    waiting = {t.hash for t in todo}
    arms: dict[tuple[str, ...], list[TrialSpec]] = {}
    for t in plan.trials:
        omega = "–" if t.omega is None else f"{t.omega:g}"
        arms.setdefault((t.generator.name, f"{t.lam:g}", omega, t.classifier.name), []).append(t)
    for arm, members in arms.items():
        yield (*arm, str(len(members)), str(sum(t.hash in waiting for t in members)))


def _split_line(plan: Plan, audit: dict[str, Any]) -> str:
    leaky = " [LEAKY]" if audit["leaky"] else ""
    return (
        f"protocol {audit['protocol']}, draw {plan.splits[0].seed}: {audit['n_train']} train, {audit['n_test']} "
        f"test pixels; {audit['centre_overlap_percent']} % of test pixels lie in training patches{leaky}"
    )


def _cost_line(plan: Plan, todo: Sequence[TrialSpec], cost: Estimate, jobs: int) -> str:
    from hsiaug.bench.estimate import readable

    source = "rough: from the plugins' own figures"
    if cost.measured == 1:
        source = "timed in this store"
    elif cost.measured:
        source = "partly timed in this store, partly from the plugins' own figures"
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    count = f"{len(todo)} of {len(plan.trials)} trials to run"
    return f"{count}, about {readable(cost.seconds)} with {processes} ({source})"


def _print_result(records: list[Record], plan: Plan, store: Store, out: Console, *, as_json: bool) -> None:
    from hsiaug.report import build_report, print_report, render_report, report_json

    report = build_report(records, store=str(store.root))
    if as_json:
        answer = {"store": str(store.root), "planned": len(plan.trials), **report_json(report)}
        typer.echo(json_module.dumps(answer, ensure_ascii=False, allow_nan=False))
        return
    if out.is_terminal:
        print_report(report, out)
    else:
        out.file.write(render_report(report, format="md"))
