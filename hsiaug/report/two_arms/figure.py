"""Two arms against each other as a picture: every draw's difference, and recall per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsiaug.base.text import plotted
from hsiaug.report.figures.files import WIDTHS, new_figure, series_style, wrapped
from hsiaug.report.two_arms.comparison import ArmComparison, Pairing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["pairwise_figure"]

LINE, AROUND, LOWEST = 0.16, 0.6, 1.4
"""Inches of a line, round the lines of a panel, and of a panel at least."""
HOW_TO_READ = (
    "left: draws, with 95 % intervals from resampled blocks of test pixels, below them the mean and its 95 % t interval; "
    "right: recall, mean ± std over draws; circles: A is higher, squares: B is"
)


def pairwise_figure(comparison: ArmComparison, columns: int = 2) -> Figure:
    """B − A on every condition: draw by draw, and by class. columns: of a page with two, which it fills."""
    width = WIDTHS[columns]
    parts = [(_inches(p.n + 2), _inches(len(p.table.class_names))) for p in comparison.pairings]
    heights = [(max(pair) if columns == 2 else sum(pair)) + 0.3 for pair in parts]
    figure = new_figure(width, sum(heights) + 0.9)
    names = f"A: {plotted(comparison.a)}; B: {plotted(comparison.b)}"
    figure.suptitle("\n".join(wrapped(line, width) for line in (names, _read(columns))), fontsize=8)
    places = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
    for place, pairing, pair in zip(places, comparison.pairings, parts, strict=True):
        place.suptitle(wrapped(f"{plotted(pairing.table.heading)}: {pairing.verdict}", width), fontsize=8)
        if columns == 2:
            panels = place.subplots(1, 2)
        else:
            panels = place.subplots(2, 1, height_ratios=pair)
        _draw_draws(panels[0], pairing)
        _draw_classes(panels[1], pairing)
    return figure


def _read(columns: int) -> str:
    return HOW_TO_READ if columns == 2 else HOW_TO_READ.replace("left:", "above:").replace("right:", "below:")


def _inches(lines: int) -> float:
    return max(LOWEST, LINE * lines + AROUND)


def _style(difference: float) -> dict[str, Any]:
    """Of the arm that is higher."""
    return {**series_style(1 if difference > 0 else 0), "linestyle": "none", "ms": 3}


def _draw_draws(panel: Axes, pairing: Pairing) -> None:
    for y, (_, _, difference, bootstrap) in enumerate(pairing.draws):
        style = _style(difference)
        if found := bootstrap.interval:
            ends = [100 * found.low, 100 * found.high]
            panel.plot(ends, [y, y], color=style["color"], linewidth=1.2, alpha=0.6)
        panel.plot([100 * difference], [y], **style)
    mean, interval = pairing.comparison.main.mean, pairing.comparison.main.interval
    last = pairing.n + 0.5
    if interval:
        panel.plot([100 * interval[0], 100 * interval[1]], [last, last], color="black", linewidth=1.6)
    panel.plot([100 * mean], [last], "D", color="black", ms=4)
    names = [f"draw {a.seed}" for a, *_ in pairing.draws]
    _finish(panel, [*range(pairing.n), last], [*names, "mean"], f"Δ{pairing.score.name} (points)")


def _draw_classes(panel: Axes, pairing: Pairing) -> None:
    names = pairing.table.class_names
    for y, class_id in enumerate(range(1, len(names) + 1)):
        if found := pairing.classes.get(class_id):
            spread = 100 * (found.std or 0.0)
            at, style = 100 * found.mean, _style(found.mean)
            panel.plot([at - spread, at + spread], [y, y], color=style["color"], linewidth=1.2, alpha=0.6)
            panel.plot([at], [y], **style)
    _finish(panel, list(range(len(names))), list(map(plotted, names)), "Δ recall (points)")


def _finish(panel: Axes, places: list[float], names: list[str], label: str) -> None:
    panel.axvline(0, color="0.4", linewidth=0.8, zorder=0)
    panel.set_yticks(places, names)
    panel.set_ylim(max(places) + 0.7, -0.7)
    panel.tick_params(labelsize=7)
    panel.set_xlabel(label, fontsize=7)
    panel.grid(axis="x", alpha=0.25)
