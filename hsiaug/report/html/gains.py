"""The chart of gains on the page: each arm over each of its controls, draw by draw.

It is markup in the page's own colours, so that its words stay readable on a phone and in the dark;
:mod:`hsiaug.report.figures.gains` draws the same for papers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from hsiaug.metrics.verdict import Evidence
from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import Gain
from hsiaug.report.figures.gains import control_places
from hsiaug.report.findings import MEANINGS, shown_words, tone_of, words_note
from hsiaug.report.formatting import p_said, with_ends
from hsiaug.report.tables import ReportTable

MOST_ARMS = 24
"""Arms that are drawn; those of more that gain most are."""
MOST_TICKS = 6
"""Numbers along the axis at most: more would touch each other on a phone."""
WIDTH = 1000
"""Units of a line across, which a browser stretches to the room that is there."""


@dataclass(frozen=True)
class Line:
    """An arm over one control.

    Parameters
    ----------
    control : str
        The control.
    series : int
        Place of its colour among the page's, and of its marker.
    mean : float
        Place of the mean across, in percent of the width; the others are in units of WIDTH.
    bar : tuple of float
        Where the interval begins and ends; empty where it has no end.
    ticks : tuple of float
        The draws.
    text : str
        Mean and interval in words.
    shown, tone, tip : str
        What this comparison shows, its tone and what the word means.
    p : str
        The corrected p.
    """

    control: str
    series: int
    mean: float
    bar: tuple[float, ...]
    ticks: tuple[float, ...]
    text: str
    shown: str
    tone: str
    tip: str
    p: str


@dataclass(frozen=True)
class ChartRow:
    """An arm with a line for each control.

    Attributes
    ----------
    opens : str
        The key of its draws.
    """

    name: str
    lines: tuple[Line, ...]
    opens: str


@dataclass(frozen=True)
class GainChart:
    """The chart of a table.

    Attributes
    ----------
    caption : str
        What is drawn.
    left_out : int
        Arms that gain less, and are not drawn.
    ticks : tuple of (float, str)
        Places across, in percent, and the numbers there.
    lines : tuple of float
        Places of lines from top to bottom; these, and that of zero, are in units of the width.
    words : str
        What words and brackets mean.
    controls : tuple of (str, int)
        The controls, and the places of their colours.
    groups : tuple of (str, list of ChartRow)
        The rows of each classifier.
    """

    caption: str
    left_out: int
    ticks: tuple[tuple[float, str], ...]
    lines: tuple[float, ...]
    zero: float
    words: str
    controls: tuple[tuple[str, int], ...]
    groups: tuple[tuple[str, list[ChartRow]], ...]
    width: int = WIDTH


def gain_chart(table: ReportTable, keys: Mapping[ArmCell, str]) -> GainChart | None:
    """The chart of a table; None where nothing but controls ran, or no draw is shared.

    Parameters
    ----------
    table : ReportTable
        The trials of one scene and protocol.
    keys : dict
        Names of the rows that tell the draws of each arm.
    """
    known = table.by_gain
    if not known:
        return None
    ranked = sorted(known, key=attrgetter("rank"), reverse=True)[:MOST_ARMS]
    drawn = [gain for gain in known if gain in ranked]
    axis = Axis.of(one.main for gain in drawn for one in gain.against.values() if one)
    places = control_places(drawn)
    groups = [
        (
            table.labels[classifier],
            [_row(table, gain, axis, places, keys) for gain in gains],
        )
        for classifier, gains in groupby(drawn, lambda gain: gain.cell.classifier)
    ]
    controls = ((name, place) for name, place in places.items() if _is_drawn(name, drawn))
    return GainChart(
        caption=f"Δ{table.scores.main.name} of each arm over its controls, in percentage points",
        left_out=len(known) - len(drawn),
        ticks=tuple((axis.place(value), _number(value)) for value in axis.ticks),
        lines=tuple(WIDTH * axis.place(value) / 100 for value in axis.ticks),
        zero=WIDTH * axis.place(0.0) / 100,
        words=words_note([table]),
        controls=tuple(controls),
        groups=tuple(groups),
    )


@dataclass(frozen=True)
class Axis:
    """An axis in points.

    Attributes
    ----------
    ticks : tuple of float
        The values that it names.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, evidence: Iterable[Evidence]) -> Axis:
        """An axis that holds every draw, every interval that ends, and 0, with the ticks that a
        picture for paper would have.
        """
        from matplotlib.ticker import MaxNLocator

        values = [0.0]
        for one in evidence:
            ends = [end for end in one.interval or () if math.isfinite(end)]
            values += [100 * value for value in (*one.differences, *ends)]
        low, high = min(values), max(values)
        room = 0.03 * (high - low) or 1.0
        low, high = low - room, high + room
        places = map(float, MaxNLocator(MOST_TICKS - 1, steps=(1, 2, 5, 10)).tick_values(low, high))
        return cls(low, high, tuple(place for place in places if low <= place <= high))

    def place(self, points: float) -> float:
        """Where a value lies across, in percent."""
        return round(100 * (points - self.low) / (self.high - self.low), 2)


def _number(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "−")


def _is_drawn(control: str, gains: Sequence[Gain]) -> bool:
    return any(gain.against.get(control) for gain in gains)


def _row(
    table: ReportTable, gain: Gain, axis: Axis, places: dict[str, int], keys: Mapping[ArmCell, str]
) -> ChartRow:
    lines = []
    for control, comparison in gain.against.items():
        if comparison is None:
            continue
        test = comparison.main
        ends = tuple(100 * end for end in test.interval or () if math.isfinite(end))
        lines.append(
            Line(
                control=control,
                series=places[control],
                mean=axis.place(100 * test.mean),
                bar=tuple(WIDTH * axis.place(end) / 100 for end in ends) if len(ends) == 2 else (),
                ticks=tuple(WIDTH * axis.place(100 * value) / 100 for value in test.differences),
                text=with_ends(test.mean, test.ends),
                shown=shown_words(comparison, table.scores.second.name),
                tone=tone_of(comparison),
                tip=MEANINGS[test.word],
                p=p_said(test.p_corrected),
            )
        )
    return ChartRow(table.arm_label(gain.cell.arm), tuple(lines), keys.get(gain.cell, ""))
