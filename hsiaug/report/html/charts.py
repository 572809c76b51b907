"""The figures of a table on its page, as their files show them: sweeps and label equivalents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hsiaug.report.curve_notes import curve_notes
from hsiaug.report.curves import AXES, SIGNS, moving
from hsiaug.report.figures.curves import curve_figure
from hsiaug.report.figures.files import light_svg
from hsiaug.report.figures.labels import label_figure
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, grid_table, items, scroller
from hsiaug.report.html.pictures import embedded_svg
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import Report, Table
from hsiaug.report.views_labels import label_grids, label_notes, said
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves_by_table", "label_block", "sweep_blocks"]


def sweep_blocks(section: TableSection) -> str:
    """Figure, notes and tables of each axis along which some generator has two values; empty where none has."""
    blocks = []
    for axis in AXES:
        if moving(section.table, axis):
            drawn = _picture(curve_figure(Report((section.table,)), axis), f"OA and AA against {SIGNS[axis]}")
            numbers = details("The numbers of these curves", section.view(axis))
            notes = _notes(curve_notes(section.table, axis))
            blocks.append(f"<h4>Along {SIGNS[axis]}</h4>{drawn}{notes}{numbers}")
    return "".join(blocks)


def curves_by_table(report: Report, store: Store | None) -> dict[Table, list[LabelCurve]]:
    """The learning curves of each table that has any; none without a store, which holds the predictions."""
    found: dict[Table, list[LabelCurve]] = {}
    for curve in label_curves(report, store) if store is not None else []:
        found.setdefault(curve.table, []).append(curve)
    return found


def label_block(section: TableSection, curves: Sequence[LabelCurve]) -> str:
    """Sentences, figure, tables and notes of learning curves; empty without a curve."""
    if not curves:
        return ""
    drawn = _picture(label_figure(curves), "none with more labels per class, and the arms on its curve")
    sentences = items(escape(said(curve, arm)) for curve in curves for arm in curve.arms)
    tables = "".join(grid_table(grid, section.cell_id) for grid in label_grids(section.table, curves))
    numbers = details("The numbers of these curves", tables)
    return f"{sentences}{drawn}{numbers}{_notes(label_notes(curves))}"


def _picture(drawn: Figure, caption: str) -> str:
    """A figure at its own size, so that its letters stay readable on a small screen, where it scrolls."""
    return scroller(caption, embedded_svg(light_svg(drawn), caption))


def _notes(sentences: Iterable[str]) -> str:
    return "".join(f'<p class="note">{escape(sentence)}</p>' for sentence in sentences)
