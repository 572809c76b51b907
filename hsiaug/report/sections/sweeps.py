"""Accuracy along λ, M or ω."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from hsiaug.report.curves import AXES, SIGNS, Axis, SweepLine, find_sweeps, first_none, lines
from hsiaug.report.figures.curve_charts import curve_figure
from hsiaug.report.formatting import MISSING, number, plus_minus
from hsiaug.report.grid import Grid, GridColumn, make_grid
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE = "none has no synthetic sample: it is λ = 0 of every generator, at any ω."


def _section(axis: Axis, table: ReportTable, _: Sources) -> Section:
    figure = SectionFigure(
        f"OA and AA against {SIGNS[axis]}", partial(curve_figure, Report((table,)), axis)
    )
    return Section(
        f"Along {SIGNS[axis]}", tables=curve_grids(table, axis), figures=(figure,), notes=(NONE,)
    )


def curve_grids(table: ReportTable, axis: Axis) -> tuple[Grid, ...]:
    """The metrics of gains, and the main one in seen and in new fields.

    A row per classifier and line, a column per value of the axis; – heads arms without one.
    """
    rows = lines(table, axis)
    values = sorted({value for line in rows for value, _ in line.points}, key=first_none)
    shown = {
        "lambda": True,
        "times": any(arm.rate.times for arm in table.arms),
        "omega": table.guided,
    }

    def held(other: Axis, line: SweepLine) -> str:
        return number(None if line.generator.name == "none" else dict(line.held)[other])

    def point(metric: str, value: float | None, line: SweepLine) -> str:
        cell = dict(line.points).get(value)
        summary = cell.summary(metric) if cell else None
        if cell is None or summary is None:
            return "failed" if cell and not cell.ok else MISSING
        return plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(table.draws) else "")

    keys = [
        GridColumn("classifier", lambda line: table.labels[line.classifier], numeric=False),
        GridColumn("generator", lambda line: table.labels[line.generator], numeric=False),
        *(
            GridColumn(SIGNS[other], partial(held, other))
            for other in AXES
            if other != axis and shown[other]
        ),
    ]
    return tuple(
        make_grid(
            f"{score.name} against {SIGNS[axis]}",
            [
                *keys,
                *(
                    GridColumn(f"{SIGNS[axis]}={number(v)}", partial(point, score.key, v))
                    for v in values
                ),
            ],
            rows,
            keys=len(keys),
            block=attrgetter("classifier"),
        )
        for score in (table.scores.second, table.scores.main, *table.brief_fields)
    )


def _picture(axis: Axis, report: Report, columns: int) -> Figure:
    return curve_figure(report, axis, columns)


def _varies(axis: Axis, table: ReportTable) -> bool:
    return bool(find_sweeps(table, axis))


SECTIONS = tuple(
    SectionKind(
        axis,
        partial(_section, axis),
        60,
        views=(axis,),
        pictures={axis: partial(_picture, axis)},
        on_page=partial(_varies, axis),
    )
    for axis in AXES
)
