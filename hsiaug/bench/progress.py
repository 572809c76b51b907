"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its record.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
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
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.failures import ErrorKind, error_kind, one_line, why_failed
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["Detail", "describe", "watching"]

Detail = Literal["quiet", "usual", "verbose"]
"""How much of a run is told while it goes on."""

PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""

LIVE_EVERY = 1.0
"""Seconds between two forecasts of the live bar."""


def describe(trial: TrialSpec) -> str:
    """A trial in a few words."""
    alone, lam = ALONE * (trial.train != BOTH), f" λ={trial.rate}" if trial.rate else ""
    omega = "" if trial.omega is None else f" ω={trial.omega:g}"
    return one_line(f"{trial.generator.name}{alone}{lam}{omega} · {trial.classifier_label} · draw {trial.seed}")


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
    drawn = detail != "quiet" and live(console)
    lines = _Lines(trials, console, store, forecast, 0.0 if detail == "verbose" else PLAIN_EVERY, clock)
    with _bars(trials, console, forecast, clock) if drawn else nullcontext(None) as bars:

        def on_event(event: Event) -> None:
            if event.kind == "start":
                forecast.started(event.hash)
            elif event.kind != "step":
                forecast.ended(event.hash, event.timings if event.kind == "ok" else None)
                lines.end(event, whole=detail == "verbose" or (detail == "usual" and not drawn))
            if bars is not None:
                bars(event)

        yield on_event


class _Lines:
    """``[done/total] trial: status, ETA``, at most every so many seconds, and once at the end; each error once.

    With the reason of what failed; where every trial has its line, with its seconds by stage.
    """

    def __init__(
        self,
        trials: Mapping[str, TrialSpec],
        console: Console,
        store: Store | None,
        forecast: Forecast,
        every: float,
        clock: Callable[[], float],
    ) -> None:
        self._trials, self._console, self._store, self._forecast = trials, console, store, forecast
        self._every, self._clock, self._last = every, clock, clock()
        self._done = 0
        self._told: set[ErrorKind] = set()

    def end(self, event: Event, *, whole: bool) -> None:
        """A trial has ended. whole: whether there is a line for what went well too."""
        self._done += 1
        record = self._store.get(event.hash) if event.kind == "failed" and self._store is not None else None
        name, why = describe(self._trials[event.hash]), "" if record is None else why_failed(record)
        if record is not None and self._store is not None and error_kind(record) not in self._told:
            self._told.add(error_kind(record))
            show = f"hsiaug show {event.hash} --store {shlex.quote(str(self._store.root))}"
            self._print(Text(f"failed: {name}: {why}. See it whole: {show}", style="yellow"))
        last = self._done == len(self._trials)
        if not whole or (not last and self._clock() - self._last < self._every):
            return
        self._last = self._clock()
        said = [
            f"{event.kind} ({why})" if why else event.kind,
            *([_seconds(event.timings)] if event.timings and not self._every else []),
            *([] if last else [str(self._forecast.left())]),
        ]
        self._print(Text(f"[{self._done}/{len(self._trials)}] {name}: {', '.join(said)}"))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True, highlight=False)


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
def _bars(
    trials: Mapping[str, TrialSpec], console: Console, forecast: Forecast, clock: Callable[[], float]
) -> Iterator[OnEvent]:
    after = (MofNCompleteColumn(), TimeElapsedColumn(), _Eta(forecast, clock))
    with progress_bars(console, *after, before=(SpinnerColumn(),), width=24) as bars:
        overall = bars.add_task("trials", total=len(trials), whole=True)
        running: dict[str, TaskID] = {}

        def on_event(event: Event) -> None:
            name = f"  {describe(trials[event.hash])}"
            if event.kind == "start":
                running[event.hash] = bars.add_task(name, total=None)
            elif event.kind == "step" and event.hash in running:
                note = f" · {one_line(event.note, 60)}" if event.note else ""
                bars.update(running[event.hash], completed=event.done, total=event.total, description=name + note)
            elif event.kind != "step":
                bars.advance(overall)
                if event.hash in running:
                    bars.remove_task(running.pop(event.hash))

        yield on_event


def _seconds(timings: Mapping[str, float]) -> str:
    """``7.9 s (fit_classifier 6.9, predict 0.9)``; without a fit that was there: its seconds were spent before."""
    spent = {stage: seconds for stage, seconds in timings.items() if stage != "total"}
    whole = timings.get("total", 0.0)
    if sum(spent.values()) > whole:
        spent.pop("fit_generator", None)
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in spent.items())
    return f"{whole:.1f} s" + (f" ({stages})" if stages else "")
