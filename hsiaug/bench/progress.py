"""How far a benchmark is: one line that is drawn again and again on a terminal, one a minute at
most elsewhere. Always on stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its
record.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hsiaug.base.terminal import live
from hsiaug.base.text import one_line
from hsiaug.bench.costs import write_duration
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.plan import Plan
from hsiaug.bench.running_file import tell_others
from hsiaug.bench.so_far import SoFar
from hsiaug.trial.arm import ALONE, BOTH
from hsiaug.trial.record_json import ErrorKind, error_kind, why_failed
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

PLAIN_EVERY = 60.0
"""Seconds between two lines where there is no terminal."""
DRAWN_EVERY = 0.5
"""Seconds between two drawings on a terminal."""


def describe(trial: TrialSpec) -> str:
    """A trial in a few words."""
    alone = ALONE * (trial.train != BOTH)
    lam = f" {trial.rate.words}" if trial.rate else ""
    omega = "" if trial.omega is None else f" ω={trial.omega:g}"
    return one_line(
        f"{trial.generator.name}{alone}{lam}{omega} · {trial.classifier_label} · split {trial.seed}"
    )


class Progress:
    """Follows the trials of a run.

    Parameters
    ----------
    plans : sequence of Plan
        Of the run.
    expected : mapping of str to float
        Expected seconds of each trial that is to run, by its hash.
    store : Store
        Has the records.
    jobs : int
        Worker processes.
    clock : callable
        Seconds, in this process.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        expected: Mapping[str, float],
        store: Store,
        jobs: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trials = {
            trial.hash: trial for plan in plans for trial in plan.trials if trial.hash in expected
        }
        self._left = dict(expected)
        self._expected = sum(expected.values())
        self._jobs = jobs
        self._clock = clock
        self._begun: float | None = None
        self._so_far = SoFar(plans, expected.keys(), store)
        self._store = store
        self._made = time.time_ns()
        self.failed = 0
        self.running: dict[str, str] = {}

    @property
    def total(self) -> int:
        """Trials that are to run."""
        return len(self._trials)

    @property
    def done(self) -> int:
        """Trials that have ended."""
        return self.total - len(self._left)

    def start(self, hash: str) -> None:
        """A trial begins, perhaps anew."""
        if self._begun is None:
            self._begun = self._clock()
        self.running[hash] = describe(self._trials[hash])
        self._so_far.start(hash)

    def end(self, hash: str, *, failed: bool) -> None:
        """A trial has ended."""
        self.running.pop(hash, None)
        self._left.pop(hash, None)
        self.failed += failed
        self._so_far.end(hash)

    def count_written(self) -> None:
        """Count trials whose records are written and that nobody told of: Dask tells of those of a
        task together.
        """
        for hash in list(self._left):
            if self._store.changed(hash) > self._made and (record := self._store.sound(hash)):
                self.end(hash, failed=record["status"] == "failed")

    def seconds_left(self) -> float:
        """Seconds of the rest: as expected, at the speed of what has ended."""
        rest = sum(self._left.values())
        done = self._expected - rest
        if self._begun is None or not self.done or done <= 0:
            return rest / self._jobs
        return (self._clock() - self._begun) * rest / done

    def trial(self, hash: str) -> str:
        """A trial in a few words."""
        return describe(self._trials[hash])

    def state(self) -> dict[str, object]:
        """What other programs are told."""
        return {
            "done": self.done,
            "total": self.total,
            "failed": self.failed,
            "draws": self._so_far.splits,
            "left": f"{write_duration(self.seconds_left())} left",
            "now": [*self.running.values()],
        }

    def line(self, width: int) -> str:
        """How far the run is, and what its numbers are so far.

        Parameters
        ----------
        width : int
            Of the screen, in letters.
        """
        parts = [self._so_far.where, f"{self.done} of {self.total} trials"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self._left:
            parts.append(f"{write_duration(self.seconds_left())} left")
        line = " · ".join(filter(None, parts))
        # Once all have ended, the result says more.
        numbers = self._so_far.numbers if self._left else ""
        return f"{line}{numbers:>{max(len(numbers) + 3, width - len(line))}}" if numbers else line


@contextmanager
def watch_trials(progress: Progress, console: Console, root: Path) -> Iterator[OnEvent]:
    """A function to hand events to while trials run.

    Parameters
    ----------
    progress : Progress
        Of the trials.
    console : Console
        Where it is shown.
    root : Path
        Of the store that has their records.
    """
    kinds_told: set[ErrorKind] = set()
    last = float("-inf")

    def tell_failure(event: Event) -> None:
        """Print an error of a kind that was not told before."""
        failed = {"error": event.error}
        kind = error_kind(failed)
        if kind in kinds_told:
            return
        kinds_told.add(kind)
        show = f"hsiaug report --trial {event.hash} --store {shlex.quote(str(root))}"
        line = f"failed: {progress.trial(event.hash)}: {why_failed(failed)}. See it whole: {show}"
        console.print(Text(line, style="yellow"), soft_wrap=True, highlight=False)

    def show(*, now: bool) -> None:
        nonlocal last
        due = now or time.monotonic() - last >= (DRAWN_EVERY if screen else PLAIN_EVERY)
        if not due or not (screen or progress.done):
            return
        last = time.monotonic()
        if screen:
            line = progress.line(console.width)
            screen.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
        else:
            console.print(Text(progress.line(0)), soft_wrap=True, highlight=False)

    def on_event(event: Event) -> None:
        if event.kind == "start":
            progress.start(event.hash)
        elif event.kind != "step":
            progress.end(event.hash, failed=event.kind == "failed")
            if event.kind == "failed":
                tell_failure(event)
        show(now=event.kind != "step" and progress.done == progress.total)
        tell(progress.state)

    with ExitStack() as stack:
        screen: Live | None = None
        if live(console):
            screen = stack.enter_context(Live(console=console, auto_refresh=False, transient=True))
        tell = stack.enter_context(tell_others(root))
        yield on_event


def cost_line(expected: Collection[float], jobs: int) -> str:
    """``119 trials, about 12 min``: what a run takes, said before it begins."""
    seconds = write_duration(sum(expected) / jobs)
    trials = "1 trial" if len(expected) == 1 else f"{len(expected)} trials"
    return f"{trials}, about {seconds}, as the cards of the plugins say"
