"""``hsiaug labels``: how many more labels per class a generator is worth."""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults, ranges
from hsiaug.cli import options
from hsiaug.cli.options import option


def labels(
    ctx: typer.Context,
    scene: options.SceneRef,
    generator: options.Generators = None,
    classifier: options.Classifiers = None,
    view: options.View = None,
    lambdas: options.Lambdas = None,
    times: options.TimesList = None,
    omega: options.Omegas = None,
    added: Annotated[
        str, option("Labels added to each class, between commas.", panel=options.PLAN)
    ] = "1,2,3,5,10,20",
    protocol: options.AnyProtocol = None,
    seeds: options.Seeds = None,
    patch: options.Patch = None,
    store: options.StoreDir = Path(defaults.STORE),
    preset: options.Preset = defaults.PRESET,
    set_: options.Setting = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    on: options.On = None,
    json: options.Json = False,
) -> None:
    """Say how many more labels per class an arm is worth.

    Runs a benchmark, and the control [bold]none[/bold] with 1, 2, 3, 5, 10 and 20 more labelled
    pixels of each class. An arm's k* is where that learning curve reaches the arm's score, with an
    interval from resampled draws: in AA, in OA, in fields without a training pixel, and in the
    worst class. Curve and arms are scored on the same test pixels. Finished trials are kept, and
    those of a benchmark in the same store are taken from it.

    Examples:
      hsiaug labels indian_pines --classifier svm
      hsiaug labels indian_pines --generator smote --classifier svm,cnn2d --lambda 1,3 --seeds 10
      hsiaug report --by labels --out labels.png
    """
    one_thread()
    from hsiaug.bench.engines import cluster_settings
    from hsiaug.bench.plans_of_runs import plan_labels
    from hsiaug.bench.request import request_of_options
    from hsiaug.cli.benchmark_run import run_and_print
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.arm import NONE

    request = request_of_options(scene, ctx.params, task="pixels", generator=generator or NONE)
    plans = plan_labels(scene, request, ranges.numbers("--added", added), registry())
    run_and_print(
        plans,
        store,
        by="labels",
        as_json=json,
        device=device,
        jobs=jobs,
        settings=cluster_settings(on, ()),
    )
