"""``hsiaug status`` and ``hsiaug store``: how far submitted trials are, and the care of stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli.output import print_lines, print_table, say
from hsiaug.registry.progress import show_progress

app = typer.Typer(no_args_is_help=True, help="Stores of records: merge several, verify and pack one.")

Kept = Annotated[Path, typer.Argument(metavar="STORE", help="Folder of the records.")]


@app.command()
def merge(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Store to copy to; made where there is none.")],
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE…", help="Stores to copy from; they stay as they are.")
    ],
) -> None:
    """Copy the records of other stores into one, with their predictions.

    Of two records of one trial the newest that went well stays, as in a report. Damaged records are named and left.
    A merge that was stopped goes on with the same command.

    Example:

      hsiaug store merge all-results laptop-results cluster-results
    """
    from hsiaug.base.terminal import Console
    from hsiaug.trial.record import damage_lines
    from hsiaug.trial.store import Store
    from hsiaug.trial.upkeep import merge as merged

    stores = [Store(source) for source in sources]
    found = {}
    for store in stores:
        with show_progress(Console(stderr=True), str(store.root)) as count:
            found[str(store.root)] = merged(target, store, count)
    for one in found.values():
        for line in damage_lines(one.damaged, "it is not copied"):
            say(line, err=True)
    rows = [(name, one.copied, one.equal, one.kept, len(one.damaged)) for name, one in found.items()]
    header = ("source", "copied", "equal", "kept", "damaged")
    print_table(Console(), header, ([str(cell) for cell in row] for row in rows))


@app.command()
def verify(store: Kept = Path("hsiaug-results")) -> None:
    """Read every record and its predictions, and name what is damaged; exit code 1 where something is.

    Each finding has the command that puts it right: a damaged record is made again by its benchmark.

    Example:

      hsiaug store verify hsiaug-results
    """
    from hsiaug.base.terminal import Console
    from hsiaug.trial.store import Store
    from hsiaug.trial.upkeep import verify as verified

    kept, out = Store(store), Console()
    with show_progress(Console(stderr=True), str(store)) as count:
        found = list(verified(kept, count))
    if found:
        print_table(
            out, ("kind", "name", "fault", "to heal it"), ((o.kind, o.name, o.fault, o.heal) for o in found)
        )
    else:
        print_lines(out, [f"{len(kept.hashes()):,} records in {store}: nothing is damaged"])
    if found:
        raise typer.Exit(1)


@app.command()
def pack(store: Kept = Path("hsiaug-results")) -> None:
    """Put records that went well, and their predictions, into one SQLite file that never changes.

    A store of many records then has few files. Records that failed stay as they are, and new ones are written beside.
    Packing that was stopped loses nothing, and goes on with the same command.

    Example:

      hsiaug store pack hsiaug-results
    """
    from hsiaug.base.terminal import Console
    from hsiaug.trial.store import Store
    from hsiaug.trial.upkeep import pack as packed

    kept, out = Store(store), Console()
    with show_progress(Console(stderr=True), str(store)) as count:
        number = packed(kept, count)
    print_lines(out, [f"{number:,} records packed in {store}"])


STATUS = ("submission", "trials", "ok", "failed", "running", "waiting", "lost", "ETA")


def status(
    store: Kept = Path("hsiaug-results"),
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
    print_table(out, STATUS, rows)
    if any(one.lost for one in found.values()):
        print_lines(out, ["lost trials: run the command that submitted them again, it submits what is missing"])
