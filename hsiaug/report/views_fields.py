"""The view by field: what the arms score in fields that hold training pixels, and in fields that hold none."""

from __future__ import annotations

from functools import partial
from operator import attrgetter

from hsiaug.metrics.significance import mean_std
from hsiaug.report.cells import ArmCell
from hsiaug.report.compare import mean_difference
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING, count_range, plus_minus, signed
from hsiaug.report.records import FIELDS, class_counts
from hsiaug.report.tables import Table
from hsiaug.report.views_raw import arm_columns, classifier_column, metric_text
from hsiaug.trial.arm import Method

__all__ = ["field_grids"]


def field_grids(table: Table) -> tuple[Grid, ...]:
    """A grid of arms, and one of classes for each classifier; nothing for masks, whose places the audit counts."""
    if not table.scores.fields:
        return ()
    return _arms(table), *(_classes(table, classifier) for classifier in table.classifiers)


def _arms(table: Table) -> Grid:
    """Rows classifier × arm, columns OA, AA and its gains over the controls, in seen and in new fields."""
    keys = [classifier_column(table), *arm_columns(table)]
    columns = list(keys)
    for where in FIELDS:
        group = f"{where} fields"
        columns += [GridColumn(s.upper(), partial(metric_text, f"{s}_{where}"), group) for s in ("oa", "aa")]
        columns += [GridColumn(f"ΔAA {c}", partial(_gain, table, c, f"aa_{where}"), group) for c in table.controls]
    heading, cells = "Seen and new fields", [*table.by_classifier, *table.blind]
    return make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("classifier"))


def _gain(table: Table, control: str, metric: str, cell: ArmCell) -> str:
    """The mean paired difference to a control, with its n where that is not every pair."""
    found = table.against(cell).get(control)
    mean = mean_difference(found.pairs, metric) if found else None
    if found is None or mean is None:
        return MISSING
    return signed(mean.mean) + (f" (n={mean.n})" if mean.n < len(found.pairs) else "")


def _classes(table: Table, classifier: Method) -> Grid:
    """Rows classes with their test pixels, columns arms with the recall in seen and in new fields."""
    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        *(GridColumn(where, partial(_pixels, table, f"{where}_counts"), "test n") for where in FIELDS),
        *(
            GridColumn(where, partial(_recall, cell, where), table.arm_label(cell.arm))
            for cell in table.cells_of(classifier)
            for where in FIELDS
        ),
    ]
    heading = f"Recall per class in seen and new fields, {table.labels[classifier]}"
    return make_grid(heading, columns, range(1, len(table.class_names) + 1), keys=3)


def _pixels(table: Table, key: str, class_id: int) -> str:
    return count_range(class_counts(table.splits.values(), key, class_id))


def _recall(cell: ArmCell, where: str, class_id: int) -> GridEntry:
    """Mean ± std over the draws that have such test pixels of the class, with n where those are not all."""
    values = cell.recalls(class_id, where)
    if not values:
        return GridEntry(MISSING, cell)
    short = f" (n={len(values)})" if len(values) < len(cell.ok) else ""
    return GridEntry(plus_minus(mean_std(values)) + short, cell)
