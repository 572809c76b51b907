"""What ``hsiaug inspect`` says of samples of any task: fidelity, reliability and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsiaug.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.metrics.calibration import LabelScore
    from hsiaug.metrics.measures import FidelityMeasure
    from hsiaug.quality.inspection import Inspection
    from hsiaug.report.output_files import TableFiles

__all__ = ["inspection_tables", "print_inspection", "score_row"]

MEASURES = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")


def print_inspection(out: Console, report: Inspection) -> None:
    """Both tables, what they leave out, and the verdict."""
    print_table(out, MEASURES, [_measure_row(measure) for measure in report.fidelity.measures])
    print_table(out, SCORES, [score_row(score) for score in report.reliability.scores])
    print_lines(out, (*report.remarks, *report.verdict))


def inspection_tables(report: Inspection) -> TableFiles:
    """The same for files; rows: one per measure and score, numbers unrounded; value: what quality.json holds."""
    from hsiaug.quality.figures import describe_samples
    from hsiaug.report.grid import ReportPage, text_grid
    from hsiaug.report.output_files import TableFiles

    grids = (
        text_grid("Fidelity", MEASURES, map(_measure_row, report.fidelity.measures)),
        text_grid("Label reliability", SCORES, map(score_row, report.reliability.scores)),
    )
    page = ReportPage(describe_samples(report.made), grids=grids, notes=(*report.remarks, *report.verdict))
    rows = [*map(_measure_values, report.fidelity.measures), *map(_score_values, report.reliability.scores)]
    return TableFiles("inspect", [page], rows, report.as_json())


def _measure_values(measure: FidelityMeasure) -> dict[str, Any]:
    return {"table": "fidelity", **vars(measure)}


def _score_values(score: LabelScore) -> dict[str, Any]:
    low, high = score.wrong_interval or (None, None)
    names = ("name", "label", "value", "floor", "n", "unit", "ceiling", "r", "wrong")
    values = {name: getattr(score, name) for name in names}
    return {"table": "reliability", **values, "wrong_low": low, "wrong_high": high}


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
