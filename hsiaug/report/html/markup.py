"""Templates of pages: whatever is put into one is escaped, and control characters become escapes
that can be seen.
"""

import base64
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, ReportPage

HERE = Path(__file__).parent


@cache
def templates() -> Environment:
    """The templates of this folder."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    made.globals |= {"heads": _heads}
    return made


def macros() -> Any:
    """The pieces of macros.html, as functions that return markup."""
    return templates().get_template("macros.html").module


def join(*html: str) -> Markup:
    """Pieces of markup, one below the other; empty ones are left out."""
    return Markup("\n").join(Markup(piece) for piece in html if piece)


def picture_source(picture: bytes) -> str:
    """A PNG, a JPEG or an SVG as the source of an ``img``, which fetches nothing."""
    for start, kind in ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg")):
        if picture.startswith(start):
            return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    return f"data:image/svg+xml,{quote(picture.decode(), safe='/:;,.=()!*+@-_~')}"


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _heads(grid: Grid) -> list[list[tuple[str, int | None, int, int, str]]]:
    """One row, or two where neighbouring columns share a group: (text, column that it sorts by,
    columns and rows that it spans, kind) of each heading.
    """
    two = any(column.group for column in grid.columns)
    upper: list[tuple[str, int | None, int, int, str]] = []
    lower: list[tuple[str, int | None, int, int, str]] = []
    for group, same in groupby(enumerate(grid.columns), key=lambda entry: entry[1].group):
        across = [*same]
        upper += [(group, None, len(across), 1, "group")] if group else []
        for place, column in across:
            own = (column.header, place, 1, 1 if group else 1 + two, "" if column.numeric else "t")
            (lower if group else upper).append(own)
    return [upper, lower] if two else [upper]


def notebook_html(pages: Sequence[ReportPage]) -> str:
    """All pages, one after the other, as a notebook shows them."""
    return templates().get_template("notebook.html").render(pages=pages)
