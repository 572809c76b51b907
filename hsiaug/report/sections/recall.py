"""Recall of every class, of each arm and against no samples; and which class is taken for what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.metrics.significance import mean_std
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.cells import ArmCell, class_counts
from hsiaug.report.confusions import confusions
from hsiaug.report.figures.confusion import confusion_figure, draw_confusions
from hsiaug.report.formatting import MISSING, count_range, plus_minus, signed
from hsiaug.report.gains import Gain
from hsiaug.report.grid import Grid, GridColumn, make_grid
from hsiaug.report.notes import small_classes
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.arm import NONE, Method
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEFT_OUT = "†"
"""Mark of a class that AA leaves out."""


def _classes(table: ReportTable, sources: Sources) -> Section | None:
    """Recall against no samples, and confusion matrices of the arm that gains most and of no
    samples; None where no trial names its classes.
    """
    if not table.class_names:
        return None
    notes: tuple[str, ...] = ()
    if listed := ", ".join(small_classes(table)):
        few = f"fewer than {MIN_TEST_PIXELS} test pixels in some draw"
        notes = (f"{LEFT_OUT} AA leaves it out: {few} ({listed}).",)
    store = sources.store
    # Each has a picture of its own, which fits on a sheet of paper.
    figures = tuple(
        SectionFigure(
            f"Which class is taken for which: {one.name}", partial(draw_confusions, [one])
        )
        for one in (() if store is None else confusions(table, store))
    )
    against = (_against_none(table, classifier) for classifier in table.classifiers)
    return Section("Classes", tables=tuple(against), notes=notes, figures=figures)


def _recall(table: ReportTable, _: Sources) -> Section | None:
    if not table.class_names:
        return None
    tables = tuple(_recalls(table, classifier) for classifier in table.classifiers)
    return Section("Recall of every arm, mean ± std", tables=tables)


def _recalls(table: ReportTable, classifier: Method) -> Grid:
    """Rows classes with their n, columns arms with the recall: mean ± std over the draws that test
    the class.
    """
    ids = range(1, len(table.class_names) + 1)
    counts = ("train_counts", "test_counts")
    trained, tested = ([class_counts(table.splits.values(), key, i) for i in ids] for key in counts)

    def recall(cell: ArmCell, i: int) -> str:
        values = cell.recalls(i)
        if not values:
            return MISSING if any(tested[i - 1]) else "not evaluable"
        short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
        return plus_minus(mean_std(values)) + short

    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        GridColumn("train n", lambda i: count_range(trained[i - 1])),
        GridColumn("test n", lambda i: count_range(tested[i - 1])),
        *(
            GridColumn("recall", partial(recall, c), table.arm_label(c.arm))
            for c in table.cells_of(classifier)
        ),
    ]
    return make_grid(f"Recall per class, {table.labels[classifier]}", columns, ids, keys=3)


def _left_out(table: ReportTable) -> set[int]:
    """Ids of the classes that AA leaves out; none where it is over all."""
    every = set(range(1, len(table.class_names) + 1))
    return every - set(table.large) if table.large else set()


def _against_none(table: ReportTable, classifier: Method) -> Grid:
    """Rows classes, columns the recall without samples and what each arm adds to it, in points."""
    ids = range(1, len(table.class_names) + 1)
    left_out = _left_out(table)
    counts = {
        key: [class_counts(table.splits.values(), key, i) for i in ids]
        for key in ("train_counts", "test_counts")
    }
    compared = [
        arm[NONE] for (_, by), arm in table.by_arm.items() if by == classifier and arm[NONE].draws
    ]
    bare = compared[0].control_cell if compared else None

    def name(i: int) -> str:
        return f"{i} {table.class_names[i - 1]}{f' {LEFT_OUT}' if i in left_out else ''}"

    def without(i: int) -> str:
        values = bare.recalls(i) if bare else []
        return plus_minus(mean_std(values)) if values else MISSING

    columns = [
        GridColumn("class", name, numeric=False),
        GridColumn("train n", lambda i: count_range(counts["train_counts"][i - 1])),
        GridColumn("test n", lambda i: count_range(counts["test_counts"][i - 1])),
        GridColumn("none", without),
        *(
            GridColumn(
                table.arm_label(one.cell.arm), _delta(one, len(table.class_names)), "Δ over none"
            )
            for one in compared
        ),
    ]
    heading = f"Recall per class in percent, {table.labels[classifier]}; Δ in points over none"
    return make_grid(heading, columns, ids if bare else (), keys=1)


def _delta(gain: Gain, classes: int) -> Callable[[int], str]:
    """Gives the mean difference in recall of a class id."""
    deltas = gain.class_deltas(classes)

    def delta(class_id: int) -> str:
        found = deltas.get(class_id)
        return signed(found and found.mean)

    return delta


def _picture(report: Report, columns: int) -> Figure:
    return confusion_figure(report, Store(Path(report.store or "")), columns)


SECTIONS = (
    SectionKind("classes", _classes, 90, within=""),
    SectionKind(
        "recall",
        _recall,
        95,
        views=("class",),
        within="classes",
        pictures={"class": _picture},
    ),
)
