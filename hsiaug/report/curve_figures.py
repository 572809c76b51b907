"""Pictures of sweeps: OA and AA against λ or ω, and over both where both vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hsiaug.colours import rgb_of
from hsiaug.errors import InputError
from hsiaug.report.cells import ArmCell
from hsiaug.report.curve_notes import n_text, panel_n
from hsiaug.report.curves import (
    HELD,
    SIGNS,
    Axis,
    SweepLine,
    SweepPoint,
    SweepSurface,
    all_lines,
    all_surfaces,
    drawn,
    lines,
    moving,
    percentages,
    reference,
    surface_limits,
    surfaces,
)
from hsiaug.report.dark_svg import ON_DARK, ON_LIGHT
from hsiaug.report.figure_files import new_figure, series_style
from hsiaug.report.tables import Report, Table
from hsiaug.text import plotted
from hsiaug.trial.arm import EVERY_CONTROL, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["curve_figure"]

DASHES = dict(zip(EVERY_CONTROL[1:], ("--", "-.", (0, (3, 1, 1, 1, 1, 1))), strict=True))
"""Of the grey lines of the controls but ``none``."""
HOW_TO_READ = "mean ± std; what is hollow, or has an n of its own, is over other draws; one scale for each score"
LIGHTER, DARKER = -0.15, 0.6
"""Shades of a generator's colour at its lowest and highest ω (or λ): shares of white, as negative, or of black."""
PANEL = (4.4, 3.1)
"""Width and height of a panel in inches."""


def curve_figure(report: Report, axis: Axis) -> Figure:
    """The figure of every table in which some generator has two values of the axis or more.

    Mean over the draws with a bar of one standard deviation, in percent: a column per classifier, a row for OA and
    one for AA, and as heat maps, with the mean in each field, where λ and ω both vary. ``none`` is the dotted line
    and its band; other controls are grey. Along λ, every line begins at λ = 0 with ``none``, which it is by definition.

    Raises InputError where nothing varies.
    """
    shown = [table for table in report.tables if moving(table, axis)]
    if not shown:
        sign = SIGNS[axis]
        raise InputError(
            f"a picture by {axis} needs records of a generator at two {sign} or more",
            value=f"{len(report.tables)} tables without them",
            hint=f"Run 'hsiaug benchmark … --{axis} 0.5:1.5:0.5' first.",
        )
    rows = [len(drawn(table)) * (1 + _most_surfaces(table)) for table in shown]
    width = PANEL[0] * max(len(table.classifiers) for table in shown)
    figure = new_figure(max(width, 7.0), sum(PANEL[1] * n + 1.1 for n in rows))
    places = figure.subfigures(len(shown), 1, height_ratios=[n + 0.35 for n in rows], squeeze=False)[:, 0]
    for place, table, n in zip(places, shown, rows, strict=True):
        _draw_table(place, table, axis, n)
    return figure


def _most_surfaces(table: Table) -> int:
    return max(len(surfaces(table, classifier)) for classifier in table.classifiers)


def _draw_table(place: SubFigure, table: Table, axis: Axis, rows: int) -> None:
    place.suptitle(f"{plotted(table.heading)}\n{HOW_TO_READ}", fontsize=10)
    panels = place.subplots(rows, len(table.classifiers), squeeze=False)
    styles = _styles(table, axis)
    entries: dict[str, Any] = {}
    scores = [(score.key, score.name) for score in drawn(table)]
    limits = {metric: surface_limits(all_surfaces(table), metric) for metric, _ in scores}
    for column, classifier in enumerate(table.classifiers):
        shown, none = _shown(table, classifier, axis), reference(table, classifier)
        over = panel_n(table, shown, none, axis, short=True)
        for row, (metric, name) in enumerate(scores):
            panel = panels[row][column]
            panel.sharey(panels[row][0])
            entries |= _draw_curves(panel, shown, none, metric, styles)
            panel.set_title(f"{plotted(table.labels[classifier])}\n{over}", fontsize=10, wrap=True)
            panel.set(xlabel=SIGNS[axis], ylabel=f"{name} (%)")
        maps = [(s, metric, name) for s in surfaces(table, classifier) for metric, name in scores]
        for row, (surface, metric, name) in enumerate(maps, start=len(scores)):
            title = f"{table.labels[classifier]}, {table.labels[surface.generator]}: {name} (%)\n{n_text(surface.draws)}"
            _draw_surface(panels[row][column], surface, metric, title, limits[metric])
        for row in range(len(scores) + len(maps), rows):
            panels[row][column].set_axis_off()
    place.legend(
        entries.values(),
        map(plotted, entries.keys()),
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )


def _styles(table: Table, axis: Axis) -> dict[tuple[Method, float | None], dict[str, Any]]:
    """Colour, marker and label of every line of a table, the same in all its panels."""
    keys = list(dict.fromkeys(line.key for line in all_lines(table, axis)))
    generators = [g for g in dict.fromkeys(g for g, _ in keys) if g.name not in EVERY_CONTROL]
    styles: dict[tuple[Method, float | None], dict[str, Any]] = {}
    for generator, held in keys:
        same = sorted(h for g, h in keys if g == generator and h is not None)
        shade = 0.75 if len(same) < 2 else 0.35 + 0.6 * same.index(held or 0.0) / (len(same) - 1)
        named = held is not None and (len(same) > 1 or axis == "lambda")
        label = table.labels[generator] + (f" {HELD[axis]}={held:g}" if named else "")
        if dashes := DASHES.get(generator.name):
            styles[generator, held] = {"color": str(0.75 - 0.4 * shade), "linestyle": dashes, "label": label}
        elif generator in generators:
            i = generators.index(generator)
            styles[generator, held] = {**series_style(i), "label": label, "color": _shaded(i, same, held)}
    return styles


def _shaded(place: int, same: Sequence[float], held: float | None) -> str:
    """The colour of a generator at one of the values that its lines are held at."""
    colour: str = series_style(place)["color"]
    if held is None or len(same) < 2:
        return colour
    share = LIGHTER + (DARKER - LIGHTER) * same.index(held) / (len(same) - 1)
    towards = 0 if share > 0 else 255
    mixed = (round(value + abs(share) * (towards - value)) for value in rgb_of(colour))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _draw_curves(
    panel: Axes, shown: Sequence[SweepLine], none: ArmCell | None, metric: str, styles: dict[Any, dict[str, Any]]
) -> dict[str, Any]:
    """Draw the lines of one classifier; returns the entries of the legend."""
    entries: dict[str, Any] = {}
    if level := percentages(none, metric):
        mean, std, _ = level
        panel.axhspan(mean - std, mean + std, color="0.93", zorder=0)
        entries["none"] = panel.axhline(mean, color="black", linestyle=":", linewidth=1.2)
    moving = [line for line in shown if line.values]
    span = max((v for line in moving for v in line.values), default=1.0)
    for i, line in enumerate(moving):
        style = styles[line.key]
        # Bars that would lie on one another stand side by side.
        entries[style["label"]] = _draw_line(panel, line.dots(metric), style, (i - len(moving) / 2) * 0.008 * span)
        start = percentages(line.start, metric) if 0.0 not in line.values else None
        first = next((dot for dot in line.dots(metric) if not dot.apart), None)
        if start and first:
            panel.plot([0, first.value], [start[0], first.mean], color=style["color"], linewidth=0.9, alpha=0.6)
    for line in shown:
        if not line.values and (level := percentages(line.points[0][1], metric)):
            style = styles[line.key]
            entries[style["label"]] = panel.axhline(
                level[0], color=style["color"], linestyle=style["linestyle"], linewidth=1.2
            )
    panel.grid(alpha=0.25)
    panel.margins(x=0.08)
    return entries


def _shown(table: Table, classifier: Method, axis: Axis) -> list[SweepLine]:
    """The lines of a panel: those with a value on the axis, and along ω the controls, levels to compare with.

    Other generators without guidance are left out.
    """
    found = [line for line in lines(table, classifier, axis) if line.generator.name != "none"]
    return [line for line in found if line.values or line.generator.name in DASHES]


def _draw_line(panel: Axes, dots: Sequence[SweepPoint], style: dict[str, Any], shift: float) -> Any:
    """The points with a line through those that can be compared; returns the entry of the legend."""
    bars: dict[str, Any] = {"capsize": 2, "elinewidth": 0.8, "markersize": 4}
    shared = [(dot.value + shift, dot.mean, dot.std) for dot in dots if not dot.apart]
    where, means, stds = ([point[i] for point in shared] for i in range(3))
    drawn = panel.errorbar(where, means, stds, linewidth=1.4, **bars, **style)
    hollow = {"marker": "o", **style, "linestyle": "none", "label": None, "markerfacecolor": "white"}
    for dot in dots:
        if dot.apart:
            at = (dot.value + shift, dot.mean)
            panel.errorbar([at[0]], [at[1]], [dot.std], **bars, **hollow)
            panel.annotate(f"n={dot.n}", at, (5, -3), textcoords="offset points", fontsize=7)
    for bar in (*drawn.lines[1], *drawn.lines[2]):
        bar.set_alpha(0.45)
    return drawn


def _draw_surface(
    panel: Axes, surface: SweepSurface, metric: str, title: str, limits: tuple[float, float]
) -> None:
    """λ to the right, ω upwards, the mean in every field; empty where there is no trial."""
    import numpy as np

    values = np.full((len(surface.omegas), len(surface.lambdas)), np.nan)
    texts = {}
    for (lam, omega), cell in surface.cells.items():
        place, score = (surface.omegas.index(omega), surface.lambdas.index(lam)), percentages(cell, metric)
        if score and surface.shares(cell):
            values[place], texts[place] = score[0], f"{score[0]:.1f}"
        elif score:
            texts[place] = f"{score[0]:.1f}\nn={score[2]}"
    if np.isnan(values).all():
        panel.set_axis_off()
        return
    image = panel.imshow(np.ma.masked_invalid(values), cmap="viridis", origin="lower", aspect="auto")
    low, high = limits
    image.set_clim(low, high)
    for (row, column), value in np.ndenumerate(values):
        colour = ON_DARK if value < (low + high) / 2 else ON_LIGHT
        text = texts.get((row, column), "")
        panel.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    panel.set_xticks(range(len(surface.lambdas)), [f"{lam:g}" for lam in surface.lambdas])
    panel.set_yticks(range(len(surface.omegas)), [f"{omega:g}" for omega in surface.omegas])
    panel.set_xlabel("λ")
    panel.set_ylabel("ω", rotation=0)
    panel.set_title(plotted(title), fontsize=10)
    panel.figure.colorbar(image, ax=panel)
