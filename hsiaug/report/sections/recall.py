"""What each configuration reaches in every class, as recall, and against no samples; and which
class is taken for what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.text import plotted
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.answers import asked_for, shown_cells
from hsiaug.report.audit import Counts, class_range, class_samples, counted_again
from hsiaug.report.figures.charts import name_table
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped
from hsiaug.report.formatting import MISSING, plus_minus, signed, span
from hsiaug.report.gains import ArmCell, counts_of_class
from hsiaug.report.section import Frame, Section, SectionFigure, indexed
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import NONE, Method
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


MOST_CLASSES = 40
"""Classes of a confusion matrix at most: a larger one is not read."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """A confusion matrix, summed over splits.

    Attributes
    ----------
    name : str
        The configuration with its classifier.
    counts : (C, C) int64
        Test pixels by true and predicted class.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]


def confusions(table: ReportTable, store: Store | None) -> Iterator[Confusion]:
    """Those of the best configuration; of the best one with samples that is no control, and of its
    classifier without samples, so that one sees what its samples change.

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
    """The best configuration, the best one with samples that is no control, and the classifier of
    this without samples. Each once.
    """
    shown = shown_cells(table)[:1]
    for arm in asked_for(table)[:1]:
        shown += [one for one in (arm[NONE].cell, arm[NONE].control_cell) if one]
    return dict.fromkeys(shown)


def _summed(cell: ArmCell, store: Store, classes: int) -> NDArray[np.int64] | None:
    """(C, C) test pixels by true and predicted class, over the splits of a configuration."""
    total = np.zeros((classes, classes), dtype=np.int64)
    for hash in cell.ok["hash"]:
        record = store.sound(hash) or {}
        matrix = np.asarray((record.get("metrics") or {}).get("confusion") or ())
        if matrix.shape == total.shape:
            total += matrix.astype(np.int64)
    return total if total.any() else None


MOST_MIXED = 3
"""Pairs of classes that a sentence names."""


def _mixed_up(matrix: Confusion) -> str:
    """Pairs of a true class and what it is named, with the most test pixels first, those of all
    splits together; empty where there is no error.
    """
    wrong = matrix.counts.copy()
    np.fill_diagonal(wrong, 0)
    tested = matrix.counts.sum(axis=1)
    pairs = list[str]()
    for place in np.argsort(-wrong, axis=None, kind="stable")[:MOST_MIXED].tolist():
        true, taken = divmod(place, len(wrong))
        if share := round(100 * wrong[true, taken] / max(tested[true], 1)):
            names = f"{matrix.class_names[true]} named {matrix.class_names[taken]}"
            pairs.append(f"{names} ({share} %)")
    return f"Most errors of {matrix.name}: {', '.join(pairs)}." if pairs else ""


ENTRY, NAMES = 0.24, 1.5
"""Inches of an entry, and those of the names beside and below a matrix."""
OF_MATRICES = (
    "rows: true classes, columns: predicted ones, in percent of the test pixels of a row,"
    " those of all splits together; recall in tables is a mean over splits, and may differ"
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
    """Each class against no samples, and confusion matrices of a few configurations; None where no
    trial names its classes.
    """
    if not table.class_names:
        return None
    found = [*confusions(table, sources.store)]
    # Each has a picture of its own, which fits on a sheet of paper.
    figures = tuple(
        SectionFigure(
            f"Confusion matrix: {one.name}",
            partial(draw_confusions, [one]),
            narrow=False,
        )
        for one in found
    )
    frames = (
        _against_none(table, metric, classifier)
        for metric in table.class_metrics
        for classifier in table.classifiers
    )
    notes = [f"{LEFT_OUT} left out of {table.scores.main.short}."] if table.large else []
    notes += [said for one in found if (said := _mixed_up(one))]
    heading = "Classes and confusion matrix" if figures else "Classes"
    shown = tuple(frame for frame in frames if frame)
    return Section(heading, frames=shown, notes=tuple(notes), figures=figures)


def _recall(table: ReportTable, _: Sources) -> Section | None:
    if not table.class_names:
        return None
    metrics = table.class_metrics
    frames = tuple(
        _of_every_arm(table, metric, classifier)
        for metric in metrics
        for classifier in table.classifiers
    )
    names = " and ".join(metric.name for metric in metrics)
    return Section(f"{names[:1].upper()}{names[1:]} of every configuration in %", frames=frames)


def _of_every_arm(table: ReportTable, metric: Metric, classifier: Method) -> Frame:
    """Rows classes, columns configurations: mean ± sd over the splits that test the class."""

    def value(cell: ArmCell, i: int) -> str:
        values = cell.of_class(metric.key, i)
        if not values:
            tested = counts_of_class(table.splits.values(), "test_counts", i)
            return MISSING if any(tested) else "no test pixel"
        short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
        return plus_minus(mean_std(values)) + short

    columns = {
        table.arm_label(cell.arm): partial(value, cell) for cell in table.cells_of(classifier)
    }
    heading = f"{metric.of_each_class}, {table.labels[classifier]}"
    return Frame(heading, _class_frame(table, columns))


def _against_none(table: ReportTable, metric: Metric, classifier: Method) -> Frame | None:
    """Rows classes, columns the metric without samples and what each configuration adds to it, in
    points; None where nothing is compared.
    """
    compared = [
        arm[NONE] for (_, by), arm in table.by_arm.items() if by == classifier and arm[NONE].draws
    ]
    bare = compared[0].control_cell if compared else None
    if bare is None:
        return None

    def without(i: int) -> str:
        values = bare.of_class(metric.key, i)
        return plus_minus(mean_std(values)) if values else MISSING

    def delta(deltas: Mapping[int, MeanStd], i: int) -> str:
        return signed(deltas[i].mean) if i in deltas else MISSING

    columns: dict[str, Callable[[int], str]] = {NONE: without}
    for one in compared:
        deltas = one.class_deltas(metric.key, len(table.class_names))
        columns[f"{table.arm_label(one.cell.arm)} minus none"] = partial(delta, deltas)
    heading = f"{metric.name} in %, {table.labels[classifier]}; differences in points"
    return Frame(heading, _class_frame(table, columns))


def _class_frame(table: ReportTable, columns: Mapping[str, Callable[[int], str]]) -> DataFrame:
    """A row for each class: its training and test pixels, and what columns say of its id."""
    audits = list(table.splits.values())
    rows = []
    for i, name in enumerate(table.class_names, start=1):
        left_out = f" {LEFT_OUT}" if table.large and i not in table.large else ""
        pixels = {
            "training pixels": class_range(audits, "train_counts", i),
            "test pixels": class_range(audits, "test_counts", i),
        }
        entries = {column: entry(i) for column, entry in columns.items()}
        rows.append({"class": f"{i} {name}{left_out}", **pixels, **entries})
    return indexed(rows, len(columns) + 2)


COUNTED = "Mean over the splits, and their range where they differ."


def _sample_counts(table: ReportTable, _: Sources) -> Section | None:
    """Rows classes, columns real samples and those of every λ and M; None where no trial was given
    any.
    """
    found = [*class_samples(table)]
    if not table.class_names or not found:
        return None
    # Every rate has the real samples of the splits that it was run on.
    columns = {"real": max((one.real for one in found), key=len)}
    for one in found:
        name = " ".join(["synthetic,", one.rate.words, ", ".join(one.generators)]).rstrip()
        columns[name] = one.synthetic
    names = [f"{i} {name}" for i, name in enumerate(table.class_names, start=1)]
    counted = {
        name: [_span_of_class(draws, place) for place in range(len(names))]
        for name, draws in columns.items()
    }
    from pandas import DataFrame

    frame = DataFrame(counted, index=names).rename_axis("class")
    again = counted_again(table)
    notes = (COUNTED, *([f"Of real ones, {again}."] if again else []))
    return Section("Samples of each class in training", frames=(Frame("", frame),), notes=notes)


def _span_of_class(draws: list[Counts], place: int) -> str:
    counts = [classes[place] for classes in draws if place < len(classes)]
    return span(counts, 0) if counts else MISSING


SECTIONS = (
    SectionKind("sample-counts", _sample_counts, 92, within="classes"),
    SectionKind("classes", _classes, 90, within=""),
    SectionKind(
        "recall",
        _recall,
        95,
        views=("class",),
        within="classes",
        pictures={"class": lambda report, n: confusion_figure(report, report.open_store(), n)},
    ),
)
