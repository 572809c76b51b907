"""The interface of engines, what their workers say, and how an engine is named on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal, Protocol

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.tasks.task import TaskData
from hsiaug.trial.run import Outcome
from hsiaug.trial.spec import TrialSpec

ENGINES = {name: f"hsiaug.bench.engines.{name}" for name in ("local", "dask", "slurm")}
"""Module by the engine's name; it is imported when the engine is asked for, and offers ``make``."""


@dataclass(frozen=True)
class PluginProgress:
    """Progress reported by a plugin."""

    done: int
    total: int
    note: str


@dataclass(frozen=True)
class TrialEnded:
    """A trial came to its end."""

    outcome: Outcome


@dataclass(frozen=True)
class WorkerLost:
    """A worker was lost in the middle of a trial. how: in words. stage: of the trial."""

    how: str
    stage: str


Message = PluginProgress | TrialEnded | WorkerLost


@dataclass(frozen=True)
class Job:
    """Settings shared by all trials of a run.

    scene_ref: catalogue name or card. limit: seconds that a trial may take; None = any.
    """

    task: str
    scene_ref: str
    store: Path
    device: str
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """The trials of one scene that a run carries out, in their order.

    scene: its data, as the task loads them. commands: by hash, what reruns a trial. expected: by hash, the seconds that
    it should take, where that is known. deadline: the time (as ``time.time()``) by which trials should have ended: none
    is begun that would not, nor a group that shares a fit and would not; None = any time.
    """

    scene: TaskData
    job: Job
    trials: Sequence[TrialSpec]
    commands: Mapping[str, str]
    expected: Mapping[str, float]
    deadline: float | None = None


@dataclass(frozen=True)
class Event:
    """Something happened to a trial; ``done``/``total``/``note`` are a plugin's own progress.

    timings: seconds by stage, as in the record, of a trial that has ended.
    """

    kind: Literal["start", "step", "ok", "failed"]
    hash: str
    done: int = 0
    total: int = 0
    note: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)


OnEvent = Callable[[Event], None]


class Engine(Protocol):
    """Somewhere to run trials."""

    @property
    def jobs(self) -> int:
        """Trials that run at the same time, as far as is known now."""

    @property
    def waits(self) -> bool:
        """Whether :meth:`wait` ends with the trials; else they go on elsewhere."""

    def submit(self, batches: Sequence[Batch]) -> None:
        """Take trials, to be run in their order. Raises InputError where they are not taken."""

    def wait(self, on_event: OnEvent) -> None:
        """Wait for what was submitted; records go to the store, events to ``on_event``.

        Raises StoreError where a record cannot be written, SceneError where a machine has another scene than the plan.
        """

    def cancel(self) -> None:
        """End what still runs in workers that answer to this process, and these workers."""


Say = Callable[[str], None]
"""Tells the user a line."""


@contextmanager
def open_engine(settings: ClusterSettings, jobs: int, say: Say) -> Iterator[Engine]:
    """The engine that the settings name, until the end of the context.

    jobs: trials at the same time, where that is ours to choose.
    Raises InputError for an unknown name, and for one whose libraries are not installed.
    """
    module, address = _module(settings)
    engine: Engine = module.make(address, jobs, settings, say)
    try:
        yield engine
    finally:
        engine.cancel()


def outline(settings: ClusterSettings, batches: Sequence[Batch]) -> str:
    """Describe in a sentence what the engine of the settings would be given; "" for processes of this machine."""
    module, _ = _module(settings)
    return str(module.outline(settings, batches)) if hasattr(module, "outline") else ""


def _module(settings: ClusterSettings) -> tuple[ModuleType, str]:
    name, _, address = settings.on.partition(":")
    if name not in ENGINES:
        raise InputError("`on` must name an engine", value=repr(name), hint=did_you_mean(name, ENGINES))
    return import_module(ENGINES[name]), address
