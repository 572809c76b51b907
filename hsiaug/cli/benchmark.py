"""``hsiaug benchmark``: run what is missing of a plan or a suite, and print its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults, ranges
from hsiaug.cli import options
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import console, print_lines, say_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hsiaug.bench.plan import Plan
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
    scene: Annotated[str | None, typer.Argument(metavar="SCENE", help=options.SCENE)] = None,
    generator: options.Generators = None,
    classifier: options.Classifiers = None,
    lambdas: options.Lambdas = None,
    omega: options.Omegas = None,
    protocol: options.AnyProtocol = None,
    seeds: options.Seeds = None,
    store: options.StoreDir = Path(defaults.STORE),
    set_: options.Setting = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    dry_run: Annotated[
        bool, option("Print the plan, its cost and its first split; run nothing.", "--dry-run")
    ] = False,
    out: Annotated[
        list[Path] | None,
        option(
            "With --dry-run, write the first split: .png, .svg or .pdf (a map), .md, .tex, .csv or"
            " .json (a table), for pixels .npz or .mat (masks train and test, for fixed:FILE);"
            " repeat for more.",
            metavar="FILE",
        ),
    ] = None,
    json: options.Json = False,
    task: options.Task = None,
    view: options.View = None,
    times: options.TimesList = None,
    train: options.Train = None,
    buffer: options.Buffer = None,
    patch: options.Patch = None,
    preset: options.Preset = defaults.PRESET,
    suite: options.SuiteFile = None,
    on: options.On = None,
    cluster: options.Cluster = None,
    timeout: Annotated[
        str | None,
        option(
            "End a trial that takes longer, and record it as failed: 90s, 20m or 1h.",
            metavar="TIME",
            panel=options.WHERE,
        ),
    ] = None,
) -> None:
    """Compare generators and classifiers on a scene with few labels.

    Examples:
      hsiaug benchmark indian_pines --generator smote --classifier svm,cnn2d --lambda 0.5
      hsiaug benchmark indian_pines --generator txt2hsi --lambda 1,3 --omega 0,1,2:4:2 --seeds 10
      hsiaug benchmark my_scene.toml --generator smote --dry-run --out split.png
      hsiaug benchmark --suite my_suite.toml
      hsiaug benchmark oscd --generator specdm,ldm_single --lambda 1,3,5 --seeds 3

    Runs every generator, λ, M, ω and classifier on the same splits, with their controls. Prints
    accuracy, gains over the controls with intervals, and the audit of the protocol. The same
    command continues a stopped run. A suite is a list of such runs (docs/papers.md).
    """
    # One thread per trial: trials run side by side instead, and give the same result whatever
    # --jobs is. Set before the numerical libraries load.
    one_thread()
    from hsiaug.bench.engines import cluster_settings
    from hsiaug.bench.plans_of_runs import plan_runs
    from hsiaug.bench.request import request_of_options
    from hsiaug.bench.suite import Run, find_suite, read_suite
    from hsiaug.cli.benchmark_run import print_plan, run_and_print
    from hsiaug.registry.lookup import registry
    from hsiaug.registry.progress import show_progress

    seconds = None if timeout is None else options.duration("--timeout", timeout)
    if out:
        _check_split_files(out, dry_run=dry_run, suite=suite)
    notes = console(err=True)
    if (scene is None) == (suite is None):
        both = None if scene is None else f"{scene} and --suite {suite}"
        hint = "Name one of them, as hsiaug benchmark indian_pines."
        raise InputError("a benchmark is of a SCENE or of a --suite", value=both, hint=hint)
    named_suite: Suite | None = None
    if suite is not None:
        refuse_typed(
            ctx,
            PLAN_OPTIONS,
            "a suite says for itself what its runs are",
            f"Write it into {suite}; --seeds alone may be changed here.",
        )
        seed_list = [] if seeds is None else ranges.seeds(seeds)
        named_suite = read_suite(find_suite(suite), seeds=seed_list)
        runs: tuple[Run, ...] = named_suite.runs
        if named_suite.store is not None and not given(ctx, ["store"]):
            store = named_suite.store
        if named_suite.file.title:
            print_lines(notes, [named_suite.file.title])
    else:
        request = request_of_options(scene or "", ctx.params)
        runs = (Run("", ((scene or "", request),)),)
    suite_cluster = named_suite.file.cluster if named_suite else None
    settings = cluster_settings(on, cluster or (), suite_cluster)
    with show_progress(notes, "choosing splits") as progress:
        plans = plan_runs(runs, registry(), progress=progress)
    if dry_run:
        print_plan(
            plans,
            store=store,
            device=device,
            jobs=jobs,
            out=console(),
            notes=notes,
            as_json=json,
        )
        if out:
            save_split(plans[0], out)
        return
    run_and_print(
        plans,
        store,
        as_json=json,
        device=device,
        jobs=jobs,
        settings=settings,
        limit=seconds,
    )


def _check_split_files(out: Sequence[Path], *, dry_run: bool, suite: str | None) -> None:
    """Refuse files of a split whose ending says nothing, and any of a run or of a suite."""
    from hsiaug.base.files import PICTURES, TABLES, check_targets
    from hsiaug.report.output_files import ARRAYS

    if not dry_run or suite is not None:
        rule = "--out writes the split of a scene, with --dry-run"
        hint = "Of results: hsiaug report --out FILE."
        raise InputError(rule, value=", ".join(map(str, out)), hint=hint)
    check_targets(out, (*PICTURES, *TABLES, *ARRAYS))


def save_split(plan: Plan, out: Sequence[Path]) -> None:
    """Write the first split of a plan: its map, its table of classes, its masks."""
    from hsiaug.report.output_files import (
        array_writers,
        figure_writers,
        table_writers,
        write_files,
    )
    from hsiaug.report.splits import split_figure, split_masks, split_tables

    split = next(iter(plan.splits.values()))
    writers = {
        **figure_writers(lambda: split_figure(plan.scene, split)),
        **table_writers(lambda: split_tables(plan.scene, split)),
        **array_writers(lambda: split_masks(split)),
    }
    write_files(out, writers)
    say_written(out)
