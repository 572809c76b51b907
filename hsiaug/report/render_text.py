"""Sections as GitHub Markdown, and as LaTeX that fits the text: floats over all columns, wide grids
parted between columns.

LaTeX needs the packages array and booktabs, which every distribution has.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from hsiaug.base.text import visible
from hsiaug.report.formatting import MISSING
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, part_columns, without_parts
from hsiaug.report.text_templates import text_templates

WIDTH = 345.0
"""Points of the text of an article at 10 pt: the narrowest that is usual. Both columns of IEEEtran
have 516.
"""
LETTER, GAP = 4.6, 6.0
"""Points of a letter at \\footnotesize, the wide ones counted in, and between two columns."""
MAX_LETTERS_ON_A_LINE = 24
"""Letters of a text that stands on one line; longer ones break."""
GROUP = 80.0
"""Points of the name of a group that stands on one line at least."""
LATEX_SYNTAX = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}
"""Of its template: LaTeX is full of the usual braces."""
LATEX = {
    **{c: rf"\{c}" for c in "{}$&#%_"},
    **{c: f"${c}$" for c in "<>|"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': "''",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "λ": r"$\lambda$",
    "ω": r"$\omega$",
    "κ": r"$\kappa$",
    "ε": r"$\varepsilon$",
    "Δ": r"$\Delta$",
    "▲": r"$\bigtriangleup$",
    "▼": r"$\bigtriangledown$",
    "○": r"$\circ$",
    "✕": r"$\times$",
}
"""Characters that LaTeX reads, or that its usual fonts lack."""


def markdown(sections: Iterable[Section]) -> str:
    """All sections as one Markdown text."""
    template = text_templates(markdown_text).get_template("sections.md")
    text = template.render(sections=without_parts(sections))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@lru_cache(2**16)
def markdown_text(text: str) -> str:
    """Escape what Markdown or HTML would read: an underscore inside a word is only an underscore,
    ``< 1`` begins no tag, and ``[ ]:`` names no link.
    """
    text = visible(" ".join(text.split()))
    read = r"([\\|*`>$]|<(?! )|&(?=[#A-Za-z])|\](?=[(\[])|(?<!\[ )\](?=:))"
    text = re.sub(read, r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def latex(sections: Iterable[Section], name: str = "") -> str:
    """The tables of all sections as LaTeX floats, each followed by its section's notes and audit.

    Parameters
    ----------
    name : str
        What their labels begin with, so that tables of several files stand in one paper.
    """
    template = text_templates(_tex, **LATEX_SYNTAX).get_template("sections.tex")
    return template.render(
        sections=without_parts(sections),
        name=name,
        parts=_floats,
        groups=_groups,
        one_line=MAX_LETTERS_ON_A_LINE * LETTER,
    )


class _Placed(NamedTuple):
    """A column of a float: its place in the grid, and its points."""

    place: int
    column: GridColumn
    points: float


FloatRow = tuple[bool, tuple[GridEntry, ...]]
"""Whether a block begins, and the entries of the row."""


class _Float(NamedTuple):
    """The columns and rows of a grid that one float has."""

    columns: list[_Placed]
    rows: list[FloatRow]


def _floats(grid: Grid) -> list[_Float]:
    """The grid's one float, or several that repeat the key columns."""
    placed = [_Placed(i, column, _points(grid, i)) for i, column in enumerate(grid.columns)]

    def chosen(part: Iterable[int]) -> list[_Placed]:
        return [*placed[: grid.keys], *(placed[place] for place in part)]

    parts = part_columns(grid, lambda part: sum(one.points + GAP for one in chosen(part)) <= WIDTH)
    floats = [_Float(chosen(part), _rows_of(grid, part)) for part in parts]
    return [one for one in floats if one.rows]


def _rows_of(grid: Grid, part: Sequence[int]) -> list[FloatRow]:
    """The rows of a float, without those that have entries in other floats alone."""
    rows: list[FloatRow] = []
    begins = False
    for place, row in enumerate(grid.rows):
        begins |= place in grid.breaks
        known = {i for i in range(grid.keys, len(row)) if row[i].text not in ("", MISSING)}
        if known.intersection(part) or not known:
            rows.append((begins and bool(rows), row))
            begins = False
    return rows


def _points(grid: Grid, place: int) -> float:
    """How wide a column is: as its longest entry, and as its share of the name of its group."""
    column = grid.columns[place]
    longest = max([len(column.header), *(len(row[place].text) for row in grid.rows)])
    group = min(LETTER * len(column.group), GROUP) / sum(
        other.group == column.group for other in grid.columns
    )
    return max(
        LETTER * (longest if column.numeric else min(longest, MAX_LETTERS_ON_A_LINE + 1)), group
    )


def _groups(part: Sequence[_Placed]) -> list[tuple[str, int, int, float]]:
    """Name, first and last column, and points of each group above a float's columns; nothing
    without names.
    """
    found = []
    start = 1
    for name, same in groupby(part, key=lambda one: one.column.group):
        points = [one.points for one in same]
        found.append((name, start, start + len(points) - 1, sum(points) + GAP * (len(points) - 1)))
        start += len(points)
    return found if any(name for name, *_ in found) else []


def _tex(text: str) -> str:
    """Escape for LaTeX: signs become mathematics, a leading minus a real one, double hyphens stay
    two.
    """
    escaped = "".join(
        LATEX.get(c, c if ord(c) < 0x180 else f"U+{ord(c):04X}")
        for c in visible(" ".join(text.split()))
    )
    escaped = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)
    return re.sub(r"-(?=-[A-Za-z])", "-{}", escaped)
