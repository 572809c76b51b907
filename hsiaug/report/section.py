"""What a report is made of: sections of text, tables and figures, which every renderer goes
through in one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hsiaug.report.answer_text import AnswerText
from hsiaug.report.formatting import tagged
from hsiaug.report.grid import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SectionFigure:
    """A figure of a section, drawn where it is shown.

    Attributes
    ----------
    caption : str
        What is drawn; how it is read stands in the label of the figure.
    draw : callable
        Draws it so many columns of a page of two wide.
    narrow : bool
        A small screen has it one column wide; else it scrolls there.
    """

    caption: str
    draw: Callable[[int], Figure]
    narrow: bool = True


@dataclass(frozen=True)
class Section:
    """A section of a report, and its parts.

    Formats without figures leave these out; formats that do not fold show the tables and notes of
    the parts below its own.

    Attributes
    ----------
    text : tuple of str
        Sentences above the tables.
    tables : iterable of Grid
        Those without a row are not shown.
    notes : tuple of str
        Below the tables.
    facts : tuple of (str, str)
        (label, sentence) pairs, as of an audit.
    closing : tuple of str
        The last sentences of all, on what is found.
    answers : tuple of AnswerText
        The three, in words.
    leaky : bool
        The title must say so before anything else.
    failed : str or None
        How many trials failed, or None.
    failures : tuple of str
        A line per error.
    id : str
        Its name on the page.
    opened : bool
        On the page, unfolded where the report has one table.
    folded : bool
        On the page, a part that opens and closes.
    html : str
        Markup that the page alone shows, above the tables.
    keys : mapping of ArmCell to str
        Names on the page of the arms whose rows open their draws.
    """

    heading: str
    text: tuple[str, ...] = ()
    tables: Iterable[Grid] = ()
    figures: tuple[SectionFigure, ...] = ()
    parts: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()
    answers: tuple[AnswerText, ...] = ()
    leaky: bool = False
    failed: str | None = None
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    id: str = ""
    opened: bool = False
    folded: bool = True
    html: str = ""
    keys: Mapping[Any, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The heading, with the tag of a leaky protocol."""
        return tagged(self.heading, self.leaky)


def without_parts(sections: Iterable[Section]) -> list[Section]:
    """The sections with the texts, tables and notes of their parts among their own; tables without
    a row are left out.
    """
    return [_joined(section) for section in sections]


def _joined(section: Section) -> Section:
    parts: Sequence[Section] = without_parts(section.parts)
    return replace(
        section,
        text=(*section.text, *(line for part in parts for line in part.text)),
        tables=tuple(table for one in (section, *parts) for table in one.tables if table.rows),
        notes=(*section.notes, *(line for part in parts for line in part.notes)),
        parts=(),
    )
