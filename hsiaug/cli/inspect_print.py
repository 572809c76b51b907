"""What ``hsiaug inspect`` prints: a table for each kind of measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hsiaug.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.quality.attention import AttentionMaps, MapScore
    from hsiaug.quality.said_seen import SaidSeen
    from hsiaug.quality.synthesis import AnySynthesis

LAYOUT = ("layout", "synthetic", "95 %", "held-out", "training", "shuffled", "unit", "good is", "n")
MEASURES = ("fidelity", "synthetic", "reference (held-out)", "unit", "good is", "n")
RECONSTRUCTION = ("encoded and decoded", "held-out", "training", "unit")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
ATTENTION = ("attention against the region of the class", "AUC", "±", "IoU", "n")


@dataclass(frozen=True, eq=False)
class InspectedSamples:
    """Samples, and what was measured of them.

    Attributes
    ----------
    synthesis : AnySynthesis
        The samples, at the first ω.
    report : object
        What the task's ``inspect`` gives of them.
    strengths : tuple of float
        Every ω that was asked for.
    points : sequence of mapping
        Points of curves over ω; empty for a single ω.
    attention_maps : AttentionMaps or None
        Where the generator looks for words, if that was asked for.
    map_scores : mapping of str to MapScore or None
        Their scores by name.
    said : SaidSeen or None
        Whether samples show what prompts say; None of a generator that takes none.
    prompts : tuple of str
        Those of the sheet of prompts.
    """

    synthesis: AnySynthesis
    report: Any
    strengths: tuple[float, ...]
    points: Sequence[Mapping[str, Any]]
    attention_maps: AttentionMaps | None
    map_scores: Mapping[str, MapScore | None]
    said: SaidSeen | None
    prompts: tuple[str, ...]


def print_inspection(inspection: InspectedSamples, screen: Console) -> None:
    """Print a table for each kind of measure, then what they come to in sentences."""
    from hsiaug.report.formatting import layout_row

    report = inspection.report
    if report.layout.measures:
        print_table(screen, LAYOUT, map(layout_row, report.layout.measures))
    print_table(screen, MEASURES, _fidelity_rows(report.fidelity.measures))
    print_table(screen, SCORES, _reliability_rows(report.reliability.scores))
    if report.reconstruction:
        print_table(screen, RECONSTRUCTION, _reconstruction_rows(report.reconstruction))
    if inspection.said:
        print_said(screen, inspection.said)
    if inspection.map_scores:
        print_table(screen, ATTENTION, _attention_rows(inspection.map_scores))
    if inspection.points:
        header = ("guidance", "held-out", *(f"ω={omega:g}" for omega in inspection.strengths))
        print_table(screen, header, _guidance_rows(inspection.points))
    print_lines(screen, (*report.remarks, *report.verdict))


Row = tuple[Any, ...]


def _fidelity_rows(measures: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured

    for measure in measures:
        yield (
            measure.label,
            measure.note if measure.value is None else measured(measure.value),
            measured(measure.floor),
            measure.unit,
            measure.better,
            measure.n,
        )


def _reliability_rows(scores: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured, wrong_labels

    for score in scores:
        interval = score.wrong_interval
        yield (
            score.label,
            measured(score.value),
            measured(score.ceiling),
            measured(score.floor),
            score.unit,
            measured(score.r),
            wrong_labels(score),
            None if interval is None else "{:.0f}–{:.0f} %".format(*interval),
        )


def _reconstruction_rows(measures: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured

    for measure in measures:
        yield (
            measure.label,
            measured(measure.held_out),
            measured(measure.training),
            measure.unit,
        )


def _attention_rows(scores: Mapping[str, MapScore | None]) -> Iterator[Row]:
    from hsiaug.quality.attention import LABELS

    for name, score in scores.items():
        if score is None:
            yield LABELS[name], None, None, None, 0
        else:
            yield LABELS[name], score.auc, score.half, score.iou, score.n


def print_said(screen: Console, said: SaidSeen) -> None:
    """A table of what samples show of what their prompts say, and how good its judge is."""
    from hsiaug.quality.said_seen import OMEGAS
    from hsiaug.report.formatting import measured
    from hsiaug.trial.said_seen import LABELS

    header = ("said and seen", "real", *(f"ω={omega:g}" for omega in OMEGAS), "prompts")
    rows = [
        (LABELS[rate.name], measured(rate.real), *map(measured, rate.values), rate.n)
        for rate in said.rates
    ]
    print_table(screen, header, rows)
    right = f"{100 * said.oracle_right:.0f} %"
    print_lines(screen, [f"The oracle of these names {right} of other held-out pixels rightly."])


def _guidance_rows(points: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """A row per measure, with its reference and its value at each ω."""
    from hsiaug.report.formatting import measured

    curves: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        name = f"{point['measure'].replace('_', ' ')} {point['unit']}".strip()
        curves.setdefault(name, []).append(point)
    for name, curve in curves.items():
        yield name, measured(curve[0]["reference"]), *(measured(one["value"]) for one in curve)
