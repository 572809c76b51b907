"""SLURM: trials as the jobs of arrays, submitted through ``submitit`` over the store that all nodes share.

A run returns when its jobs are submitted. The same command again submits what neither the store holds nor a job still
has.
"""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hsiaug.base.errors import InputError, StoreError, install
from hsiaug.bench.cluster_settings import ClusterSettings
from hsiaug.bench.costs import readable
from hsiaug.bench.dispatch import USUAL_SECONDS, Group, groups, uses_device
from hsiaug.bench.engine import Batch, OnEvent, Say
from hsiaug.bench.engines.slurm_runs import (
    Chunk,
    job_states,
    live_chunks,
    read_submissions,
    runs_folder,
    write_submission,
)
from hsiaug.registry.handed import check_installed
from hsiaug.trial.spec import TrialSpec

try:
    import submitit
except ImportError as error:
    raise InputError(
        "`on` slurm needs the library submitit", hint=f"Install it: {install('slurm', 'submitit')}."
    ) from error

from hsiaug.bench.engines.slurm_job import ArrayTask, JobPart

__all__ = ["chunks_of", "make", "outline"]

SHORTEST = 60.0
"""Seconds that a job is to take at least, where there is that much to do."""
USUAL_ARRAY = 1000
"""Jobs of an array, where SLURM does not say how many it takes."""
USUAL_PARALLEL = 64
SLACK = 4
"""How many times longer than expected a job may take."""
SHORTEST_LIMIT = 30
"""Minutes that a job may take at least."""

Piece = tuple[Batch, Group]


@dataclass(frozen=True)
class _Slurm:
    """The engine of a SLURM cluster, whose jobs write to the store themselves."""

    settings: ClusterSettings
    say: Say
    waits = False

    @property
    def jobs(self) -> int:
        """Trials that run at the same time at most."""
        return (self.settings.workers or USUAL_PARALLEL) * self.settings.threads

    def submit(self, batches: Sequence[Batch]) -> None:
        """Submit the trials that no job has yet. Raises InputError where SLURM does not take them."""
        for kind, name in {(k, one.name) for batch in batches for t in batch.trials for k, one in t.plugins}:
            check_installed(kind, name)
        store = _scriptable(batches[0].job.store.resolve())
        pieces, had = self._new(batches)
        if had:
            self.say(f"{had} trials are in jobs of SLURM already")
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{uuid.uuid4().hex[:6]}"
        sent: list[Chunk] = []
        for gpu, chunks in self._arrays(pieces):
            tasks, parameters = list(map(self._task, chunks)), self._parameters(gpu, max(map(_seconds, chunks)))
            jobs = _submit_array(tasks, parameters, runs_folder(store) / "jobs" / name)
            sent += [Chunk(job, _hashes(chunk), _seconds(chunk)) for job, chunk in zip(jobs, chunks, strict=True)]
            write_submission(store, name, self.settings.workers or USUAL_PARALLEL, sent)
        if sent:
            trials = sum(len(chunk.trials) for chunk in sent)
            self.say(
                f"submitted {trials} trials as {len(sent)} jobs of SLURM; look at them with: hsiaug status {store}"
            )

    def wait(self, on_event: OnEvent) -> None:
        """Jobs are not waited for: ``hsiaug status`` tells of them."""

    def cancel(self) -> None:
        """Jobs go on when this process ends."""

    def outline(self, batches: Sequence[Batch]) -> str:
        """Describe what :meth:`submit` would submit."""
        pieces, had = self._new(batches)
        said = [f"{had} trials are in jobs of SLURM already"] if had else []
        for gpu, chunks in self._arrays(pieces):
            trials = sum(len(group) for chunk in chunks for _, group in chunk)
            longest = max(map(_seconds, chunks))
            words = " ".join(f"{key}={value}" for key, value in self._parameters(gpu, longest).items())
            said.append(
                f"an array of {len(chunks)} jobs with {trials} trials, about {readable(longest)} the longest: {words}"
            )
        return "; ".join(said) or "no jobs"

    def _new(self, batches: Sequence[Batch]) -> tuple[list[Piece], int]:
        """Return the groups of trials that are in no job yet, and the number of trials that are in jobs."""
        before = read_submissions(batches[0].job.store) if batches else []
        taken = {hash for chunk in live_chunks(before, job_states(before)) for hash in chunk.trials}
        had = len(taken & {trial.hash for batch in batches for trial in batch.trials})
        left = (
            (batch, tuple(trial for trial in group if trial.hash not in taken))
            for batch in batches
            for group in groups(batch.trials)
        )
        return [piece for piece in left if piece[1]], had

    def _arrays(self, pieces: Sequence[Piece]) -> Iterator[tuple[bool, list[list[Piece]]]]:
        """Jobs of those that ask for a GPU, and of the others: arrays of their own."""
        asks = {id(piece): self.settings.gpus > 0 and uses_device(piece[1][0]) for piece in pieces}
        for gpu in (True, False):
            if mine := [piece for piece in pieces if asks[id(piece)] == gpu]:
                most = min(self.settings.tasks or USUAL_ARRAY, _array_limit())
                yield gpu, chunks_of(mine, most, self.settings.threads)

    def _task(self, pieces: Sequence[Piece]) -> ArrayTask:
        parts: dict[int, tuple[Batch, list[TrialSpec]]] = {}
        for batch, group in pieces:
            parts.setdefault(id(batch), (batch, []))[1].extend(group)
        made = (
            JobPart(
                replace(batch.job, store=batch.job.store.resolve()),
                batch.scene.sha256,
                version("hsiaug"),
                tuple(trials),
                {trial.hash: batch.commands[trial.hash] for trial in trials if trial.hash in batch.commands},
            )
            for batch, trials in parts.values()
        )
        return ArrayTask(tuple(made), self.settings.threads)

    def _parameters(self, gpu: bool, longest: float) -> dict[str, Any]:
        """Return the parameters of sbatch, as submitit calls them."""
        settings = self.settings
        found: dict[str, Any] = {
            "job_name": "hsiaug",
            "partition": settings.partition,
            "account": settings.account,
            "mem": settings.memory and re.sub(r"i?B| ", "", settings.memory).upper(),
            "gpus_per_node": settings.gpus if gpu else None,
        }
        minutes = settings.minutes or max(SHORTEST_LIMIT, math.ceil(SLACK * longest / 60))
        return {
            **{key: value for key, value in found.items() if value is not None},
            "time": minutes,
            "cpus_per_task": settings.threads,
            "array_parallelism": settings.workers or USUAL_PARALLEL,
        }


def _submit_array(tasks: Sequence[ArrayTask], parameters: Mapping[str, Any], folder: Path) -> list[str]:
    """Submit the tasks as one array: their jobs' numbers.

    folder: what the jobs are given and their logs lie in a folder within.
    Raises InputError where SLURM refuses them, StoreError where folder takes no files.
    """
    array = folder / uuid.uuid4().hex[:6]
    executor = submitit.SlurmExecutor(folder=array, max_num_timeout=10, python=None)
    executor.update_parameters(**parameters)
    try:
        # What sbatch prints is in the error too.
        with redirect_stderr(io.StringIO()):
            return [job.job_id for job in executor.map_array(ArrayTask.__call__, tasks)]
    except (submitit.core.utils.FailedJobError, subprocess.CalledProcessError) as error:
        shutil.rmtree(array, ignore_errors=True)
        raise InputError(
            "SLURM must take the jobs",
            value=str(error).strip().splitlines()[-1],
            hint="Look at `cluster` partition, account, time, memory, gpus and tasks (jobs of an array at most).",
        ) from error
    except OSError as error:
        raise StoreError(
            "what jobs are given and their logs must be written in the store",
            value=error,
            hint=f"Let {folder.parent} be a folder that takes new files.",
        ) from error


def _scriptable(store: Path) -> Path:
    """The store. Raises InputError where SLURM would read its path otherwise than it is written.

    The names of a job's logs stand in its script, where a line break ends the line, and % and \\ are patterns of SLURM.
    """
    if not str(store).isprintable() or set("%\\") & set(str(store)):
        raise InputError(
            "`store` must be a path without %, \\ and control characters for `on` slurm",
            value=repr(str(store)),
            hint="Rename the folder.",
        )
    return store


def _hashes(chunk: Iterable[Piece]) -> tuple[str, ...]:
    return tuple(trial.hash for _, group in chunk for trial in group)


def chunks_of(pieces: Sequence[Piece], most: int, threads: int) -> list[list[Piece]]:
    """Groups put together into jobs that last at least a minute, and are not more than ``most``.

    A group that shares a fit is never divided.
    """
    total = sum(_group_seconds(*piece) for piece in pieces)
    target = max(SHORTEST * threads, total / most)
    while True:
        chunks: list[list[Piece]] = [[]]
        for piece in pieces:
            if chunks[-1] and _seconds(chunks[-1]) >= target:
                chunks.append([])
            chunks[-1].append(piece)
        if len(chunks) <= most:
            return chunks
        target *= 1.1


def _seconds(pieces: Iterable[Piece]) -> float:
    return sum(_group_seconds(batch, group) for batch, group in pieces)


def _group_seconds(batch: Batch, group: Group) -> float:
    return sum(batch.expected.get(trial.hash, USUAL_SECONDS) for trial in group)


def _array_limit() -> int:
    """Jobs that an array of this cluster may have."""
    if shutil.which("scontrol") is None:
        return USUAL_ARRAY
    asked = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", asked.stdout, re.MULTILINE)
    # The largest index is one less.
    return max(1, int(found[1]) - 1) if found else USUAL_ARRAY


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> _Slurm:
    """The engine of the cluster whose ``sbatch`` is here. Raises InputError where there is none."""
    if address or shutil.which("sbatch") is None:
        raise InputError(
            "`on` slurm must be asked for where jobs are submitted",
            value=repr(address) if address else "no sbatch here",
            hint="Log in to the cluster, and write `on` slurm.",
        )
    return _Slurm(settings, say)


def outline(address: str, jobs: int, settings: ClusterSettings, batches: Sequence[Batch]) -> str:
    """Describe what would be submitted; SLURM need not be installed here."""
    return _Slurm(settings, lambda line: None).outline(batches)
