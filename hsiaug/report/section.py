"""What a report is made of: sections of text, tables and figures, which every renderer goes
through in one loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from numbers import Integral, Real
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from hsiaug.report.answer_texts import AnswerText
from hsiaug.report.formatting import MISSING, decimal, tagged

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


NUMBER = re.compile(r"[+−-]?\d|–$")
"""How a number begins, or what stands where there is none."""
MAX_ENTRY_LETTERS = 24
"""Letters of an entry in a column of numbers."""


@dataclass(frozen=True)
class GridEntry:
    """Content of one field of a grid.

    Attributes
    ----------
    tone : str or None
        Good, bad, warn or nothing, of a verdict; None of anything else.
    strong : bool
        The best mean of its column.
    value : float or None
        Where the best of a column is marked, what is highest of the best; None of a mean over fewer
        draws than the others.
    """

    text: str
    tone: str | None = None
    strong: bool = False
    value: float | None = None


@dataclass(frozen=True)
class GridColumn:
    """A column of a grid.

    Attributes
    ----------
    entry : callable
        What it shows of that which a row is about.
    group : str
        What neighbouring columns have in common, printed once above them.
    best : bool
        The best mean is marked.
    spare : bool
        Its deviations may be left out where there is no room.
    optional : bool
        All of it may be left out where there is still none.
    note : str
        What ``templates/notes.txt`` and ``comparison_notes.txt`` know it by, if they explain it.
    """

    header: str
    entry: Callable[[Any], str | GridEntry]
    group: str = ""
    numeric: bool = True
    best: bool = False
    spare: bool = False
    optional: bool = False
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows of entries.

    Attributes
    ----------
    keys : int
        How many leading columns say what a row is.
    breaks : frozenset of int
        Rows that start a new block.
    subjects : tuple of object
        What each row is about.
    """

    heading: str
    columns: tuple[GridColumn, ...]
    rows: tuple[tuple[GridEntry, ...], ...]
    keys: int = 1
    breaks: frozenset[int] = frozenset()
    subjects: tuple[Any, ...] = ()


@dataclass(frozen=True)
class LateGrid:
    """A grid that is made where it is shown: the rows of all tables of a page together may be too
    many for the memory. It has a row at least.
    """

    columns: tuple[GridColumn, ...]
    make: Callable[[], Grid]


def make_grid(
    heading: str,
    columns: Sequence[GridColumn],
    about: Iterable[object],
    *,
    keys: int = 1,
    block: Callable[[Any], object] = lambda _: None,
) -> Grid:
    """A row for each of what they are about.

    Parameters
    ----------
    block : callable
        A row in which it changes starts a new block.
    """
    subjects = list(about)
    rows = []
    for one in subjects:
        texts = [column.entry(one) for column in columns]
        rows.append([text if isinstance(text, GridEntry) else GridEntry(text) for text in texts])
    for place in (i for i, column in enumerate(columns) if column.best):
        # Equal as they are printed is equal.
        values = [row[place].value for row in rows]
        means = [None if value is None else round(100 * value, 1) for value in values]
        known = [mean for mean in means if mean is not None]
        for row, mean in zip(rows, means, strict=True):
            if len(known) > 1 and mean == max(known):
                row[place] = replace(row[place], strong=True)
    blocks = [block(one) for one in subjects]
    breaks = frozenset(
        i for i, (above, here) in enumerate(pairwise(blocks), start=1) if above != here
    )
    return Grid(heading, tuple(columns), tuple(map(tuple, rows)), keys, breaks, tuple(subjects))


def frame_grid(heading: str, frame: DataFrame, block: str = "") -> Grid:
    """The grid of a frame of numbers and texts.

    Parameters
    ----------
    frame : DataFrame
        Its index says what a row is. Of columns with two levels, the first is printed once above
        neighbours that share it. Columns hold numbers where most of their entries are.
    block : str
        A level of the index, of which each new value starts a block.
    """
    keys = frame.index.nlevels
    names = [str(name or "") for name in frame.index.names]
    texts = [
        tuple(map(_entry_text, (*(label if keys > 1 else (label,)), *row)))
        for label, row in zip(frame.index, frame.itertuples(index=False, name=None), strict=True)
    ]

    def numeric(place: int) -> bool:
        numbers = sum(NUMBER.match(row[place]) is not None for row in texts)
        short = all(len(row[place]) <= MAX_ENTRY_LETTERS for row in texts)
        return place >= keys and short and 2 * numbers > len(texts)

    headers = [("", name) for name in names] + [
        name if isinstance(name, tuple) else ("", name) for name in frame.columns
    ]
    columns = [
        GridColumn(header, itemgetter(i), group, numeric=numeric(i))
        for i, (group, header) in enumerate(headers)
    ]
    blocks = itemgetter(names.index(block)) if block else lambda _: None
    return make_grid(heading, columns, texts, keys=keys, block=blocks)


def _entry_text(value: object) -> str:
    """A number with one decimal, or an integer; a text as it is; ``–`` where there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return f"{value:,}"
    number = float(value) if isinstance(value, Real) else math.nan
    return MISSING if math.isnan(number) else decimal(number)


def part_columns(grid: Grid, fits: Callable[[Sequence[int]], bool]) -> list[list[int]]:
    """The columns behind the keys by their places, parted so that each part fits beside the keys.

    Columns of one group stay together where they fit.
    """
    groups = groupby(
        range(grid.keys, len(grid.columns)), key=lambda place: grid.columns[place].group
    )
    parts: list[list[int]] = []
    for group in (list(same) for _, same in groups):
        for unit in [group] if fits(group) else [[place] for place in group]:
            if parts and fits([*parts[-1], *unit]):
                parts[-1] += unit
            else:
                parts.append([*unit])
    return parts or [[]]


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
    tables : tuple of Grid or LateGrid
        Those without a row are not shown.
    notes : tuple of str
        Below the tables.
    facts : tuple of (str, str)
        (label, sentence) pairs, as of an audit.
    closing : tuple of str
        The last sentences, on what is found.
    hints : tuple of str
        On a terminal, in place of notes and facts where these are not shown.
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
    tables: tuple[Grid | LateGrid, ...] = ()
    figures: tuple[SectionFigure, ...] = ()
    parts: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
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

    @property
    def columns(self) -> Iterator[GridColumn]:
        """Those of the tables that are shown."""
        for table in self.tables:
            if isinstance(table, LateGrid) or table.rows:
                yield from table.columns

    @property
    def grids(self) -> Iterator[Grid]:
        """The tables that are shown, each made when its turn comes."""
        made = (one.make() if isinstance(one, LateGrid) else one for one in self.tables)
        return (grid for grid in made if grid.rows)


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
        tables=tuple(grid for one in (section, *parts) for grid in one.grids),
        notes=(*section.notes, *(line for part in parts for line in part.notes)),
        parts=(),
    )
