"""``hsiaug labels``: how many more labels per class a generator is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.trial.store import Reading, Store

__all__ = ["labels"]


def labels(
    scene: options.SceneRef,
    generator: Annotated[
        str | None,
        typer.Option(
            help="Generators, between commas; none and duplicate always run. Without any: the curve, and what duplicate "
            "is worth.",
            rich_help_panel=options.PLAN,
        ),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option(help="Classifiers, between commas. Default: svm,cnn2d.", rich_help_panel=options.PLAN),
    ] = None,
    view: options.View = None,
    lambdas: Annotated[
        str,
        typer.Option(
            "--lambda",
            help="Sample balance rates λ of the generators, as in 'hsiaug benchmark'.",
            rich_help_panel=options.PLAN,
        ),
    ] = "1",
    omega: Annotated[
        str | None,
        typer.Option(
            help="Guidance strengths ω, as in 'hsiaug benchmark'. Default: the generator's.",
            rich_help_panel=options.PLAN,
        ),
    ] = None,
    added: Annotated[
        str,
        typer.Option(help="Numbers of labels added to each class, between commas.", rich_help_panel=options.PLAN),
    ] = "1,2,3,5,10,20",
    placement: Annotated[
        str,
        typer.Option(
            help="Where they lie, between commas: scattered (anywhere), field (one per field in turn, new fields first) "
            "or clump (round the training clump).",
            rich_help_panel=options.PLAN,
        ),
    ] = "scattered",
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
    preset: options.PresetOfAll = options.PresetName.cpu,
    set_: options.Setting = None,
    ceilings: options.Ceilings = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    on: options.On = None,
    cluster: options.Cluster = None,
    json: options.Json = False,
    audit: options.Audit = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say how many more labels per class an arm is worth.

    Runs a benchmark, and the control [bold]none[/bold] with 1, 2, 3, 5, 10 and 20 more labelled pixels of each class.
    An arm's k* is where that learning curve reaches the arm's score, with an interval from resampled draws: in AA, in
    OA, in fields without a training pixel, and in the worst class. Curve and arms are scored on the same test pixels.
    Finished trials are kept, and those of a benchmark in the same store are taken from it.

    Examples:

      hsiaug labels indian_pines --classifier svm

      hsiaug labels indian_pines --generator smote --classifier svm,cnn2d --lambda 1,3 --seeds 10

      hsiaug labels my_scene.toml --generator txt2hsi --placement scattered,field,clump

      hsiaug report --by labels --out labels.png
    """
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.bench.cluster_settings import cluster_settings
    from hsiaug.bench.label_runs import plan_labels
    from hsiaug.bench.plan import Request
    from hsiaug.bench.run import run
    from hsiaug.cli.benchmark_run import stoppable
    from hsiaug.cli.output import notes_console, print_lines
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.store import Store

    detail = options.detail(quiet, verbose)
    request = Request(
        task=options.task_of(scene, options.TaskName.pixels).value,
        protocol=None if protocol is None else parse_protocol(protocol, buffer),
        buffer=buffer,
        generators=options.words(generator or "") or ("none",),
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
    plans = plan_labels(scene, request, options.numbers("--added", added), options.words(placement), registry())
    out, err = Console(), Console(stderr=True)
    notes = notes_console(err, quiet=quiet)
    with stoppable(err):
        read = run(
            plans,
            store,
            device=device,
            jobs=jobs,
            settings=cluster_settings(on, cluster or (), None),
            console=err,
            say=lambda line: print_lines(notes, [line]),
            warn=lambda line: print_lines(err, [line]),
            detail=detail,
        )
    if read is None:
        return
    _print(read, Store(store), out, err, as_json=json, audit=audit)
    options.check_complete(plans, read)


def _print(read: Reading, kept: Store, out: Console, err: Console, *, as_json: bool, audit: bool) -> None:
    from hsiaug.cli.output import print_json, print_lines
    from hsiaug.report import build_report, print_report, render_report
    from hsiaug.report.label_data import curves_json
    from hsiaug.report.views_labels import curves_of
    from hsiaug.trial.record import damage_lines

    print_lines(err, damage_lines(read.damaged))
    report = build_report(read.records, store=str(kept.root), damaged=read.damaged)
    if as_json:
        print_json({"store": str(kept.root), "labels": curves_json(curves_of(report, kept))})
    elif out.is_terminal:
        print_report(report, out, by="labels", audit=audit)
    else:
        out.file.write(render_report(report, format="md", by="labels"))
