"""Pieces of HTML. Arguments called ``html`` are markup already; every other text is escaped here."""

from __future__ import annotations

import html as html_module
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from hsiaug.base.text import visible
from hsiaug.report.cells import ArmCell
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING

__all__ = [
    "SHADES",
    "badge",
    "details",
    "diverging_legend",
    "escape",
    "facts",
    "figure",
    "grid_table",
    "items",
    "json_for_script",
    "known_by",
    "link",
    "plain_grid",
    "round_limit",
    "scroller",
    "shade",
    "tip",
]


def escape(text: str) -> str:
    """The text as content or attribute of an element; control characters as escapes that can be seen."""
    return html_module.escape(visible(text))


def json_for_script(value: Any) -> str:
    """JSON for the page's scripts, as content of an element; texts read as they do elsewhere on the page."""

    def shown(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {visible(name): shown(entry) for name, entry in part.items()}
        if isinstance(part, list | tuple):
            return [shown(entry) for entry in part]
        return visible(part) if isinstance(part, str) else part

    return json.dumps(shown(value), ensure_ascii=False).replace("<", "\\u003c")


def link(text: str, target: str | None, said: str = "") -> str:
    """The text, as a link to an id of the page where there is one. said: see :func:`tip`."""
    return f'<a href="#{escape(target)}"{tip(said)}>{escape(text)}</a>' if target else escape(text)


def tip(said: str) -> str:
    """The attribute of a mark whose values are shown where the pointer or the keyboard is on it; none for no text."""
    return f' data-tip="{escape(said)}"' if said else ""


SHADES = 9
"""Steps of either side of the diverging scale: l1 to l9 and m1 to m9 of the page's style."""


def shade(share: float) -> str:
    """The class of a field on the diverging scale, −1..1; none in the middle, and beyond its ends that of the end."""
    step = min(SHADES, round(SHADES * abs(share)))
    return f"{'m' if share > 0 else 'l'}{step}" if step else ""


INSIDE = 0.95
"""Share of the fields that a scale is to tell apart: a class of three pixels must not wash out all others."""


def round_limit(sizes: Sequence[float]) -> float:
    """Where a scale ends, as a fraction: a round number of points below which most sizes lie; one point at least."""
    ordered = sorted(sizes)
    inside = ordered[math.ceil(INSIDE * len(ordered)) - 1] if ordered else 0.0
    steps = (n * 10.0**power for power in (-2, -1) for n in (1, 2, 3, 5))
    return next((step for step in steps if step >= inside - 1e-12), 1.0)


def diverging_legend(limit: float, less: str, more: str) -> str:
    """The shades from below to above 0. limit: fraction at which they end; beyond it they stay as they are."""
    fields = "".join(f'<i class="{side}{step}"></i>' for side, steps in SIDES for step in steps)
    end = f"{100 * limit:g}"
    shades = f'<span class="shades" aria-hidden="true">{fields}</span>'
    return (
        f'<p class="legend ramp"><span>{escape(less)} −{end}</span>{shades}'
        f"<span>+{end} points and beyond: {escape(more)}</span></p>"
    )


SIDES = (("l", range(SHADES, 0, -2)), ("z", range(1)), ("m", range(1, SHADES + 1, 2)))
"""The shades of a legend, every other one."""


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


def figure(html: str, caption: str, **facts: str) -> str:
    """A picture with its caption. facts: what filters know it by, as ``classifier="svm"``."""
    return f"<figure{known_by(**facts)}>{html}<figcaption>{escape(caption)}</figcaption></figure>"


def known_by(**facts: str) -> str:
    """Attributes that filters read; none for an empty text."""
    return "".join(f' data-{name}="{escape(value)}"' for name, value in facts.items() if value)


def scroller(label: str, html: str) -> str:
    """What is wider than a small screen scrolls by itself, by keyboard too, and the page and its label do not."""
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{html}</div>'
    return f'<p class="caption">{escape(label)}</p>{region}'


def plain_grid(
    heading: str, headers: Sequence[str], rows: Iterable[Sequence[str]], text: Sequence[int] = (0,)
) -> str:
    """A table of texts; text: the columns that are not numbers."""
    columns = [GridColumn(header, itemgetter(i), numeric=i not in text) for i, header in enumerate(headers)]
    return grid_table(make_grid(heading, columns, rows))


def grid_table(grid: Grid, anchor: Callable[[ArmCell], str] | None = None, kind: str = "") -> str:
    """A sortable table: the first column names the row, every heading is a button. anchor: id of a cell's records.

    kind: further classes of its style.
    """
    grid = _aligned(grid)
    body = "".join(_row(grid, i, anchor) for i in range(len(grid.rows)))
    name = escape(grid.heading)
    head = _head(grid.columns)
    style = f"sortable {kind}".rstrip()
    table = f'<table class="{style}" aria-label="{name}"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return scroller(grid.heading, table)


INTERVAL = re.compile(r"▲?\S [+−-]?[\d.]+ \[[^\]]*\]")
NARROW_STD = re.compile(r"(?<=± )(?=\d\.)")
FIGURE_SPACE = "\u2007"


def _aligned(grid: Grid) -> Grid:
    """The same with points below points: a std of one digit takes the room of two where its column has one of two."""
    wide = {i for row in grid.rows for i, entry in enumerate(row) if re.search(r"± \d\d\.", entry.text)}
    rows = (
        tuple(replace(e, text=NARROW_STD.sub(FIGURE_SPACE, e.text)) if i in wide else e for i, e in enumerate(row))
        for row in grid.rows
    )
    return replace(grid, rows=tuple(rows)) if wide else grid


def _head(columns: Sequence[GridColumn]) -> str:
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


def _heading(place: int, column: GridColumn, rows: int = 1) -> str:
    span = f' rowspan="{rows}"' if rows > 1 else ""
    kind = "" if column.numeric else ' class="t"'
    return (
        f'<th scope="col"{span}{kind}><button type="button" data-c="{place}">{escape(column.header)}</button></th>'
    )


def _row(grid: Grid, i: int, anchor: Callable[[ArmCell], str] | None) -> str:
    key, *entries = grid.rows[i]
    cells = [f'<th scope="row">{_field(key, anchor)}</th>']
    for column, entry in zip(grid.columns[1:], entries, strict=True):
        kind = shade(entry.shade or 0.0) if column.numeric else "t"
        named = f' class="{kind}"' if kind else ""
        cells.append(f"<td{named}>{_field(entry, anchor)}</td>")
    return f"<tr{' class=new' if i in grid.breaks else ''}>{''.join(cells)}</tr>\n"


def _field(entry: GridEntry, anchor: Callable[[ArmCell], str] | None) -> str:
    target = anchor(entry.cell) if anchor and entry.cell and entry.text != MISSING else None
    text = link(entry.text, target, entry.tip)
    if entry.tone is not None:
        kept = INTERVAL.sub(lambda found: f'<span class="nb">{found[0]}</span>', text, count=1)
        return f'<span class="badge {entry.tone}">{kept}</span>'
    return text
