"""Pages as HTML that a notebook shows: the verdict, tables, and notes folded behind them.

No script, no link and no colour of its own, so that it follows the notebook's theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, ReportPage

__all__ = ["notebook_html"]


def notebook_html(pages: Sequence[ReportPage]) -> str:
    """All pages, one after the other."""
    return "\n".join(_page(page) for page in pages)


def _page(page: ReportPage) -> str:
    parts = [f"<h4>{_text(page.heading)}</h4>"]
    if page.failed:
        parts += [f"<p><strong>{_text(page.failed)}:</strong></p>", _items(page.failures)]
    parts += [f"<p><strong>{_text(warning)}</strong></p>" for warning in page.warnings]
    if page.outcome:
        about = f"{page.outcome.heading}: {page.outcome_note}"
        parts += [_table(page.outcome), f"<p><small>{_text(about)}</small></p>"]
    for sentence, lines in page.verdict:
        parts += [f"<p><strong>{_text(sentence)}</strong></p>", _items(lines)]
    parts += [f"{_caption(grid, page)}{_table(grid)}" for grid in page.grids]
    audit = (f"{label}: {sentence}" for label, sentence in page.audit)
    parts += [_folded("Notes", page.notes), _folded("Audit of the protocol", audit)]
    return "\n".join(part for part in parts if part)


def _caption(grid: Grid, page: ReportPage) -> str:
    return f"<p>{_text(grid.heading)}</p>" if len(page.grids) > 1 else ""


def _table(grid: Grid) -> str:
    head = ""
    if any(column.group for column in grid.columns):
        spans = [(name, len(list(group))) for name, group in groupby(column.group for column in grid.columns)]
        head = "<tr>" + "".join(f'<th colspan="{n}">{_text(name)}</th>' for name, n in spans) + "</tr>"
    head += "<tr>" + "".join(f"<th>{_text(column.header)}</th>" for column in grid.columns) + "</tr>"
    rows = "".join(
        "<tr>" + "".join(f"<td>{_text(entry.text)}</td>" for entry in row) + "</tr>" for row in grid.rows
    )
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _folded(name: str, lines: Iterable[str]) -> str:
    listed = _items(lines)
    return f"<details><summary>{name}</summary>{listed}</details>" if listed else ""


def _items(lines: Iterable[str]) -> str:
    entries = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<ul>{entries}</ul>" if entries else ""


def _text(text: str) -> str:
    return escape(visible(text))
