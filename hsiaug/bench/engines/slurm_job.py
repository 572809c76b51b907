"""What a job of a SLURM array does: it runs its trials on its own node, over the store that all share.

Whatever ends a job (its time, ``scancel``, another's higher priority, a node that dies), the records that are written
stay, and the same command submits what is missing. A trial in whose middle jobs end again and again is recorded as
failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from submitit.helpers import DelayedSubmission

from hsiaug.base.errors import SceneError
from hsiaug.base.terminal import Console
from hsiaug.base.threads import one_thread
from hsiaug.bench.dispatch import TRIES
from hsiaug.bench.engine import Batch, Event, Job
from hsiaug.bench.engines.local import Local
from hsiaug.bench.engines.slurm_runs import runs_folder
from hsiaug.bench.ledger import Ledger
from hsiaug.tasks.task import get_task
from hsiaug.trial.run import lost
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
    begun = _Begun(part.job.store)
    ledger = Ledger(scene, part.job, store)
    for trial in [trial for trial in todo if begun.times(trial.hash) >= TRIES]:
        todo.remove(trial)
        said = f"the job of this trial ended in its middle, {TRIES} times"
        ledger.write(trial, lost("load", "JobEnded", said), part.commands.get(trial.hash, ""))
        begun.clear(trial.hash)
    engine = Local(jobs)
    engine.submit([Batch(scene, part.job, todo, part.commands, {})])
    engine.wait(_Watch(todo, begun))


class _Begun:
    """How often each trial was begun that has not ended: a file of as many bytes, which every node can add to."""

    def __init__(self, store: Path) -> None:
        self._folder = runs_folder(store) / "begun"
        self._folder.mkdir(parents=True, exist_ok=True)

    def times(self, hash: str) -> int:
        try:
            return (self._folder / hash).stat().st_size
        except FileNotFoundError:
            return 0

    def add(self, hash: str) -> None:
        with (self._folder / hash).open("ab") as file:
            file.write(b".")

    def clear(self, hash: str) -> None:
        (self._folder / hash).unlink(missing_ok=True)


class _Watch:
    """Notes what begins and ends, and prints a line for it, which SLURM writes into the job's log."""

    def __init__(self, trials: Sequence[TrialSpec], begun: _Begun) -> None:
        self._total, self._begun, self._ended = len(trials), begun, 0
        self._console = Console(stderr=True)

    def __call__(self, event: Event) -> None:
        if event.kind == "start":
            self._begun.add(event.hash)
        elif event.kind in ("ok", "failed"):
            self._ended += 1
            self._begun.clear(event.hash)
            self._console.print(
                f"[{self._ended}/{self._total}] {event.hash}: {event.kind}", highlight=False, markup=False
            )
