"""How far the submissions of a store are: what their records say, and what SLURM says of the jobs without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hsiaug.bench.engines.slurm_runs import Submission, live_chunks
from hsiaug.trial.empty import EMPTY

__all__ = ["Progress", "progress_of"]


@dataclass(frozen=True)
class Progress:
    """Trials of a submission by what has become of them.

    running, waiting: without a record, in a job that SLURM has, of this submission or of another one. lost: without a
    record, and no job has them any more. unsubmitted: without a record, and the cluster has taken no job for them yet;
    they are none of ``trials``. left: seconds until its own last job should end; None where SLURM has none.
    """

    trials: int
    ok: int
    failed: int
    running: int
    waiting: int
    lost: int
    unsubmitted: int
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
    submitted = {hash for one in submissions for hash in one.trials}

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
            unsubmitted=len(set(one.rest) - recorded.keys() - submitted),
            left=_left(one, recorded, states),
        )
    return found


def _left(one: Submission, recorded: Mapping[str, str], states: Mapping[str, str]) -> float | None:
    """Seconds until the last job of a submission should end."""
    live = list(live_chunks([one], states))
    seconds = (chunk.seconds * sum(h not in recorded for h in chunk.trials) / len(chunk.trials) for chunk in live)
    return sum(seconds) / min(one.parallel, len(live)) if live else None
