"""Train on synthetic samples, test on real ones: beside the same arm with real samples, and real samples alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from statistics import fmean

from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import Comparison
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING, percent, with_interval
from hsiaug.report.tables import Table
from hsiaug.report.views_raw import arm_columns, classifier_column, metric_text
from hsiaug.trial.arm import BOTH, SYNTHETIC, Arm, Method


@dataclass(frozen=True)
class _Row:
    """What the classifier learnt from, and how it did. arm: of both, where it was run; the rows of one block share it.

    over: of synthetic samples alone, what they are compared with.
    """

    arm: Arm
    classifier: Method
    train: str
    cell: ArmCell
    over: dict[str, Comparison | None]


def alone_grid(table: Table) -> Grid:
    """Rows classifier × arm × what was learnt from: scores, and what synthetic samples alone gain over the others."""
    keys = [
        classifier_column(table),
        *arm_columns(table),
        GridColumn("train on", attrgetter("train"), numeric=False),
    ]
    main = table.scores.main
    columns = [
        *keys,
        *(
            GridColumn(score.name, partial(_score, score.key))
            for score in (*table.scores.shown, *table.brief_fields)
        ),
        *(GridColumn(f"Δ{main.name} vs {name}", partial(_gain, control)) for name, control in CONTROLS.items()),
        GridColumn(f"% of {main.name} of both", partial(_share, main.key)),
    ]
    rows = [row for cell in table.by_classifier for row in _rows(table, cell)]
    heading = f"Train on synthetic samples, test on real ones: {table.condition.scene}"
    return make_grid(heading, columns, rows, keys=len(keys), block=attrgetter("arm", "classifier"))


CONTROLS = {"real": "none", BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among the comparisons of an arm."""


def _rows(table: Table, cell: ArmCell) -> Iterator[_Row]:
    """Real samples, synthetic ones, both: of what was run on draws of an arm of synthetic samples alone."""
    over = table.alone.get((cell.arm, cell.classifier))
    if over is None:
        return
    both, classifier = over[BOTH], cell.classifier
    arm = both.control.arm if both else cell.arm
    for train, control in CONTROLS.items():
        if train == BOTH:
            yield _Row(arm, classifier, SYNTHETIC, cell, dict(over))
        if found := over[control]:
            yield _Row(arm, classifier, train, found.control, {})


def _score(metric: str, row: _Row) -> GridEntry:
    return GridEntry(metric_text(metric, row.cell), row.cell)


def _gain(control: str, row: _Row) -> str:
    found = row.over.get(control)
    return with_interval(found.main.mean, found.main.interval) if found else MISSING


def _share(metric: str, row: _Row) -> str:
    """Mean score of synthetic samples alone over that of both, on the draws that they share."""
    found = row.over.get(BOTH)
    pairs = [(a.metric(metric), b.metric(metric)) for a, b in found.pairs] if found else []
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    whole = fmean(b for _, b in known) if known else 0.0
    return percent(fmean(a for a, _ in known) / whole) if whole else MISSING
