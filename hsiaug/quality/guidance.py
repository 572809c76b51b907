"""What guidance does to samples: their density, coverage, purity and nearness to real patches over ω."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from hsiaug.base.files import write_text_whole
from hsiaug.quality.synthesis import Inspection

FIDELITY = ("density", "coverage", "nearer_training", "nearer_pool")
"""Rows of the fidelity table that a curve is drawn of; beside them stands ``purity``, the oracle agreement."""


@dataclass(frozen=True)
class GuidedMeasure:
    """One number of the samples at an ω. reference: the same of held-out real ones; both None where it is not defined.

    n: samples that were compared at once.
    """

    omega: float
    measure: str
    value: float | None
    reference: float | None
    unit: str
    n: int


def guided_measures(report: Inspection) -> Iterator[GuidedMeasure]:
    """The points of an inspection; none of a generator without ω."""
    omega = report.made.spec.omega
    if omega is None:
        return
    for score in report.reliability.scores:
        if score.name == "oracle":
            yield GuidedMeasure(omega, "purity", score.value, score.ceiling, score.unit, score.n)
    for measure in report.fidelity.measures:
        if measure.name in FIDELITY:
            yield GuidedMeasure(omega, measure.name, measure.value, measure.floor, measure.unit, measure.n)


def save_guidance(points: Sequence[GuidedMeasure], folder: Path) -> Path:
    """Write the points as guidance.csv. Raises InputError where the file cannot be written."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(GuidedMeasure))
    writer.writerows(map(astuple, points))
    return write_text_whole(folder / "guidance.csv", out.getvalue())
