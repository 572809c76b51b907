"""Pages as HTML that a notebook shows: what is found, tables, and notes folded behind them.

No script, no link and no colour of its own, so that it follows the notebook's theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from hsiaug.report.grid import Grid, ReportPage
from hsiaug.report.html.markup import details, escape, items


def notebook_html(pages: Sequence[ReportPage]) -> str:
    """All pages, one after the other."""
    return "\n".join(_page(page) for page in pages)


def _page(page: ReportPage) -> str:
    parts = [f"<h4>{escape(page.heading)}</h4>"]
    if page.failed:
        parts += [_said(f"{page.failed}:", page.failures)]
    parts += [_said(warning) for warning in page.warnings]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in page.closing]
    parts += [f"<p>{escape(grid.heading)}</p>{_table(grid)}" for grid in page.grids]
    audit = [f"{label}: {sentence}" for label, sentence in page.audit]
    parts += [
        details(name, items(map(escape, lines)))
        for name, lines in (("Notes", page.notes), ("Audit of the protocol", audit))
    ]
    return "\n".join(parts)


def _said(sentence: str, lines: Iterable[str] = ()) -> str:
    listed = [escape(line) for line in lines]
    return f"<p><strong>{escape(sentence)}</strong></p>" + (items(listed) if listed else "")


def _table(grid: Grid) -> str:
    groups = [(name, len(list(same))) for name, same in groupby(column.group for column in grid.columns)]
    above = "".join(f'<th colspan="{n}">{escape(name)}</th>' for name, n in groups)
    head = f"<tr>{above}</tr>" if any(name for name, _ in groups) else ""
    head += "<tr>" + "".join(f"<th>{escape(column.header)}</th>" for column in grid.columns) + "</tr>"
    rows = ("".join(f"<td>{escape(entry.text)}</td>" for entry in row) for row in grid.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
