"""Sections on a terminal, in a pipe (the same words without colour), as Markdown and as LaTeX."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from hsiaug.base.text import visible
from hsiaug.report.section import Frame, Section, escaped, flat, texts

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.console import Console
    from rich.text import Text

WIDTH = 100
"""Columns of what goes to a pipe."""
STYLES = {"YES": "bold green", "better": "green", "NO": "bold red", "worse": "red", "LEAKY": "red"}
WORDS = re.compile(r"\b(?:better|worse|YES|NO|LEAKY)\b")
NUMBER = re.compile(r"\s*[+−-]?\d|–$|$")
"""How an entry begins that is aligned to the right."""
GAP = 2
LATEX = {
    **{c: rf"\{c}" for c in "{}$&#%_"},
    **{c: f"${c}$" for c in "<>|"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': "''",
    "−": "$-$",
    "–": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "λ": r"$\lambda$",
    "ω": r"$\omega$",
    "κ": r"$\kappa$",
    "Δ": r"$\Delta$",
    "†": r"$\dagger$",
}
"""Characters that LaTeX reads, or that its usual fonts lack."""


def shown(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The tables that have a row, their entries as texts."""
    for heading, frame in frames:
        if len(frame):
            yield Frame(heading, texts(frame))


# A terminal


def as_text(sections: Iterable[Section], *, notes: bool = False) -> str:
    """Sections as a pipe has them, WIDTH columns wide."""
    from hsiaug.base.terminal import Console

    out = io.StringIO()
    print_sections(sections, Console(file=out, width=WIDTH, color_system=None), notes=notes)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def print_sections(sections: Iterable[Section], console: Console, *, notes: bool = False) -> None:
    """Print one section after the other, a blank line between what they have.

    Parameters
    ----------
    notes : bool
        Also their notes and facts.
    """
    for number, section in enumerate(flat(sections)):
        if number:
            console.print()
        _print_section(section, console, notes=notes)


def _print_section(section: Section, console: Console, *, notes: bool) -> None:
    from rich.table import Table

    lines = [_styled(section.heading, "bold")] if section.heading else []
    for line in (*lines, *(_styled(line, "yellow") for line in section.text)):
        console.print(line, soft_wrap=_has_command(line))
    blocks: list[list[object]] = [[*_answers(section)]] if section.answers else []
    for heading, frame in shown(section.frames):
        title = [_styled(heading, "italic")] if heading else []
        blocks += [[*title, part] for part in _tables(frame, console.width)]
    blocks.append([_hanging(line) for line in section.closing])
    for what, command in section.commands:
        blocks.append([_styled(what), _styled(f"  {command}")])
    if notes:
        blocks.append([_hanging(note) for note in section.notes])
        facts = Table.grid(padding=(0, GAP))
        facts.add_column(max_width=28, overflow="fold")
        facts.add_column(overflow="fold")
        for label, said in section.facts:
            facts.add_row(_styled(label), _styled(said))
        blocks.append([facts] if section.facts else [])
    for block in filter(None, blocks):
        console.print()
        for one in block:
            console.print(one, soft_wrap=_has_command(one))


def _has_command(one: object) -> bool:
    """Whether a line has a command, which stays whole so that it can be copied."""
    return "hsiaug " in str(one)


def _answers(section: Section) -> Iterator[object]:
    """A row for each: the question, the answer and a few words."""
    from rich.table import Table

    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, width=7)
    table.add_column(overflow="fold")
    last = []
    for number, answer in enumerate(section.answers, start=1):
        question = _styled(f"{number}  {answer.question}", "bold")
        if answer.status:
            table.add_row(question, _styled(answer.status), _styled(answer.text))
        else:
            last.append(_hanging(f"{number}  {answer.question}   {answer.text}"))
    if table.row_count:
        yield table
    yield from last


def _hanging(line: str) -> object:
    """A line, wrapped below what follows its label."""
    from rich.table import Table

    label = re.match(r"(\[ \]|\( \)|\S+) {2,}", line)
    if label is None:
        return _styled(line)
    table = Table.grid()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(_styled(label[0]), _styled(line[label.end() :]))
    return table


def _styled(text: str, style: str = "") -> Text:
    """Printed data as Text: no markup, control characters as escapes, verdicts in colour."""
    from rich.text import Text

    made = Text(visible(text, keep="\n"), style=style)
    for word in WORDS.finditer(made.plain):
        made.stylize(STYLES[word[0]], *word.span())
    return made


def _tables(frame: DataFrame, width: int) -> Iterator[object]:
    """The frame as one table, or as several that repeat what says what a row is, each as wide as
    the console allows.
    """
    keys = range(frame.index.nlevels)
    table = escaped(frame, visible)
    widths = [_widest(name, table.iloc[:, place]) + GAP for place, name in enumerate(table)]
    room = width + GAP - sum(widths[: len(keys)])
    part: list[int] = []
    for place in range(len(keys), len(widths)):
        if part and sum(widths[i] for i in (*part, place)) > room:
            yield _table(table, [*keys, *part])
            part = []
        part.append(place)
    yield _table(table, [*keys, *part])


def _widest(name: str, column: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, (name, *column)))


def _table(frame: DataFrame, part: list[int]) -> object:
    from rich.table import Table

    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_edge=False)
    for place in part:
        table.add_column(_styled(frame.columns[place], "bold"), no_wrap=True)
    for row in frame.iloc[:, part].itertuples(index=False, name=None):
        table.add_row(*map(_styled, row))
    return table


# Markdown


def markdown(sections: Iterable[Section]) -> str:
    """All sections as one Markdown text."""
    lines: list[str] = []
    for section in flat(sections):
        safe = markdown_text
        if section.heading:
            lines += [f"## {safe(section.heading)}", ""]
        for number, answer in enumerate(section.answers, start=1):
            said = " ".join(filter(None, (answer.status, answer.text)))
            lines.append(f"{number}. **{safe(answer.question)}** {safe(said)}")
        lines += [""] * bool(section.answers)
        for line in section.text:
            lines += [safe(line), ""]
        for heading, frame in shown(section.frames):
            lines += [f"### {safe(heading)}", ""] if heading else []
            table = escaped(frame, safe)
            lines += [table.to_markdown(index=False, disable_numparse=True), ""]
        for line in (*section.closing, *section.notes):
            lines += [safe(line), ""]
        for what, command in section.commands:
            lines += [safe(what), "", f"    {visible(command)}", ""]
        lines += [f"- {safe(label)}: {safe(said)}" for label, said in section.facts]
        lines.append("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


@lru_cache(2**16)
def markdown_text(text: str) -> str:
    """Escape what Markdown or HTML would read: an underscore inside a word is only an underscore,
    ``< 1`` begins no tag, and ``[ ]:`` names no link.
    """
    text = visible(" ".join(text.split()))
    read = r"([\\|*`>$]|<(?! )|&(?=[#A-Za-z])|\](?=[(\[])|(?<!\[ )\](?=:))"
    text = re.sub(read, r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


# LaTeX


def latex(sections: Iterable[Section], name: str = "") -> str:
    """The tables of all sections as LaTeX floats over all columns, each scaled to the text where it
    is wider (packages booktabs, multirow and adjustbox), then what stands below them.

    Parameters
    ----------
    name : str
        What their labels begin with, so that tables of several files stand in one paper.
    """
    lines = ["% Needs \\usepackage{booktabs,multirow,adjustbox}", ""]
    number = 0
    for section in flat(sections):
        for answer in section.answers:
            said = " ".join(filter(None, (answer.question, answer.status, answer.text)))
            lines += [tex_text(said), ""]
        for heading, frame in shown(section.frames):
            number += 1
            caption = tex_text(": ".join(filter(None, (section.heading, heading))))
            lines += [
                r"\begin{table*}\centering\footnotesize",
                rf"\caption{{{caption}}}\label{{tab:{name}{'-' * bool(name)}{number}}}",
                r"\begin{adjustbox}{max width=\textwidth}",
                _tabular(frame),
                r"\end{adjustbox}",
                r"\end{table*}",
                "",
            ]
        below = (*section.text, *section.closing, *section.notes)
        lines += [line for text in below for line in (tex_text(text), "")]
        lines += [f"{tex_text(f'{label}: {said}')}\\\\" for label, said in section.facts]
    return "\n".join(lines).rstrip() + "\n"


def _tabular(frame: DataFrame) -> str:
    styler = escaped(frame, tex_text).style.hide(axis="index")
    form = "".join("r" if NUMBER.match(text) else "l" for text in frame.iloc[0].map(str))
    keys = "l" * frame.index.nlevels
    return str(styler.to_latex(hrules=True, column_format=f"{keys}{form}")).rstrip()


@lru_cache(2**16)
def tex_text(text: str) -> str:
    """Escape for LaTeX: signs become mathematics, a leading minus a real one, double hyphens stay
    two.
    """
    escaped = "".join(
        LATEX.get(c, c if ord(c) < 0x180 else f"U+{ord(c):04X}")
        for c in visible(" ".join(text.split()))
    )
    escaped = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)
    return re.sub(r"-(?=-[A-Za-z])", "-{}", escaped)
