"""``hsiaug benchmark``: run what is missing of a plan or a suite, and print its tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults, ranges
from hsiaug.cli import options
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import cache_notes, console, hushed, notes_console, print_lines

if TYPE_CHECKING:
    from hsiaug.bench.suite import Suite

PLAN_OPTIONS = (
    "task",
    "generator",
    "classifier",
    "view",
    "lambdas",
    "times",
    "train",
    "omega",
    "protocol",
    "buffer",
    "patch",
    "preset",
    "set_",
)
"""Options that a suite sets for itself, run by run, by parameter."""


def benchmark(
    ctx: typer.Context,
    scene: Annotated[
        str | None,
        typer.Argument(
            metavar="SCENE|SUITE",
            help=(
                "A scene of 'hsiaug datasets list', a card (TOML), the folder of a card or of"
                " pairs, or a suite."
            ),
        ),
    ] = None,
    task: options.Task = None,
    generator: options.Generators = None,
    classifier: options.Classifiers = None,
    view: options.View = None,
    lambdas: options.Lambdas = None,
    times: options.TimesList = None,
    train: options.Train = None,
    omega: options.Omegas = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seeds: options.Seeds = None,
    patch: options.Patch = None,
    store: options.StoreDir = Path(defaults.STORE),
    existing: Annotated[
        Literal["only-missing", "all", "none"],
        option(
            "only-missing: what the store lacks, and failed trials again. all: everything again."
            " none: nothing.",
            panel=options.WHERE,
        ),
    ] = "only-missing",
    preset: options.Preset = defaults.PRESET,
    set_: options.Setting = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    on: options.On = None,
    cluster: options.Cluster = None,
    timeout: Annotated[
        str | None,
        option(
            "End a trial that takes longer, as 90s, 20m or 1h, and record it as failed.",
            panel=options.WHERE,
        ),
    ] = None,
    isolate: Annotated[
        Literal["auto", "on", "off"],
        option(
            "Keep workers from the files that hold labels; auto: where the system can.",
            panel=options.WHERE,
        ),
    ] = "auto",
    limit: Annotated[
        list[str] | None,
        option(
            "Of each worker: memory=8GB, file=500MB (its size) or processes=200; repeat for more.",
            metavar="NAME=AMOUNT",
            panel=options.WHERE,
        ),
    ] = None,
    suite: options.SuiteFile = None,
    dry_run: Annotated[
        bool, option("Print the plan, its cost and its splits; run nothing.", "--dry-run")
    ] = False,
    smallest_gain: options.SmallestGain = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Benchmark generators on a scene with few, unequal labels.

    Runs every generator × λ × ω × classifier on the same draws, with the controls none and
    duplicate (pseudo and teacher too for what reads unlabelled pixels), and coords for information.
    Prints OA / AA / κ, the gain over the controls, and the protocol's audit. A stopped run goes
    on where it was. A suite is a list of such runs (TOML), each with tables of its own.

    Examples:
      hsiaug benchmark indian_pines --generator smote --classifier svm,cnn2d --lambda 0.5
      hsiaug benchmark indian_pines --generator txt2hsi --lambda 1,3 --omega 0,1,2:4:2 --seeds 10
      hsiaug benchmark my_scene.toml --generator smote --dry-run
      hsiaug benchmark --suite my_suite.toml --dry-run
      hsiaug benchmark oscd --generator specdm,ldm_single --lambda 1,3,5 --seeds 3
    """
    # One thread per trial: trials run side by side instead, and give the same result whatever
    # --jobs is. Set before the numerical libraries load.
    one_thread()
    if quiet:
        ctx.with_resource(hushed())
    from hsiaug.bench.bounds import Bounds
    from hsiaug.bench.engines import cluster_settings
    from hsiaug.bench.plans_of_runs import plan_runs
    from hsiaug.bench.request import request_of_options
    from hsiaug.bench.suite import Run, find_suite, is_suite, read_suite
    from hsiaug.cli.benchmark_run import print_plan, run_and_print
    from hsiaug.registry.lookup import registry
    from hsiaug.registry.progress import show_progress

    seconds = None if timeout is None else options.duration("--timeout", timeout)
    bounds = Bounds.of(isolate, limit or ())
    if (scene is None) == (suite is None):
        both_named = None if scene is None else f"{scene} and --suite {suite}"
        raise InputError(
            "a benchmark is of a scene or of a suite", value=both_named, hint="Name one of them."
        )
    notes = notes_console(console(err=True), quiet=quiet)
    print_lines(notes, cache_notes())
    named_suite: Suite | None = None
    if scene is None or is_suite(scene):
        ref = suite or scene or ""
        refuse_typed(
            ctx,
            PLAN_OPTIONS,
            "a suite says for itself what its runs are",
            f"Write it into {ref}, or name a scene; of the plan, --seeds alone may be changed"
            " here.",
        )
        typed_seeds = [] if seeds is None else ranges.seeds(seeds)
        named_suite = read_suite(find_suite(ref), seeds=typed_seeds)
        runs: tuple[Run, ...] = named_suite.runs
        if named_suite.store is not None and not given(ctx, ["store"]):
            store = named_suite.store
        if named_suite.file.title:
            print_lines(notes, [named_suite.file.title])
    else:
        request = request_of_options(scene, ctx.params)
        runs = (Run("", ((scene, request),)),)
    suite_cluster = named_suite.file.cluster if named_suite else None
    settings = cluster_settings(on, cluster or (), suite_cluster)
    with show_progress(notes, "drawing splits") as progress:
        plans = plan_runs(runs, registry(), progress=progress)
    if dry_run:
        print_plan(
            plans,
            store=store,
            existing=existing,
            device=device,
            jobs=jobs,
            out=console(),
            notes=notes,
            as_json=json,
        )
        return
    run_and_print(
        plans,
        store,
        as_json=json,
        quiet=quiet,
        smallest_gain=smallest_gain,
        existing=existing,
        bounds=bounds,
        device=device,
        jobs=jobs,
        settings=settings,
        limit=seconds,
    )
