"""Frames of configurations: what a row is, and the entry of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from hsiaug.report.formatting import MISSING, number, plus_minus
from hsiaug.trial.arm import NONE, Arm

if TYPE_CHECKING:
    from pandas import DataFrame

    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import ReportTable
    from hsiaug.tasks.scores import Metric


def arm_keys(table: ReportTable, arm: Arm) -> dict[str, str]:
    """generator, λ, M where any trial has one, and ω where any is guided."""
    bare = arm.generator.name == NONE and not arm.rate
    keys = {"generator": table.labels[arm.generator], "λ": rate(arm.rate.lam, bare=bare)}
    if table.multiplied:
        keys["M"] = rate(arm.rate.times, bare=bare)
    if table.guided:
        keys["ω"] = number(arm.omega)
    return keys


def rate(value: float, *, bare: bool) -> str:
    """A λ or M; – of no samples."""
    return MISSING if bare else number(value)


def cells_frame(
    table: ReportTable,
    cells: Iterable[ArmCell],
    columns: Mapping[str, Callable[[ArmCell], str]],
) -> DataFrame:
    """A row for each cell: its classifier and its configuration, and what the columns say of it."""
    rows = [
        {"classifier": table.labels[cell.classifier], **arm_keys(table, cell.arm)}
        | {name: entry(cell) for name, entry in columns.items()}
        for cell in cells
    ]
    return indexed(rows, len(columns))


def indexed(rows: list[dict[str, str]], columns: int) -> DataFrame:
    """A frame of rows, of which all but the last ``columns`` say what they are."""
    from pandas import DataFrame

    frame = DataFrame(rows)
    return frame.set_index(list(frame.columns[: frame.shape[1] - columns])) if rows else frame


def score(table: ReportTable, metric: Metric) -> Callable[[ArmCell], str]:
    """Gives ``48.2 ± 3.1`` of a cell; with its n where it is over fewer splits than the table has;
    where no trial has the number, why.
    """

    def entry(cell: ArmCell) -> str:
        summary = cell.summary(metric.key)
        if summary is None:
            return cell.blank
        short = f" (n={summary.n})" if summary.n < len(table.draws) else ""
        return plus_minus(summary) + short

    return entry
