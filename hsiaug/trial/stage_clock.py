"""How far a trial has come, and what it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from hsiaug.registry.card import Card
from hsiaug.trial.machine import (
    OptimiserWork,
    counted_work,
    give_back_memory,
    peak_memory,
    restart_peak_memory,
)
from hsiaug.trial.plugin_calls import kept_state

RECORDED = (
    "load",
    "split",
    "prepare",
    "fit_generator",
    "sample",
    "fit_classifier",
    "predict",
)
"""Stages as records name them: what comes between two of these counts to the first."""
LEARNING = ("prepare", "fit_generator")
"""Stages that all trials with one fit share: what fails here fails for all of them."""
AFTER_PREPARING = RECORDED[RECORDED.index("prepare") + 1 :]
"""Stages of a trial after what is prepared once."""


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
    def plugin(
        self, stage: str, fits: Card | None = None, *, frees: bool = True
    ) -> Iterator[OptimiserWork | None]:
        """A stage in which a plugin computes: it is measured, and the state of the process is as
        before afterwards.

        Parameters
        ----------
        stage : str
            As a record names it.
        fits : Card, optional
            Of the plugin, where its optimiser steps are counted. For one without a device torch is
            not even loaded.
        frees : bool
            Whether memory may be freed in it, which other processes may need now.

        Yields
        ------
        OptimiserWork or None
            The steps so far.
        """
        counts_steps = fits is not None and fits.uses_device
        with counted_work() if counts_steps else nullcontext() as work, kept_state():
            self.begin(stage)
            start = time.perf_counter()
            start_cpu = time.process_time()
            yield work
            self.seconds[stage] = time.perf_counter() - start
            self.cpu[stage] = time.process_time() - start_cpu
        if fits is not None:
            self.steps[stage] = None if work is None else work.steps
        if frees:
            give_back_memory()

    @contextmanager
    def aside(self, name: str) -> Iterator[None]:
        """Something that is measured of a stage's result: it counts to no stage, and leaves the
        state of the process as it was.

        Parameters
        ----------
        name : str
            As a record names its seconds.
        """
        start, start_cpu = time.perf_counter(), time.process_time()
        try:
            with kept_state():
                yield
        finally:
            self.seconds[name] = time.perf_counter() - start
            self.cpu[name] = time.process_time() - start_cpu

    def as_json(self) -> dict[str, object]:
        """What the record of the trial says of it."""
        return {
            "timings": {**self.seconds, "total": time.perf_counter() - self._begun},
            "cpu_seconds": {**self.cpu, "total": time.process_time() - self._begun_cpu},
            "optimiser_steps": self.steps,
            "peak_memory_mb": peak_memory(),
        }
