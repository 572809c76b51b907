"""How far a benchmark is: a live bar on a terminal, a line now and then elsewhere. Always on
stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its
record. Whenever a draw has ended, the questions are answered anew. For other programs the store's
folder ``running`` holds a small JSON file while it lasts.
"""

import json
import shlex
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
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

from hsiaug.base.files import plain_text
from hsiaug.base.terminal import live, progress_bars
from hsiaug.bench.costs import Costs, Forecast
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.running_answer import RunningAnswer
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.record_json import ErrorKind, error_kind, one_line, why_failed
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.stages import RECORDED
from hsiaug.trial.stages.generator import PREPARE
from hsiaug.trial.store import Store

AFTER_PREPARING = RECORDED[RECORDED.index(PREPARE.name) + 1 :]
"""Stages of a trial after what is prepared once."""
PLAIN_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""
TOLD_EVERY, LOST = 1.0, 600.0
"""Seconds between two writings for other programs, and without one after which a run is taken for
one that was killed.
"""
MAX_STATUS_BYTES = 2**16
"""Bytes of the file in which a run says where it is, at most."""


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
    trials: Mapping[str, TrialSpec],
    console: Console,
    *,
    costs: Costs | None = None,
    jobs: int = 1,
    store: Store | None = None,
    answer: RunningAnswer | None = None,
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[OnEvent]:
    """A function to hand events to while the trials (by hash) run, in ``jobs`` processes.

    Parameters
    ----------
    trials : mapping of str to TrialSpec
        In the order in which they run.
    costs : Costs or None
        What is known of them.
    store : Store or None
        Where failures are read.
    answer : RunningAnswer or None
        Of the draws that have ended.
    quiet : bool
        Tell of failures alone.
    """
    forecast = Forecast(trials, costs or Costs(), jobs=jobs, clock=clock)
    drawn = not quiet and live(console)
    done = 0
    failed = 0
    last = clock()
    told: set[ErrorKind] = set()
    running: dict[str, str] = {}

    def print_line(line: Text) -> None:
        console.print(line, soft_wrap=True, highlight=False)

    def end(event: Event) -> None:
        """Tell of a trial that has ended: an error once, and a line now and then, and at the
        end.
        """
        nonlocal done, failed, last
        done, failed = done + 1, failed + (event.kind == "failed")
        name = describe(trials[event.hash])
        why = ""
        record = store.get(event.hash) if event.kind == "failed" and store is not None else None
        if record is not None and store is not None:
            why = why_failed(record)
            if error_kind(record) not in told:
                told.add(error_kind(record))
                show = f"hsiaug show {event.hash} --store {shlex.quote(str(store.root))}"
                print_line(Text(f"failed: {name}: {why}. See it whole: {show}", style="yellow"))
        if not (quiet or drawn) and (done == len(trials) or clock() - last >= PLAIN_EVERY):
            last = clock()
            said = [f"{event.kind} ({why})" if why else event.kind]
            said += [str(forecast.left())] if done < len(trials) else []
            print_line(Text(f"[{done}/{len(trials)}] {name}: {', '.join(said)}"))

    def state() -> dict[str, object]:
        left = str(forecast.left()) if done < len(trials) else ""
        return {
            "done": done,
            "total": len(trials),
            "failed": failed,
            "draws": answer.draws if answer else "",
            "left": left,
            "now": [*running.values()],
        }

    def below() -> tuple[str, ...]:
        return answer.lines if answer else ()

    with (
        _bars(trials, console, forecast, below)
        if drawn
        else nullcontext(lambda event: None) as draw,
        tell_others(store.root) if store else nullcontext(lambda state: None) as tell,
    ):

        def on_event(event: Event) -> None:
            if event.kind == "start":
                forecast.started(event.hash)
                running[event.hash] = describe(trials[event.hash])
            elif event.kind == "step":
                if event.stage in AFTER_PREPARING:
                    forecast.prepared(event.hash)
            else:
                forecast.ended(event.hash, ok=event.kind == "ok")
                running.pop(event.hash, None)
                end(event)
                if answer and answer.end(event.hash) and not (quiet or drawn):
                    print_line(Text(" ".join(map(str.strip, answer.lines))))
            draw(event)
            tell(state)

        yield on_event


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
                self._said, self._at = str(self._forecast.left()), time.monotonic()
            return Text(self._said)
        own = super().render(task)
        return Text("ETA ").append_text(own) if own.plain else own


@contextmanager
def _bars(
    trials: Mapping[str, TrialSpec],
    console: Console,
    forecast: Forecast,
    below: Callable[[], Iterable[str]],
) -> Iterator[OnEvent]:
    after = (MofNCompleteColumn(), TimeElapsedColumn(), _Eta(forecast))
    before = (SpinnerColumn(),)
    with progress_bars(console, *after, before=before, below=below, width=24) as bars:
        overall = bars.add_task("trials", total=len(trials), whole=True)
        running: dict[str, TaskID] = {}

        def on_event(event: Event) -> None:
            name = f"  {describe(trials[event.hash])}"
            if event.kind == "start":
                running[event.hash] = bars.add_task(name, total=None)
            elif event.kind == "step" and event.hash in running:
                note = f" · {one_line(event.note, 60)}" if event.note else ""
                bars.update(
                    running[event.hash],
                    completed=event.done,
                    total=event.total,
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
