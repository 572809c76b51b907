"""How far a benchmark is: one line that is drawn again and again on a terminal, one a minute at
most elsewhere. Always on stderr.

The first trial of every error is told as it fails, with its reason and the command that shows its
record.
"""

from __future__ import annotations

import json
import shlex
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hsiaug.base.files import plain_text
from hsiaug.base.terminal import live
from hsiaug.base.text import one_line
from hsiaug.bench.engine import Event, OnEvent
from hsiaug.bench.groups import write_duration
from hsiaug.bench.plan import Plan
from hsiaug.trial.arm import ALONE, BOTH, NONE, Arm
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
    """Follows the trials of a run, and the gains of its splits that have ended.

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
        self._plans = plans
        self._left = dict(expected)
        self._expected = sum(expected.values())
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._begun: float | None = None
        self._made = time.time_ns()
        self._trials: dict[str, TrialSpec] = {}
        self._numbers: dict[str, int] = {}
        """The plan of each trial that is to run, by its number."""
        self._waiting: Counter[tuple[int, int]] = Counter()
        """How many trials of a plan and a split are still to end."""
        for number, plan in enumerate(plans):
            for trial in plan.trials:
                new = trial.hash in expected and trial.hash not in self._trials
                self._waiting[number, trial.seed] += new
                if new:
                    self._trials[trial.hash] = trial
                    self._numbers[trial.hash] = number
        self._latest = 0
        self._where = self._gains = ""
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
        trial, number = self._trials[hash], self._numbers[hash]
        self.running[hash] = describe(trial)
        seeds = self._seeds(number)
        place = f"split {seeds.index(trial.seed) + 1} of {len(seeds)}"
        names = self._plans[number].run, trial.generator.name, place
        self._where = " · ".join(filter(None, names))

    def end(self, hash: str, *, failed: bool) -> None:
        """A trial has ended."""
        self.running.pop(hash, None)
        self._left.pop(hash, None)
        self.failed += failed
        self._latest = self._numbers[hash]
        place = self._latest, self._trials[hash].seed
        self._waiting[place] -= 1
        if not self._waiting[place]:
            self._gains = self._gains_so_far()

    def _seeds(self, number: int) -> list[int]:
        return [seed for plan, seed in self._waiting if plan == number]

    def _ended(self) -> list[int]:
        """The splits that have ended, of the plan whose trial ended last."""
        return [seed for seed in self._seeds(self._latest) if not self._waiting[self._latest, seed]]

    def _gains_so_far(self) -> str:
        """The smallest and the largest gain of the generators that were asked for over no samples,
        in points of the metric of the task.
        """
        plan, ended = self._plans[self._latest], self._ended()
        metric = plan.task.metrics.main
        scores: list[tuple[TrialSpec, float]] = []
        without: dict[tuple[str, int], float] = {}
        for trial in plan.trials:
            if trial.seed in ended and trial.classifier.name in plan.learning_classifiers:
                metrics = (self._store.sound(trial.hash) or {}).get("metrics") or {}
                if isinstance(value := metrics.get(metric.key), int | float):
                    scores.append((trial, value))
                    if trial.generator.name == NONE:
                        without[trial.classifier_label, trial.seed] = value
        gains: dict[tuple[Arm, str], list[float]] = defaultdict(list)
        for trial, value in scores:
            name, key = trial.generator.name, (trial.classifier_label, trial.seed)
            if name in plan.asked and name != NONE and key in without:
                gains[trial.arm, trial.classifier_label].append(100 * (value - without[key]))
        if not gains:
            return ""
        means = sorted(fmean(values) for values in gains.values())
        several = f"{means[0]:+.1f} to {means[-1]:+.1f}" if len(means) > 1 else f"{means[0]:+.1f}"
        several = several.replace("-", "−")
        return f"so far, not a result: {several} points of {metric.short} over no samples"

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
        ended = len(self._ended())
        splits = f"{ended} of {len(self._seeds(self._latest))} splits" if ended else ""
        return {
            "done": self.done,
            "total": self.total,
            "failed": self.failed,
            "draws": splits,
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
        parts = [self._where, f"{self.done} of {self.total} trials"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self._left:
            parts.append(f"{write_duration(self.seconds_left())} left")
        line = " · ".join(filter(None, parts))
        # Once all have ended, the result says more.
        numbers = self._gains if self._left else ""
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
        elif event.kind != "wait":
            progress.end(event.hash, failed=event.kind == "failed")
            if event.kind == "failed":
                tell_failure(event)
        show(now=event.kind != "wait" and progress.done == progress.total)
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


# What other programs are told


TOLD_EVERY, LOST = 1.0, 600.0
"""Seconds between two writings, and without one after which a run is taken for one that was killed.
"""
MAX_STATUS_BYTES = 2**16
"""Bytes of the file at most."""


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
