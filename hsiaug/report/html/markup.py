"""Templates of pages, and what headings and verdicts mean where one points at them. Whatever is put
into a template is escaped, and control characters become escapes that can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hsiaug.base.text import visible
from hsiaug.report.cells import ArmCell
from hsiaug.report.figures.files import figure_bytes, picture_source
from hsiaug.report.grid import Grid
from hsiaug.report.section import Section, SectionFigure, without_parts
from hsiaug.report.text_templates import finding_meanings, heading_meanings
from hsiaug.report.trials import Trial

HERE = Path(__file__).parent
COMMAND = re.compile(
    r"'(?P<quoted>hsiaug [^']+)'"
    r"|(?<=: )(?P<bare>hsiaug (?:[^ ;(]|[^;(] (?!\())+?)(?= \(|;|\.?$)"
)
"""A command within a sentence."""
VERDICT = "verdict"
"""Heading of the column that stands beside the name of a row on a page."""


@cache
def templates() -> Environment:
    """The templates of this folder."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    made.globals |= {"drawn": _drawn, "heads": _heads, "marks": _marks, "tip": tip_of}
    made.filters |= {"commands": _commands, "verdict_first": _verdict_first}
    return made


def markup_of(macro: str, *about: object) -> Markup:
    """What a macro of ``macros.html`` makes of something that the page alone shows."""
    made = getattr(templates().get_template("macros.html").module, macro)
    return Markup(made(*about))


def _drawn(figure: SectionFigure) -> tuple[str, str, str]:
    """A figure: what it shows with how to read it, and the sources of an ``img`` across a page and
    on a small screen, where that has one of its own.
    """
    across = figure.draw(2)
    wide = picture_source(figure_bytes(across, "svg"))
    small = picture_source(figure_bytes(figure.draw(1), "svg")) if figure.narrow else ""
    return f"{figure.caption}: {across.get_label()}", wide, small


def _visible(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _verdict_first(grid: Grid) -> Grid:
    """The table with its verdict beside the name of a row, where a small screen shows it."""
    headers = [column.header for column in grid.columns]
    if headers.count(VERDICT) != 1:
        return grid
    verdict = headers.index(VERDICT)
    first = 1 if grid.keys < 3 else grid.keys
    others = [place for place in range(len(headers)) if place != verdict]
    order = [*others[:first], verdict, *others[first:]]
    return replace(
        grid,
        columns=tuple(grid.columns[place] for place in order),
        rows=tuple(tuple(row[place] for place in order) for row in grid.rows),
        keys=grid.keys + 1,
    )


def _marks(grid: Grid, keys: Mapping[ArmCell, str]) -> list[tuple[str, str]]:
    """For each row (opens, of): the name of the arm whose draws it opens, and that of the arm of
    which it is a draw.
    """
    of = {(cell.arm, cell.classifier): key for cell, key in keys.items()}
    marks = []
    for subject in grid.subjects or [None] * len(grid.rows):
        opens = keys.get(subject, "") if isinstance(subject, ArmCell) else ""
        draw = of.get((subject.arm, subject.classifier), "") if isinstance(subject, Trial) else ""
        marks.append((opens, draw))
    return marks


def _commands(text: str) -> list[tuple[str, bool]]:
    """The pieces of a sentence, each with whether it is a command, which can be copied."""
    pieces = []
    end = 0
    for match in COMMAND.finditer(text):
        command = (match["quoted"] or match["bare"]).strip()
        pieces += [(text[end : match.start()], False), (command, True)]
        end = match.end()
    return [*pieces, (text[end:], False)]


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


def notebook_html(sections: Iterable[Section]) -> str:
    """All sections, one after the other, as a notebook shows them."""
    template = templates().get_template("notebook.html")
    return template.render(sections=without_parts(sections))


def tip_of(text: str) -> str:
    """What a heading or a verdict means, in a sentence; empty where it says so itself."""
    plain = text.strip()
    terms = _terms()
    if plain in terms:
        return terms[plain]
    if plain.startswith("Δ"):
        name = plain[1:].split(" ")[0]
        return f"gain in {name}, in percentage points, paired over draws" if name else ""
    if begun := next((term for term in terms if plain.startswith(f"{term} ")), ""):
        return terms[begun]
    return next((said for start, said in _findings() if start in plain), "")


@cache
def _terms() -> dict[str, str]:
    """Headings of columns, the longest first, so that "AA seen" is not taken for "AA"."""
    return dict(sorted(heading_meanings(), key=lambda pair: -len(pair[0])))


@cache
def _findings() -> list[tuple[str, str]]:
    """Findings, the longest first, so that one that begins another is not taken for it."""
    return sorted(finding_meanings(), key=lambda pair: -len(pair[0]))
