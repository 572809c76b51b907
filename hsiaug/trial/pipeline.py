"""The loop that runs the stages of a trial: it times each, guards it, and takes what was made
before by the stage's key.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from hsiaug.contracts import Classifier, Generator, Progress
from hsiaug.registry.card import Card
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.machine import (
    OptimiserWork,
    counted_work,
    give_back_memory,
    peak_memory,
    restart_peak_memory,
)
from hsiaug.trial.memo import MemoKey
from hsiaug.trial.plugin_calls import kept_state
from hsiaug.trial.scene_context import SceneContext
from hsiaug.trial.spec import TrialSpec

Output = TypeVar("Output")


def silent(done: int, total: int, note: str = "") -> None:
    """Progress that nobody is told of."""


@dataclass(eq=False)
class StageClock:
    """How far a trial has come, and what it took: its seconds, optimiser steps and memory are
    measured here, and nowhere else.

    Attributes
    ----------
    stage : str
        The stage that it is in, as a record names it.
    seconds : dict of float
        By the clock, for each stage that a plugin computes in.
    cpu : dict of float
        By the cores of this process, which another program's load does not lengthen.
    steps : dict of int or None
        Steps of torch's optimisers for each fit, counted here; None where a fit was made before,
        or its plugin computes without torch.
    tell : callable
        Is called with the name of each stage that begins.
    """

    stage: str = "load"
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int | None] = field(
        default_factory=lambda: {"fit_generator": None, "fit_classifier": None}
    )
    tell: Callable[[str], object] = lambda stage: None
    _begun: float = field(default=0.0, init=False, repr=False)
    _begun_cpu: float = field(default=0.0, init=False, repr=False)

    def start(self) -> None:
        """The trial begins: its seconds and its peak memory count from here."""
        self._begun = time.perf_counter()
        self._begun_cpu = time.process_time()
        restart_peak_memory()

    def begin(self, stage: str) -> None:
        """A stage begins, as a record names it."""
        self.stage = stage
        self.tell(stage)

    @contextmanager
    def measure(self, stage: str, *, counts_steps: bool) -> Iterator[OptimiserWork | None]:
        """Measure a stage in which a plugin computes.

        Parameters
        ----------
        stage : str
            As a record names it.
        counts_steps : bool
            Whether optimiser steps are counted, for which torch is loaded.

        Yields
        ------
        OptimiserWork or None
            The steps so far.
        """
        with counted_work() if counts_steps else nullcontext() as work:
            self.begin(stage)
            start = time.perf_counter()
            start_cpu = time.process_time()
            yield work
            self.seconds[stage] = time.perf_counter() - start
            self.cpu[stage] = time.process_time() - start_cpu

    def as_json(self) -> dict[str, object]:
        """What the record of the trial says of it."""
        return {
            "timings": {**self.seconds, "total": time.perf_counter() - self._begun},
            "cpu_seconds": {**self.cpu, "total": time.process_time() - self._begun_cpu},
            "optimiser_steps": self.steps,
            "peak_memory_mb": peak_memory(),
        }


@dataclass(eq=False)
class TrialRun:
    """A trial that is being run: what its stages read, and what those that ran have put out.

    ``run[STAGE]`` is the output of a stage.

    Attributes
    ----------
    spec : TrialSpec
        What is run.
    context : SceneContext
        The data, which may be without labels, and what trials on them share.
    generator, classifier : Generator or Classifier
        The plugins, as far as the stages need them.
    devices : dict of str
        Device of each kind of plugin.
    progress : callable
        Is told how far a fit is.
    clock : StageClock
        How far the trial is.
    facts : dict
        What the stages have to say in the trial's record.
    """

    spec: TrialSpec
    context: SceneContext
    generator: Generator | None = None
    classifier: Classifier | None = None
    devices: dict[str, str] = field(default_factory=dict)
    progress: Progress = silent
    clock: StageClock = field(default_factory=StageClock)
    facts: dict[str, object] = field(default_factory=dict)
    _outputs: dict["Stage[Any]", Any] = field(default_factory=dict, repr=False)

    @property
    def task(self) -> Task:
        """The task of the trial."""
        return self.context.task

    @property
    def data(self) -> TaskData:
        """The data that it runs on."""
        return self.context.scene

    def card(self, kind: Literal["generator", "classifier"]) -> Card:
        """The card of a plugin of the trial."""
        plugin = self.generator if kind == "generator" else self.classifier
        assert plugin is not None, f"a stage needs the {kind}"
        return plugin.card

    @property
    def classifier_card(self) -> Card | None:
        """The card of the classifier; None where samples alone are wanted."""
        return self.classifier.card if self.classifier else None

    def __getitem__(self, stage: "Stage[Output]") -> Output:
        """The output of a stage that has run."""
        output: Output = self._outputs[stage]
        return output

    def get(self, stage: "Stage[Output]") -> Output | None:
        """The output of a stage; None where it has not run."""
        return self._outputs.get(stage)

    def __setitem__(self, stage: "Stage[Output]", output: Output) -> None:
        self._outputs[stage] = output

    def __contains__(self, stage: "Stage[Any]") -> bool:
        """Whether a stage has run."""
        return stage in self._outputs


@dataclass(frozen=True, eq=False)
class Stage(Generic[Output]):
    """A step of every trial.

    Attributes
    ----------
    name : str
        What it does. Records name the stages in which a plugin computes; a failure in another one
        counts to the one before.
    make : callable
        Gives the output.
    plugin : {"", "generator", "classifier"}
        Whose code runs in it: the state of the process is as before afterwards.
    fits : bool
        Whether optimiser steps are counted in it.
    key : callable, optional
        By what the output is used again; without it, or where it gives None, it is made every time.
    needed : callable
        Whether the trial has the stage.
    seconds : callable, optional
        Of an output that may have been made before, the seconds that it took then.
    facts : callable
        What the record says of the output, entry by entry.
    """

    name: str
    make: Callable[[TrialRun], Output]
    plugin: Literal["", "generator", "classifier"] = ""
    fits: bool = False
    key: Callable[[TrialRun], MemoKey | None] = lambda run: None
    needed: Callable[[TrialRun], bool] = lambda run: True
    seconds: Callable[[Output], float] | None = None
    facts: Callable[[TrialRun, Output], Iterable[tuple[str, object]]] = lambda run, output: ()


def run_stages(stages: Sequence[Stage[Any]], run: TrialRun) -> None:
    """Run stages, one after the other.

    Parameters
    ----------
    stages : sequence of Stage
        In their order. One whose output is there already is not run again.
    run : TrialRun
        Takes the outputs, times and facts.

    Raises
    ------
    Exception
        Whatever a stage raises; ``run.clock.stage`` names it.
    """
    for stage in stages:
        if stage in run or not stage.needed(run):
            continue
        output = _run_guarded(stage, run) if stage.plugin else make_once(stage, run)
        run[stage] = output
        for name, fact in stage.facts(run, output):
            run.facts[name] = fact


def make_once(stage: Stage[Output], run: TrialRun) -> Output:
    """The output of a stage, made now or before; neither timed nor guarded.

    Parameters
    ----------
    stage : Stage
        Its key says by what the output is used again.
    run : TrialRun
        What it reads.
    """
    key = stage.key(run)
    if key is None:
        return stage.make(run)
    return run.context.memo.once(key, lambda: stage.make(run))


def _run_guarded(stage: Stage[Output], run: TrialRun) -> Output:
    """The output of a stage in which a plugin computes; its times and steps are noted."""
    assert stage.plugin
    clock = run.clock
    # Of a plugin without a device torch is not even loaded.
    counts_steps = stage.fits and run.card(stage.plugin).uses_device
    with clock.measure(stage.name, counts_steps=counts_steps) as work, kept_state():
        key = stage.key(run)
        is_there = key is not None and run.context.memo.holds(key)
        output = make_once(stage, run)
    if not is_there:
        # A fit and a sampler free hundreds of megabytes, which other workers may need now.
        give_back_memory()
    if stage.seconds is not None:
        clock.seconds[stage.name] = stage.seconds(output)
    if stage.fits:
        steps = None if work is None else work.steps
        # No step at all: another trial, or another run, taught the generator.
        clock.steps[stage.name] = steps or None if stage.plugin == "generator" else steps
    return output
