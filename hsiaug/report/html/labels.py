"""Label equivalents on the page: the curves as a picture, the tables, and what each arm is worth."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.report.figures.files import light_svg
from hsiaug.report.figures.labels import label_figure
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, figure, grid_table, items
from hsiaug.report.html.pictures import embedded_svg
from hsiaug.report.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import Report, Table
from hsiaug.report.views_labels import label_grids, label_notes, said
from hsiaug.trial.store import Store

__all__ = ["curves_by_table", "label_block"]


def curves_by_table(report: Report, store: Store | None) -> dict[Table, list[LabelCurve]]:
    """The curves of each table that has any; none without a store, whose predictions they are read from."""
    found: dict[Table, list[LabelCurve]] = {}
    for curve in label_curves(report, store) if store is not None else []:
        found.setdefault(curve.table, []).append(curve)
    return found


def label_block(section: TableSection, curves: Sequence[LabelCurve]) -> str:
    """Picture, sentences, tables and notes; empty without a curve."""
    if not curves:
        return ""
    caption = "none with more labels per class, and the arms on its curve"
    picture = figure(embedded_svg(light_svg(label_figure(curves)), caption), caption, "sheet")
    sentences = items(escape(said(curve, arm)) for curve in curves for arm in curve.arms)
    tables = "".join(grid_table(grid, section.cell_id) for grid in label_grids(section.table, curves))
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in label_notes(curves))
    return f"{sentences}{picture}{details('The numbers of these curves', tables)}{notes}"
