"""SLURM: chunks of trials as the jobs of arrays, submitted through ``submitit`` over the store that
all nodes share.

A run returns when its jobs are submitted. The same command again submits what neither the store
holds nor a job still has.
"""

import io
import json
import math
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hsiaug.base.errors import InputError, StoreError, install
from hsiaug.base.files import write_text_whole
from hsiaug.bench.engine import Batch, Engine, OnEvent, Piece, Say
from hsiaug.bench.engines import ClusterSettings
from hsiaug.bench.engines.chunks import Chunk, chunk_of, chunks_of, new_pieces, seconds_of

try:
    import submitit
except ImportError as error:
    raise InputError(
        "`on` slurm needs the library submitit", hint=f"Install it: {install('slurm', 'submitit')}."
    ) from error

SHORTEST = 60.0
"""Seconds that a job is to take at least, where there is that much to do."""
USUAL_ARRAY = 1000
"""Jobs of an array at most, as SLURM takes them by default."""
USUAL_PARALLEL = 64
SLACK = 4
"""How many times longer than expected a job may take."""
SHORTEST_LIMIT = 30
"""Minutes that a job may take at least."""
LIVE = {
    *("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING"),
    *("REQUEUED", "REQUEUE_HOLD", "RESIZING"),
}
"""States of a job that may still write records."""


@dataclass(frozen=True)
class SlurmJob:
    """A job and its trials' hashes.

    Attributes
    ----------
    job : str
        Its number, as squeue names it.
    """

    job: str
    trials: tuple[str, ...]


def runs_folder(store: Path) -> Path:
    """Return the folder in which a store keeps what was submitted."""
    return store / "runs"


def write_jobs(store: Path, name: str, jobs: Sequence[SlurmJob]) -> None:
    """Note which trial was given to which job, whole or not at all; the records are the truth."""
    runs_folder(store).mkdir(parents=True, exist_ok=True)
    text = json.dumps({"name": name, "chunks": [asdict(job) for job in jobs]})
    write_text_whole(runs_folder(store) / f"{name}.json", text, "--store")


def read_jobs(store: Path) -> list[SlurmJob]:
    """All jobs that were submitted over a store. Raises StoreError for a file that is damaged."""
    found = []
    for path in sorted(runs_folder(store).glob("[!.]*.json")):
        try:
            chunks = json.loads(path.read_bytes())["chunks"]
            found += [SlurmJob(one["job"], tuple(one["trials"])) for one in chunks]
        except (ValueError, KeyError, TypeError) as error:
            rule = f"{path} must be the list of a submission's jobs as it was written"
            raise StoreError(
                rule, value=error, hint="Delete it: the records do not need it."
            ) from error
    return found


def live_jobs(jobs: Iterable[SlurmJob]) -> list[SlurmJob]:
    """The jobs that may still write records. Raises StoreError where squeue does not answer, as
    elsewhere.
    """
    by_number = {job.job: job for job in jobs}
    if not by_number:
        return []
    if shutil.which("squeue") is None:
        raise StoreError(
            "squeue must be there to look at jobs of SLURM",
            hint="Ask where the jobs were submitted.",
        )
    # Of all jobs of all users: to ask for one that has ended is an error, and a store may be
    # shared.
    command = ["squeue", "-h", "-r", "-o", "%i|%T"]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if asked.returncode:
        hint = "Try again, or ask the cluster's support."
        raise StoreError("squeue must answer", value=asked.stderr.strip(), hint=hint)
    states = (line.partition("|") for line in asked.stdout.split())
    return [by_number[job] for job, _, state in states if state in LIVE and job in by_number]


@dataclass
class _Slurm(Engine):
    """The engine of a SLURM cluster, whose jobs write to the store themselves."""

    settings: ClusterSettings
    say: Say
    waits = False

    @property
    def jobs(self) -> int:
        """Trials that run at the same time at most."""
        return (self.settings.workers or USUAL_PARALLEL) * self.settings.threads

    def divide(self, batches: Sequence[Batch]) -> list[list[Piece]]:
        """All trials that no job has yet, as one array."""
        store = _scriptable(batches[0].store.resolve())
        taken = {hash for job in live_jobs(read_jobs(store)) for hash in job.trials}
        if had := len(taken & {trial.hash for batch in batches for trial in batch.trials}):
            self.say(f"{had} trials are in jobs of SLURM already")
        pieces = new_pieces(batches, taken)
        return [pieces] if pieces else []

    def submit(self, pieces: Sequence[Piece], tell: OnEvent) -> Future[None]:
        """Submit an array; its jobs tell nothing."""
        settings = self.settings
        store = pieces[0][0].store.resolve()
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{uuid.uuid4().hex[:6]}"
        chunks = chunks_of(pieces, settings.tasks or USUAL_ARRAY, SHORTEST * settings.threads)
        tasks = [chunk_of(chunk, settings.threads) for chunk in chunks]
        folder = runs_folder(store) / "jobs" / name
        numbers = _submit_array(tasks, self._parameters(chunks), folder)
        hashes = (tuple(trial.hash for _, group in chunk for trial in group) for chunk in chunks)
        sent = list(map(SlurmJob, numbers, hashes))
        write_jobs(store, name, sent)
        trials = sum(len(job.trials) for job in sent)
        self.say(
            f"submitted {trials} trials as {len(sent)} jobs of SLURM; the same command tells"
            " what is left"
        )
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def cancel(self) -> None:
        """Jobs go on when this process ends."""

    def _parameters(self, chunks: Sequence[Sequence[Piece]]) -> dict[str, object]:
        """Parameters of sbatch for the jobs of an array, as submitit calls them."""
        settings = self.settings
        asked: dict[str, object] = {
            "job_name": "hsiaug",
            "partition": settings.partition,
            "account": settings.account,
            "mem": settings.memory and re.sub(r"i?B| ", "", settings.memory).upper(),
            "gpus_per_node": settings.gpus or None,
            "time": (
                settings.minutes
                or max(
                    SHORTEST_LIMIT,
                    math.ceil(SLACK * max(map(seconds_of, chunks)) / 60),
                )
            ),
            "cpus_per_task": settings.threads,
            "array_parallelism": settings.workers or USUAL_PARALLEL,
        }
        return {key: value for key, value in asked.items() if value is not None}


def _submit_array(
    tasks: Sequence[Chunk], parameters: Mapping[str, object], folder: Path
) -> list[str]:
    """Submit the tasks as one array: their jobs' numbers.

    folder: what the jobs are given and their logs lie in a folder within.
    Raises InputError where SLURM refuses them.
    """
    array = folder / uuid.uuid4().hex[:6]
    executor = submitit.SlurmExecutor(folder=array, max_num_timeout=10, python=None)
    executor.update_parameters(**parameters)
    try:
        # What sbatch prints is in the error too.
        with redirect_stderr(io.StringIO()):
            return [job.job_id for job in executor.map_array(Chunk.__call__, tasks)]
    except (submitit.core.utils.FailedJobError, subprocess.CalledProcessError) as error:
        shutil.rmtree(array, ignore_errors=True)
        hint = (
            "Look at `cluster` partition, account, time, memory, gpus and tasks (jobs of an array"
            " at most)."
        )
        raise InputError(
            "SLURM must take the jobs", value=str(error).strip().splitlines()[-1], hint=hint
        ) from error


def _scriptable(store: Path) -> Path:
    """The store. Raises InputError where SLURM would read its path, which stands in a job's script,
    otherwise.
    """
    if not str(store).isprintable() or set("%\\") & set(str(store)):
        raise InputError(
            "`store` must be a path without %, \\ and control characters for `on` slurm",
            value=repr(str(store)),
            hint="Rename the folder.",
        )
    return store


def make(address: str, jobs: int, settings: ClusterSettings, say: Say) -> _Slurm:
    """The engine of the cluster whose ``sbatch`` is here. Raises InputError where there is none."""
    if address or shutil.which("sbatch") is None:
        rule = "`on` slurm must be asked for where jobs are submitted"
        hint = "Log in to the cluster, and write `on` slurm."
        raise InputError(rule, value=repr(address) if address else "no sbatch here", hint=hint)
    return _Slurm(settings, say)
