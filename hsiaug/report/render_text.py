"""Pages as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hsiaug.base.text import visible
from hsiaug.report.grid import Grid, ReportPage


def markdown(pages: Sequence[ReportPage]) -> str:
    """All pages as one Markdown text."""
    return "\n\n".join(_markdown_page(page) for page in pages) + "\n"


def _markdown_page(page: ReportPage) -> str:
    blocks = [f"## {markdown_text(page.heading)}"]
    if page.failed:
        blocks += [
            f"**{markdown_text(page.failed)}:**",
            "\n".join(f"- {markdown_text(line)}" for line in page.failures),
        ]
    blocks += [f"**{markdown_text(w)}**" for w in page.warnings]
    for grid in page.grids:
        blocks += [f"### {markdown_text(grid.heading)}", _markdown_grid(grid)]
    blocks.append("\n".join(f"- {markdown_text(note)}" for note in page.notes))
    if page.audit:
        blocks.append("### Audit")
        blocks.append(
            "\n".join(f"- **{markdown_text(label)}**: {markdown_text(sentence)}" for label, sentence in page.audit)
        )
    if page.verdict:
        blocks.append("### Verdict")
        blocks += [_markdown_said(sentence, lines) for sentence, lines in page.verdict]
    blocks += map(markdown_text, page.closing)
    return "\n\n".join(block for block in blocks if block)


def _markdown_said(sentence: str, lines: Sequence[str]) -> str:
    if not lines:
        return markdown_text(sentence)
    return "\n".join([f"**{markdown_text(sentence)}**", "", *(f"- {markdown_text(line)}" for line in lines)])


def _markdown_grid(grid: Grid) -> str:
    headers = [markdown_text(f"{c.group} {c.header}".strip()) for c in grid.columns]
    rule = ["---:" if c.numeric else "---" for c in grid.columns]
    lines = [headers, rule, *([markdown_text(entry.text) for entry in row] for row in grid.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown_text(text: str) -> str:
    """Escape what Markdown or HTML would read; an underscore inside a word is only an underscore."""
    text = visible(" ".join(text.split()))
    text = re.sub(r"([\\|*`<>$]|&(?=[#A-Za-z])|\](?=[(\[:]))", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
