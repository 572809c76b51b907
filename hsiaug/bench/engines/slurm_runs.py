"""Submissions to SLURM, kept as files beside the records, and the states of their jobs.

The records are the truth: a run's file only says which job each trial was given to.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hsiaug.base.errors import StoreError
from hsiaug.base.files import write_text_whole
from hsiaug.trial.record_json import EMPTY

__all__ = [
    "Chunk",
    "Progress",
    "Submission",
    "job_states",
    "live_chunks",
    "progress_of",
    "read_submissions",
    "runs_folder",
    "write_submission",
]

LIVE = frozenset(
    {"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "REQUEUED", "REQUEUE_HOLD", "RESIZING"}
)
"""States of a job that may still write records."""


@dataclass(frozen=True)
class Chunk:
    """The trials of one job. job: its number, as squeue names it. seconds: that they are expected to take."""

    job: str
    trials: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Submission:
    """Jobs submitted by one command. parallel: most jobs that run at the same time."""

    name: str
    created: str
    parallel: int
    chunks: tuple[Chunk, ...]

    @property
    def trials(self) -> frozenset[str]:
        """Hashes of all trials that are in its jobs."""
        return frozenset(hash for chunk in self.chunks for hash in chunk.trials)


def runs_folder(store: Path) -> Path:
    """Return the folder in which a store keeps submissions."""
    return store / "runs"


def write_submission(store: Path, name: str, parallel: int, chunks: Sequence[Chunk]) -> Submission:
    """Note what was submitted, whole or not at all."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Submission(name, now, parallel, tuple(chunks))
    runs_folder(store).mkdir(parents=True, exist_ok=True)
    write_text_whole(runs_folder(store) / f"{name}.json", json.dumps(asdict(made)), "--store")
    return made


def read_submissions(store: Path) -> list[Submission]:
    """All that was submitted over a store, the oldest first. Raises StoreError for a file that is damaged."""
    found = []
    # Their names begin with the time.
    for path in sorted(runs_folder(store).glob("*.json")):
        try:
            said = json.loads(path.read_bytes())
            chunks = tuple(Chunk(one["job"], tuple(one["trials"]), one["seconds"]) for one in said["chunks"])
            found.append(Submission(said["name"], said["created"], int(said["parallel"]), chunks))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{path} must be the list of a submission's jobs as it was written",
                value=error,
                hint="Delete it: the records do not need it.",
            ) from error
    return found


def job_states(submissions: Iterable[Submission]) -> Mapping[str, str]:
    """Return the state of each job as squeue tells it; jobs that squeue no longer knows are left out.

    Raises StoreError where squeue does not answer, as elsewhere than on the cluster.
    """
    numbers = {chunk.job.partition("_")[0] for one in submissions for chunk in one.chunks}
    if not numbers:
        return {}
    if shutil.which("squeue") is None:
        raise StoreError(
            "squeue must be there to look at jobs of SLURM", hint="Ask where the jobs were submitted."
        )
    # Of all jobs of all users: to ask for one that has ended is an error, and a store may be shared.
    asked = subprocess.run(
        ["squeue", "-h", "-r", "-o", "%i|%T"], capture_output=True, text=True, timeout=60, check=False
    )
    if asked.returncode:
        raise StoreError(
            "squeue must answer", value=asked.stderr.strip(), hint="Try again, or ask the cluster's support."
        )
    states = dict(line.split("|", 1) for line in asked.stdout.split() if "|" in line)
    return {job: state for job, state in states.items() if job.partition("_")[0] in numbers}


def live_chunks(submissions: Iterable[Submission], states: Mapping[str, str]) -> Iterator[Chunk]:
    """Yield the chunks whose jobs may still write records."""
    return (chunk for one in submissions for chunk in one.chunks if states.get(chunk.job) in LIVE)


@dataclass(frozen=True)
class Progress:
    """Trials of a submission by what has become of them.

    running, waiting: without a record, in a job that SLURM has, of this submission or of another one. lost: without a
    record, and no longer in a job. left: seconds until its own last job should end; None where SLURM has none.
    """

    trials: int
    ok: int
    failed: int
    running: int
    waiting: int
    lost: int
    left: float | None


def progress_of(
    submissions: Sequence[Submission], recorded: Mapping[str, str], states: Mapping[str, str]
) -> dict[str, Progress]:
    """The progress of each of a store's submissions, by its name.

    recorded: status of every record, by hash. states: of the jobs that SLURM still has, by number; asked for before the
    records were read, as a job that ends in between would look lost.
    """
    live = list(live_chunks(submissions, states))
    running = {hash for chunk in live if states[chunk.job] == "RUNNING" for hash in chunk.trials}
    waiting = {hash for chunk in live for hash in chunk.trials}

    def fate(hash: str) -> str:
        if hash in recorded:
            return "ok" if recorded[hash] in ("ok", EMPTY) else "failed"
        return "running" if hash in running else "waiting" if hash in waiting else "lost"

    found = {}
    for one in submissions:
        counts = Counter(map(fate, one.trials))
        found[one.name] = Progress(
            trials=len(one.trials),
            **{kind: counts[kind] for kind in ("ok", "failed", "running", "waiting", "lost")},
            left=_left(one, recorded, states),
        )
    return found


def _left(one: Submission, recorded: Mapping[str, str], states: Mapping[str, str]) -> float | None:
    """Seconds until the last job of a submission should end."""
    live = list(live_chunks([one], states))
    seconds = (chunk.seconds * sum(h not in recorded for h in chunk.trials) / len(chunk.trials) for chunk in live)
    return sum(seconds) / min(one.parallel, len(live)) if live else None
