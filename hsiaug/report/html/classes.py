"""Classes on the page: recall against no samples, and which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hsiaug.metrics.significance import mean_std
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.breakdowns import VIEWS
from hsiaug.report.cells import class_counts
from hsiaug.report.compare import Gain
from hsiaug.report.confusions import Confusion, confusions
from hsiaug.report.formatting import MISSING, count_range, plus_minus, signed
from hsiaug.report.grid import Grid, GridColumn, make_grid
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import Method
from hsiaug.trial.store import Store

LEFT_OUT = "†"
"""Mark of a class that AA leaves out."""


@dataclass(frozen=True)
class ClassRecalls:
    """What the page shows of the classes of a table.

    Attributes
    ----------
    over_none : tuple of Grid
        Recall against no samples, by classifier.
    note : str
        Which classes AA leaves out; "" where none.
    confusions : tuple of Confusion
        Of the arm that gains most, and of no samples.
    recalls : tuple of Grid
        Recall of every arm.
    """

    names: tuple[str, ...]
    over_none: tuple[Grid, ...]
    note: str
    confusions: tuple[Confusion, ...]
    recalls: tuple[Grid, ...]


def class_recalls(table: ReportTable, store: Store | None) -> ClassRecalls | None:
    """Recall per class, and the confusion matrices of the arm that gains most and of no samples;
    None where no trial names its classes.

    Parameters
    ----------
    table : ReportTable
        The trials of one scene and protocol.
    store : Store or None
        Where the records lie, which hold the confusion matrices.
    """
    if not table.class_names:
        return None
    note = ""
    if left_out := _left_out(table):
        listed = ", ".join(table.class_names[c - 1] for c in sorted(left_out))
        few = f"fewer than {MIN_TEST_PIXELS} test pixels in some draw"
        note = f"{LEFT_OUT} AA leaves it out: {few} ({listed})."
    return ClassRecalls(
        names=table.class_names,
        over_none=tuple(_against_none(table, classifier) for classifier in table.classifiers),
        note=note,
        confusions=() if store is None else tuple(confusions(table, store)),
        recalls=VIEWS["class"](table),
    )


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
    gains = [gain for gain in table.gains.values() if gain.cell.classifier == classifier]
    compared = [gain for gain in gains if gain.against.get("none")]
    deltas = {gain.cell: _deltas(table, gain) for gain in compared}
    alone = compared[0].against["none"] if compared else None
    bare = alone.control if alone else None

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
                table.arm_label(gain.cell.arm), partial(_delta, deltas[gain.cell]), "Δ over none"
            )
            for gain in compared
        ),
    ]
    heading = f"Recall per class in percent, {table.labels[classifier]}; Δ in points over none"
    return make_grid(heading, columns, ids if bare else (), keys=1)


def _deltas(table: ReportTable, gain: Gain) -> dict[int, float]:
    comparison = gain.against["none"]
    if comparison is None:
        return {}
    return {i: one.mean for i, one in comparison.class_deltas(len(table.class_names)).items()}


def _delta(deltas: dict[int, float], class_id: int) -> str:
    return signed(deltas.get(class_id))
