"""Pages on a terminal: grids that are too wide are parted between columns, never cut."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, GridColumn, ReportPage, part_columns

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table as RichTable
    from rich.text import Text

TEXT_WIDTH, ROOMY = 28, 48
"""Columns of an entry of text: where tables must be parted, and where one has room."""
GAP = 2
GROUP_WIDTH = 14


def print_page(page: ReportPage, console: Console, *, notes: bool = False) -> None:
    """Print title, failures, warnings and grids, with notes these and the audit, and last of all the verdict."""
    console.print()
    console.print(_plain(page.heading, style="bold red" if page.leaky else "bold"))
    if page.failed:
        console.print(_plain(f"{page.failed}{':' if page.failures else ''}", style="bold yellow"))
        for line in _indented(page.failures, "yellow"):
            console.print(line)
    for warning in page.warnings:
        console.print(_plain(warning, style="yellow"))
    for grid in page.grids:
        console.print()
        console.print(_plain(grid.heading, style="italic"))
        _print_grid(grid, console)
    console.print()
    if notes:
        for note in page.notes:
            console.print(_plain(note, style="dim"))
        console.print(_audit(page))
    for sentence, lines in page.verdict:
        console.print(_plain(sentence, style="bold"))
        for line in _indented(lines):
            console.print(line)
    for sentence in page.closing:
        console.print(_plain(sentence))


def _print_grid(grid: Grid, console: Console) -> None:
    """One table, or several that repeat the key columns, each as wide as the console allows."""
    widest = _widest_entries(grid)
    available: int = console.width

    def fits(part: Sequence[int], most: int = TEXT_WIDTH) -> bool:
        widths = _widths(grid, part, widest, most)
        return sum(widths) + GAP * (len(widths) - 1) + 1 <= available

    every = range(grid.keys, len(grid.columns))
    if fits(every, ROOMY):
        console.print(_table(grid, every, _widths(grid, every, widest, ROOMY)))
        return
    if grid.narrower and not fits(every):
        _print_grid(grid.narrower, console)
        return

    for number, part in enumerate(part_columns(grid, fits)):
        if number:
            console.print()
        console.print(_table(grid, part, _widths(grid, part, widest, TEXT_WIDTH) if fits(part) else None))


def _indented(lines: Iterable[str], style: str = "") -> Iterator[RenderableType]:
    from rich.padding import Padding

    for line in lines:
        yield Padding(_plain(line, style=style), (0, 0, 0, 2), expand=False)


def _plain(text: str, style: str = "") -> Text:
    """Return printed data as Text: no markup, and control characters as escapes before anything is measured."""
    from rich.text import Text

    return Text(visible(text, keep="\n"), style=style)


def _audit(page: ReportPage) -> RichTable:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=20, overflow="fold")
    table.add_column(overflow="fold")
    for label, sentence in page.audit:
        loud = "LEAKY" in sentence or "TRANSDUCTIVE" in sentence
        table.add_row(_plain(label, style="bold"), _plain(sentence, style="red" if loud else ""))
    return table


def _widest_entries(grid: Grid) -> list[int]:
    """The widest entry of every column. Rich would find the same, but takes seconds over a thousand rows."""
    from rich.cells import cell_len

    return [max(cell_len(visible(row[i].text)) for row in grid.rows) for i in range(len(grid.columns))]


def _widths(grid: Grid, part: Sequence[int], widest: Sequence[int], most: int) -> list[int]:
    """Widths of the key columns and of those of ``part``, headers included; long texts wrap."""
    kept = [*range(grid.keys), *part]
    headers = _headers([grid.columns[i] for i in kept])
    widths = [max(widest[i], *map(len, h.split("\n"))) for i, h in zip(kept, headers, strict=True)]
    return [w if grid.columns[i].numeric else min(w, most) for i, w in zip(kept, widths, strict=True)]


def _table(grid: Grid, part: Sequence[int], widths: Sequence[int] | None) -> RichTable:
    """The key columns and those of ``part``. widths: one per column shown; None leaves them to rich."""
    from rich import box
    from rich.table import Table

    kept = [*range(grid.keys), *part]
    headers = _headers([grid.columns[i] for i in kept])
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for place, (i, header) in enumerate(zip(kept, headers, strict=True)):
        justify: Literal["left", "right"] = "right" if grid.columns[i].numeric else "left"
        width = widths[place] if widths else None
        table.add_column(_plain(header), justify=justify, overflow="fold", width=width)
    for i, row in enumerate(grid.rows):
        if i in grid.breaks:
            table.add_section()
        table.add_row(*(_plain(row[k].text) for k in kept))
    return table


def _headers(columns: Sequence[GridColumn]) -> list[str]:
    """Header texts of equal height, the name of a group above its first column."""
    above: list[list[str]] = []
    for i, column in enumerate(columns):
        opens = i == 0 or columns[i - 1].group != column.group
        above.append(textwrap.wrap(column.group, GROUP_WIDTH) if opens else [])
    height = max(map(len, above))
    return [
        "\n".join([*lines, *[""] * (height - len(lines)), column.header])
        for lines, column in zip(above, columns, strict=True)
    ]
