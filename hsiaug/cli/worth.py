"""``hsiaug worth``: how many more labels per class a generator is worth."""

from pathlib import Path

import typer

from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.cli import options

ADDED = (1, 2, 3, 5, 10, 20)
"""Labels that are added to each class."""


def worth(
    ctx: typer.Context,
    scene: options.SceneRef,
    generator: options.Generators = None,
    classifier: options.Classifiers = None,
    lambdas: options.Lambdas = None,
    protocol: options.AnyProtocol = None,
    seeds: options.Seeds = None,
    store: options.StoreDir = Path(defaults.STORE),
    jobs: options.Jobs = None,
) -> None:
    """Measure how many more labels per class a generator is worth.

    Examples:
      hsiaug worth indian_pines --classifier svm
      hsiaug worth indian_pines --generator smote --classifier svm,cnn2d --lambda 1,3 --seeds 10
      hsiaug report --by labels --out labels.png

    Runs a benchmark, and the classifiers without synthetic samples with 1, 2, 3, 5, 10 and 20 more
    labelled pixels of each class. The label equivalent of a configuration is where this learning
    curve reaches its score, with an interval from resampled splits: for AA, OA, fields without
    training pixels, and the worst class. All are scored on the same test pixels. Trials in the
    store are reused.
    """
    one_thread()
    from hsiaug.bench.engines import cluster_settings
    from hsiaug.bench.plans_of_runs import plan_labels
    from hsiaug.bench.request import request_of_options
    from hsiaug.cli.benchmark_run import run_and_print
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.arm import NONE

    request = request_of_options(scene, ctx.params, task="pixels", generator=generator or NONE)
    plans = plan_labels(scene, request, ADDED, registry())
    run_and_print(plans, store, by="labels", jobs=jobs, settings=cluster_settings(None, ()))
