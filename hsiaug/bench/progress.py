"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hsiaug.bench.execute import Event, OnEvent
from hsiaug.trial.spec import TrialSpec

__all__ = ["describe", "watching"]

PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


def describe(trial: TrialSpec) -> str:
    """A trial in a few words."""
    lam = f" λ={trial.lam:g}" if trial.lam else ""
    omega = "" if trial.omega is None else f" ω={trial.omega:g}"
    return f"{trial.generator.name}{lam}{omega} · {trial.classifier.name} · draw {trial.seed}"


@contextmanager
def watching(trials: Mapping[str, TrialSpec], console: Console) -> Iterator[OnEvent]:
    """A function to hand events to while the trials (by hash) run."""
    if console.is_terminal:
        with _live(trials, console) as on_event:
            yield on_event
    else:
        yield _Plain(trials, console)


@contextmanager
def _live(trials: Mapping[str, TrialSpec], console: Console) -> Iterator[OnEvent]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        overall = bars.add_task("trials", total=len(trials))
        running: dict[str, TaskID] = {}

        def on_event(event: Event) -> None:
            if event.kind == "start":
                running[event.hash] = bars.add_task(f"  {describe(trials[event.hash])}", total=None)
            elif event.kind == "step" and event.hash in running:
                note = f" · {event.note}" if event.note else ""
                bars.update(
                    running[event.hash],
                    completed=event.done,
                    total=event.total,
                    description=f"  {describe(trials[event.hash])}{note}",
                )
            elif event.kind in ("ok", "failed"):
                bars.advance(overall)
                if event.hash in running:
                    bars.remove_task(running.pop(event.hash))

        yield on_event


class _Plain:
    """``[done/total] trial: status, ETA``, at most every few seconds, and once at the end."""

    def __init__(self, trials: Mapping[str, TrialSpec], console: Console) -> None:
        self._trials = trials
        self._console = console
        self._done = 0
        self._start = self._last = time.monotonic()

    def __call__(self, event: Event) -> None:
        if event.kind not in ("ok", "failed"):
            return
        self._done += 1
        now = time.monotonic()
        total = len(self._trials)
        if event.kind == "ok" and self._done < total and now - self._last < PLAIN_EVERY:
            return
        self._last = now
        eta = (now - self._start) / self._done * (total - self._done)
        self._console.print(
            f"[{self._done}/{total}] {describe(self._trials[event.hash])}: {event.kind}, ETA {eta:.0f} s",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
