"""The model of a table and of a page, from which every renderer works: entries in columns, and what
stands round them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from hsiaug.report.answer_text import AnswerText

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
        The highest mean of its column.
    value : float or None
        The number that the text writes, where the highest of a column is marked; None of a mean
        over fewer draws than the others.
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
        The highest mean is marked.
    spare : bool
        Its deviations may be left out where there is no room.
    optional : bool
        All of it may be left out where there is still none.
    """

    header: str
    entry: Callable[[Any], str | GridEntry]
    group: str = ""
    numeric: bool = True
    best: bool = False
    spare: bool = False
    optional: bool = False


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


def text_grid(
    heading: str, header: Sequence[str], rows: Iterable[Sequence[str]], keys: int = 1
) -> Grid:
    """A grid of texts.

    Parameters
    ----------
    keys : int
        Leading columns that say what a row is; the others hold numbers where most entries do.
    """
    texts = [tuple(row) for row in rows]

    def numeric(place: int) -> bool:
        numbers = sum(NUMBER.match(row[place]) is not None for row in texts)
        short = all(len(row[place]) <= MAX_ENTRY_LETTERS for row in texts)
        return place >= keys and short and 2 * numbers > len(texts)

    columns = [GridColumn(name, itemgetter(i), numeric=numeric(i)) for i, name in enumerate(header)]
    return make_grid(heading, columns, texts, keys=keys)


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
class ReportPage:
    """One table of a report: failures, warnings, what was run and the answers above the grids;
    notes, the audit and what else is found below.

    Attributes
    ----------
    leaky : bool
        The title must say so before anything else.
    failed : str or None
        How many trials failed, or None.
    failures : tuple of str
        A line per error.
    opening : tuple of str
        What was run.
    answers : tuple of AnswerText
        The three, in words.
    audit : tuple of (str, str)
        (label, sentence) pairs.
    closing : tuple of str
        The last sentences of all, on what is found.
    """

    title: str
    leaky: bool = False
    failed: str | None = None
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    answers: tuple[AnswerText, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
    audit: tuple[tuple[str, str], ...] = ()
    closing: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, with the tag that a leaky protocol wears in every format."""
        return f"LEAKY: {self.title}" if self.leaky else self.title
