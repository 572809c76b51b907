"""Pages as GitHub Markdown and as LaTeX (booktabs)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from hsiaug.report.grid import Grid, GridColumn, ReportPage
from hsiaug.text import visible

__all__ = ["latex", "markdown"]

PREAMBLE = "% Needs \\usepackage{booktabs} and \\usepackage[utf8]{inputenc} (the default since 2018)."

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
}


def markdown(pages: Sequence[ReportPage]) -> str:
    """All pages as one Markdown text."""
    return "\n\n".join(_markdown_page(page) for page in pages) + "\n"


def _markdown_page(page: ReportPage) -> str:
    blocks = [f"## {_md(page.heading)}"]
    if page.failed:
        blocks += [f"**{_md(page.failed)}:**", "\n".join(f"- {_md(line)}" for line in page.failures)]
    blocks += [f"**{_md(w)}**" for w in page.warnings]
    for grid in page.grids:
        blocks += [f"### {_md(grid.heading)}", _markdown_grid(grid)]
    blocks.append("\n".join(f"- {_md(note)}" for note in page.notes))
    blocks.append("### Audit")
    blocks.append("\n".join(f"- **{_md(label)}**: {_md(sentence)}" for label, sentence in page.audit))
    if page.verdict:
        blocks.append("### Verdict")
        if page.outcome:
            blocks += [_markdown_grid(page.outcome), f"{_md(page.outcome.heading)}: {_md(page.outcome_note)}"]
        blocks += [_markdown_said(sentence, lines) for sentence, lines in page.verdict]
    return "\n\n".join(block for block in blocks if block)


def _markdown_said(sentence: str, lines: Sequence[str]) -> str:
    if not lines:
        return _md(sentence)
    return "\n".join([f"**{_md(sentence)}**", "", *(f"- {_md(line)}" for line in lines)])


def _markdown_grid(grid: Grid) -> str:
    headers = [_md(f"{c.group} {c.header}".strip()) for c in grid.columns]
    rule = ["---:" if c.numeric else "---" for c in grid.columns]
    lines = [headers, rule, *([_md(entry.text) for entry in row] for row in grid.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    """Escape what Markdown or HTML would read; an underscore inside a word is only an underscore."""
    text = visible(" ".join(text.split()))
    text = re.sub(r"([\\|*`<>$]|&(?=[#A-Za-z])|\](?=[(\[:]))", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def latex(pages: Sequence[ReportPage]) -> str:
    """All pages as LaTeX floats, one per grid, each followed by its page's notes and audit."""
    return "\n\n".join([PREAMBLE, *(_latex_page(page) for page in pages)]) + "\n"


def _latex_page(page: ReportPage) -> str:
    heading = rf"\textbf{{{_tex(page.heading)}}}" if page.leaky else _tex(page.heading)
    warned = [*([f"{page.failed}."] if page.failed else []), *page.warnings]
    warnings = "".join(rf" \textbf{{{_tex(warning)}}}" for warning in warned)
    floats = [_latex_float(grid, f"{heading}. {_tex(grid.heading)}.{warnings}") for grid in page.grids]
    notes = [rf"\item {_tex(note)}" for note in (*page.failures, *page.notes)]
    audit = [rf"\item \textbf{{{_tex(label)}}}: {_tex(sentence)}" for label, sentence in page.audit]
    verdict = [
        rf"\item \textbf{{{_tex(sentence)}}} {_tex('; '.join(lines))}".rstrip() for sentence, lines in page.verdict
    ]
    items = "\n".join(
        [r"{\footnotesize\raggedright", r"\begin{itemize}", *notes, *audit, *verdict, r"\end{itemize}}"]
    )
    return "\n\n".join([*floats, items])


def _latex_float(grid: Grid, caption: str) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\small",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{{''.join('r' if c.numeric else 'l' for c in grid.columns)}}}",
        r"\toprule",
        *_latex_groups(grid.columns),
        _latex_row([c.header for c in grid.columns]),
        r"\midrule",
    ]
    for i, row in enumerate(grid.rows):
        lines += [r"\midrule"] if i in grid.breaks else []
        lines.append(_latex_row([entry.text for entry in row]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def _latex_groups(columns: Sequence[GridColumn]) -> list[str]:
    """A row of group names spanning their columns, with a rule below each; nothing without groups."""
    if not any(c.group for c in columns):
        return []
    cells, rules, start = [], [], 1
    for name, members in groupby(columns, key=lambda c: c.group):
        width = len(list(members))
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{_tex(name)}}}")
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if name else []
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _latex_row(texts: Sequence[str]) -> str:
    row = " & ".join(_tex(text) for text in texts)
    # A row that opens with a bracket would be read as the optional argument of the \\ before it.
    return (rf"{{}}{row}" if row.startswith("[") else row) + r" \\"


def _tex(text: str) -> str:
    """Escape for LaTeX: signs become mathematics, a leading minus a real one, double hyphens stay two."""
    escaped = "".join(
        LATEX.get(c, c if ord(c) < 0x180 else f"U+{ord(c):04X}") for c in visible(" ".join(text.split()))
    )
    escaped = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)
    return re.sub(r"-(?=-[A-Za-z])", "-{}", escaped)
