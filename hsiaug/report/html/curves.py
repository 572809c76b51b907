"""What is gained over none against λ or ω, as drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import PairedTest, pair_up
from hsiaug.report.curve_notes import curve_notes, line_label, panel_n
from hsiaug.report.curves import (
    AXES,
    SIGNS,
    Axis,
    SweepLine,
    drawn,
    moving,
    reference,
)
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, figure
from hsiaug.report.html.svg import HEIGHT, WIDTH, Scale, key, label, marker, marks_of, picture, ticks
from hsiaug.report.labels import with_interval
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["curve_blocks"]

LEFT, RIGHT, TOP, BOTTOM = 34, 8, 10, 34
LABEL = 30
"""Width that the label of a value on the axis takes."""
Key = tuple[Method, float | None]


@dataclass(frozen=True)
class _Dot:
    """A point of a line: the paired differences to none. apart: over other draws than the line, not joined."""

    value: float
    test: PairedTest
    apart: bool

    @property
    def ends(self) -> tuple[float, ...]:
        """Mean and interval in points."""
        return tuple(100 * v for v in (self.test.mean, *(self.test.interval or ())))


@dataclass(frozen=True)
class _Panel:
    """One classifier and metric. starts: lines that begin at λ = 0 with none, where the difference is 0 by definition."""

    caption: str
    classifier: str
    metric: str
    dots: Mapping[SweepLine, Sequence[_Dot]]
    starts: frozenset[SweepLine]

    @property
    def heights(self) -> list[float]:
        """Every height that must fit."""
        return [0.0, *(end for found in self.dots.values() for dot in found for end in dot.ends)]


def curve_blocks(section: TableSection) -> str:
    """Drawings and tables of every axis along which some generator has two values; empty where none has."""
    axes = [axis for axis in AXES if moving(section.table, axis)]
    drawings = {axis: _drawings(section.table, axis) for axis in axes}
    how = (
        HOW_TO_READ
        if any(drawings.values())
        else "No draw is shared with none, so there is no difference to draw."
    )
    blocks = "".join(_block(section, axis, drawings[axis]) for axis in axes)
    return f'<p class="note">{escape(how)}</p>{blocks}' if blocks else ""


def _drawings(table: Table, axis: Axis) -> str:
    """A row of panels per metric, and their legend; empty where nothing is paired with none."""
    keys: dict[Key, str] = {line.key: line_label(table, line, axis) for line in moving(table, axis)}
    rows = "".join(_row(table, score, keys, axis) for score in reversed(drawn(table)))
    return rows + _legend(keys) if rows else ""


def _block(section: TableSection, axis: Axis, drawings: str) -> str:
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in curve_notes(section.table, axis))
    numbers = details("The numbers of these curves", section.view(axis))
    return f"<h4>Along {SIGNS[axis]}</h4>{drawings}{notes}{numbers}"


HOW_TO_READ = (
    "Mean difference to none, paired over the draws that the panel names, with its 95 % t interval; the line at 0 is "
    "none, which λ = 0 is by definition. Panels of one row share their scale. A hollow mark with its own n is over other "
    "draws, and no line runs through it. The scores themselves stand in the table below."
)


def _row(table: Table, score: Metric, keys: Mapping[Key, str], axis: Axis) -> str:
    """The panels of a metric, one per classifier, on one scale."""
    panels = [panel for classifier in table.classifiers if (panel := _panel(table, classifier, score, axis))]
    if not panels:
        return ""
    marks = ticks([height for panel in panels for height in panel.heights], 5)
    starts = [0.0] if any(panel.starts for panel in panels) else []
    places = sorted({*(v for panel in panels for line in panel.dots for v in line.values), *starts})
    figures = (
        figure(
            _drawing(panel, keys, marks, places, axis, table.labels),
            panel.caption,
            classifier=panel.classifier,
            metric=panel.metric,
        )
        for panel in panels
    )
    return f'<div class="panels">{"".join(figures)}</div>'


def _panel(table: Table, classifier: Method, score: Metric, axis: Axis) -> _Panel | None:
    shown = [line for line in moving(table, axis) if line.classifier == classifier]
    none = reference(table, classifier)
    dots = {line: found for line in shown if (found := _dots(table, line, none, score))}
    if not dots:
        return None
    over = panel_n(table, list(dots), none, axis)
    caption = f"Δ{score.name} to none (points) against {SIGNS[axis]}, {table.labels[classifier]}; {over}"
    starts = (line for line in dots if line.start and 0.0 not in line.values)
    return _Panel(caption, table.labels[classifier], score.name, dots, frozenset(starts))


def _dots(table: Table, line: SweepLine, none: ArmCell | None, score: Metric) -> list[_Dot]:
    found = []
    for value, cell in line.points if none else ():
        pairs = pair_up(cell, none, table.scores) if none else None
        test = pairs and (pairs.main if score == table.scores.main else pairs.second)
        if value is not None and test and test.differences:
            found.append(_Dot(value, test, not line.shares(cell)))
    return found


def _drawing(
    panel: _Panel,
    keys: Mapping[Key, str],
    marks: Sequence[float],
    places: Sequence[float],
    axis: Axis,
    labels: Mapping[Method, str],
) -> str:
    x = Scale(places[0], places[-1], LEFT + 14, WIDTH - RIGHT - 14)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    across = f'x1="{LEFT}" x2="{WIDTH - RIGHT}"'
    parts = [f'<line class="{"grid" if m else "zero"}" {across} y1="{y(m)}" y2="{y(m)}"/>' for m in marks]
    parts += [label(LEFT - 5, f"{float(y(m)) + 4:.1f}", f"{m:+g}" if m else "0", "tick", "end") for m in marks]
    parts += [label(x(v), HEIGHT - BOTTOM + 15, f"{v:g}", "tick") for v in _apart(places, x)]
    parts.append(label((LEFT + WIDTH) / 2, HEIGHT - 4, SIGNS[axis], "axis"))
    for line, found in panel.dots.items():
        number, name = list(keys).index(line.key), keys[line.key]
        drawn_line = _line(number, found, x, y, len(keys), line in panel.starts, SIGNS[axis])
        parts.append(marks_of(name, drawn_line, generator=labels[line.generator]))
    return picture(HEIGHT, panel.caption, parts)


def _apart(values: Sequence[float], x: Scale) -> list[float]:
    """Those whose labels do not run into one another."""
    shown: list[float] = []
    for value in values:
        if not shown or float(x(value)) - float(x(shown[-1])) >= LABEL:
            shown.append(value)
    return shown


def _line(place: int, dots: Sequence[_Dot], x: Scale, y: Scale, of: int, begins: bool, sign: str) -> list[str]:
    """Bars that would lie on one another stand side by side. begins: at λ = 0 with none."""
    shift = (place - (of - 1) / 2) * min(4.0, 24 / of)
    at = [(f"{float(x(dot.value)) + shift:.1f}", y(100 * dot.test.mean), dot) for dot in dots]
    joined = [(px, py) for px, py, dot in at if not dot.apart]
    path = " ".join(f"{px},{py}" for px, py in ([(x(0.0), y(0.0))] if begins and joined else []) + joined)
    parts = [f'<polyline class="s{place % 8} line" points="{path}"/>'] if path else []
    for px, _, dot in at:
        low, high = (y(100 * end) for end in dot.test.interval or (dot.test.mean, dot.test.mean))
        parts.append(f'<path class="s{place % 8} mean" d="M{px} {low}V{high}"/>')
    for px, py, dot in at:
        said = f"{sign}={dot.value:g}: {with_interval(dot.test.mean, dot.test.interval)}, n = {len(dot.test.differences)}"
        parts.append(marker(place, px, py, hollow=dot.apart, said=said))
        if dot.apart:
            parts.append(_own_n(float(px), float(py), len(dot.test.differences)))
    return parts


def _own_n(x: float, y: float, n: int) -> str:
    """The n of a point, to its right, or to its left where the picture ends."""
    side, anchor = (7, "start") if x < WIDTH - 40 else (-7, "end")
    return label(f"{x + side:.1f}", f"{y + 4:.1f}", f"n={n}", "tick", anchor)


def _legend(keys: Mapping[Key, str]) -> str:
    entries = []
    for place, text in enumerate(keys.values()):
        entries.append(f"<span>{key(place)}{escape(text)}</span>")
    return f'<p class="legend">{"".join(entries)}<span>bar: 95 % t interval of the mean</span></p>'
