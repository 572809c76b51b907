"""The views closest to the records: recall per class, what the arms cost, and one row per trial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter

from hsiaug.metrics.significance import mean_std
from hsiaug.report.cells import ArmCell, method_rank
from hsiaug.report.grid import Grid, GridColumn, GridEntry, make_grid
from hsiaug.report.labels import MISSING, count_range, number, percent, plus_minus
from hsiaug.report.records import Trial, class_counts
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Arm, Method


def arm_columns(table: Table, arm: Callable[..., Arm] = attrgetter("arm")) -> list[GridColumn]:
    """generator, λ, and ω where any trial is guided. arm: of that which a row is about."""
    columns = [
        GridColumn("generator", lambda row: table.labels[arm(row).generator], numeric=False),
        GridColumn("λ", lambda row: _lam(arm(row))),
        GridColumn("ω", lambda row: number(arm(row).omega)),
    ]
    return columns if table.guided else columns[:2]


def _lam(arm: Arm) -> str:
    return MISSING if arm.generator.name == "none" and not arm.rate else str(arm.rate)


def classifier_column(table: Table) -> GridColumn:
    """The classifier of that which a row is about."""
    return GridColumn("classifier", lambda row: table.labels[row.classifier], numeric=False)


def class_grids(table: Table) -> tuple[Grid, ...]:
    """A grid per classifier: rows classes with their n, columns arms with the recall."""
    return tuple(_class_grid(table, classifier) for classifier in table.classifiers)


def _class_grid(table: Table, classifier: Method) -> Grid:
    columns = [
        GridColumn("class", lambda i: f"{i} {table.class_names[i - 1]}", numeric=False),
        GridColumn("train n", lambda i: count_range(class_counts(table.splits.values(), "train_counts", i))),
        GridColumn("test n", lambda i: count_range(class_counts(table.splits.values(), "test_counts", i))),
        *(
            GridColumn("recall", partial(_recall, table, cell), group=table.arm_label(cell.arm))
            for cell in table.cells_of(classifier)
        ),
    ]
    heading = f"Recall per class, {table.labels[classifier]}"
    return make_grid(heading, columns, range(1, len(table.class_names) + 1), keys=3)


def _recall(table: Table, cell: ArmCell, class_id: int) -> GridEntry:
    """Mean ± std over the draws that have test pixels of the class, with n where those are not all."""
    values = cell.recalls(class_id)
    if not values:
        never = not any(class_counts(table.splits.values(), "test_counts", class_id))
        return GridEntry("not evaluable" if never else MISSING, cell)
    short = f" (n={len(values)})" if len(values) < len(table.draws) else ""
    return GridEntry(plus_minus(mean_std(values)) + short, cell)


def diagnosis_grid(table: Table) -> Grid:
    """Rows classifier × ceiling: scores of samples that were made of test labels, apart from every arm."""
    keys = [classifier_column(table), *arm_columns(table)]
    scores = (*table.scores.shown, *table.brief_fields)
    columns = [*keys, *(GridColumn(score.name, partial(metric_text, score.key)) for score in scores)]
    columns.append(GridColumn("n", lambda cell: str(len(cell.ok))))
    cells = sorted(table.diagnosis, key=lambda cell: method_rank(cell.classifier))
    return make_grid(DIAGNOSIS, columns, cells, keys=len(keys), block=attrgetter("classifier"))


DIAGNOSIS = "Diagnosis, reads test labels: ceilings that no generator can know"

COSTS = (
    ("fit s", 1, ("timings", "fit_classifier")),
    ("fit CPU s", 1, ("cpu_seconds", "fit_classifier")),
    ("predict s", 1, ("timings", "predict")),
    ("generator s", 1, ("timings", "fit_generator")),
    ("trial s", 1, ("timings", "total")),
    ("trial CPU s", 1, ("cpu_seconds", "total")),
    ("steps", 0, ("optimiser_steps", "fit_classifier")),
    ("memory MB", 0, ("record", "peak_memory_mb")),
)
"""Columns: heading, decimals, and where a record holds it."""


def cost_grids(table: Table) -> tuple[Grid, ...]:
    """Rows generator × λ × ω × classifier: seconds, optimiser steps and memory of a trial, mean ± std over the draws.

    CPU seconds are those that a process computed, which another program's load does not lengthen.
    """
    keys = [*arm_columns(table), classifier_column(table)]
    columns = [*keys, *(GridColumn(heading, partial(_cost, path, digits)) for heading, digits, path in COSTS)]
    heading, cells = "Seconds, steps and memory per trial", table.cells.values()
    return (make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("arm")),)


def _cost(path: Sequence[str], digits: int, cell: ArmCell) -> str:
    """Mean and std of a number of the records, over the trials that have it."""
    part, name = path
    values = [value for trial in cell.ok if (value := trial.number(name, part)) is not None]
    if not values:
        return MISSING
    cost = mean_std(values)
    return f"{cost.mean:.{digits}f}" if cost.std is None else f"{cost.mean:.{digits}f} ± {cost.std:.{digits}f}"


def seed_grids(table: Table) -> tuple[Grid, ...]:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its hash."""
    return (trial_grid(table, "Trials", sorted(table.trials, key=attrgetter("seed"))),)


def trial_grid(table: Table, heading: str, trials: Iterable[Trial]) -> Grid:
    """A row for each of these trials."""
    keys = [SEED, *arm_columns(table), classifier_column(table)]
    columns = [*keys, *_trial_columns(table)]
    return make_grid(heading, columns, trials, keys=len(keys), block=attrgetter("seed"))


def record_grid(table: Table, heading: str, trials: Iterable[Trial]) -> Grid:
    """The same of the trials of one cell, without what they share."""
    shown = [*trials]
    status = {trial.status for trial in shown} != {"ok"}
    return make_grid(heading, [SEED, *_trial_columns(table)[0 if status else 1 :]], shown)


SEED = GridColumn("seed", lambda trial: str(trial.seed))


def _trial_columns(table: Table) -> list[GridColumn]:
    return [
        GridColumn("status", attrgetter("status"), numeric=False),
        *(
            GridColumn(score.name, partial(_trial_score, score.key))
            for score in (*table.scores.shown, *table.brief_fields)
        ),
        GridColumn("seconds", _trial_seconds),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    ]


def metric_text(metric: str, cell: ArmCell) -> str:
    """``48.2 ± 3.1``; with its n where some trials that went well lack the number; where none has it, why."""
    summary = cell.summary(metric)
    if summary is None:
        return cell.blank
    return plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(cell.ok) else "")


def _trial_score(metric: str, trial: Trial) -> str:
    """A metric of one trial in percent."""
    value = trial.metric(metric)
    return MISSING if value is None else percent(value)


def _trial_seconds(trial: Trial) -> str:
    """How long one trial took."""
    seconds = trial.number("total", "timings")
    return MISSING if seconds is None else f"{seconds:.1f}"
