"""Pieces of HTML. Arguments called ``html`` are markup already; every other text is escaped here."""

from __future__ import annotations

import base64
import html as html_module
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from urllib.parse import quote

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, GridColumn, GridEntry
from hsiaug.report.labels import MISSING
from hsiaug.report.records import ArmCell


def escape(text: str) -> str:
    """The text as content or attribute of an element; control characters as escapes that can be seen."""
    return html_module.escape(visible(text))


def link(text: str, target: str | None) -> str:
    """The text, as a link to an id of the page where there is one."""
    return f'<a href="#{escape(target)}">{escape(text)}</a>' if target else escape(text)


SHADES = 9
"""Steps of either side of the diverging scale: l1 to l9 and m1 to m9 of the page's style."""


def _shade(share: float) -> str:
    """The class of a field on the diverging scale, −1..1; none in the middle, and beyond its ends that of the end."""
    step = min(SHADES, round(SHADES * abs(share)))
    return f"{'m' if share > 0 else 'l'}{step}" if step else ""


def diverging_legend(limit: float) -> str:
    """The shades from below to above 0. limit: fraction at which they end; beyond it they stay as they are."""
    steps = [
        *(f"l{step}" for step in range(SHADES, 0, -2)),
        "z0",
        *(f"m{step}" for step in range(1, SHADES + 1, 2)),
    ]
    shades = f'<span class="shades" aria-hidden="true">{"".join(f"<i class={step}></i>" for step in steps)}</span>'
    end = f"{100 * limit:g}"
    return f'<p class="legend ramp"><span>−{end}</span>{shades}<span>+{end} points and beyond</span></p>'


def badge(text: str, kind: str = "") -> str:
    """A word in a small frame. kind: good, bad, warn or nothing."""
    return f'<span class="badge {kind}">{escape(text)}</span>'


def details(summary: str, html: str, *, id: str = "", opened: bool = False, level: str = "") -> str:
    """A block that opens and closes. level: of the heading that its summary is, as ``h3``; "" where it is none."""
    named = f' id="{escape(id)}"' if id else ""
    said = f"<{level}>{escape(summary)}</{level}>" if level else escape(summary)
    kind = ' class="part"' if level else ""
    return f"<details{kind}{named}{' open' if opened else ''}><summary>{said}</summary>\n{html}\n</details>"


def items(html: Iterable[str]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in html) + "</ul>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with what is said of each."""
    return "<dl>" + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs) + "</dl>"


def scroller(label: str, html: str) -> str:
    """Wrap HTML wider than a small screen: it scrolls, by keyboard too, while the page and the label do not."""
    region = f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(label)}">{html}</div>'
    return f'<p class="caption">{escape(label)}</p>{region}'


def grid_table(grid: Grid, anchor: Callable[[ArmCell], str] | None = None, kind: str = "") -> str:
    """A sortable table: the first column names the row, every heading is a button. anchor: id of a cell's records.

    kind: further classes of its style.
    """
    body = "".join(_row(grid, i, anchor) for i in range(len(grid.rows)))
    name = escape(grid.heading)
    head = _head(grid.columns)
    style = f"sortable {kind}".rstrip()
    table = f'<table class="{style}" aria-label="{name}"><thead>{head}</thead><tbody>{body}</tbody></table>'
    return scroller(grid.heading, table)


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
        kind = _shade(entry.shade or 0.0) if column.numeric else "t"
        named = f' class="{kind}"' if kind else ""
        cells.append(f"<td{named}>{_field(entry, anchor)}")  # HTML closes it itself, and there are many
    return f"<tr{' class=new' if i in grid.breaks else ''}>{''.join(cells)}</tr>\n"


def _field(entry: GridEntry, anchor: Callable[[ArmCell], str] | None) -> str:
    target = anchor(entry.cell) if anchor and entry.cell and entry.text != MISSING else None
    text = link(entry.text, target)
    if entry.tone is not None:
        return f'<span class="badge {entry.tone}">{text}</span>'
    return text


def embedded_image(picture: bytes, alt: str, width: int, height: int) -> str:
    """A PNG or JPEG as an ``img`` of that size."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture).decode()
    return f'<img src="data:image/{kind};base64,{data}" alt="{escape(alt)}" width="{width}" height="{height}">'


def embedded_svg(svg: str, alt: str) -> str:
    """The text of an SVG as an ``img``, in which a browser runs no script and fetches nothing."""
    data = quote(svg, safe="/:;,.=()!*+@-_~")
    return f'<img src="data:image/svg+xml,{data}" alt="{escape(alt)}">'
