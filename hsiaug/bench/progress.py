"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on
stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its
record. Whenever a draw has ended, the questions are answered anew. For other programs the store's
folder ``running`` holds a small JSON file while it lasts.
"""

from __future__ import annotations

import json
import shlex
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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

from hsiaug.base.errors import StoreError
from hsiaug.base.files import plain_text
from hsiaug.base.terminal import live, progress_bars
from hsiaug.bench.costs import Forecast
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.groups import FIRST_DRAWS
from hsiaug.bench.missing import RunRecords
from hsiaug.bench.plan import Plan
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.plugin_calls import AFTER_PREPARING
from hsiaug.trial.record_json import ErrorKind, Record, error_kind, one_line, why_failed
from hsiaug.trial.spec import TrialSpec

PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""
TOLD_EVERY, LOST = 1.0, 600.0
"""Seconds between two writings for other programs, and without one after which a run is taken for
one that was killed.
"""
MAX_STATUS_BYTES = 2**16
"""Bytes of the file in which a run says where it is, at most."""
SHARE = 0.02
"""Share of a run's time that its answers may take; the first one is free."""
AnswerWriter = Callable[[Sequence[Record], str], Sequence[str]]
"""Says in lines what records show of the draws that have ended, as ``2 of 7 draws``."""
Table = tuple[object, ...]
"""What the trials of one table of a report share: run, task, scene, protocol and patch."""


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
            show = f"hsiaug show {event.hash} --store {shlex.quote(str(self._root))}"
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


@contextmanager
def tell_others(root: Path) -> Iterator[Callable[[Callable[[], dict[str, object]]], None]]:
    """A function that writes what it is given into the store ``root``, at most every ``TOLD_EVERY``
    seconds.

    The file is gone at the end; what a killed run left goes when the next one begins. A disk that
    refuses it stops none.
    """
    path = root / "running" / f"{uuid.uuid4().hex}.json"
    last = -TOLD_EVERY

    def tell(told: Callable[[], dict[str, object]]) -> None:
        nonlocal last
        if time.monotonic() - last < TOLD_EVERY:
            return
        last = time.monotonic()
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(told()), encoding="utf-8")

    with suppress(OSError):
        for left in path.parent.glob("*.json"):
            if time.time() - left.stat().st_mtime > LOST:
                left.unlink()
    try:
        yield tell
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def heard_of(root: Path) -> list[dict[str, object]]:
    """What the runs on a store told last, each with the seconds since then (``quiet``), but for
    what is half-written.
    """
    found: list[dict[str, object]] = []
    for path in sorted((root / "running").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            quiet = time.time() - path.stat().st_mtime
            if quiet < LOST and (text := plain_text(path, MAX_STATUS_BYTES)):
                found.append({**json.loads(text), "quiet": round(quiet)})
    return found


# The answer of the draws that have ended


class RunningAnswer:
    """Follows the trials of a run, and answers its questions whenever a draw has ended.

    Parameters
    ----------
    plans : sequence of Plan
        Of the run.
    waiting : collection of str
        Hashes of the trials that are to run.
    records : RunRecords
        Reads their records.
    answer : callable or None
        Gives the lines of an answer; None = draws are counted alone.
    clock : callable
        Seconds, in this process.

    Attributes
    ----------
    lines : tuple of str
        The latest answer; empty while there is none.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        waiting: Collection[str],
        records: RunRecords,
        answer: AnswerWriter | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lines: tuple[str, ...] = ()
        self._records = records
        self._answer = answer
        self._clock = clock
        self._began = clock()
        self._spent = 0.0
        self._left = len(set(waiting))
        # A trial may stand in the tables of several runs of a suite.
        self._places: dict[str, list[tuple[Table, int]]] = {}
        # Hashes of each table, draw by draw, and how many of a draw have not ended.
        self._trials: dict[Table, dict[int, dict[str, None]]] = {}
        self._lacking: Counter[tuple[Table, int]] = Counter()
        for plan in plans:
            for trial in plan.trials:
                table = (plan.run, plan.task, trial.scene_sha256, trial.protocol, trial.patch)
                of_draw = self._trials.setdefault(table, {}).setdefault(trial.seed, {})
                if trial.hash in waiting and trial.hash not in of_draw:
                    self._places.setdefault(trial.hash, []).append((table, trial.seed))
                    self._lacking[table, trial.seed] += 1
                of_draw[trial.hash] = None
        self._ended = {
            table: [seed for seed in draws if not self._lacking[table, seed]]
            for table, draws in self._trials.items()
        }
        self._latest = next(iter(self._trials), None)

    @property
    def draws(self) -> str:
        """``2 of 7 draws`` of the table whose trial ended last; empty where none has ended."""
        if self._latest is None or not self._ended[self._latest]:
            return ""
        return f"{len(self._ended[self._latest])} of {len(self._trials[self._latest])} draws"

    def end(self, hash: str) -> bool:
        """Take in that a trial has ended; True where there is a new answer."""
        self._left -= 1
        news = False
        for table, seed in self._places.pop(hash, ()):
            self._latest = table
            self._lacking[table, seed] -= 1
            if not self._lacking[table, seed]:
                self._ended[table].append(seed)
                news = True
        if not news or not self._left:
            return False
        if self.lines and self._spent > SHARE * (self._clock() - self._began):
            return False
        return self._renew(least=FIRST_DRAWS)

    def now(self) -> tuple[str, ...]:
        """The answer of what has ended by now, of however few draws."""
        self._renew(least=1)
        return self.lines

    def _renew(self, least: int) -> bool:
        """Answer anew where so many draws have ended; True where the answer is another one."""
        table = self._latest
        if self._answer is None or table is None or len(self._ended[table]) < least:
            return False
        begun = self._clock()
        lines: Sequence[str] = ()
        # The run itself says what is wrong with the store.
        with suppress(StoreError):
            hashes = [hash for seed in self._ended[table] for hash in self._trials[table][seed]]
            lines = self._answer(self._records.read(hashes).records, self.draws)
        self._spent += self._clock() - begun
        news = bool(lines) and tuple(lines) != self.lines
        self.lines = tuple(lines) or self.lines
        return news
