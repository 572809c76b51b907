"""Sections as one self-contained page of HTML, and as a notebook shows them; what headings and
verdicts mean where one points at them. Whatever is put into a template is escaped, and control
characters become escapes that can be seen. Style, scripts and templates are those of ``html/``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hsiaug.base.text import visible
from hsiaug.report.figures.files import figure_bytes, picture_source
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Grid, Section, SectionFigure, without_parts
from hsiaug.report.text_templates import finding_meanings, heading_meanings
from hsiaug.report.trials import Trial

HTML = Path(__file__).parent / "html"
SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
COMMAND = re.compile(
    r"'(?P<quoted>hsiaug [^']+)'"
    r"|(?<=: )(?P<bare>hsiaug (?:[^ ;(]|[^;(] (?!\())+?)(?= \(|;|\.?$)"
    r"|(?P<options>--[a-z-]+ [\w.,:-]*\w(?: --[a-z-]+ [\w.,:-]*\w)*[.;,)]*)"
)
"""A command within a sentence, or options of one with the sign behind them."""
VERDICT = "verdict"
"""Heading of the column that stands beside the name of a row on a page."""


def html_page(
    title: str, sections: Sequence[Section], files: Mapping[str, str] | None = None
) -> str:
    """One self-contained page of HTML of these sections, which fetches nothing.

    Parameters
    ----------
    sections : sequence of Section
        Each with its ``id``.
    files : mapping of str to str or None
        Texts that can be saved from the page, by the names of their files.
    """
    # One script, so that one checksum covers all that may run.
    script = Markup("".join((HTML / name).read_text(encoding="utf-8") for name in SCRIPTS))
    packed = [
        (name, base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        for name, text in (files or {}).items()
    ]
    return (
        _templates()
        .get_template("page.html")
        .render(
            title=title,
            style=Markup((HTML / "page.css").read_text(encoding="utf-8")),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            sections=sections,
            data=packed,
        )
    )


def notebook_html(sections: Iterable[Section]) -> str:
    """All sections, one after the other, as a notebook shows them."""
    template = _templates().get_template("notebook.html")
    return template.render(sections=without_parts(sections))


def markup_of(macro: str, *about: object) -> Markup:
    """What a macro of ``macros.html`` makes of something that the page alone shows."""
    made = getattr(_templates().get_template("macros.html").module, macro)
    return Markup(made(*about))


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HTML / "templates"),
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


def _commands(text: str) -> list[tuple[str, str]]:
    """The pieces of a sentence, each with its kind: ``command``, which can be copied, ``options``,
    which stay on one line, or none.
    """
    pieces = []
    end = 0
    for match in COMMAND.finditer(text):
        command = match["quoted"] or match["bare"]
        found = (command.strip(), "command") if command else (match["options"], "options")
        pieces += [(text[end : match.start()], ""), found]
        end = match.end()
    return [*pieces, (text[end:], "")]


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


def tip_of(text: str) -> str:
    """What a heading or a verdict means, in a sentence; empty where it says so itself."""
    plain = text.strip()
    terms = _longest_first(heading_meanings)
    if plain in terms:
        return terms[plain]
    if plain.startswith("Δ"):
        name = plain[1:].split(" ")[0]
        return f"gain in {name}, in percentage points, paired over draws" if name else ""
    if begun := next((term for term in terms if plain.startswith(f"{term} ")), ""):
        return terms[begun]
    findings = _longest_first(finding_meanings)
    return next((said for finding, said in findings.items() if finding in plain), "")


@cache
def _longest_first(meanings: Callable[[], list[tuple[str, str]]]) -> dict[str, str]:
    """Words and what they mean, the longest first: "AA seen" is not taken for "AA"."""
    return dict(sorted(meanings(), key=lambda pair: -len(pair[0])))
