"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its record.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from rich.console import Console
from rich.progress import (
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hsiaug.base.terminal import live, progress_bars
from hsiaug.bench.costs import Costs
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.eta import Forecast
from hsiaug.trial.failures import ErrorKind, error_kind, one_line, why_failed
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["ENDS", "Detail", "describe", "watching"]

Detail = Literal["quiet", "usual", "verbose"]
"""How much of a run is told while it goes on."""

ENDS = ("ok", "failed", "empty")
"""Events that end a trial."""

PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""

LIVE_EVERY = 1.0
"""Seconds between two forecasts of the live bar."""


def describe(trial: TrialSpec) -> str:
    """A trial in a few words."""
    lam = f" λ={trial.lam:g}" if trial.lam else ""
    omega = "" if trial.omega is None else f" ω={trial.omega:g}"
    return one_line(f"{trial.generator.name}{lam}{omega} · {trial.classifier_label} · draw {trial.seed}")


@contextmanager
def watching(
    trials: Mapping[str, TrialSpec],
    console: Console,
    *,
    costs: Costs | None = None,
    jobs: int = 1,
    store: Store | None = None,
    detail: Detail = "usual",
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[OnEvent]:
    """A function to hand events to while the trials (by hash) run, in ``jobs`` processes.

    trials: in the order in which they run. costs: what is known of them. store: where failures are read.
    detail: quiet = failures alone, verbose = a line for every trial as it ends.
    """
    forecast = Forecast(trials, costs or Costs(), jobs=jobs, clock=clock)
    failures = _Failures(trials, console, store)
    with _shown(trials, console, forecast, failures, detail, clock) as show:

        def on_event(event: Event) -> None:
            if event.kind == "start":
                forecast.started(event.hash)
            elif event.kind in ENDS:
                forecast.ended(event.hash, event.timings if event.kind == "ok" else None)
            if event.kind == "failed":
                failures(event.hash)
            show(event)

        yield on_event


@contextmanager
def _shown(
    trials: Mapping[str, TrialSpec],
    console: Console,
    forecast: Forecast,
    failures: _Failures,
    detail: Detail,
    clock: Callable[[], float],
) -> Iterator[OnEvent]:
    every = 0.0 if detail == "verbose" else PLAIN_EVERY
    lines = _Lines(trials, console, forecast, failures, every, clock)
    if detail == "quiet":
        yield lambda event: None
    elif live(console):
        with _live(trials, console, forecast, clock) as show:

            def both(event: Event) -> None:
                show(event)
                if detail == "verbose":
                    lines(event)

            yield both
    else:
        yield lines


class _Failures:
    """Prints the first failure of every error, and nothing of those alike."""

    def __init__(self, trials: Mapping[str, TrialSpec], console: Console, store: Store | None) -> None:
        self._trials = trials
        self._console = console
        self._store = store
        self._told: set[ErrorKind] = set()

    def why(self, hash: str) -> str:
        """The reason of a failure in one line."""
        record = None if self._store is None else self._store.get(hash)
        return "" if record is None else why_failed(record)

    def __call__(self, hash: str) -> None:
        if self._store is None:
            return
        record = self._store.get(hash)
        if record is None or error_kind(record) in self._told:
            return
        self._told.add(error_kind(record))
        show = f"hsiaug show {hash} --store {shlex.quote(str(self._store.root))}"
        said = f"failed: {describe(self._trials[hash])}: {why_failed(record)}. See it whole: {show}"
        self._console.print(Text(said, style="yellow"), soft_wrap=True, highlight=False)


class _Eta(ProgressColumn):
    """The forecast for the whole run; for a trial what its own steps give."""

    max_refresh = 0.5

    def __init__(self, forecast: Forecast, clock: Callable[[], float]) -> None:
        super().__init__()
        self._forecast, self._clock = forecast, clock
        self._own = TimeRemainingColumn()
        self._said, self._at = "", float("-inf")

    def render(self, task: Task) -> Text:
        if not task.fields.get("whole"):
            own = self._own.render(task)
            return Text("ETA ").append_text(own) if own.plain else own
        if self._clock() - self._at >= LIVE_EVERY:
            self._said, self._at = str(self._forecast.left()), self._clock()
        return Text(self._said)


@contextmanager
def _live(
    trials: Mapping[str, TrialSpec], console: Console, forecast: Forecast, clock: Callable[[], float]
) -> Iterator[OnEvent]:
    after = (MofNCompleteColumn(), TimeElapsedColumn(), _Eta(forecast, clock))
    with progress_bars(console, *after, before=(SpinnerColumn(),), width=24) as bars:
        overall = bars.add_task("trials", total=len(trials), whole=True)
        running: dict[str, TaskID] = {}

        def on_event(event: Event) -> None:
            if event.kind == "start":
                running[event.hash] = bars.add_task(f"  {describe(trials[event.hash])}", total=None)
            elif event.kind == "step" and event.hash in running:
                note = f" · {one_line(event.note, 60)}" if event.note else ""
                bars.update(
                    running[event.hash],
                    completed=event.done,
                    total=event.total,
                    description=f"  {describe(trials[event.hash])}{note}",
                )
            elif event.kind in ENDS:
                bars.advance(overall)
                if event.hash in running:
                    bars.remove_task(running.pop(event.hash))

        yield on_event


class _Lines:
    """``[done/total] trial: status, ETA``, at most every so many seconds, and once at the end.

    With the reason of what failed; where every trial has its line, with its seconds by stage.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        console: Console,
        forecast: Forecast,
        failures: _Failures,
        every: float,
        clock: Callable[[], float],
    ) -> None:
        self._trials = trials
        self._console = console
        self._forecast = forecast
        self._failures = failures
        self._every = every
        self._clock = clock
        self._done = 0
        self._last = clock()

    def __call__(self, event: Event) -> None:
        if event.kind not in ENDS:
            return
        self._done += 1
        now = self._clock()
        total = len(self._trials)
        if self._done < total and now - self._last < self._every:
            return
        self._last = now
        why = self._failures.why(event.hash) if event.kind == "failed" else ""
        said = [
            f"{event.kind} ({why})" if why else event.kind,
            *([_seconds(event.timings)] if event.timings and not self._every else []),
            *([str(self._forecast.left())] if self._done < total else []),
        ]
        self._console.print(
            f"[{self._done}/{total}] {describe(self._trials[event.hash])}: {', '.join(said)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _seconds(timings: Mapping[str, float]) -> str:
    """``7.9 s (fit_classifier 6.9, predict 0.9)``; without a fit that was there: its seconds were spent before."""
    spent = {stage: seconds for stage, seconds in timings.items() if stage != "total"}
    whole = timings.get("total", 0.0)
    if sum(spent.values()) > whole:
        spent.pop("fit_generator", None)
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in spent.items())
    return f"{whole:.1f} s" + (f" ({stages})" if stages else "")
