"""What guidance does to samples: their density, coverage, purity and nearness to real patches over ω."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.colours import HELD_OUT, SYNTHETIC
from hsiaug.base.files import write_text_whole
from hsiaug.quality.figures import grid, legend, name_columns
from hsiaug.quality.inspection import Inspection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def guidance_figure(points: Sequence[GuidedMeasure]) -> Figure:
    """A panel for each measure: samples over ω, and held-out ones, which do not depend on it."""
    names = list(dict.fromkeys(point.measure for point in points))
    figure, panels = grid(len(names), 1.9, columns=3)
    for axes, name in zip(panels, names, strict=True):
        own = [point for point in points if point.measure == name]
        for label, colour, look in (("held-out", HELD_OUT, "--"), ("synthetic", SYNTHETIC, "-o")):
            known = [
                (point.omega, value)
                for point in own
                if (value := point.value if label == "synthetic" else point.reference) is not None
            ]
            x, y = zip(*known, strict=True) if known else ((), ())
            axes.plot(x, y, look, color=colour, label=label, linewidth=1.2, markersize=4)
        unit = f" ({own[0].unit})" if own[0].unit else ""
        axes.set_title(f"{name.replace('_', ' ')}{unit}", fontsize=7, fontweight="bold")
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.15)
    name_columns(panels, "ω")
    legend(figure, panels[0])
    return figure
