"""Sections on a terminal: grids that are too wide are parted between columns, never cut."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hsiaug.base.text import visible
from hsiaug.report.answer_texts import AnswerText
from hsiaug.report.formatting import LEAKY
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, part_columns, without_parts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

TEXT_WIDTH, ROOMY = 28, 48
"""Columns of an entry of text: where tables must be parted, and where one has room."""
WIDTH = 100
"""Columns of text that goes to a file instead of a terminal."""
GAP = 2
BLANKS = re.compile(r"(?<=\[)\+|(?<=\d,) \+?(?=[−\d.]+\])| (?=±)|(?<=±) |(?<=^<) ")
"""What a number and its interval are read without."""
GROUP_WIDTH = 14
TONE_STYLES = {"good": "green", "bad": "red", "loss": "magenta", "warn": "yellow"}
"""Colours of verdicts; a sign or a word beside them says the same."""
ANSWER_STYLES = {tone: f"bold {style}" for tone, style in TONE_STYLES.items()} | {"": "bold"}


def rich_text(sections: Iterable[Section]) -> str:
    """Sections with their notes as a file has them, WIDTH columns wide."""
    from hsiaug.base.terminal import Console

    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None)
    print_sections(sections, console, notes=True)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def print_sections(sections: Iterable[Section], console: Console, *, notes: bool = False) -> None:
    """Print one section after the other.

    Parameters
    ----------
    notes : bool
        Also what its numbers are, and the audit.
    """
    for section in without_parts(sections):
        _print_section(section, console, notes=notes)


def _print_section(section: Section, console: Console, *, notes: bool) -> None:
    """Print title, failures, warnings, answers and grids, with notes these and the audit, and last
    of all what else is found.
    """
    from rich.padding import Padding
    from rich.table import Table

    def say(lines: Iterable[str], style: str = "") -> None:
        for line in lines:
            console.print(_plain(line, style))

    console.print()
    say([section.title], "bold red" if section.leaky else "bold")
    say(
        [f"{section.failed}{':' if section.failures else ''}"] if section.failed else [],
        "bold yellow",
    )
    for line in section.failures:
        console.print(Padding(_plain(line, "yellow"), (0, 0, 0, 2), expand=False))
    say(section.text)
    say(section.warnings, "yellow")
    if section.answers:
        console.print()
        console.print(_answers_table(section.answers))
    for grid in section.grids:
        console.print()
        say([grid.heading], "italic")
        _print_grid(grid, console)
    console.print()
    if notes:
        say(section.notes, "dim")
        audit = Table.grid(padding=(0, 2))
        audit.add_column(max_width=20, overflow="fold")
        audit.add_column(overflow="fold")
        for label, sentence in section.facts:
            loud = LEAKY in sentence or "TRANSDUCTIVE" in sentence
            audit.add_row(_plain(label, "bold"), _plain(sentence, "red" if loud else ""))
        console.print(audit)
    say(section.closing)
    say(() if notes else section.hints)


def _answers_table(answers: Sequence[AnswerText]) -> RichTable:
    """A row per answer: the question, and beside it the answer and what it rests on."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for answer in answers:
        words = _plain(answer.status, ANSWER_STYLES[answer.tone])
        if answer.status:
            words.append("  ")
        words.append_text(_plain(" ".join(answer.sentences)))
        table.add_row(_plain(f"{answer.number} {answer.question}", "bold"), words)
    return table


def _print_grid(grid: Grid, console: Console) -> None:
    """One table, tight if need be and without what is optional; or several that repeat the key
    columns, each as wide as the console allows.
    """
    every = [*range(grid.keys, len(grid.columns))]
    needed = [place for place in every if not grid.columns[place].optional]
    tight, brief = _tight(grid, brief=False), _tight(grid, brief=True)
    for shown, places, gap in (
        (grid, every, GAP),
        (tight, every, 1),
        (brief, every, 1),
        (brief, needed, 1),
    ):
        widths = _measured(shown)(places, ROOMY)
        if sum(widths) + gap * (len(widths) - 1) < console.width:
            console.print(_table(shown, places, widths, gap))
            if places != every:
                headers = [grid.columns[place].header for place in every if place not in places]
                console.print(
                    _plain(f"{', '.join(headers)}: in a wider window, or --by generator", "dim")
                )
            return
    widths_of = _measured(grid)

    def fits(part: Sequence[int]) -> bool:
        widths = widths_of(part, TEXT_WIDTH)
        return sum(widths) + GAP * (len(widths) - 1) < console.width

    for number, part in enumerate(part_columns(grid, fits)):
        if number:
            console.print()
        console.print(_table(grid, part, widths_of(part, TEXT_WIDTH) if fits(part) else None))


def _measured(grid: Grid) -> Callable[[Sequence[int], int], list[int]]:
    """Gives the widths of the key columns and of others, headers included; longer texts than asked
    for wrap.
    """
    from rich.cells import cell_len

    # Rich would find the same widths, but takes seconds over a thousand rows.
    widest = [
        max(cell_len(visible(row[i].text)) for row in grid.rows) for i in range(len(grid.columns))
    ]

    def widths(part: Sequence[int], most: int) -> list[int]:
        kept = [*range(grid.keys), *part]
        headers = _headers([grid.columns[i] for i in kept])
        found = [
            max(widest[i], *map(len, h.split("\n"))) for i, h in zip(kept, headers, strict=True)
        ]
        return [
            w if grid.columns[i].numeric else min(w, most) for i, w in zip(kept, found, strict=True)
        ]

    return widths


def _tight(grid: Grid, *, brief: bool) -> Grid:
    """The grid without BLANKS.

    Parameters
    ----------
    brief : bool
        Without the deviations that may be left out, too.
    """

    def text(place: int, entry: GridEntry) -> GridEntry:
        tight = entry.text if place < grid.keys else BLANKS.sub("", entry.text)
        return replace(
            entry, text=tight.partition("±")[0] if brief and grid.columns[place].spare else tight
        )

    return replace(
        grid, rows=tuple(tuple(text(*cell) for cell in enumerate(row)) for row in grid.rows)
    )


def _plain(text: str, style: str = "") -> Text:
    """Return printed data as Text: no markup, and control characters as escapes before anything is
    measured.
    """
    from rich.text import Text

    return Text(visible(text, keep="\n"), style=style)


def _table(
    grid: Grid, part: Sequence[int], widths: Sequence[int] | None, gap: int = GAP
) -> RichTable:
    """The key columns and those of ``part``.

    Parameters
    ----------
    widths : sequence of int or None
        One per column shown; None leaves them to rich.
    """
    from rich import box
    from rich.table import Table

    kept = [*range(grid.keys), *part]
    headers = _headers([grid.columns[i] for i in kept])
    table = Table(box=box.SIMPLE_HEAD, padding=(0, gap - 1, 0, 0), pad_edge=False, show_edge=False)
    for place, (i, header) in enumerate(zip(kept, headers, strict=True)):
        width = widths[place] if widths else None
        justify = "right" if grid.columns[i].numeric else "left"
        table.add_column(_plain(header), justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for i, row in enumerate(grid.rows):
        if i in grid.breaks:
            table.add_section()
        table.add_row(*(_plain(row[k].text, _style(row[k])) for k in kept))
    return table


def _style(entry: GridEntry) -> str:
    """The best of a column is bold; a verdict has the colour of its tone."""
    return "bold" if entry.strong else TONE_STYLES.get(entry.tone or "", "")


def _headers(columns: Sequence[GridColumn]) -> list[str]:
    """Header texts of equal height, the name of a group above its first column."""
    above: list[list[str]] = []
    for i, column in enumerate(columns):
        opens = i == 0 or columns[i - 1].group != column.group
        above.append(textwrap.wrap(column.group, GROUP_WIDTH) if opens else [])
    height = max(map(len, above))
    return [
        "\n".join([*lines, *[""] * (height - len(lines)), column.header])
        for lines, column in zip(above, columns, strict=True)
    ]
