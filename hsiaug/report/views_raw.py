"""The views closest to the records: recall per class, what the arms cost, and one row per trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.cells import Cell
from hsiaug.report.grid import Column, Grid, across, arm_columns, changes
from hsiaug.report.labels import MISSING, percent, plus_minus
from hsiaug.report.records import Trial, finite
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["class_counts", "class_grids", "cost_grids", "seed_grids"]


def class_counts(table: Table, key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split of the table."""
    counts = [audit.get(key) or () for audit in table.splits.values()]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]


def class_grids(table: Table) -> tuple[Grid, ...]:
    """A grid per classifier: rows classes with their n, columns arms with the recall."""
    return tuple(_class_grid(table, classifier) for classifier in table.classifiers)


def _class_grid(table: Table, classifier: Method) -> Grid:
    arms = [arm for arm in table.arms if (arm, classifier) in table.cells]
    columns = (
        Column("class", numeric=False),
        Column("train n"),
        Column("test n"),
        *(Column("recall", group=table.arm_label(arm)) for arm in arms),
    )
    cells = tuple(table.cells[arm, classifier] for arm in arms)
    rows = []
    for class_id, name in enumerate(table.class_names, start=1):
        train, test = (class_counts(table, f"{side}_counts", class_id) for side in ("train", "test"))
        recalls = [_recall_text(table, cell, class_id) for cell in cells]
        rows.append((f"{class_id} {name}", _range(train), _range(test), *recalls))
    heading = f"Recall per class, {table.labels[classifier]}"
    return Grid(heading, columns, tuple(rows), keys=3, cells=(cells,) * len(rows))


def _recall_text(table: Table, cell: Cell, class_id: int) -> str:
    """Mean ± std over the draws that have test pixels of the class, with n where those are not all."""
    values = cell.recalls(class_id)
    if not values:
        never = not any(class_counts(table, "test_counts", class_id))
        return "not evaluable" if never else MISSING
    short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
    return plus_minus(mean_std(values)) + short


def _range(counts: Sequence[int]) -> str:
    if not counts:
        return MISSING
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low}–{high}"


COSTS = (
    ("fit s", "timings", "fit_classifier"),
    ("fit CPU s", "cpu_seconds", "fit_classifier"),
    ("predict s", "timings", "predict"),
    ("generator s", "timings", "fit_generator"),
    ("trial s", "timings", "total"),
    ("trial CPU s", "cpu_seconds", "total"),
)
"""Columns of seconds: heading, and where a record holds it."""


def cost_grids(table: Table) -> tuple[Grid, ...]:
    """Rows generator × λ × ω × classifier: seconds, optimiser steps and memory of a trial, mean ± std over the draws.

    CPU seconds are those that a process computed, which another program's load does not lengthen.
    """
    keys = (*arm_columns(table.guided), Column("classifier", numeric=False))
    columns = (*keys, *(Column(heading) for heading, _, _ in COSTS), Column("steps"), Column("memory MB"))
    rows = tuple(
        (
            *table.arm_texts(arm),
            table.labels[classifier],
            *(_cost_text(_cost(cell, key, stage)) for _, key, stage in COSTS),
            _cost_text(_cost(cell, "optimiser_steps", "fit_classifier"), 0),
            _cost_text(_cost(cell, "peak_memory_mb"), 0),
        )
        for (arm, classifier), cell in table.cells.items()
    )
    breaks = changes([row[: len(keys) - 1] for row in rows])
    cells = across(table.cells.values(), columns, len(keys))
    return (Grid("Seconds, steps and memory per trial", columns, rows, len(keys), breaks, cells),)


def _cost(cell: Cell, *path: str) -> MeanStd | None:
    """Mean and std of a number of the records, over the trials that have it."""
    values = []
    for trial in cell.ok:
        found: object = trial.record
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if (value := finite(found)) is not None:
            values.append(value)
    return mean_std(values) if values else None


def _cost_text(cost: MeanStd | None, digits: int = 1) -> str:
    if cost is None:
        return MISSING
    return f"{cost.mean:.{digits}f}" if cost.std is None else f"{cost.mean:.{digits}f} ± {cost.std:.{digits}f}"


def seed_grids(table: Table) -> tuple[Grid, ...]:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its hash."""
    keys = (Column("seed"), *arm_columns(table.guided), Column("classifier", numeric=False))
    columns = (
        *keys,
        Column("status", numeric=False),
        *(Column(name) for name in (*(score.name for score in table.scores.shown), "seconds")),
        Column("hash", numeric=False),
    )
    trials = sorted(table.trials, key=lambda t: t.seed)
    rows = tuple(_seed_row(table, trial) for trial in trials)
    breaks = changes([trial.seed for trial in trials])
    return (Grid("Trials", columns, rows, keys=len(keys), breaks=breaks),)


def _seed_row(table: Table, trial: Trial) -> tuple[str, ...]:
    arm = table.arm_texts(trial.arm)
    scores = [
        percent(v) if (v := trial.metric(name)) is not None else MISSING
        for name in (score.key for score in table.scores.shown)
    ]
    seconds = finite((trial.record.get("timings") or {}).get("total"))
    took = MISSING if seconds is None else f"{seconds:.1f}"
    return (str(trial.seed), *arm, table.labels[trial.classifier], trial.status, *scores, took, trial.hash)
