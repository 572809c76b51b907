"""What ``hsiaug inspect`` prints of samples of any task: fidelity, reliability and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsiaug.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.metrics.calibration import LabelScore
    from hsiaug.metrics.measures import FidelityMeasure
    from hsiaug.quality.inspection import AnyInspection

__all__ = ["print_inspection", "score_row"]


def print_inspection(out: Console, report: AnyInspection) -> None:
    """Both tables, what they leave out, and the verdict."""
    header = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
    print_table(out, header, [_measure_row(measure) for measure in report.measures])
    columns = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
    print_table(out, columns, [score_row(score) for score in report.reliability.scores])
    print_lines(out, (*report.remarks, *report.verdict))


def _measure_row(measure: FidelityMeasure) -> tuple[str, ...]:
    """A row of the table of fidelity."""
    from hsiaug.report.labels import measured

    value = measure.note if measure.value is None else measured(measure.value)
    return (measure.label, value, measured(measure.floor), measure.unit, measure.better, str(measure.n))


def score_row(score: LabelScore) -> tuple[str, ...]:
    """A row of the table of reliability."""
    from hsiaug.report.labels import measured, score_numbers, wrong_share

    interval = "–" if score.wrong_interval is None else "{:.0f}–{:.0f} %".format(*score.wrong_interval)
    wrong = "–" if score.wrong is None else f"{wrong_share(score.wrong)} %"
    return (score.label, *score_numbers(vars(score)), score.unit, measured(score.r), wrong, interval)
