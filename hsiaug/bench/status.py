"""How far the submissions of a store are: what their records say, and what SLURM says of the jobs without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hsiaug.bench.engines.slurm_runs import LIVE, Submission
from hsiaug.trial.empty import EMPTY

__all__ = ["Progress", "progress_of"]


@dataclass(frozen=True)
class Progress:
    """Trials of a submission by what has become of them. lost: without a record, and no job has them any more.

    unsubmitted: without a record, and the cluster has taken no job for them yet; they are none of ``trials``.
    left: seconds until the last job that SLURM has should end; None where it has none.
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
    submission: Submission,
    recorded: Mapping[str, str],
    states: Mapping[str, str],
    submitted: Collection[str] = frozenset(),
) -> Progress:
    """recorded: status of every record, by hash. states: of the jobs that SLURM still has, by number.

    submitted: hashes of the trials of all submissions.
    """
    found: Counter[str] = Counter()
    left = 0.0
    for chunk in submission.chunks:
        state = states.get(chunk.job, "")
        missing = [hash for hash in chunk.trials if hash not in recorded]
        found.update("ok" if recorded[h] in ("ok", EMPTY) else "failed" for h in chunk.trials if h in recorded)
        if missing:
            found["running" if state == "RUNNING" else "waiting" if state in LIVE else "lost"] += len(missing)
        if missing and state in LIVE:
            left += chunk.seconds * len(missing) / len(chunk.trials)
    live = sum(states.get(chunk.job) in LIVE for chunk in submission.chunks)
    wall = None if not live else left / min(submission.parallel, live)
    return Progress(
        trials=len(submission.trials),
        ok=found["ok"],
        failed=found["failed"],
        running=found["running"],
        waiting=found["waiting"],
        lost=found["lost"],
        unsubmitted=len(set(submission.rest) - recorded.keys() - set(submitted)),
        left=wall,
    )
