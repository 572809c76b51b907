"""Tables on a terminal; lines of tab-separated fields elsewhere, so that other programs can read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.trial.record import Damage

__all__ = ["absent", "damage_lines", "print_json", "print_lines", "print_table"]


def print_table(out: Console, header: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """One table with a header line."""
    if not out.is_terminal:
        print_lines(out, ("\t".join(row) for row in (header, *rows)))
        return
    from rich.table import Table

    table = Table(*header, title=title or None)
    for row in rows:
        table.add_row(*row)
    out.print(table, highlight=False)


def print_lines(out: Console, lines: Iterable[str]) -> None:
    """Lines as they are: no markup, no wrapping, no colour."""
    for line in lines:
        # Console.print would turn tabs into spaces.
        out.file.write(f"{line}\n")


def print_json(value: object) -> None:
    """A value as strict JSON on standard output, of which it is all: lists as arrays, their rows as objects."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def absent(runs: Mapping[str, Collection[str]], known: Collection[str], store: Path) -> Iterator[str]:
    """Sentences on the runs of a suite of which trials have no record. runs: hashes by name."""
    for run, hashes in runs.items():
        missing = sum(hash not in known for hash in hashes)
        if missing and run:
            yield f"run {run}: {missing} of {len(hashes)} trials are not in {store}"


def damage_lines(damaged: Iterable[Damage], then: str = "it is left out") -> Iterator[str]:
    """Sentences on the records that are not to be believed."""
    for damage in damaged:
        yield f"damaged record {damage}; {then}"
