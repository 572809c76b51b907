"""``hsiaug benchmark``: run what is missing of a plan or a suite, and print its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.threads import one_thread
from hsiaug.bench import ranges
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import notes_console, print_lines

OWN_NAMES = ranges.words("task,generator,classifier,view,times,train,omega,protocol,buffer,patch,preset")
PLAN_OPTIONS = {**{name: name for name in OWN_NAMES}, "lambdas": "lambda", "set_": "set"}
"""Options that a suite sets for itself, run by run, by parameter."""


def benchmark(
    ctx: typer.Context,
    scene: Annotated[
        str | None,
        typer.Argument(
            metavar="SCENE|SUITE",
            help="A scene of 'hsiaug datasets list', the TOML card of your own, the folder of a card or of pairs, or a "
            "suite of runs (TOML).",
        ),
    ] = None,
    task: options.Task = None,
    generator: options.Generators = None,
    classifier: options.Classifiers = None,
    view: options.View = None,
    lambdas: options.Lambdas = "1",
    times: options.TimesList = None,
    train: options.Train = None,
    omega: options.Omegas = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seeds: options.Seeds = "5",
    patch: options.Patch = None,
    store: options.StoreDir = Path("hsiaug-results"),
    existing: Annotated[
        Literal["only-missing", "all", "none"],
        option(
            "only-missing: take trials from the store, run the rest (failed ones again). all: run everything again. "
            "none: run nothing, show what the store holds.",
            panel=options.WHERE,
        ),
    ] = "only-missing",
    preset: options.Preset = "cpu",
    set_: options.Setting = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    on: options.On = None,
    cluster: options.Cluster = None,
    timeout: Annotated[
        str | None,
        option(
            "End a trial that takes longer, as 90s, 20m or 1h; it is then recorded as failed.", panel=options.WHERE
        ),
    ] = None,
    suite: options.SuiteFile = None,
    profile: Annotated[
        str | None,
        option("Of a suite: the profile that changes its runs, as a smaller size.", panel=options.PLAN),
    ] = None,
    only: Annotated[
        str, option("Of a suite: the runs wanted, between commas.", show_default=False, panel=options.PLAN)
    ] = "",
    data: options.SuiteData = None,
    dry_run: Annotated[bool, option("Print the plan, its cost and its splits; run nothing.", "--dry-run")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: Annotated[
        bool,
        option(
            "A line for every trial as it ends, with its seconds by stage.",
            "--verbose",
            "-v",
            panel=options.OUTPUT,
        ),
    ] = False,
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

      hsiaug benchmark --suite my_suite.toml --profile smoke --only default

      hsiaug benchmark --suite txt2hsi_claims --data my_scene.toml

      hsiaug benchmark my_pairs --generator specdm

      hsiaug benchmark oscd --generator specdm,ldm_single --lambda 1,3,5 --seeds 3

    """
    # One thread per trial: trials run side by side instead, and give the same result whatever --jobs is.
    # Set before the numerical libraries load.
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.bench.cluster_settings import cluster_settings
    from hsiaug.bench.schedule import plan_runs
    from hsiaug.bench.suite import Run, find_suite, is_suite, read_suite
    from hsiaug.cli.benchmark_plan import print_plan
    from hsiaug.cli.benchmark_run import run_and_print
    from hsiaug.registry.lookup import registry
    from hsiaug.registry.progress import show_progress
    from hsiaug.trial.limit import check_limit

    if quiet and verbose:
        raise InputError("a run is quiet or verbose", value="--quiet --verbose", hint="Leave out one of them.")
    limit = None if timeout is None else options.duration("--timeout", timeout)
    check_limit(limit)
    if (scene is None) == (suite is None):
        found = None if scene is None else f"{scene} and --suite {suite}"
        hint = "Name one of them; --data runs a suite on a scene of yours."
        raise InputError("a benchmark is of a scene or of a suite", value=found, hint=hint)
    notes, several = notes_console(Console(stderr=True), quiet=quiet), None
    if scene is None or is_suite(scene):
        ref = suite or scene or ""
        _refuse_plan_options(ctx, ref)
        draws = ranges.seeds(seeds) if _given(ctx, "seeds") else []
        several = read_suite(find_suite(ref), profile=profile, only=ranges.words(only), draws=draws)
        several = several if data is None else options.suite_on(several, data, quiet=quiet)
        runs: tuple[Run, ...] = several.runs
        store = several.store if several.store and not _given(ctx, "store") else store
        print_lines(notes, [several.title] if several.title else [])
    else:
        _refuse_suite_options(ctx)
        request = options.plan_request(
            options.task_of(scene, task),
            generator=generator,
            classifier=classifier,
            view=view,
            lambdas=lambdas,
            times=times,
            train=train,
            omega=omega,
            seeds=seeds,
            protocol=protocol,
            buffer=buffer,
            patch=patch,
            preset=preset,
            set_=set_,
        )
        runs = (Run("", ((scene, request),)),)
    settings = cluster_settings(on, cluster or (), several.cluster if several else None)
    with show_progress(notes, "drawing splits") as progress:
        plans = plan_runs(runs, registry(), progress=progress)
    if dry_run:
        print_plan(plans, store, existing, device, jobs, settings, Console(), notes, as_json=json)
        return
    run_and_print(
        plans,
        store,
        existing=existing,
        device=device,
        jobs=jobs,
        settings=settings,
        limit=limit,
        as_json=json,
        quiet=quiet,
        verbose=verbose,
    )


def _given(ctx: typer.Context, name: str) -> bool:
    """True where the user typed an option."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _refuse_plan_options(ctx: typer.Context, ref: str) -> None:
    if refused := [f"--{option}" for name, option in PLAN_OPTIONS.items() if _given(ctx, name)]:
        raise InputError(
            "a suite says for itself what its runs are",
            value=", ".join(refused),
            hint=f"Write it into {ref}, or name a scene; of the plan, --seeds alone may be changed here.",
        )


def _refuse_suite_options(ctx: typer.Context) -> None:
    if refused := [f"--{name}" for name in ("profile", "only", "data") if _given(ctx, name)]:
        raise InputError(
            "--profile, --only and --data belong to a suite",
            value=", ".join(refused),
            hint="Name a suite in place of the scene, or leave them out.",
        )
