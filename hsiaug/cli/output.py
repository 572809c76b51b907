"""Tables on a terminal; lines of tab-separated fields elsewhere, so that other programs can read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_lines", "print_table"]


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
