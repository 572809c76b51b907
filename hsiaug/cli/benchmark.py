"""``hsiaug benchmark``: run what is missing of a plan or a suite, and print its tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.output import notes_console, print_lines

if TYPE_CHECKING:
    from hsiaug.bench.suite import Suite

__all__ = ["benchmark"]


class _Existing(StrEnum):
    """What to do about trials that the store already holds."""

    only_missing = "only-missing"
    all = "all"
    none = "none"


PLAN_OPTIONS = {
    **{
        name: f"--{name}"
        for name in (
            *("task", "generator", "classifier", "view", "omega", "protocol", "buffer", "patch", "preset"),
        )
    },
    "lambdas": "--lambda",
    "set_": "--set",
    "ceilings": "--ceilings",
}
"""What a suite says for itself, run by run."""


def benchmark(
    ctx: typer.Context,
    scene: Annotated[
        str,
        typer.Argument(
            metavar="SCENE|SUITE",
            help="A scene of 'hsiaug datasets list', the TOML card of your own, the folder of a card or of pairs, or a "
            "suite of runs (TOML).",
        ),
    ],
    task: options.Task = None,
    generator: Annotated[
        str | None,
        typer.Option(
            help="Generators, between commas; none and duplicate always run, for masks duplicate-balanced too, and "
            "pseudo beside what reads unlabelled pixels. Default: smote, or specdm for masks.",
            rich_help_panel=options.PLAN,
        ),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option(
            help="Classifiers, between commas; a control (coords, majority) always runs. Default: svm,cnn2d; unet for "
            "segmentation; fc-siam-diff for change.",
            rich_help_panel=options.PLAN,
        ),
    ] = None,
    view: options.View = None,
    lambdas: Annotated[
        str,
        typer.Option(
            "--lambda",
            help="Sample balance rates λ, between commas, or ranges START:STOP:STEP: 1 fills every class to the "
            "largest, and makes nothing where they are equal; more lets all grow. For masks, synthetic pairs per real "
            "pair.",
            rich_help_panel=options.PLAN,
        ),
    ] = "1",
    omega: Annotated[
        str | None,
        typer.Option(
            help="Guidance strengths ω, between commas, or ranges START:STOP:STEP; 0 = purely conditional. "
            "Default: the generator's.",
            rich_help_panel=options.PLAN,
        ),
    ] = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seeds: Annotated[
        str,
        typer.Option(
            help="Draws: a number N (0 to N-1), a range 100-109, or a list 3,5,8-9.", rich_help_panel=options.DRAWS
        ),
    ] = "5",
    patch: options.AnyPatch = None,
    store: options.StoreDir = Path("hsiaug-results"),
    existing: Annotated[
        _Existing,
        typer.Option(
            help="only-missing: take trials from the store, run the rest (failed ones again). all: run everything "
            "again. none: run nothing, show what the store holds.",
            rich_help_panel=options.WHERE,
        ),
    ] = _Existing.only_missing,
    preset: options.PresetOfAll = options.PresetName.cpu,
    set_: options.Setting = None,
    ceilings: options.Ceilings = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    on: options.On = None,
    cluster: options.Cluster = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            help="End a trial that takes longer, as 90s, 20m or 1h; it is then recorded as failed.",
            rich_help_panel=options.WHERE,
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Of a suite: the profile that changes its runs, as a smaller size.", rich_help_panel=options.PLAN
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Of a suite: the runs wanted, between commas.", rich_help_panel=options.PLAN)
    ] = None,
    data: options.SuiteData = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the plan, its cost and its splits; run nothing.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    json: options.Json = False,
    audit: options.Audit = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Benchmark generators on a scene with few, unequal labels.

    Runs every generator × λ × ω × classifier on the same draws, with the controls [bold]none[/bold],
    [bold]duplicate[/bold] and [bold]coords[/bold] ([bold]pseudo[/bold] too for what reads unlabelled pixels), and
    prints OA / AA / κ, the gain over the controls, and the protocol's audit. Finished trials are kept: a stopped run
    goes on where it was.

    A suite is a TOML file with a list of such runs: their trials are run together, each once, and every run
    gets tables of its own.

    Examples:

      hsiaug benchmark indian_pines --generator smote --classifier svm,cnn2d --lambda 0.5

      hsiaug benchmark indian_pines --generator smote,mixup --lambda 1,3 --protocol kshot:10 --seeds 10

      hsiaug benchmark indian_pines --generator txt2hsi --lambda 0.5,1,2:8:2 --omega 0,1,2:4:2

      hsiaug benchmark my_scene.toml --generator smote --dry-run

      hsiaug benchmark my_suite.toml --profile smoke --only default

      hsiaug benchmark my_suite.toml --data my_pairs

      hsiaug benchmark my_pairs --generator specdm

      hsiaug benchmark oscd --generator specdm,ldm_single --lambda 1,3,5 --seeds 3

    """
    # One thread per trial: trials run side by side instead, and give the same result whatever --jobs is.
    # Set before the numerical libraries load.
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.bench.cluster_settings import cluster_settings
    from hsiaug.bench.plan import Request
    from hsiaug.bench.run import run
    from hsiaug.bench.schedule import joined, plan_runs
    from hsiaug.bench.suite import Run, is_suite
    from hsiaug.cli.benchmark_plan import print_plan
    from hsiaug.cli.benchmark_run import print_result, stoppable
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.limit import check_limit

    detail = options.detail(quiet, verbose)
    limit = None if timeout is None else options.duration("--timeout", timeout)
    check_limit(limit)
    suite = None
    if is_suite(scene):
        suite = _suite(ctx, scene, profile, only, seeds, data, quiet=quiet)
        runs: tuple[Run, ...] = suite.runs
        store = suite.store if suite.store and not _given(ctx, "store") else store
    else:
        _refuse_suite_options(ctx)
        request = Request(
            task=options.task_of(scene, task, quiet=quiet).value,
            protocol=None if protocol is None else parse_protocol(protocol, buffer),
            buffer=buffer,
            generators=options.words(generator or ""),
            classifiers=options.words(classifier or ""),
            views=options.words(view or ""),
            lambdas=options.numbers("--lambda", lambdas),
            omegas=[] if omega is None else options.numbers("--omega", omega),
            seeds=options.seeds(seeds),
            patch=patch,
            preset=preset.value,
            overrides=options.overrides(set_ or []),
            ceilings=options.words(ceilings or ""),
        )
        runs = (Run("", ((scene, request),)),)
    settings = cluster_settings(on, cluster or (), suite.cluster if suite else None)
    plans = plan_runs(runs, registry())
    out, err = Console(), Console(stderr=True)
    notes = notes_console(err, quiet=quiet)
    print_lines(notes, [suite.title] if suite and suite.title else [])
    if dry_run:
        print_plan(plans, store, existing.value, device, jobs, settings, out, notes, as_json=json)
        return
    with stoppable(err):
        read = run(
            plans,
            store,
            existing=existing.value,
            device=device,
            jobs=jobs,
            settings=settings,
            limit=limit,
            console=err,
            say=lambda line: print_lines(notes, [line]),
            warn=lambda line: print_lines(err, [line]),
            detail=detail,
        )
    if read is None:
        return
    print_result(plans, read, store, out, err, notes, as_json=json, audit=audit)
    if not out.is_terminal:
        # Once more where the tables end: whoever reads these numbers must know how few samples they are of. On a
        # terminal the verdict is last, and the audit above it says so.
        print_lines(notes, (f"note: {note}" for note in joined(plans).short))
    options.check_complete(plans, read, wanted=existing is not _Existing.none)


def _given(ctx: typer.Context, name: str) -> bool:
    """True where the user typed an option."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _suite(
    ctx: typer.Context,
    ref: str,
    profile: str | None,
    only: str | None,
    seeds: str,
    data: str | None,
    *,
    quiet: bool,
) -> Suite:
    from hsiaug.base.errors import InputError
    from hsiaug.bench.suite import read_suite
    from hsiaug.data.paths import user_path

    refused = [option for name, option in PLAN_OPTIONS.items() if _given(ctx, name)]
    if refused:
        raise InputError(
            "a suite says for itself what its runs are",
            value=", ".join(refused),
            hint=f"Write it into {ref}, or name a scene; of the plan, --seeds alone may be changed here.",
        )
    draws = options.seeds(seeds) if _given(ctx, "seeds") else []
    suite = read_suite(user_path(ref), profile=profile, only=options.words(only or ""), draws=draws)
    return suite if data is None else options.suite_on(suite, data, quiet=quiet)


def _refuse_suite_options(ctx: typer.Context) -> None:
    from hsiaug.base.errors import InputError

    refused = [f"--{name}" for name in ("profile", "only", "data") if _given(ctx, name)]
    if refused:
        raise InputError(
            "--profile, --only and --data belong to a suite",
            value=", ".join(refused),
            hint="Name a suite (a TOML file with [[run]]), or leave them out.",
        )
