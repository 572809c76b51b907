"""Pages as GitHub Markdown, and as LaTeX that fits the text: floats over all columns, wide grids parted between columns.

LaTeX needs the packages array and booktabs, which every distribution has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, GridEntry, ReportPage, part_columns
from hsiaug.report.text_templates import text_templates

PREAMBLE = "% Needs \\usepackage{array,booktabs} and \\usepackage[utf8]{inputenc} (the default since 2018)."
WIDTH = 345.0
"""Points of the text of an article at 10 pt: the narrowest that is usual. Both columns of IEEEtran have 516."""
LETTER, GAP = 4.6, 6.0
"""Points of a letter at \\footnotesize, the wide ones counted in, and between two columns."""
LONGEST = 24
"""Letters of a text that stands on one line; longer ones break."""
GROUP = 80.0
"""Points of the name of a group that stands on one line at least."""
BEST = "Bold: the highest mean of a column, controls included, which is no gain shown."

LATEX = {
    **{c: rf"\{c}" for c in "{}$&#%_"},
    **{c: f"${c}$" for c in "<>|"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
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
"""Characters that LaTeX reads, or that its usual fonts lack."""


def markdown(pages: Sequence[ReportPage]) -> str:
    """All pages as one Markdown text."""
    text = text_templates(markdown_text).get_template("pages.md").render(pages=pages)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def markdown_text(text: str) -> str:
    """Escape what Markdown or HTML would read; an underscore inside a word is only an underscore."""
    text = visible(" ".join(text.split()))
    text = re.sub(r"([\\|*`<>$]|&(?=[#A-Za-z])|\](?=[(\[:]))", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def latex(pages: Sequence[ReportPage], name: str = "") -> str:
    """All pages as LaTeX floats, each followed by its page's notes and audit.

    name: what their labels begin with, so that tables of several files stand in one paper.
    """
    prefix = f"tab:hsiaug-{name}" if name else "tab:hsiaug"
    made = (_latex_page(page, f"{prefix}-{number}") for number, page in enumerate(pages, start=1))
    return f"{PREAMBLE}\n\n" + "\n\n\\clearpage\n\n".join(made) + "\n"


def _latex_page(page: ReportPage, label: str) -> str:
    def bold(text: str) -> str:
        return rf"\textbf{{{_tex(text)}}}"

    heading = bold(page.heading) if page.leaky else _tex(page.heading)
    warned = [*([f"{page.failed}."] if page.failed else []), *page.warnings]
    warnings = "".join(f" {bold(warning)}" for warning in warned)
    floats = [
        one
        for place, grid in enumerate(page.grids, start=1)
        for one in _floats(grid, f"{heading}. {_tex(grid.heading)}.{warnings}", f"{label}-{place}")
    ]
    audit = [f"{bold(what)}: {_tex(sentence)}" for what, sentence in page.audit]
    items = [*map(_tex, (*page.failures, *page.notes)), *audit, *map(_tex, page.closing)]
    listed = [r"{\footnotesize\raggedright\sloppy", r"\begin{itemize}", *(rf"\item {item}" for item in items)]
    below = ["\n".join([*listed, r"\end{itemize}}"])] if items else []
    return "\n\n".join([*floats, *below])


def _floats(grid: Grid, caption: str, label: str) -> Iterator[str]:
    """The grid as one float, or as several that repeat the key columns."""
    widths = [_points(grid, place) for place in range(len(grid.columns))]
    keys = [*range(grid.keys)]
    parts = part_columns(grid, lambda part: sum(widths[place] + GAP for place in (*keys, *part)) <= WIDTH)
    for number, part in enumerate(parts, start=1):
        places = [*keys, *part]
        more = f" Part {number} of {len(parts)}." if len(parts) > 1 else ""
        bold = f" {BEST}" if any(grid.columns[place].best for place in places) else ""
        named = f"{label}-{number}" if number > 1 else label
        head = [r"\begin{table*}[htbp]", r"\centering\footnotesize\setlength{\tabcolsep}{3pt}"]
        head += [rf"\caption{{{caption}{more}{bold}}}", rf"\label{{{named}}}", r"\smallskip"]
        yield "\n".join([*head, *_tabular(grid, places, widths), r"\end{table*}"])


def _points(grid: Grid, place: int) -> float:
    """How wide a column is: as its longest entry, and as its share of the name of its group."""
    column = grid.columns[place]
    longest = max([len(column.header), *(len(row[place].text) for row in grid.rows)])
    group = min(LETTER * len(column.group), GROUP) / sum(other.group == column.group for other in grid.columns)
    return max(LETTER * (longest if column.numeric else min(longest, LONGEST + 1)), group)


def _tabular(grid: Grid, places: Sequence[int], widths: Sequence[float]) -> Iterator[str]:
    """These columns; the largest mean of each is bold."""
    specs = [
        "r" if grid.columns[i].numeric
        else "l" if widths[i] < LONGEST * LETTER
        else rf">{{\raggedright\arraybackslash}}p{{{widths[i]:.0f}pt}}"
        for i in places
    ]  # fmt: skip

    def text(entry: GridEntry) -> str:
        mean, rest = entry.text.partition(" ")[::2]
        return rf"\textbf{{{mean}}} {_tex(rest)}".rstrip() if entry.strong else _tex(entry.text)

    def line(cells: Iterable[str]) -> str:
        row = " & ".join(cells)
        # A row that opens with a bracket would be read as the optional argument of the \\ before it.
        return (rf"{{}}{row}" if row.startswith("[") else row) + r" \\"

    yield rf"\begin{{tabular}}{{{''.join(specs)}}}"
    yield r"\toprule"
    yield from _groups(grid, places, widths)
    yield line(_tex(grid.columns[i].header) for i in places)
    yield r"\midrule"
    for i, row in enumerate(grid.rows):
        if i in grid.breaks:
            yield r"\midrule"
        yield line(text(row[place]) for place in places)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _groups(grid: Grid, places: Sequence[int], widths: Sequence[float]) -> list[str]:
    """A row of group names spanning their columns, with a rule below each; nothing without groups."""
    cells, rules, start = [], [], 1
    for name, same in groupby(places, key=lambda place: grid.columns[place].group):
        members = list(same)
        room = sum(widths[place] for place in members) + GAP * (len(members) - 1)
        spec = rf">{{\centering\arraybackslash}}p{{{room:.0f}pt}}" if name else "l"
        cells.append(rf"\multicolumn{{{len(members)}}}{{{spec}}}{{{_tex(name)}}}")
        rules += [rf"\cmidrule(lr){{{start}-{start + len(members) - 1}}}"] if name else []
        start += len(members)
    return [" & ".join(cells) + r" \\", " ".join(rules)] if rules else []


def _tex(text: str) -> str:
    """Escape for LaTeX: signs become mathematics, a leading minus a real one, double hyphens stay two."""
    escaped = "".join(
        LATEX.get(c, c if ord(c) < 0x180 else f"U+{ord(c):04X}") for c in visible(" ".join(text.split()))
    )
    escaped = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)
    return re.sub(r"-(?=-[A-Za-z])", "-{}", escaped)
