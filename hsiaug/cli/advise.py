"""``hsiaug advise``: which generator to use on a scene, or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.bench.ranges import words
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_facts, print_json, print_lines, print_table
from hsiaug.tasks.settings import PIXELS

if TYPE_CHECKING:
    from hsiaug.advice.advise import Advice
    from hsiaug.advice.context import ShownByBenchmark
    from hsiaug.advice.session import Session
    from hsiaug.base.terminal import Console

STORE = Path("hsiaug-advice")
"""Folder of the records of advice."""
WIDTH = 9
"""Of the names of lines."""


def advise(
    ctx: typer.Context,
    scene: options.SceneRef,
    budget: Annotated[
        str, option("Time to spend: 90s, 20m or 1h.", metavar="TIME", default="20m")
    ] = "20m",
    protocol: Annotated[
        str | None,
        option(
            "Protocol whose training pixels are divided: issd (for masks places or blocks:B),"
            " kshot:K, fixed:FILE, …, split 0, or another such as issd@3; all: every label.",
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
            "Classifiers to try; patches are read with --protocol all only.",
            metavar="NAME,…",
            default=f"those of 'hsiaug benchmark' and {', '.join(PIXELS.advice.classifiers)}",
        ),
    ] = None,
    jobs: options.Jobs = None,
    notes: Annotated[
        bool, option("Also print what was tried, what was not, and why.", "--notes")
    ] = False,
    json: options.Json = False,
) -> None:
    """Recommend a classifier and a generator, or no generator, for a scene.

    Examples:
      hsiaug advise my_scene.toml --budget 20m
      hsiaug advise my_scene.toml --protocol all --classifier svm
      hsiaug advise indian_pines --generator smote,mixup,pseudo

    Reads the labels of --protocol and no others. Divides them repeatedly into inner training and
    test pixels, tries generators on some of these splits, and confirms the best on others. Ends
    within --budget; the same command continues from the records in hsiaug-advice. For a scene,
    --generator or --classifier also set the task: specdm or unet mean masks. docs/decide.md
    explains the answer.
    """
    start = time.time()
    # As in a benchmark: trials side by side, one thread each.
    one_thread()
    seconds = options.duration("--budget", budget)
    err = console(err=True)
    with budget_line(err, seconds) as watch:
        watch("reading the scene")
        found = _find(ctx, scene, protocol, jobs, (start, start + seconds), watch)
    advice, session, benchmark = found
    from hsiaug.cli import advise_print

    if json:
        print_json(advise_print.advice_json(advice, session, benchmark))
        return
    screen = console()
    print_facts(screen, advise_print.advice_lines(advice, session, benchmark), WIDTH)
    if notes:
        rows = list(advise_print.advice_rows(advice))
        print_lines(screen, [""])
        if rows:
            print_table(screen, advise_print.score_header(advice), rows)
        print_lines(screen, advise_print.advice_notes(advice, session))


def _find(
    ctx: typer.Context,
    scene: str,
    protocol: str | None,
    jobs: int | None,
    times: tuple[float, float],
    watch: Callable[[str], None],
) -> tuple[Advice, Session, ShownByBenchmark | None]:
    """The advice, the session that found it, and what a benchmark has shown.

    Parameters
    ----------
    times : (float, float)
        Start and end, as ``time.time()``.
    watch : callable
        Is told what is done.
    """
    from hsiaug.advice.advise import advise as find_advice
    from hsiaug.advice.context import advised_protocol, shown_by_benchmark
    from hsiaug.advice.screening import screening_plan
    from hsiaug.advice.session import Session
    from hsiaug.bench.engines import cluster_settings, open_engine
    from hsiaug.bench.plan import draw_once
    from hsiaug.bench.request import request_of_options
    from hsiaug.bench.run import workers
    from hsiaug.cli.benchmark_run import stoppable
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.store import Store

    generators, classifiers = (words(ctx.params[key] or "") for key in ("generator", "classifier"))
    kind = get_task(options.task_for(scene, generators=generators, classifiers=classifiers))
    data = kind.data.load(scene)
    err = console(err=True)

    def note(line: str) -> None:
        print_lines(err, [line])

    if not protocol:
        protocol, why = advised_protocol(kind, data, scene, kind.settings.on(data).protocol)
        if why:
            note(f"note: {why}")
    request = request_of_options(
        scene,
        ctx.params,
        task=kind.name,
        protocol=f"within:{protocol}",
        lambdas=kind.settings.advice.lambdas,
    )
    watch("choosing inner splits")
    planned = screening_plan(data, request, registry(), scene)
    jobs = workers(jobs, "auto", planned[0])
    settings = cluster_settings(None, ())
    with stoppable(err), open_engine(settings, jobs, note) as engine:
        session = Session(
            data,
            scene,
            registry(),
            Store(STORE, create=True),
            "auto",
            engine,
            *times,
            watch=watch,
            draw=draw_once(kind, data),
            scores=planned[0].task.metrics.advice,
        )
        advice = find_advice(planned, request, session)
        return advice, session, shown_by_benchmark(Path(defaults.STORE), data, kind)


LINE_EVERY = 60.0
"""Seconds between two lines of progress where there is no terminal."""


@contextmanager
def budget_line(err: Console, seconds: float) -> Iterator[Callable[[str], None]]:
    """A line that is rewritten in place, with the time that is spent of a budget; elsewhere than on
    a terminal a line a minute at most. Gives a function that says what is done.
    """
    from rich.live import Live
    from rich.text import Text

    from hsiaug.base.terminal import live

    begin = time.monotonic()
    doing, last = "", float("-inf")

    def line() -> Text:
        spent = time.monotonic() - begin
        text = f"advise {_clock(spent)} of {_clock(seconds)} · {doing}"
        return Text(text, no_wrap=True, overflow="ellipsis")

    def watch(now: str) -> None:
        nonlocal doing, last
        doing = now
        if not live(err) and time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            print_lines(err, [line().plain])

    if not live(err):
        yield watch
        return
    with Live(console=err, get_renderable=line, refresh_per_second=2, transient=True):
        yield watch


def _clock(seconds: float) -> str:
    """``2:10``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
