"""A job of a SLURM array: it runs its trials on its own node, over the store that all jobs share.

Whatever ends a job (its time, ``scancel``, another's higher priority, a node that dies), the records that are written
stay, and the same command submits what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from submitit.helpers import DelayedSubmission

from hsiaug.base.errors import SceneError
from hsiaug.base.terminal import Console
from hsiaug.base.threads import one_thread
from hsiaug.bench.engine import Batch, Event, Job
from hsiaug.bench.engines.local import Local
from hsiaug.tasks.task import get_task
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

__all__ = ["ArrayTask", "JobPart"]


@dataclass(frozen=True)
class JobPart:
    """Trials of one scene. sha256: of the scene that they were planned on; version: of the hsiaug that did."""

    job: Job
    sha256: str
    version: str
    trials: tuple[TrialSpec, ...]
    commands: dict[str, str]


@dataclass(frozen=True)
class ArrayTask:
    """The trials of one job. jobs: that run at the same time."""

    parts: tuple[JobPart, ...]
    jobs: int

    def __call__(self) -> None:
        """Run what the store does not hold."""
        one_thread()
        for part in self.parts:
            _run(part, self.jobs)

    def checkpoint(self) -> DelayedSubmission:
        """The same again, where the time is over or another takes the node: what is finished is not repeated."""
        return DelayedSubmission(self)


def _run(part: JobPart, jobs: int) -> None:
    store = Store(part.job.store, create=True)
    done = store.read(trial.hash for trial in part.trials).finished
    todo = [trial for trial in part.trials if trial.hash not in done]
    if not todo:
        return
    scene = get_task(part.job.task).load(part.job.scene_ref, progress=False)
    if (scene.sha256, version("hsiaug")) != (part.sha256, part.version):
        raise SceneError(
            "the job must find the scene and the hsiaug that its trials were planned with",
            value=f"{part.job.scene_ref}, sha256 {scene.sha256[:12]}…, hsiaug {version('hsiaug')}",
            hint="Run the command again when files and installations stay as they are.",
        )
    engine, total, ended = Local(jobs), len(todo), 0
    console = Console(stderr=True)

    def print_end(event: Event) -> None:
        """A line for what has ended, which SLURM writes into the job's log."""
        nonlocal ended
        if event.kind in ("ok", "failed"):
            ended += 1
            console.print(f"[{ended}/{total}] {event.hash}: {event.kind}")

    engine.submit([Batch(scene, part.job, todo, part.commands, {})])
    try:
        engine.wait(print_end)
    finally:
        engine.cancel()
