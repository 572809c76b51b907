"""``hsiaug advise``: which generator to use on a scene, or none."""

import time
from pathlib import Path
from typing import Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_facts, print_json, print_lines, print_table
from hsiaug.tasks.settings import PIXELS

WIDTH = 11
"""Of the names of lines."""


def advise(
    ctx: typer.Context,
    scene: options.SceneRef,
    budget: Annotated[
        str, option("Time that may be spent: 90s, 20m or 1h.", metavar="TIME", default="20m")
    ] = "20m",
    protocol: Annotated[
        str | None,
        option(
            "Whose training pixels are divided: issd (of masks places or blocks:B), kshot:K,"
            " fixed:FILE, …, of seed 0, or another as issd@3; all: every labelled pixel.",
            metavar="PROTOCOL",
            default="all for a scene of your own with two fields or more of a class on average,"
            " else issd",
        ),
    ] = None,
    generator: Annotated[
        str | None,
        option("Generators to try.", metavar="NAME,…", default="all that need no file"),
    ] = None,
    classifier: Annotated[
        str | None,
        option(
            "Classifiers to try; those that read patches with --protocol all alone.",
            metavar="NAME,…",
            default=f"those of 'hsiaug benchmark' and {', '.join(PIXELS.advice.classifiers)}",
        ),
    ] = None,
    lambdas: Annotated[
        str | None,
        option(
            "Sample balance rates λ to try, the smallest first.",
            "--lambda",
            metavar="NUMBER,…",
            default="0,1,4,8; masks 1,4,8",
        ),
    ] = None,
    patch: options.Patch = None,
    store: Annotated[
        Path,
        option("Folder of the records.", "--store", metavar="FOLDER", default="hsiaug-advice"),
    ] = Path("hsiaug-advice"),
    jobs: options.Jobs = None,
    json: options.Json = False,
) -> None:
    """Say which classifier and generator to use on a scene, or that no generator helps.

    Examples:
      hsiaug advise my_scene.toml --budget 20m
      hsiaug advise my_scene.toml --protocol all --classifier svm
      hsiaug advise indian_pines --generator smote,mixup --lambda 1,2,4,8

    Reads the labels that --protocol names and no other: divides them again and again into inner
    training and test pixels, tries generators on some of these splits, and confirms the best on
    others. Starts nothing that would end after --budget; the same command again goes on where it
    was. What the answer is worth: docs/decide.md.
    """
    start = time.time()
    # As in a benchmark: trials side by side, one thread each.
    one_thread()
    from hsiaug.advice.advise import advise as find_advice
    from hsiaug.advice.context import advised_protocol, allowance, shown_by_benchmark
    from hsiaug.advice.screening import screening_plan
    from hsiaug.advice.session import Session
    from hsiaug.bench.engines import cluster_settings, open_engine
    from hsiaug.bench.plan import draw_once
    from hsiaug.bench.request import request_of_options
    from hsiaug.bench.run import workers
    from hsiaug.cli.advise_print import advice_json, tell_advice
    from hsiaug.cli.benchmark_run import stoppable
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task, task_of
    from hsiaug.trial.store import Store

    settings = cluster_settings(None, ())
    end = start + options.duration("--budget", budget)
    learning_task = get_task(task_of(scene, None))
    loaded = learning_task.data.load(scene)
    usual = learning_task.settings.on(loaded).protocol
    why = ""
    if not protocol:
        protocol, why = advised_protocol(learning_task, loaded, scene, usual)
    lambdas = lambdas or learning_task.settings.advice.lambdas
    request = request_of_options(scene, ctx.params, protocol=f"within:{protocol}", lambdas=lambdas)
    planned = screening_plan(loaded, request, registry(), scene)
    err = console(err=True)
    jobs = workers(jobs, "auto", planned[0])

    def note(line: str) -> None:
        print_lines(err, [line])

    if why:
        note(f"note: {why}")
    with stoppable(err), open_engine(settings, jobs, note) as engine:
        records = Store(store, create=True)
        session = Session(
            loaded,
            scene,
            registry(),
            records,
            "auto",
            engine,
            start,
            end,
            console=err,
            draw=draw_once(learning_task, loaded),
            scores=planned[0].task.metrics.advice,
        )
        note(f"note: {allowance(planned[0], session, budget)}")
        advice = find_advice(planned, request, session)
        benchmark = shown_by_benchmark(Path(defaults.STORE), loaded)
        header, rows, lines = tell_advice(advice, session, benchmark)
    if json:
        print_json(advice_json(advice, session, lines, benchmark))
        return
    screen = console()
    if rows:
        print_table(screen, header, rows)
    print_facts(screen, lines, WIDTH)
