"""``hsiaug store``: the care of stores."""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.base.text import some_of
from hsiaug.cli import options
from hsiaug.cli.output import console, print_lines, print_table, say
from hsiaug.registry.progress import show_progress

app = typer.Typer(
    no_args_is_help=True, help="Stores of records: merge several, verify and pack one."
)


@app.command()
def merge(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="Store to copy to; made where there is none.")
    ],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE…", help="Stores to copy from; they stay as they are."),
    ],
) -> None:
    """Copy the records of other stores into one, with their predictions.

    Of two records of one trial the newest that went well stays, as in a report. Damaged records are
    named and left. A merge that was stopped goes on with the same command.

    Example:
      hsiaug store merge all-results laptop-results cluster-results
    """
    from hsiaug.trial.store import Store
    from hsiaug.trial.upkeep import merge as merged

    stores = [Store(source) for source in sources]
    merges = {}
    for store in stores:
        with show_progress(console(err=True), str(store.root)) as count:
            merges[str(store.root)] = merged(target, store, count)
    for merge_result in merges.values():
        for damage in merge_result.damaged:
            say(f"{damage.words}; it is not copied", err=True)
    rows = [
        (
            name,
            merge_result.copied,
            merge_result.equal,
            merge_result.kept,
            len(merge_result.damaged),
        )
        for name, merge_result in merges.items()
    ]
    print_table(console(), ("source", "copied", "equal", "kept", "damaged"), rows)


@app.command()
def verify(folder: options.Folder = None, store: options.NamedStore = None) -> None:
    """Read every record and its predictions, and name what is damaged; exit code 1 where something
    is.

    Each finding has the command that puts it right: a damaged record is made again by its
    benchmark.

    Example:
      hsiaug store verify hsiaug-results
    """
    from hsiaug.trial.store import MOST_HASHES, Store
    from hsiaug.trial.upkeep import verify as verified

    records = Store(options.store_named(folder, store))
    out = console()
    with show_progress(console(err=True), str(records.root)) as count:
        findings = list(verified(records, count, older := list[str]()))
    if older:
        named = some_of(older, MOST_HASHES)
        number = f"{len(older):,} of {len(records.hashes()):,} records"
        say(
            f"{number} are from before records had a digest: only what follows from their counts is"
            f" checked ({named})",
            err=True,
        )
    if not findings:
        print_lines(
            out, [f"{len(records.hashes()):,} records in {records.root}: nothing is damaged"]
        )
        return
    rows = ((finding.kind, finding.name, finding.fault, finding.heal) for finding in findings)
    print_table(out, ("kind", "name", "fault", "to heal it"), rows)
    raise typer.Exit(1)


@app.command()
def pack(folder: options.Folder = None, store: options.NamedStore = None) -> None:
    """Put records that did not fail, and their predictions, into one file, so that a store of many
    has few files.

    All commands read it as they read folders. New records are written beside it. Packing that was
    stopped goes on.

    Example:
      hsiaug store pack hsiaug-results
    """
    from hsiaug.trial.store import Store
    from hsiaug.trial.upkeep import pack as packed

    records = Store(options.store_named(folder, store))
    with show_progress(console(err=True), str(records.root)) as count:
        number = packed(records, count)
    print_lines(console(), [f"{number:,} records packed in {records.root}"])
