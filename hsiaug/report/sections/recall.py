"""What each arm reaches in every class, as recall, and against no samples; and which class is taken
for what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.metrics.significance import mean_std
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.answers import three_answers
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped
from hsiaug.report.findings import well_drawn
from hsiaug.report.formatting import MISSING, count_range, plus_minus, signed
from hsiaug.report.gains import ArmCell, Gain, counts_of_class
from hsiaug.report.notes import averaged_classes, small_classes
from hsiaug.report.section import Grid, GridColumn, Section, SectionFigure, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import NONE, Method
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MOST_CLASSES = 40
"""Classes of a confusion matrix at most: a larger one is not read."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """A confusion matrix, summed over draws.

    Attributes
    ----------
    name : str
        The arm with its classifier.
    counts : (C, C) int64
        Test pixels by true and predicted class.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]


def confusions(table: ReportTable, store: Store | None) -> Iterator[Confusion]:
    """Those of the arm that the third answer names; of the highest arm of a generator that is no
    control, and of its classifier without samples, so that one sees what its samples change.

    Parameters
    ----------
    store : Store or None
        Where the records lie, which hold the matrices; without it there are none.
    """
    if store is None or not 2 <= len(table.class_names) <= MOST_CLASSES:
        return
    for cell in _compared(table):
        counts = _summed(cell, store, len(table.class_names))
        if counts is not None:
            yield Confusion(table.cell_words(cell), table.class_names, counts)


def _compared(table: ReportTable) -> Iterable[ArmCell]:
    """The arm to use; the best of a generator, which is no control where there is another; and this
    one's classifier without samples. Each once.
    """
    use = three_answers(table).use.cell
    known = [arm[NONE] for arm in table.judged if arm[NONE].cell in table.main_scores]
    of_generators = [gain for gain in known if not gain.cell.is_control] or known
    best = max(of_generators, key=lambda gain: table.score_rank(gain.cell), default=None)
    shown = [use, best.cell, best.control_cell] if best else [use]
    return dict.fromkeys(cell for cell in shown if cell)


def _summed(cell: ArmCell, store: Store, classes: int) -> NDArray[np.int64] | None:
    """(C, C) test pixels by true and predicted class, over the draws of an arm."""
    total = np.zeros((classes, classes), dtype=np.int64)
    for hash in cell.ok["hash"]:
        record = store.sound(hash) or {}
        matrix = np.asarray((record.get("metrics") or {}).get("confusion") or ())
        if matrix.shape == total.shape:
            total += matrix.astype(np.int64)
    return total if total.any() else None


MOST_MIXED = 3
"""Pairs of classes that a sentence names."""


def mixed_up(table: ReportTable, store: Store | None) -> str:
    """Which classes the first arm of :func:`confusions` mixes up most, in words; empty where there
    is no matrix, or no error.

    Parameters
    ----------
    store : Store or None
        As of :func:`confusions`.
    """
    matrix = next(confusions(table, store), None)
    return _mixed_up(table, matrix) if matrix else ""


def _mixed_up(table: ReportTable, matrix: Confusion) -> str:
    """Pairs of a true class and what it is named, with the most test pixels first, those of all
    draws together.
    """
    wrong = matrix.counts.copy()
    np.fill_diagonal(wrong, 0)
    tested = matrix.counts.sum(axis=1)
    # What is not learnt in some draw cannot but be called something else there.
    known = [i for i in range(1, len(wrong) + 1) if well_drawn(table, i)]
    left_out = np.setdiff1d(range(len(wrong)), [i - 1 for i in known])
    of_classes = ""
    if wrong[left_out].any():
        wrong[left_out] = 0
        of_classes = f", of the classes of {table.scores.main.short}"
        if known != [*table.large]:
            of_classes = f", of classes that every draw trains, with {MIN_TEST_PIXELS} test pixels"
    pairs = list[str]()
    for flat in np.argsort(-wrong, axis=None, kind="stable")[:MOST_MIXED].tolist():
        true, taken = divmod(flat, len(wrong))
        share = 100 * wrong[true, taken] / max(tested[true], 1)
        if round(share):
            names = f"{matrix.class_names[true]} named {matrix.class_names[taken]}"
            pairs.append(f"{names} ({share:.0f} %{' of its test pixels' * (not pairs)})")
    if not pairs:
        return ""
    return f"Most errors of {matrix.name}, by test pixels{of_classes}: {', '.join(pairs)}."


ENTRY, NAMES = 0.24, 1.5
"""Inches of an entry, and those of the names beside and below a matrix."""
OF_MATRICES = (
    "rows: true classes, columns: predicted ones, in percent of the test pixels of a row,"
    " those of all draws together; recall in tables is a mean over draws, and may differ"
)


def confusion_figure(report: Report, store: Store | None, columns: int = 2) -> Figure:
    """A matrix below the other, of each table.

    Parameters
    ----------
    store : Store or None
        As of :func:`confusions`.
    columns : int
        Columns of a page with two, which the figure fills.

    Raises
    ------
    InputError
        Where no record holds one.
    """
    found = [
        (table.heading, matrix) for table in report.compared for matrix in confusions(table, store)
    ]
    if not found:
        rule = "a picture by class needs records of single pixels with few classes"
        hint = "Write `by` class with a file that ends in .md or .csv."
        raise InputError(rule, value=f"none in {report.where}", hint=hint)
    return draw_confusions([matrix for _, matrix in found], columns, [name for name, _ in found])


def draw_confusions(
    found: Sequence[Confusion], columns: int = 2, headings: Sequence[str] = ()
) -> Figure:
    """Matrices one below the other.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    headings : sequence of str
        The table of each, where there are several.
    """
    heights = [ENTRY * len(matrix.counts) + NAMES + 0.4 for matrix in found]
    figure = new_figure(WIDTHS[columns], sum(heights))
    grid = figure.add_gridspec(len(found), 1, height_ratios=heights)
    for place, matrix in enumerate(found):
        part = figure.add_subfigure(grid[place, 0])
        if headings:
            name_table(part, headings[place], WIDTHS[columns], alone=len({*headings}) == 1)
        _draw(part.subplots(), matrix, WIDTHS[columns])
    figure.set_label(OF_MATRICES)
    return figure


def _draw(axes: Axes, matrix: Confusion, width: float) -> None:
    names = [plotted(name) for name in matrix.class_names]
    tested = matrix.counts.sum(axis=1)
    shares = np.round(100 * (matrix.counts / np.maximum(tested, 1)[:, None])).astype(int)
    counted = [f"{name} ({n:,})" for name, n in zip(names, tested.tolist(), strict=True)]
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if share:
            colour = "white" if share > 50 else "black"
            axes.text(column, row, f"{share}", ha="center", va="center", fontsize=7, color=colour)
    places = range(len(names))
    axes.set_xticks(places, names, rotation=90, fontsize=7)
    axes.set_yticks(places, counted, fontsize=7)
    axes.set_xlabel("predicted class", fontsize=7)
    axes.set_ylabel("true class (test pixels)", fontsize=7)
    axes.set_title(wrapped(plotted(matrix.name), width, 7), fontsize=7)


LEFT_OUT = "†"
"""Mark of a class that AA leaves out."""


def _classes(table: ReportTable, sources: Sources) -> Section | None:
    """Each class against no samples, and confusion matrices of a few arms; None where no trial
    names its classes.
    """
    if not table.class_names:
        return None
    notes: tuple[str, ...] = ()
    if listed := ", ".join(small_classes(table)):
        few = f"fewer than {MIN_TEST_PIXELS} test pixels in some draw"
        notes = (f"{LEFT_OUT} AA leaves it out: {few} ({listed}).",)
    elif averaged := averaged_classes(table):
        notes = (averaged,)
    found = [*confusions(table, sources.store)]
    # Each has a picture of its own, which fits on a sheet of paper.
    figures = tuple(
        SectionFigure(
            f"Confusion matrix, which class is taken for which: {one.name}",
            partial(draw_confusions, [one]),
            narrow=False,
        )
        for one in found
    )
    against = (
        _against_none(table, metric, classifier)
        for metric in table.class_metrics
        for classifier in table.classifiers
    )
    heading = "Classes and confusion matrix" if figures else "Classes"
    if table.gains:
        notes = (*notes, "Differences of single classes are not tested.")
    notes = (*notes, *(said for one in found if (said := _mixed_up(table, one))))
    return Section(heading, tables=tuple(against), notes=notes, figures=figures)


def _recall(table: ReportTable, _: Sources) -> Section | None:
    if not table.class_names:
        return None
    metrics = table.class_metrics
    tables = tuple(
        _of_every_arm(table, metric, classifier)
        for metric in metrics
        for classifier in table.classifiers
    )
    names = " and ".join(metric.name for metric in metrics)
    heading = f"{names[:1].upper()}{names[1:]} of every arm, mean ± std"
    averaged = averaged_classes(table)
    return Section(heading, tables=tables, notes=(averaged,) if averaged else ())


def _of_every_arm(table: ReportTable, metric: Metric, classifier: Method) -> Grid:
    """Rows classes with their n, columns arms with the metric: mean ± std over the draws that test
    the class.
    """
    ids = range(1, len(table.class_names) + 1)

    def value(cell: ArmCell, i: int) -> str:
        values = cell.of_class(metric.key, i)
        if not values:
            tested = counts_of_class(table.splits.values(), "test_counts", i)
            return MISSING if any(tested) else "not evaluable"
        short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
        return plus_minus(mean_std(values)) + short

    columns = [
        *_class_columns(table),
        *(
            GridColumn(metric.name, partial(value, c), table.arm_label(c.arm))
            for c in table.cells_of(classifier)
        ),
    ]
    return make_grid(f"{metric.of_each_class}, {table.labels[classifier]}", columns, ids, keys=3)


def _against_none(table: ReportTable, metric: Metric, classifier: Method) -> Grid:
    """Rows classes, columns the metric without samples and what each arm adds to it, in points."""
    ids = range(1, len(table.class_names) + 1)
    compared = [
        arm[NONE] for (_, by), arm in table.by_arm.items() if by == classifier and arm[NONE].draws
    ]
    bare = compared[0].control_cell if compared else None

    def without(i: int) -> str:
        values = bare.of_class(metric.key, i) if bare else []
        return plus_minus(mean_std(values)) if values else MISSING

    columns = [
        *_class_columns(table, mark=LEFT_OUT),
        GridColumn("none", without),
        *(
            GridColumn(
                table.arm_label(one.cell.arm),
                _delta(one, metric, len(table.class_names)),
                "Δ over none",
            )
            for one in compared
        ),
    ]
    classified = table.labels[classifier]
    heading = f"{metric.of_each_class} in percent, {classified}; Δ in points over none"
    return make_grid(heading, columns, ids if bare else (), keys=1)


def _class_columns(table: ReportTable, mark: str = "") -> list[GridColumn]:
    """The name of a class by its id, and its pixels for training and for tests.

    Parameters
    ----------
    mark : str
        Stands behind the name of a class that AA leaves out.
    """

    def name(i: int) -> str:
        left_out = mark and table.large and i not in table.large
        return f"{i} {table.class_names[i - 1]}{f' {mark}' if left_out else ''}"

    def pixels(key: str, i: int) -> str:
        return count_range(counts_of_class(table.splits.values(), key, i))

    return [
        GridColumn("class", name, numeric=False),
        GridColumn("train n", partial(pixels, "train_counts")),
        GridColumn("test n", partial(pixels, "test_counts")),
    ]


def _delta(gain: Gain, metric: Metric, classes: int) -> Callable[[int], str]:
    """Gives the mean difference in a metric of a class id."""
    deltas = gain.class_deltas(metric.key, classes)

    def delta(class_id: int) -> str:
        found = deltas.get(class_id)
        return signed(found and found.mean)

    return delta


def _picture(report: Report, columns: int) -> Figure:
    return confusion_figure(report, report.open_store(), columns)


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
