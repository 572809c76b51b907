"""Accuracy along λ, M or ω: lines of configurations that differ in it alone, in tables and a
picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from hsiaug.report.figures.charts import ChartBlock, FirstPanels, Panel, draw_blocks, name_score
from hsiaug.report.figures.files import series_style
from hsiaug.report.formatting import MISSING, number, seeds_text
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Frame, Section, SectionFigure, indexed, score
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.trials import DrawKey
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import CONTROLS_OF_ALL, CONTROLS_OF_OLD_RECORDS, NONE, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Axis = Literal["lambda", "times", "omega"]
AXES: tuple[Axis, ...] = ("lambda", "times", "omega")
SIGNS: dict[Axis, str] = {"lambda": "λ", "times": "M", "omega": "ω"}
Held = tuple[tuple[Axis, float | None], ...]
"""Axes that a line does not run along, and where it lies on them."""
GENERATORS = [
    name
    for name, control in CONTROLS_OF_OLD_RECORDS.items()
    if control.kind == "generator" and name != NONE
]
DASHES = dict(zip(GENERATORS, ("--", (0, (5, 1, 1, 1)), "-."), strict=True))
"""Dashes of the grey lines of generators that are controls, but ``none``."""
OF_SWEEPS = (
    "mean ± sd over the same splits; points of one value are drawn apart; grey band: the sd of"
    " none; one scale for each score"
)
APART = 0.012
"""How far points of one value lie apart, of the range of values: their bars would cover each
other.
"""
Styles = Mapping[object, dict[str, Any]]


def _section(axis: Axis, table: ReportTable, _: Sources) -> Section:
    """The lines of a table, with a figure where there is one to draw."""
    every_line = lines(table, axis)
    figures: tuple[SectionFigure, ...] = ()
    if _find_sweeps(every_line):
        draw = partial(_curve_figure, axis, Report((table,)))
        figures = (SectionFigure(f"OA and AA against {SIGNS[axis]}", draw),)
    return Section(
        f"Along {SIGNS[axis]}", frames=_curve_frames(table, axis, every_line), figures=figures
    )


def _curve_frames(table: ReportTable, axis: Axis, rows: Sequence[SweepLine]) -> tuple[Frame, ...]:
    """The metrics of gains, and the main one in seen and in new fields.

    A row per classifier and line, a column per value of the axis; – heads those without one.
    """
    values = sorted({value for line in rows for value, _ in line.points}, key=_first_none)
    varied = {
        "lambda": True,
        "times": any(arm.rate.times for arm in table.arms),
        "omega": table.guided,
    }

    def row(metric: Metric, line: SweepLine) -> dict[str, str]:
        held, cells, entry = dict(line.held), dict(line.points), score(table, metric)
        return {
            "classifier": table.labels[line.classifier],
            "generator": table.labels[line.generator],
            **{SIGNS[o]: number(held[o]) for o in AXES if o != axis and varied[o]},
            **{
                f"{SIGNS[axis]}={number(v)}": entry(cells[v]) if v in cells else MISSING
                for v in values
            },
        }

    return tuple(
        Frame(
            f"{metric.name} against {SIGNS[axis]}",
            indexed([row(metric, line) for line in rows], len(values)),
        )
        for metric in (table.scores.second, table.scores.main, *table.brief_fields)
    )


# Lines


@dataclass(frozen=True)
class SweepLine:
    """A generator with one classifier, along an axis.

    Attributes
    ----------
    held : Held
        Its places on the other axes.
    points : tuple of (float or None, ArmCell)
        (value on the axis, cell), in the order of the values; None for a configuration without ω
        along ω.
    draws : frozenset of DrawKey
        Those that most of its points are over; the others are in tables, and not comparable.
    """

    generator: Method
    classifier: Method
    held: Held
    points: tuple[tuple[float | None, ArmCell], ...]
    draws: frozenset[DrawKey]

    @property
    def key(self) -> tuple[Method, Held]:
        """Generator and held values, which determine its colour and its label, the same for every
        classifier.
        """
        return self.generator, self.held

    @property
    def values(self) -> tuple[float, ...]:
        """Values at which the line has a point."""
        return tuple(value for value, _ in self.points if value is not None)

    def dots(self, metric: str) -> list[tuple[float, float, float]]:
        """The points over its splits that have a number: value on the axis; mean and std in
        percent.
        """
        shown = (
            (value, cell)
            for value, cell in self.points
            if value is not None and _draws_of(cell) == self.draws
        )
        return [(value, *level) for value, cell in shown if (level := _percentages(cell, metric))]


def _percentages(cell: ArmCell | None, metric: str) -> tuple[float, float] | None:
    """Mean and std (0 of a single split) of a metric in percent; None where no trial has it."""
    summary = cell.summary(metric) if cell is not None else None
    return (100 * summary.mean, 100 * (summary.std or 0.0)) if summary else None


def lines(table: ReportTable, axis: Axis) -> tuple[SweepLine, ...]:
    """Every generator's lines, classifier by classifier, controls first."""
    found: dict[tuple[Method, Method, Held], list[tuple[float | None, ArmCell]]] = {}
    for cell in (cell for cell in table.by_classifier if cell.tried):
        rate, omega = cell.arm.rate, cell.arm.omega
        values: dict[Axis, float | None] = {"lambda": rate.lam, "times": rate.times, "omega": omega}
        value = values.pop(axis)
        found.setdefault((cell.arm.generator, cell.classifier, tuple(values.items())), []).append(
            (value, cell)
        )
    made = []
    for (generator, classifier, held), points in found.items():
        counted = Counter(_draws_of(cell) for _, cell in points if len(cell.ok))
        draws = max(counted, key=lambda d: (counted[d], len(d), sorted(d)), default=frozenset())
        ordered = tuple(sorted(points, key=lambda point: _first_none(point[0])))
        made.append(SweepLine(generator, classifier, held, ordered, draws))
    return tuple(made)


def _find_sweeps(every_line: Iterable[SweepLine]) -> list[SweepLine]:
    """The lines with two points or more; none where only controls have such a line."""
    found = [line for line in every_line if len(line.values) > 1]
    return found if any(line.generator.name not in CONTROLS_OF_ALL for line in found) else []


def _first_none(value: float | None) -> tuple[bool, float]:
    return value is not None, value or 0.0


def _line_label(table: ReportTable, line: SweepLine) -> str:
    """``txt2hsi ω=2``: the generator, with what is held."""
    held = {} if line.generator.name == NONE else dict(line.held)
    # Nobody asked for M where it is 0.
    told = (
        (other, value)
        for other, value in held.items()
        if value is not None and (other != "times" or value)
    )
    return " ".join(
        [table.labels[line.generator], *(f"{SIGNS[other]}={value:g}" for other, value in told)]
    )


def _panel_n(shown: Sequence[SweepLine], none: ArmCell | None) -> str:
    """``n = 6 (seeds 0–5)``: the splits that a panel is over; ``n = 3 to 6, by line`` where lines
    differ.
    """
    groups = {line.draws for line in shown if line.draws} | (
        {_draws_of(none)} if none and len(none.ok) else set()
    )
    if len(groups) > 1:
        return f"n = {min(map(len, groups))} to {max(map(len, groups))}, by line"
    return "".join(
        f"n = {len(draws)} ({seeds_text(seed for seed, _ in draws)})" for draws in groups
    )


def _draws_of(cell: ArmCell) -> frozenset[DrawKey]:
    """The splits of the trials that gave numbers."""
    return frozenset(cell.ok["draw"])


# The picture


def _curve_figure(axis: Axis, report: Report, columns: int = 2) -> Figure:
    """The figure of every table in which some generator has two values of the axis or more.

    Mean over the splits with a bar of one standard deviation, in percent: two panels per
    classifier, OA and AA. ``none`` is the dotted line and its band; other controls are grey.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.

    Raises
    ------
    InputError
        Where nothing varies.
    """
    empty = (
        f"a picture by {axis} needs records of a generator at two {SIGNS[axis]} or more",
        f"Run 'hsiaug benchmark … --{axis} 0.5:1.5:0.5' first.",
    )
    blocks = [_sweeps(table, axis, lines(table, axis)) for table in report.tables]
    return draw_blocks(blocks, columns, OF_SWEEPS, empty)


def _sweeps(table: ReportTable, axis: Axis, every_line: Sequence[SweepLine]) -> ChartBlock:
    """The classifiers with a line: of the others there is nothing to draw."""
    lined = {line.classifier for line in _find_sweeps(every_line)}
    styles, first = _styles(table, every_line), FirstPanels()
    bare = [cell for cell in table.main_scores if cell.without_samples]
    best = max(bare, key=table.score_rank, default=None)
    panels = []
    for classifier in (c for c in table.classifiers if c in lined):
        found = [line for line in every_line if line.classifier == classifier]
        # Along ω controls are levels to compare with; other generators without guidance are left
        # out.
        makers = [line for line in found if line.generator.name != NONE]
        shown = [line for line in makers if line.values or line.generator.name in DASHES]
        none = table.reference(classifier)
        title = table.labels[classifier], _panel_n(shown, none)
        scores = (table.scores.second, table.scores.main)
        above = {table.cell_words(best): best} if best and best is not none else {}
        panels += [
            Panel(title, partial(_draw_sweep, shown, none, above, score, styles, first))
            for score in scores
        ]
    return ChartBlock(table.heading, panels, 1.85, narrowest=1.5, pairs=True, along=SIGNS[axis])


def _styles(table: ReportTable, every_line: Iterable[SweepLine]) -> Styles:
    """Colour, marker and label of every line of a table, the same in all its panels; controls are
    grey.
    """
    styles: dict[object, dict[str, Any]] = {}
    coloured = 0
    for line in every_line:
        if line.key in styles or line.generator.name == NONE:
            continue
        dashes = DASHES.get(line.generator.name)
        style = {"color": "0.5", "linestyle": dashes} if dashes else series_style(coloured)
        styles[line.key] = {**style, "label": _line_label(table, line)}
        coloured += not dashes
    return styles


def _draw_sweep(
    shown: Sequence[SweepLine],
    none: ArmCell | None,
    above: Mapping[str, ArmCell],
    score: Metric,
    styles: Styles,
    first: FirstPanels,
    axes: Axes,
) -> dict[str, Any]:
    """Draw the lines of one classifier in one score.

    Parameters
    ----------
    above : mapping of str to ArmCell
        By its name the classifier that is best without samples, where it is another one.
    """
    axes.sharey(first.setdefault(score.key, axes))
    name_score(axes, score.name)
    entries: dict[str, Any] = {}
    if level := _percentages(none, score.key):
        mean, std = level
        axes.axhspan(mean - std, mean + std, color="0.93", zorder=0)
        entries["none (band, and bars: sd)"] = axes.axhline(
            mean, color="black", linestyle=":", linewidth=1.2
        )
    for name, cell in above.items():
        if level := _percentages(cell, score.key):
            entries[name] = axes.axhline(level[0], color="black", linewidth=0.8)
    values = [value for line in shown for value in line.values]
    step = APART * (max(values) - min(values)) if values else 0.0
    middle = (len(shown) - 1) / 2
    for place, line in enumerate(shown):
        style = styles[line.key]
        if line.values:
            dots = [(value + step * (place - middle), *at) for value, *at in line.dots(score.key)]
            entries[style["label"]] = _draw_line(axes, dots, style)
        elif level := _percentages(line.points[0][1], score.key):
            entries[style["label"]] = axes.axhline(
                level[0], color=style["color"], linestyle=style["linestyle"], linewidth=1.2
            )
    return entries


def _draw_line(axes: Axes, dots: Sequence[tuple[float, ...]], style: dict[str, Any]) -> Any:
    """The points with a line through them; returns the entry of the legend."""
    where, means, stds = ([dot[i] for dot in dots] for i in range(3))
    drawn = axes.errorbar(
        where, means, stds, linewidth=1.4, capsize=2, elinewidth=0.8, markersize=4, **style
    )
    for bar in (*drawn.lines[1], *drawn.lines[2]):
        bar.set_alpha(0.45)
    return drawn


SECTIONS = tuple(
    SectionKind(
        axis,
        partial(_section, axis),
        60,
        views=(axis,),
        pictures={axis: partial(_curve_figure, axis)},
        on_page=lambda section: bool(section.figures),
    )
    for axis in AXES
)
