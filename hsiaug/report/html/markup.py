"""Templates of pages: whatever is put into one is escaped, and control characters become escapes that can be seen."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, ReportPage

HERE = Path(__file__).parent
SHADES = 9
"""Steps of either side of the diverging scale: l1 to l9 and m1 to m9 of the page's style."""


class Heading(NamedTuple):
    """The heading of a column, or of several. place: of the column that it sorts by; None where it names a group."""

    text: str
    place: int | None
    across: int = 1
    down: int = 1
    kind: str = ""


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
    made.globals |= {"heads": _heads, "shade": _shade}
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


def _shade(share: float | None) -> str:
    """The class of a field on the diverging scale, −1..1; none in the middle, and beyond its ends that of the end."""
    step = min(SHADES, round(SHADES * abs(share or 0.0)))
    return f"{'m' if (share or 0.0) > 0 else 'l'}{step}" if step else ""


def _heads(grid: Grid) -> list[list[Heading]]:
    """One row, or two where neighbouring columns share a group."""
    two = any(column.group for column in grid.columns)
    upper: list[Heading] = []
    lower: list[Heading] = []
    for group, same in groupby(enumerate(grid.columns), key=lambda entry: entry[1].group):
        own = [Heading(column.header, place, kind="" if column.numeric else "t") for place, column in same]
        if group:
            upper.append(Heading(group, None, across=len(own), kind="group"))
            lower += own
        else:
            upper += [heading._replace(down=1 + two) for heading in own]
    return [upper, lower] if two else [upper]


def notebook_html(pages: Sequence[ReportPage]) -> str:
    """All pages, one after the other, as a notebook shows them."""
    return templates().get_template("notebook.html").render(pages=pages)
