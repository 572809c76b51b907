"""Trials that run together elsewhere, as a task of Dask or a job of SLURM: over the store, which
all machines see.

Whatever ends a chunk (its time, another's higher priority, a machine that dies), the records that
are written stay, and whoever runs it again runs what is missing.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hsiaug.base.errors import SceneError
from hsiaug.base.terminal import Console
from hsiaug.base.threads import one_thread
from hsiaug.bench.engine import Batch, Engine, Event, Group, OnEvent, Piece, WorkerSettings
from hsiaug.bench.engines.local import Local
from hsiaug.bench.loops import run_groups
from hsiaug.registry.lookup import registry
from hsiaug.registry.session_plugins import check_installed
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskSplit
from hsiaug.trial.outcome import IDLE_DRAWS
from hsiaug.trial.record_json import is_finished
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@dataclass(frozen=True)
class ChunkPart:
    """Groups of trials of one scene, which is loaded where they run.

    Attributes
    ----------
    version : str
        Version of the hsiaug that planned them.
    """

    settings: WorkerSettings
    scene_ref: str
    store: Path
    version: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Chunk:
    """Trials that run together.

    Attributes
    ----------
    jobs : int
        That run at the same time.
    """

    parts: tuple[ChunkPart, ...]
    jobs: int

    def __call__(self) -> None:
        """Run what the store does not hold, as a job of SLURM; lines in its log say what has
        ended.
        """
        one_thread()
        console = Console(stderr=True)

        def print_end(event: Event) -> None:
            if event.kind in ("ok", "failed"):
                console.print(f"{event.hash}: {event.kind}")

        self.run(Local(self.jobs), print_end)

    def run(self, engine: Engine, on_event: OnEvent) -> None:
        """Run what the store does not hold. Raises SceneError where scene or hsiaug are not those
        of the plan.
        """
        try:
            for part in self.parts:
                store = Store(part.store, create=True)
                sent = (t.hash for group in part.groups for t in group)
                done = {record["hash"] for record in store.each(sent) if is_finished(record)}
                left = (tuple(t for t in group if t.hash not in done) for group in part.groups)
                if todo := [group for group in left if group]:
                    run_groups(engine, [_batch(part, todo)], on_event)
        finally:
            engine.cancel()

    def checkpoint(self) -> Any:
        """The same again, where submitit finds the time over or the node taken: what is finished is
        not repeated.
        """
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _batch(part: ChunkPart, todo: Sequence[Group]) -> Batch:
    first = todo[0][0]
    task = get_task(first.task)
    scene = task.data.load(part.scene_ref, progress=False)
    found = [f"sha256 {scene.sha256[:12]}…, hsiaug {version('hsiaug')}"]
    for kind, name, planned in {
        (k, one.name, one.version) for group in todo for t in group for k, one in t.plugins
    }:
        here = registry().find(kind, name).card.version
        found += [f"{name} {here}, not {planned}"] if here != planned else []
    if len(found) > 1 or (scene.sha256, version("hsiaug")) != (first.scene_sha256, part.version):
        rule = (
            "the job must find the scene, the hsiaug and the plugins that its trials were planned"
            " with"
        )
        hint = "Run the command again when files and installations stay as they are."
        raise SceneError(rule, value=f"{part.scene_ref}, {', '.join(found)}", hint=hint)
    draw = lru_cache(IDLE_DRAWS)(partial(task.draws.split, scene))
    drawing = threading.Lock()

    def split(trial: TrialSpec) -> TaskSplit:
        """Drawn here, as the plan did, and again where it is no longer held."""
        # Two threads that ask for one split are given one split.
        with drawing:
            drawn: TaskSplit = draw(trial.protocol, trial.seed, trial.patch)
            return drawn

    return Batch(task, scene, part.scene_ref, part.store, part.settings, todo, split)


def new_pieces(batches: Sequence[Batch], taken: Collection[str] = ()) -> list[Piece]:
    """The groups of trials that share a fit, without the trials whose hashes are taken.

    Raises PluginError for plugins that other machines cannot know.
    """
    for kind, name in {
        (k, one.name) for batch in batches for t in batch.trials for k, one in t.plugins
    }:
        check_installed(kind, name)
    left = (
        (batch, tuple(trial for trial in group if trial.hash not in taken))
        for batch in batches
        for group in batch.groups
    )
    return [piece for piece in left if piece[1]]


def chunks_of(pieces: Sequence[Piece], most: int, shortest: float) -> list[list[Piece]]:
    """Groups put together into chunks of at least ``shortest`` seconds, and not more than ``most``.

    A group that shares a fit is never divided.
    """
    target = max(shortest, seconds_of(pieces) / most)
    while True:
        chunks: list[list[Piece]] = [[]]
        for piece in pieces:
            if chunks[-1] and seconds_of(chunks[-1]) >= target:
                chunks.append([])
            chunks[-1].append(piece)
        if len(chunks) <= most:
            return chunks
        target *= 1.1


def chunk_of(pieces: Sequence[Piece], jobs: int) -> Chunk:
    """Pieces as they are sent."""
    parts: dict[int, tuple[Batch, list[Group]]] = {}
    for batch, group in pieces:
        parts.setdefault(id(batch), (batch, []))[1].append(group)
    sent = (
        ChunkPart(
            batch.settings,
            batch.scene_ref,
            batch.store.resolve(),
            version("hsiaug"),
            tuple(groups),
        )
        for batch, groups in parts.values()
    )
    return Chunk(tuple(sent), jobs)


def seconds_of(pieces: Sequence[Piece]) -> float:
    """Seconds that pieces should take, one trial after the other."""
    return sum(batch.seconds(group) for batch, group in pieces)
