"""``hsiaug status``: how far the trials are that were submitted over a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli.output import print_lines, print_table

__all__ = ["status"]

HEADER = ("submission", "trials", "ok", "failed", "running", "waiting", "lost", "ETA")


def status(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Folder of the records.")] = Path(
        "hsiaug-results"
    ),
) -> None:
    """Say how far the trials are that were submitted to SLURM over a store.

    Running and waiting trials are in jobs that SLURM still has. Lost ones have neither a record nor a job: their job was
    cancelled, or its node died. The command that submitted them submits what is missing.

    Example:

      hsiaug status hsiaug-results
    """
    from hsiaug.base.terminal import Console
    from hsiaug.bench.costs import readable
    from hsiaug.bench.engines.slurm_runs import job_states, progress_of, read_submissions
    from hsiaug.trial.store import Store

    kept, out = Store(store), Console()
    submissions = read_submissions(store)
    states = job_states(submissions)
    hashes = {hash for one in submissions for hash in one.trials}
    recorded = {record["hash"]: record["status"] for record in kept.read(hashes).records}
    found = progress_of(submissions, recorded, states)
    if not found:
        print_lines(out, [f"nothing was submitted over {store}; its records: hsiaug report --store {store}"])
        return
    rows = []
    for name, one in found.items():
        counts = (one.trials, one.ok, one.failed, one.running, one.waiting, one.lost)
        rows.append((name, *map(str, counts), "–" if one.left is None else readable(one.left)))
    print_table(out, HEADER, rows)
    if any(one.lost for one in found.values()):
        print_lines(out, ["lost trials: run the command that submitted them again, it submits what is missing"])
