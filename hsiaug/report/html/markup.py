"""Pieces of HTML. Arguments called ``html`` are markup already; every other text is escaped here."""

from __future__ import annotations

import html as html_module
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from hsiaug.report.grid import Column, Grid
from hsiaug.text import visible

__all__ = [
    "Inner",
    "badge",
    "details",
    "escape",
    "facts",
    "figure",
    "grid_table",
    "items",
    "link",
    "plain_grid",
    "scroller",
]

Inner = Callable[[int, int, str], str]
"""Row, column and text of an entry → its markup."""


def escape(text: str) -> str:
    """The text as content or attribute of an element; control characters as escapes that can be seen."""
    return html_module.escape(visible(text))


def link(text: str, target: str | None) -> str:
    """The text, as a link to an id of the page where there is one."""
    return f'<a href="#{escape(target)}">{escape(text)}</a>' if target else escape(text)


def badge(text: str, kind: str = "") -> str:
    """A word in a small frame. kind: good, bad, warn or nothing."""
    return f'<span class="badge {kind}">{escape(text)}</span>'


def details(summary: str, html: str, *, id: str = "", opened: bool = False) -> str:
    """A block that opens and closes."""
    named = f' id="{escape(id)}"' if id else ""
    return f"<details{named}{' open' if opened else ''}><summary>{escape(summary)}</summary>\n{html}\n</details>"


def items(html: Iterable[str]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in html) + "</ul>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with what is said of each."""
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs) + "</dl>"


def figure(html: str, caption: str, kind: str = "") -> str:
    """A picture with its caption."""
    return f'<figure class="{kind}">{html}<figcaption>{escape(caption)}</figcaption></figure>'


def scroller(label: str, html: str) -> str:
    """What is wider than a small screen scrolls by itself, by keyboard too, and the page and its label do not."""
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{html}</div>'
    return f'<p class="caption">{escape(label)}</p>{region}'


def plain_grid(
    heading: str, headers: Sequence[str], rows: Iterable[Sequence[str]], text: Sequence[int] = (0,)
) -> str:
    """A table of texts; text: the columns that are not numbers."""
    columns = tuple(Column(header, numeric=i not in text) for i, header in enumerate(headers))
    return grid_table(Grid(heading, columns, tuple(tuple(row) for row in rows)))


def grid_table(grid: Grid, inner: Inner | None = None) -> str:
    """A sortable table: the first column names the row, every heading is a button."""
    body = "".join(_row(grid, i, row, inner or _text) for i, row in enumerate(grid.rows))
    name = escape(grid.heading)
    head = _head(grid.columns)
    table = f'<table class="sortable" aria-label="{name}"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return scroller(grid.heading, table)


def _head(columns: Sequence[Column]) -> str:
    """One row, or two where neighbouring columns share a group."""
    if not any(column.group for column in columns):
        return "<tr>" + "".join(_heading(i, column) for i, column in enumerate(columns)) + "</tr>"
    upper, lower = [], []
    for group, same in groupby(enumerate(columns), key=lambda entry: entry[1].group):
        listed = list(same)
        if group:
            upper.append(f'<th scope="colgroup" colspan="{len(listed)}" class="group">{escape(group)}</th>')
            lower += [_heading(i, column) for i, column in listed]
        else:
            upper += [_heading(i, column, rows=2) for i, column in listed]
    return f"<tr>{''.join(upper)}</tr><tr>{''.join(lower)}</tr>"


def _heading(place: int, column: Column, rows: int = 1) -> str:
    span = f' rowspan="{rows}"' if rows > 1 else ""
    kind = "" if column.numeric else ' class="t"'
    return (
        f'<th scope="col"{span}{kind}><button type="button" data-c="{place}">{escape(column.header)}</button></th>'
    )


def _row(grid: Grid, i: int, row: Sequence[str], inner: Inner) -> str:
    cells = [f'<th scope="row">{inner(i, 0, row[0])}</th>']
    for j, text in enumerate(row[1:], start=1):
        kind = "" if grid.columns[j].numeric else ' class="t"'
        cells.append(f"<td{kind}>{inner(i, j, text)}</td>")
    return f"<tr{' class=new' if i in grid.breaks else ''}>{''.join(cells)}</tr>\n"


def _text(row: int, column: int, text: str) -> str:
    return escape(text)
