"""Carry out trials on an engine, group by group.

Plugins run in worker
processes alone, which hold no test label; this process scores what they answer and writes a record for every trial, so
a killed run loses at most the trials in flight.

Work comes from an iterator that is asked for the next group whenever a process is free, as what is planned next may
depend on what was measured so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from hsiaug.bench.dispatch import Dispatch, Work, groups
from hsiaug.bench.engine import Batch, Engine, Job, Watch
from hsiaug.bench.ledger import Ledger, OnEvent
from hsiaug.bench.worker import WorkerStart
from hsiaug.tasks.task import TaskData
from hsiaug.trial.store import Store

__all__ = ["PoolEngine", "Run", "execute", "worker_pool"]

Run = Callable[[Iterable[Work], OnEvent], None]


class PoolEngine:
    """An engine whose trials are waited for."""

    def run(self: Engine, batches: Sequence[Batch], watch: Watch) -> bool:
        """Carry out trials; records go to the store."""
        with watch(self.jobs) as on_event:
            for batch in batches:
                execute(batch, self, on_event)
        return True


def execute(batch: Batch, engine: Engine, on_event: OnEvent) -> None:
    """Carry out the trials of one scene on an engine's pool; records go to the store, events to ``on_event``."""
    with worker_pool(batch.scene, batch.job, engine) as run:
        run((Work(group, batch.commands, expected=batch.expected) for group in groups(batch.trials)), on_event)


@contextmanager
def worker_pool(scene: TaskData, job: Job, engine: Engine) -> Iterator[Run]:
    """A function that runs work as it comes, on the slots of an engine, which last as long as the context.

    Records go to the store and events to the function's second argument. A trial whose process dies is begun anew, and
    recorded as failed where it dies again; one that keeps no time limit is killed. Neither touches the others.

    Raises SceneError where all workers find another scene, hsiaug or plugin than the plan's, StoreError where a record
    cannot be written.
    """
    store = Store(job.store, create=True)
    start = WorkerStart(job.task, job.scene_ref, scene.sha256, store.cache.resolve(), job.device, job.limit)
    pool = engine.pool(start)
    ledger = Ledger(scene, job, store)
    try:
        yield lambda work, on_event: Dispatch(work, pool, ledger, engine.gpus > 0, on_event).run()
    finally:
        pool.close()
