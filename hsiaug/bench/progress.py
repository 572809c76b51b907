"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on
stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its
record. Whenever a draw has ended, the questions are answered anew.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    MofNCompleteColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hsiaug.base.terminal import live, progress_bars
from hsiaug.base.text import one_line
from hsiaug.bench.costs import Forecast
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.running_answer import RunningAnswer
from hsiaug.bench.running_file import tell_others
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.record import STAGES
from hsiaug.trial.record_json import ErrorKind, error_kind, why_failed
from hsiaug.trial.spec import TrialSpec

AFTER_PREPARING = [*STAGES][[*STAGES].index("prepare") + 1 :]
"""Stages of a trial after what is prepared once."""
PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


def describe(trial: TrialSpec) -> str:
    """A trial in a few words."""
    alone = ALONE * (trial.train != BOTH)
    lam = f" {trial.rate.words}" if trial.rate else ""
    omega = "" if trial.omega is None else f" ω={trial.omega:g}"
    return one_line(
        f"{trial.generator.name}{alone}{lam}{omega} · {trial.classifier_label} · draw {trial.seed}"
    )


@contextmanager
def watch_trials(
    forecast: Forecast,
    console: Console,
    root: Path,
    *,
    answer: RunningAnswer | None = None,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[OnEvent]:
    """A function to hand events to while trials run.

    Parameters
    ----------
    forecast : Forecast
        Of the trials.
    root : Path
        Of the store that has their records.
    answer : RunningAnswer or None
        Of the draws that have ended.
    quiet : bool
        Tell of failures alone.
    """
    with ExitStack() as stack:
        draw: OnEvent | None = None
        if not quiet and live(console):
            draw = stack.enter_context(_bars(forecast, console, answer))
        tell = stack.enter_context(tell_others(root))
        yield _Watcher(forecast, console, root, answer, quiet, clock, draw, tell).on_event


class _Watcher:
    """Tells of the trials of a run: a line now and then, a bar, and a file for other programs.

    Parameters
    ----------
    draw : callable or None
        Takes an event for the bar; None where there is none, and lines are printed instead.
    tell : callable
        Writes a state for other programs.
    """

    def __init__(
        self,
        forecast: Forecast,
        console: Console,
        root: Path,
        answer: RunningAnswer | None,
        quiet: bool,
        clock: Callable[[], float],
        draw: OnEvent | None,
        tell: Callable[[Callable[[], dict[str, object]]], None],
    ) -> None:
        self._trials = forecast.trials
        self._forecast = forecast
        self._console = console
        self._root = root
        self._answer = answer
        self._clock = clock
        self._draw = draw
        self._tell = tell
        self._prints = not quiet and draw is None
        self._done = 0
        self._failed = 0
        self._last_line = clock()
        self._kinds_told: set[ErrorKind] = set()
        self._running: dict[str, str] = {}

    def on_event(self, event: Event) -> None:
        """Take in an event, and tell of it."""
        if event.kind == "start":
            self._forecast.started(event.hash)
            self._running[event.hash] = describe(self._trials[event.hash])
        elif event.kind == "step":
            if event.stage in AFTER_PREPARING:
                self._forecast.prepared(event.hash)
        else:
            self._end(event)
        if self._draw:
            self._draw(event)
        self._tell(self._state)

    def _end(self, event: Event) -> None:
        """Tell of a trial that has ended: an error once, and a line now and then, and at the
        end.
        """
        self._forecast.ended(event.hash, ok=event.kind == "ok")
        self._running.pop(event.hash, None)
        self._done += 1
        reason = ""
        if event.kind == "failed":
            self._failed += 1
            reason = self._tell_failure(event)
        due = self._done == len(self._trials) or self._clock() - self._last_line >= PLAIN_EVERY
        if due and self._prints:
            self._last_line = self._clock()
            self._print(Text(self._line(event, reason)))
        if self._answer and self._answer.end(event.hash) and self._prints:
            self._print(Text(" ".join(map(str.strip, self._answer.lines))))

    def _line(self, event: Event, reason: str) -> str:
        """A trial that has ended, and the time left."""
        state = f"{event.kind} ({reason})" if reason else event.kind
        name = describe(self._trials[event.hash])
        line = f"[{self._done}/{len(self._trials)}] {name}: {state}"
        left = self._left()
        return f"{line}, {left}" if left else line

    def _tell_failure(self, event: Event) -> str:
        """Print an error of a kind that was not told before; returns the reason of this one."""
        failed = {"error": event.error}
        reason, kind = why_failed(failed), error_kind(failed)
        if kind not in self._kinds_told:
            self._kinds_told.add(kind)
            show = f"hsiaug report --trial {event.hash} --store {shlex.quote(str(self._root))}"
            name = describe(self._trials[event.hash])
            self._print(Text(f"failed: {name}: {reason}. See it whole: {show}", style="yellow"))
        return reason

    def _left(self) -> str:
        """The time left; empty at the end."""
        return str(self._forecast.time_left()) if self._done < len(self._trials) else ""

    def _state(self) -> dict[str, object]:
        return {
            "done": self._done,
            "total": len(self._trials),
            "failed": self._failed,
            "draws": self._answer.draws if self._answer else "",
            "left": self._left(),
            "now": [*self._running.values()],
        }

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True, highlight=False)


class _Eta(TimeRemainingColumn):
    """The forecast for the whole run; for a trial what its own steps give."""

    def __init__(self, forecast: Forecast) -> None:
        super().__init__()
        self._forecast = forecast
        self._said = ""
        self._at = float("-inf")

    def render(self, task: Task) -> Text:
        if task.fields.get("whole"):
            # A look at all trials that are left, ten times a second, would slow a large run.
            if time.monotonic() - self._at > 1.0:
                self._said, self._at = str(self._forecast.time_left()), time.monotonic()
            return Text(self._said)
        own = super().render(task)
        return Text("ETA ").append_text(own) if own.plain else own


@contextmanager
def _bars(forecast: Forecast, console: Console, answer: RunningAnswer | None) -> Iterator[OnEvent]:
    trials = forecast.trials

    def below() -> tuple[str, ...]:
        return answer.lines if answer else ()

    after = (MofNCompleteColumn(), TimeElapsedColumn(), _Eta(forecast))
    before = (SpinnerColumn(),)
    with progress_bars(console, *after, before=before, below=below, width=24) as bars:
        overall = bars.add_task("trials", total=len(trials), whole=True)
        running: dict[str, TaskID] = {}

        def on_event(event: Event) -> None:
            name = f"  {describe(trials[event.hash])}"
            if event.kind == "start":
                running[event.hash] = bars.add_task(name, total=None)
            elif (step := event.progress) and event.hash in running:
                note = f" · {one_line(step.note, 60)}" if step.note else ""
                bars.update(
                    running[event.hash],
                    completed=step.done,
                    total=step.total,
                    description=name + note,
                )
            elif event.kind != "step":
                bars.advance(overall)
                if event.hash in running:
                    bars.remove_task(running.pop(event.hash))

        yield on_event
