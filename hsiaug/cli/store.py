"""``hsiaug store``: the care of stores."""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli.output import console, print_table, say
from hsiaug.registry.progress import show_progress

app = typer.Typer(no_args_is_help=True, help="Merge stores of records.")


@app.callback()
def _store() -> None:
    """A group of one command, which a callback keeps a group."""


@app.command()
def merge(
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="Store to copy to; created if needed.")
    ],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE…", help="Stores to copy from, which do not change."),
    ],
) -> None:
    """Copy the records of other stores into one, with their predictions.

    Example:
      hsiaug store merge all-results laptop-results cluster-results

    Of two records of the same trial, the newest successful one is kept. Each record and its
    predictions are verified; damaged ones are named and left out. The same command continues a
    stopped merge.
    """
    from hsiaug.trial.store import Store
    from hsiaug.trial.store_merge import merge as merged

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
