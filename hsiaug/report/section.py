"""What a report is made of: sections of text, frames of pandas and figures, which every format goes
through in one loop (:mod:`hsiaug.report.render`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

from hsiaug.report.formatting import MISSING, decimal, number, plus_minus
from hsiaug.trial.arm import NONE, Arm

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import ReportTable
    from hsiaug.tasks.scores import Metric


class Frame(NamedTuple):
    """A table: its heading, and a frame whose index says what a row is. Its entries are texts, or
    numbers that :func:`entry_text` writes.
    """

    heading: str
    frame: DataFrame


@dataclass(frozen=True)
class SectionFigure:
    """A figure of a section, drawn where it is shown.

    Attributes
    ----------
    caption : str
        What is drawn; how it is read is the label of the figure.
    draw : callable
        Draws it so many columns of a page of two wide.
    narrow : bool
        A small screen has it one column wide; else it scrolls there.
    """

    caption: str
    draw: Callable[[int], Figure]
    narrow: bool = True


@dataclass(frozen=True)
class Answer:
    """One of the three answers: its question, YES, NO or UNCLEAR, and a few words. The third has
    words alone.
    """

    question: str
    status: str
    text: str


@dataclass(frozen=True)
class Section:
    """A section of a report, and its parts.

    Attributes
    ----------
    text, closing : tuple of str
        Lines above, and below the tables.
    answers : tuple of Answer
        The three.
    frames : tuple of Frame
        Those without a row are not shown.
    notes : tuple of str
        Folded on the page at a ``?``; on a terminal with ``--notes``.
    facts : tuple of (str, str)
        (label, sentence) pairs, as of an audit.
    commands : tuple of (str, str)
        What a command is for, and the command.
    id : str
        Its name on the page.
    opened : bool
        Unfolded on the page.
    html : str
        Markup that the page alone shows.
    """

    heading: str
    text: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    figures: tuple[SectionFigure, ...] = ()
    frames: tuple[Frame, ...] = ()
    closing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    parts: tuple[Section, ...] = ()
    id: str = ""
    opened: bool = False
    html: str = ""


def flat(sections: Iterable[Section]) -> list[Section]:
    """The sections, each followed by its parts."""
    listed = []
    for section in sections:
        listed += [replace(section, parts=()), *flat(section.parts)]
    return listed


def entry_text(value: object) -> str:
    """A number with one decimal, or an integer; a text as it is; ``–`` where there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return f"{value:,}"
    number = float(value) if isinstance(value, Real) else math.nan
    return MISSING if math.isnan(number) else decimal(number)


def texts(frame: DataFrame) -> DataFrame:
    """The frame with every entry, and every name of a row, as text."""
    from pandas import MultiIndex

    written = frame.astype(object).map(entry_text)
    if isinstance(frame.index, MultiIndex):
        rows = [tuple(map(entry_text, row)) for row in frame.index]
        written.index = MultiIndex.from_tuples(rows, names=frame.index.names)
    else:
        written.index = frame.index.map(entry_text)
    return written


def escaped(frame: DataFrame, safe: Callable[[str], str]) -> DataFrame:
    """A frame of texts with what says what a row is as its first columns, all of it made safe for a
    format.
    """
    from pandas import DataFrame

    rows = [(*(key if isinstance(key, tuple) else (key,)), *row) for key, row in _rows(frame)]
    names = [str(name or "") for name in frame.index.names]
    names += [" ".join(filter(None, map(str, _parts(name)))) for name in frame.columns]
    safe_rows = [[safe(text) for text in row] for row in rows]
    return DataFrame(safe_rows, columns=[safe(name) for name in names], dtype=object)


def _rows(frame: DataFrame) -> Iterable[tuple[Any, tuple[str, ...]]]:
    return zip(frame.index, frame.itertuples(index=False, name=None), strict=True)


def _parts(name: object) -> tuple[object, ...]:
    return name if isinstance(name, tuple) else (name,)


# Frames of configurations


def arm_keys(table: ReportTable, arm: Arm) -> dict[str, str]:
    """generator, λ, M where any trial has one, and ω where any is guided."""
    bare = arm.generator.name == NONE and not arm.rate
    keys = {"generator": table.labels[arm.generator], "λ": rate(arm.rate.lam, bare=bare)}
    if table.multiplied:
        keys["M"] = rate(arm.rate.times, bare=bare)
    if table.guided:
        keys["ω"] = number(arm.omega)
    return keys


def rate(value: float, *, bare: bool) -> str:
    """A λ or M; – of no samples."""
    return MISSING if bare else number(value)


def cells_frame(
    table: ReportTable,
    cells: Iterable[ArmCell],
    columns: Mapping[str, Callable[[ArmCell], str]],
) -> DataFrame:
    """A row for each cell: its classifier and its configuration, and what the columns say of it."""
    rows = [
        {"classifier": table.labels[cell.classifier], **arm_keys(table, cell.arm)}
        | {name: entry(cell) for name, entry in columns.items()}
        for cell in cells
    ]
    return indexed(rows, len(columns))


def indexed(rows: list[dict[str, str]], columns: int) -> DataFrame:
    """A frame of rows, of which all but the last ``columns`` say what they are."""
    from pandas import DataFrame

    frame = DataFrame(rows)
    return frame.set_index(list(frame.columns[: frame.shape[1] - columns])) if rows else frame


def score(table: ReportTable, metric: Metric) -> Callable[[ArmCell], str]:
    """Gives ``48.2 ± 3.1`` of a cell; with its n where it is over fewer splits than the table has;
    where no trial has the number, why.
    """

    def entry(cell: ArmCell) -> str:
        summary = cell.summary(metric.key)
        if summary is None:
            return cell.blank
        short = f" (n={summary.n})" if summary.n < len(table.draws) else ""
        return plus_minus(summary) + short

    return entry
