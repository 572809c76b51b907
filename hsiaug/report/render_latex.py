"""Pages as LaTeX that fits the text: floats with labels over all its columns, wide grids parted between columns.

Needs the packages array and booktabs, which every distribution has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage

__all__ = ["latex"]

PREAMBLE = "% Needs \\usepackage{array,booktabs} and \\usepackage[utf8]{inputenc} (the default since 2018)."
WIDTH = 345.0
"""Points of the text of an article at 10 pt: the narrowest that is usual. Both columns of IEEEtran have 516."""
LETTER, GAP = 4.6, 6.0
"""Points of a letter at \\footnotesize, the wide ones counted in, and between two columns."""
WAITING = 12
"""Floats that LaTeX is left to place; it takes 18 at most."""
LONGEST = 24
"""Letters of a text that stands on one line; longer ones break."""
GROUP = 80.0
"""Points of the name of a group that stands on one line at least."""
PAIR = re.compile(r"([^\s±]+) ± ([^\s±]+)")
NUMBER = re.compile(r"[+-]?\d+(?:\.(\d+))?")
BEST = "Bold: the highest mean of a column, controls included, which is no gain shown."

LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "±": r"$\pm$",
    "×": r"$\times$",
    "λ": r"$\lambda$",
    "ω": r"$\omega$",
    "κ": r"$\kappa$",
    "ε": r"$\varepsilon$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "−": "$-$",
    "–": "--",
    "—": "---",
    "▲": r"$\bigtriangleup$",
    "▼": r"$\bigtriangledown$",
    "○": r"$\circ$",
    "✕": r"$\times$",
}


@dataclass(frozen=True)
class _Column:
    """A column of a tabular. pairs: ``mean ± std`` on two sides of the sign. digits: after the point, of plain numbers.

    best: the text of the entries that are bold. points: how wide.
    """

    place: int
    pairs: bool
    digits: int
    best: str
    points: float
    about: GridColumn

    @property
    def spec(self) -> str:
        if self.pairs:
            return r"r@{\,$\pm$\,}l"
        if self.about.numeric:
            return "r"
        return (
            "l" if self.points < LONGEST * LETTER else rf">{{\raggedright\arraybackslash}}p{{{self.points:.0f}pt}}"
        )

    @property
    def span(self) -> int:
        return 2 if self.pairs else 1


def latex(pages: Sequence[ReportPage], name: str = "") -> str:
    """All pages as LaTeX floats, each followed by its page's notes and audit.

    name: what their labels begin with, so that tables of several files stand in one paper.
    """
    prefix = "-".join(["tab:hsiaug", *([name] if name else [])])
    made = (_page(page, f"{prefix}-{number}") for number, page in enumerate(pages, start=1))
    return f"{PREAMBLE}\n\n" + "\n\n\\clearpage\n\n".join(made) + "\n"


def _page(page: ReportPage, label: str) -> str:
    heading = rf"\textbf{{{_tex(page.heading)}}}" if page.leaky else _tex(page.heading)
    warned = [*([f"{page.failed}."] if page.failed else []), *page.warnings]
    warnings = "".join(rf" \textbf{{{_tex(warning)}}}" for warning in warned)
    floats = [
        one
        for place, grid in enumerate([*page.grids, *([page.outcome] if page.outcome else [])], start=1)
        for one in _floats(grid, f"{heading}. {_tex(grid.heading)}.{warnings}", f"{label}-{place}")
    ]
    said = [*page.failures, *([page.outcome_note] if page.outcome_note else []), *page.notes]
    notes = [rf"\item {_tex(note)}" for note in said]
    audit = [rf"\item \textbf{{{_tex(what)}}}: {_tex(sentence)}" for what, sentence in page.audit]
    verdict = [
        rf"\item \textbf{{{_tex(sentence)}}} {_tex('; '.join(lines))}".rstrip() for sentence, lines in page.verdict
    ]
    items = [*notes, *audit, *verdict]
    blocks = ["\n\n".join(floats[start : start + WAITING]) for start in range(0, len(floats), WAITING)]
    return "\n\n".join(["\n\n\\clearpage\n\n".join(blocks), *([_items(items)] if items else [])])


def _items(items: Sequence[str]) -> str:
    return "\n".join([r"{\footnotesize\raggedright\sloppy", r"\begin{itemize}", *items, r"\end{itemize}}"])


def _floats(grid: Grid, caption: str, label: str) -> Iterator[str]:
    """The grid as one float, or as several that repeat the key columns."""
    columns = [_column(grid, place) for place in range(len(grid.columns))]
    keys, parts = columns[: grid.keys], _fitting(columns, grid.keys)
    for number, part in enumerate(parts, start=1):
        more = f" Part {number} of {len(parts)}." if len(parts) > 1 else ""
        bold = f" {BEST}" if any(column.best for column in part) else ""
        yield _float(grid, [*keys, *part], f"{caption}{more}{bold}", f"{label}-{number}" if number > 1 else label)


def _fitting(columns: Sequence[_Column], keys: int) -> list[list[_Column]]:
    """The columns behind the keys, parted such that each part fits; neighbours of one group stay together if they do."""
    room = WIDTH - sum(column.points + GAP for column in columns[:keys])
    parts: list[list[_Column]] = []

    def points(part: Iterable[_Column]) -> float:
        return sum(_group_points(same) + GAP * len(same) for same in _grouped(part))

    for group in _grouped(columns[keys:]):
        for unit in [group] if points(group) <= room else [[column] for column in group]:
            if parts and points([*parts[-1], *unit]) <= room:
                parts[-1] += unit
            else:
                parts.append(list(unit))
    return parts or [[]]


def _grouped(columns: Iterable[_Column]) -> list[list[_Column]]:
    return [list(same) for _, same in groupby(columns, key=lambda column: column.about.group)]


def _group_points(members: Sequence[_Column]) -> float:
    """How wide the columns of a group are below its name, which breaks where it is long."""
    name = min(LETTER * len(members[0].about.group), GROUP)
    return max(sum(column.points for column in members), name)


def _column(grid: Grid, place: int) -> _Column:
    about, texts = grid.columns[place], [row[place].text for row in grid.rows]
    pairs = about.numeric and any(map(PAIR.fullmatch, texts))
    digits = max((len(found[1] or "") for text in texts if (found := NUMBER.fullmatch(text))), default=0)
    longest = max([len(about.header), *map(len, texts)])
    room = LETTER * (longest if about.numeric else min(longest, LONGEST + 1))
    return _Column(place, pairs, digits, _best(grid.rows, place) if about.best else "", room, about)


def _best(rows: Iterable[Sequence[GridEntry]], place: int) -> str:
    """The largest mean of a column, as it is printed."""
    means = [found[1] for row in rows if (found := PAIR.fullmatch(row[place].text)) and NUMBER.fullmatch(found[1])]
    return max(means, key=float, default="")


def _float(grid: Grid, columns: Sequence[_Column], caption: str, label: str) -> str:
    lines = [
        r"\begin{table*}[htbp]",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{{label}}}",
        r"\smallskip",
        rf"\begin{{tabular}}{{{''.join(column.spec for column in columns)}}}",
        r"\toprule",
        *_groups(columns),
        _row([_wide(_tex(column.about.header), column, "c" if column.pairs else "") for column in columns]),
        r"\midrule",
    ]
    for i, row in enumerate(grid.rows):
        lines += [r"\midrule"] if i in grid.breaks else []
        lines.append(_row([_entry(row[column.place].text, column) for column in columns]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}"])


def _entry(text: str, column: _Column) -> str:
    if not column.pairs:
        return _tex(text) + _padding(text, column.digits)
    found = PAIR.fullmatch(text)
    if found is None:
        return _wide(_tex(text), column, "c")
    mean, std = map(_tex, found.groups())
    return rf"\textbf{{{mean}}} & {std}" if found[1] == column.best else f"{mean} & {std}"


def _padding(text: str, digits: int) -> str:
    """As much room behind a number as brings its point below those of the others."""
    found = NUMBER.fullmatch(text)
    missing = digits - len(found[1] or "") if found else 0
    if not missing:
        return ""
    return rf"\phantom{{{'.' if found and not found[1] else ''}{'0' * missing}}}"


def _wide(text: str, column: _Column, align: str) -> str:
    return rf"\multicolumn{{{column.span}}}{{{align}}}{{{text}}}" if align else text


def _groups(columns: Sequence[_Column]) -> list[str]:
    """A row of group names spanning their columns, with a rule below each; nothing without groups."""
    if not any(column.about.group for column in columns):
        return []
    cells, rules, start = [], [], 1
    for members in _grouped(columns):
        name, width = members[0].about.group, sum(column.span for column in members)
        room = _group_points(members)
        align = "c" if LETTER * len(name) <= room else rf">{{\centering\arraybackslash}}p{{{room:.0f}pt}}"
        cells.append(rf"\multicolumn{{{width}}}{{{align}}}{{{_tex(name)}}}")
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if name else []
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _row(cells: Sequence[str]) -> str:
    row = " & ".join(cells)
    # A row that opens with a bracket would be read as the optional argument of the \\ before it.
    return (rf"{{}}{row}" if row.startswith("[") else row) + r" \\"


def _tex(text: str) -> str:
    """Escape for LaTeX: signs become mathematics, a leading minus a real one, double hyphens stay two."""
    escaped = "".join(
        LATEX.get(c, c if ord(c) < 0x180 else f"U+{ord(c):04X}") for c in visible(" ".join(text.split()))
    )
    escaped = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)
    return re.sub(r"-(?=-[A-Za-z])", "-{}", escaped)
