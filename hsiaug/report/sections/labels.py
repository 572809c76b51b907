"""Learning curves over added labels, and how many labels each configuration is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError
from hsiaug.metrics.label_equivalents import RESAMPLES, LabelEquivalent
from hsiaug.report.figures.charts import ChartBlock, FirstPanels, Panel, draw_blocks, name_score
from hsiaug.report.figures.files import series_style
from hsiaug.report.formatting import MISSING, count, decimal, plus_minus, seeds_text, span
from hsiaug.report.label_curves import LabelCurve, label_curves
from hsiaug.report.section import Frame, Section, SectionFigure, arm_keys, indexed
from hsiaug.report.sections import LABELS, SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


LEVELS = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
"""Dashes of configurations on learning curves."""
OF_LABELS = (
    "mean over splits, band ± sd; a level is the mean of a configuration, its mark and bar are k*"
    " and the 95 % interval; panels of one score share their axis"
)
MANY = 10
"""Draws below which a note says that intervals are too narrow."""


def curves_of(report: Report) -> list[LabelCurve]:
    """The curves of a report, from the store that it names. Raises InputError where there are
    none.
    """
    found = label_curves(report)
    if not found:
        rule = (
            "`by` labels needs a learning curve over added labels, with its predictions and its"
            " scene on this machine"
        )
        hint = f"Run 'hsiaug worth SCENE --store {report.where}' first."
        raise InputError(rule, value=f"none in {report.where}", hint=hint)
    return found


def label_sections(report: Report) -> tuple[Section, ...]:
    """A section for each table that has a curve. Raises InputError where none has."""
    found = curves_of(report)
    return tuple(
        _curves(table, [curve for curve in found if curve.table is table])
        for table in dict.fromkeys(curve.table for curve in found)
    )


def _curves(table: ReportTable, curves: Sequence[LabelCurve]) -> Section:
    return Section(
        f"Label equivalents: {table.condition.scene}",
        frames=_label_frames(table, curves),
        notes=tuple(label_notes(curves)),
    )


def _label_frames(table: ReportTable, curves: Sequence[LabelCurve]) -> tuple[Frame, ...]:
    """The curves, a row per classifier and score; and k*, a row per configuration."""
    numbers = sorted({k for curve in curves for k in curve.labels})
    scores = curves[0].scores
    levels = []
    for curve in curves:
        for score in (one for one in curve.scores if one.key in curve.means):
            means = dict(zip(curve.labels, curve.means[score.key], strict=True))
            points = {f"k={k}": plus_minus(means.get(k)) for k in numbers}
            classifier = table.labels[curve.classifier]
            levels.append({"classifier": classifier, "score": score.name, **points})
    equivalents = []
    for curve in curves:
        for arm in curve.arms:
            keys = {"classifier": table.labels[curve.classifier]}
            keys |= arm_keys(table, arm.cell.arm)
            worth = {
                f"k* {s.name}": worth_text(found, curve.labels[-1])
                if (found := arm.worth.get(s.key))
                else MISSING
                for s in scores
            }
            reached = {s.name: plus_minus(arm.means.get(s.key)) for s in scores}
            equivalents.append({**keys, **worth, **reached, "splits": str(len(arm.seeds))})
    return (
        Frame("none with k more labels of each class", indexed(levels, len(numbers))),
        Frame(
            "k*: added labels of each class that give none the same score (95 % interval)",
            indexed(equivalents, 2 * len(scores) + 1),
        ),
    )


def worth_text(found: LabelEquivalent, most: int) -> str:
    """``2.1 (1.2 to 4)``, ``< 0 (< 0 to 0.4)``, or ``> 20`` where all of it is.

    Parameters
    ----------
    most : int
        The largest number of labels.
    """
    censored = math.isinf(found.value) and found.low == found.high
    if found.low is None or found.high is None or censored:
        return _labels(found.value, most)
    return (
        f"{_labels(found.value, most)} ({_labels(found.low, most)} to {_labels(found.high, most)})"
    )


def _labels(value: float, most: int) -> str:
    """``2.1``, ``< 0`` or ``> 20``: a number of labels.

    Parameters
    ----------
    most : int
        The largest of the curve.
    """
    if math.isinf(value):
        return f"> {most}" if value > 0 else "< 0"
    return decimal(value).removesuffix(".0") if value < 10 else f"{value:.0f}"


def label_notes(curves: Sequence[LabelCurve]) -> list[str]:
    """On how many splits and pixels the curves are, and what was left out."""
    seeds = {seed for curve in curves for seed in curve.seeds}
    pixels = [draw.pixels for curve in curves for draw in curve.draws]
    notes = [
        f"{count(len(seeds), 'split')} ({seeds_text(seeds)}), scored on the test pixels that all"
        f" numbers of labels share: {span(pixels, 0)}.",
        f"Intervals of {RESAMPLES:,} resamples of splits.",
    ]
    if len(seeds) < MANY:
        notes.append(f"Of fewer than {MANY} splits, such intervals are too narrow.")
    notes.append(
        f"At the largest number, {curves[-1].overlap:.0f} % of test pixels are in a training patch."
    )
    return [*notes, *dict.fromkeys(why for curve in curves for why in curve.why)]


def curve_rows(curve: LabelCurve) -> Iterator[dict[str, object]]:
    """Yield rows: one for each point of a curve, and for each configuration, by score, in
    fractions.
    """
    condition, most = curve.table.condition, curve.labels[-1]
    about = {
        "scene": condition.scene,
        "protocol": condition.protocol,
        "protocol_argument": condition.argument,
        "classifier": curve.classifier.name,
        "view": curve.classifier.view,
    }
    for score in curve.scores:
        for k, mean in zip(curve.labels, curve.means.get(score.key, ()), strict=False):
            none = {"generator": "none", "lambda": 0.0, "times": 0.0}
            yield {**about, "score": score.key, **none, "labels": k, **mean._asdict()}
        for arm in (arm for arm in curve.arms if score.key in arm.worth):
            own, found = arm.cell.arm, arm.worth[score.key]
            ends = {"equivalent": found.value, "low": found.low, "high": found.high}
            yield {
                **about,
                "score": score.key,
                "generator": curve.table.labels[own.generator],
                "lambda": own.rate.lam,
                "times": own.rate.times,
                "omega": own.omega,
                **arm.means[score.key]._asdict(),
                # JSON has no number for what is censored.
                **{
                    name: _labels(end, most) if end is not None and math.isinf(end) else end
                    for name, end in ends.items()
                },
            }


def _section(table: ReportTable, sources: Sources) -> Section | None:
    curves = [curve for curve in sources.curves if curve.table is table]
    if not curves:
        return None
    caption = "none with more labels per class, and the configurations on its curve"
    figure = SectionFigure(caption, partial(_label_figure, curves))
    return replace(_curves(table, curves), heading="Label equivalents", figures=(figure,))


def _label_figure(curves: Sequence[LabelCurve], columns: int = 2) -> Figure:
    """Panels of each curve, one for each score in percent.

    Parameters
    ----------
    columns : int
        Columns of a page with two, which the figure fills.
    """
    blocks = []
    for table in dict.fromkeys(curve.table for curve in curves):
        first = FirstPanels()
        panels = [
            Panel(
                (
                    table.labels[curve.classifier],
                    f"n = {curve.means[score.key][0].n} ({seeds_text(curve.seeds)})",
                ),
                partial(_draw_labels, curve, score, first),
            )
            for curve in curves
            if curve.table is table
            for score in curve.scores
            if score.key in curve.means
        ]
        blocks.append(
            ChartBlock(table.heading, panels, 2.0, narrowest=1.5, along="added labels per class")
        )
    return draw_blocks(blocks, columns, OF_LABELS)


def _draw_labels(
    curve: LabelCurve, score: Metric, first: FirstPanels, axes: Axes
) -> dict[str, Any]:
    """One panel. Labels are on a scale of log(1 + k): most curves bend early."""
    import numpy as np

    axes.sharey(first.setdefault(score.key, axes))
    means, stds = (100 * np.array([p[i] or 0.0 for p in curve.means[score.key]]) for i in (0, 1))
    axes.fill_between(curve.labels, means - stds, means + stds, color="0.9", zorder=0)
    (line,) = axes.plot(curve.labels, means, color="black", marker="o", markersize=3, linewidth=1.3)
    entries: dict[str, Any] = {"none": line}
    for place, arm in enumerate(curve.arms):
        if score.key in arm.worth:
            style = series_style(place) | ({"color": "0.5"} if arm.cell.is_control else {})
            other = (
                ""
                if arm.seeds == curve.seeds
                else f" (n = {len(arm.seeds)}, k* against these splits)"
            )
            name = curve.table.arm_label(arm.cell.arm) + other
            entries[name] = _draw_arm(axes, curve, score.key, place, style)
    axes.set_xscale("function", functions=(np.log1p, np.expm1))
    axes.set_xticks(curve.labels, [f"{k}" for k in curve.labels])
    name_score(axes, score.name)
    return entries


def _draw_arm(axes: Axes, curve: LabelCurve, score: str, place: int, style: dict[str, Any]) -> Any:
    """The level of a configuration, and where the curve reaches it; what lies outside the curve
    stands at its end.
    """
    import numpy as np

    worth, arm = curve.arms[place].worth[score], curve.arms[place]
    level, most = 100 * arm.means[score].mean, curve.labels[-1]
    colour, dashes = style["color"], LEVELS[place % len(LEVELS)]
    entry = axes.axhline(level, color=colour, linestyle=dashes, linewidth=1.0, alpha=0.8)
    ends = [v for v in (worth.low, worth.high) if v is not None]
    at, *ends = np.clip([worth.value, *ends], 0, most)
    marker = "<" if worth.value < 0 else ">" if worth.value > most else style["marker"]
    axes.plot([at], [level], marker=marker, color=colour, markersize=5, linestyle="none")
    if ends:
        axes.plot(
            ends, [level, level], color=colour, linewidth=2.5, alpha=0.6, solid_capstyle="butt"
        )
    return entry


def _picture(report: Report, columns: int) -> Figure:
    return _label_figure(curves_of(report), columns)


SECTIONS = (SectionKind("labels", _section, 70, pictures={LABELS: _picture}),)
