"""What every engine offers, and how one is named on the command line.

An engine gives a pool of slots, and each slot runs one trial at a time, somewhere. Which trial, how often, and what
becomes of its answer is decided in ``bench/dispatch.py``, for all engines alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.worker import WorkerStart
from hsiaug.tasks.task import TaskData
from hsiaug.trial.run import Outcome
from hsiaug.trial.spec import TrialSpec

__all__ = [
    "Batch",
    "Engine",
    "Job",
    "Message",
    "PluginProgress",
    "Pool",
    "Slot",
    "TrialEnded",
    "WorkerLost",
    "WorkerRefused",
    "engine",
    "outline",
]

ENGINES = {
    "local": "hsiaug.bench.engines.local",
    "dask": "hsiaug.bench.engines.dask_client",
    "slurm": "hsiaug.bench.engines.slurm",
}
"""Module by the engine's name; it is imported when the engine is asked for, and offers ``make`` and ``outline``."""


@dataclass(frozen=True)
class PluginProgress:
    """What a plugin says of its progress."""

    done: int
    total: int
    note: str


@dataclass(frozen=True)
class TrialEnded:
    """A trial came to its end."""

    outcome: Outcome


@dataclass(frozen=True)
class WorkerLost:
    """A worker was lost in the middle of a trial. how: in words. stage: of the trial.

    counts: False where the trial cannot be the reason, as when a scheduler is started again.
    """

    how: str
    stage: str
    counts: bool = True


@dataclass(frozen=True)
class WorkerRefused:
    """A worker that does not have what the run was planned with. found: what it has in its place."""

    found: str


@dataclass(frozen=True)
class Job:
    """What every trial of a run shares.

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
    it should take, where that is known.
    """

    scene: TaskData
    job: Job
    trials: Sequence[TrialSpec]
    commands: Mapping[str, str]
    expected: Mapping[str, float]


Watch = Callable[[int], AbstractContextManager[Any]]
"""Opens what events of trials are handed to while they run, so many at a time."""

Message = PluginProgress | TrialEnded | WorkerLost | WorkerRefused


class Slot(Protocol):
    """Runs one trial at a time."""

    @property
    def busy(self) -> bool:
        """Whether it has a trial that has not ended."""

    @property
    def gpu(self) -> bool:
        """Whether fits that ask for a GPU may run here."""

    def send(self, trial: TrialSpec, blind: object) -> None:
        """Begin a trial. blind: its split, without any test label."""


class Pool(Protocol):
    """The slots of an engine, as long as a run lasts."""

    def slots(self) -> Sequence[Slot]:
        """Those that are there now: machines may join and leave."""

    def wait(self) -> Sequence[tuple[Slot, Message]]:
        """What was heard of busy slots, after a moment at the latest."""

    def close(self) -> None:
        """End all that is still running."""


class Engine(Protocol):
    """Somewhere to run trials."""

    @property
    def jobs(self) -> int:
        """Trials that run at the same time, as far as is known now."""

    @property
    def gpus(self) -> int:
        """That trials ask for which can use one; 0 where slots need not be told apart."""

    def run(self, batches: Sequence[Batch], watch: Watch) -> bool:
        """Carry out trials. False where that is only begun when this returns, and goes on elsewhere."""

    def pool(self, start: WorkerStart) -> Pool:
        """Slots for the trials of one scene. Raises InputError where trials are not to be waited for."""


Say = Callable[[str], None]
"""Tells the user a line."""


def engine(settings: ClusterSettings, jobs: int, say: Say) -> AbstractContextManager[Engine]:
    """The engine that the settings name.

    jobs: trials at the same time, where that is ours to choose.
    Raises InputError for an unknown name, and for one whose libraries are not installed.
    """
    module, address = _module(settings)
    made: AbstractContextManager[Engine] = module.make(address, jobs, settings, say)
    return made


def outline(settings: ClusterSettings, jobs: int, batches: Sequence[Batch]) -> str:
    """What the engine that the settings name would be given, in a sentence."""
    module, address = _module(settings)
    return str(module.outline(address, jobs, settings, batches))


def _module(settings: ClusterSettings) -> tuple[ModuleType, str]:
    name, _, address = settings.on.partition(":")
    if name not in ENGINES:
        raise InputError("`on` must name an engine", value=repr(name), hint=did_you_mean(name, ENGINES))
    return import_module(ENGINES[name]), address
