"""What ``hsiaug inspect`` writes and prints of samples of any task: quality.json, fidelity and reliability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.cli.output import print_table, say, say_json
from hsiaug.text import json_of

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.metrics.calibration import LabelScore
    from hsiaug.metrics.measures import FidelityMeasure
    from hsiaug.quality.inspection import Inspection
    from hsiaug.quality.pair_inspection import PairInspection

__all__ = ["give_report", "print_quality", "score_row"]


def give_report(
    report: Inspection | PairInspection,
    out: Path,
    pictures: Sequence[Path],
    show: Callable[[], None],
    *,
    json: bool,
) -> None:
    """Write quality.json beside the pictures, and print it, or what ``show`` prints of it."""
    from hsiaug.files import write_text_whole

    text = json_of(report.as_json(), indent=1)
    files = [*pictures, write_text_whole(out / "quality.json", f"{text}\n")]
    if json:
        say_json(text)
    else:
        show()
    say("written: " + ", ".join(str(path) for path in files), err=True)


def print_quality(out: Console, measures: Iterable[FidelityMeasure], scores: Iterable[LabelScore]) -> None:
    """Both tables."""
    header = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
    print_table(out, header, [_measure_row(measure) for measure in measures])
    columns = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
    print_table(out, columns, [score_row(score) for score in scores])


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
