"""Columns and entries that tables of several sections share."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from hsiaug.report.cells import ArmCell
from hsiaug.report.findings import shown_words, tone_of
from hsiaug.report.formatting import MISSING, number, p_text, plus_minus, signed, with_ends
from hsiaug.report.gains import Gain
from hsiaug.report.grid import GridColumn, GridEntry
from hsiaug.report.tables import ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.arm import NONE, Arm

MOST_ROWS = 22
"""Rows that an overview shows; the rest is counted."""


def arm_columns(
    table: ReportTable, arm: Callable[[Any], Arm] = attrgetter("arm")
) -> list[GridColumn]:
    """generator, λ, M where any trial has one, and ω where any is guided.

    Parameters
    ----------
    arm : callable
        Of that which a row is about.
    """

    def rate(row: object, value: str) -> str:
        found = arm(row)
        bare = found.generator.name == NONE and not found.rate
        return MISSING if bare else number(getattr(found.rate, value))

    columns = [
        GridColumn("generator", lambda row: table.labels[arm(row).generator], numeric=False),
        GridColumn("λ", lambda row: rate(row, "lam")),
    ]
    if table.multiplied:
        columns.append(GridColumn("M", lambda row: rate(row, "times")))
    if table.guided:
        columns.append(GridColumn("ω", lambda row: number(arm(row).omega)))
    return columns


def cell_columns(table: ReportTable) -> list[GridColumn]:
    """The classifier and the arm of that which a row is about."""
    classifier = GridColumn("classifier", lambda row: table.labels[row.classifier], numeric=False)
    return [classifier, *arm_columns(table)]


def metric_entry(metric: Metric, cell: ArmCell) -> GridEntry:
    """``48.2 ± 3.1``; with its n where some trials that went well lack the number; where none has
    it, why.
    """
    summary = cell.summary(metric.key)
    if summary is None:
        return GridEntry(cell.blank)
    if summary.n < len(cell.ok):
        return GridEntry(f"{plus_minus(summary)} (n={summary.n})")
    value = -summary.mean if metric.less_is_better else summary.mean
    return GridEntry(plus_minus(summary), value=value)


def of_rows(number: int) -> str:
    """What the heading of an overview says where it shows the first of more rows."""
    return f"; {MOST_ROWS} of {number} rows (all: --by generator)" if number > MOST_ROWS else ""


def gain_entry(gain: Gain | None, second: str, *, ends: bool = True) -> GridEntry:
    """``above +2.1 [+1.0, +3.2]``: what is shown over one control, and by how many points.

    Parameters
    ----------
    second : str
        The name of the second metric.
    ends : bool
        Also the interval; of few draws it is the smallest and the largest, which needs no word.
    """
    if gain is None or not gain.draws:
        return GridEntry(MISSING)
    if ends and gain.shown == "too few draws":
        return GridEntry(with_ends(gain.mean, gain.ends))
    points = with_ends(gain.mean, gain.ends if ends else None)
    return GridEntry(f"{shown_words(gain, second)} {points}", tone=tone_of(gain))


def against_entry(table: ReportTable, control: str, what: str, cell: ArmCell) -> str:
    """What the comparison with a control gave, if there is one: the ``main`` or ``second``
    difference, or the ``p``.
    """
    gain = table.against(cell).get(control)
    if gain is None or not gain.draws:
        return MISSING
    if what == "p":
        return p_text(gain.p_corrected)
    return signed(gain.second_mean if what == "second" else gain.mean)
