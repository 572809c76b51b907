"""Learning curves over added labels, and how many labels each arm is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsiaug.report.figures.curve_charts import label_figure
from hsiaug.report.label_breakdowns import curves_of, label_grids, label_notes
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import LABELS, SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _section(table: ReportTable, sources: Sources) -> Section | None:
    curves = [curve for curve in sources.curves if curve.table is table]
    if not curves:
        return None
    caption = "none with more labels per class, and the arms on its curve"
    return Section(
        "Label equivalents",
        tables=label_grids(table, curves),
        figures=(SectionFigure(caption, lambda: label_figure(curves)),),
        notes=tuple(label_notes(curves)),
    )


def _picture(report: Report, columns: int) -> Figure:
    return label_figure(curves_of(report), columns)


SECTIONS = (SectionKind("labels", _section, 70, pictures={LABELS: _picture}),)
