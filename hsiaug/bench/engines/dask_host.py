"""The Dask worker's side: each slot has a process of its own, which runs the trials as on one machine.

So a plugin that dies, hangs or spoils its process costs its own trial, and the Dask worker goes on; and time limits hold
in compiled code too. Nothing that a plugin made is unpickled outside that process.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
import zlib
from dataclasses import dataclass
from multiprocessing.util import Finalize

from distributed import Status, get_worker

from hsiaug.base.threads import one_thread
from hsiaug.bench.engine import Message, PluginProgress, WorkerLost
from hsiaug.bench.engines.local import Worker, wait_for_messages
from hsiaug.bench.worker import WorkerStart
from hsiaug.trial.spec import TrialSpec

__all__ = ["end_run", "run_trial"]

IDLE = 120.0
"""Seconds after which a process without a trial is ended: the run that it belonged to may be no more."""


@dataclass
class _Seat:
    """The process of a slot. blind: the split of the draw ``draw``. idle: ends the process, unless it is stopped."""

    worker: Worker
    draw: str = ""
    blind: object = None
    idle: threading.Timer | None = None


STAGE_EVERY = 3.0
"""Seconds between two events of a trial's stages: short trials have none."""

Key = tuple[str, str, int]
"""A run, the address of a Dask worker (a process may hold several), and the number of a slot."""

_seats: dict[Key, _Seat] = {}


def run_trial(
    run: str, slot: int, start: WorkerStart, trial: TrialSpec, packed: bytes | None, topic: str
) -> Message:
    """Run one trial in the process of that slot.

    packed: the trial's split without test labels, pickled and compressed; None where this slot had that of the same draw
    before. topic: of the events that tell of its progress, ``[key, "step", done, total, note]``, and of its stages,
    ``[key, "stage", name]``.
    """
    place = run, get_worker().address, slot
    seat = _seat(place, start)
    if seat.idle is not None:
        seat.idle.cancel()
    if packed is not None:
        seat.draw, seat.blind = trial.draw_hash, pickle.loads(zlib.decompress(packed))
    if seat.draw != trial.draw_hash:
        return WorkerLost("was restarted", "load")
    dask, key = get_worker(), _key()
    seat.worker.send(trial, seat.blind)
    stage, said = "", time.monotonic()
    while True:
        for _, message in wait_for_messages([seat.worker]):
            if not isinstance(message, PluginProgress):
                seat.idle = threading.Timer(IDLE, _end_idle, [place])
                seat.idle.daemon = True
                seat.idle.start()
                return message
            dask.log_event(topic, [key, "step", message.done, message.total, message.note])
        if time.monotonic() > said + STAGE_EVERY and stage != (stage := seat.worker.current_stage()):
            dask.log_event(topic, [key, "stage", stage])
            said = time.monotonic()
        if _cancelled(key):
            seat.worker.end()
            seat.worker.busy = False
            return WorkerLost("was cancelled", stage)


def end_run(run: str | None) -> None:
    """End the processes of a run, or of all."""
    for key in [key for key in _seats if run in (key[0], None)]:
        _seats.pop(key).worker.end()


# A Dask worker that ends, as when the scheduler has gone, would wait for them.
Finalize(None, end_run, [None], exitpriority=0)


def _seat(place: Key, start: WorkerStart) -> _Seat:
    if place not in _seats:
        # Of the libraries that the processes load; and a worker that a nanny started may have no children else. They end
        # with their parent by themselves.
        one_thread()
        multiprocessing.current_process().daemon = False
        # Dask's nannies set it: memory then goes back to the system at every turn, and networks take twice as long.
        os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
        _seats[place] = _Seat(Worker(start))
    return _seats[place]


def _key() -> str:
    return str(get_worker().get_current_task())


def _cancelled(key: str) -> bool:
    """Whether nobody still waits for a task: its run was stopped, or the scheduler has gone."""
    worker = get_worker()
    task = worker.state.tasks.get(key)
    return task is None or task.state == "cancelled" or worker.status in (Status.closing, Status.closed)


def _end_idle(place: Key) -> None:
    seat = _seats.get(place)
    if seat is not None and not seat.worker.busy:
        _seats.pop(place, None)
        seat.worker.end()
