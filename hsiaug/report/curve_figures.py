"""Pictures of sweeps: OA and AA against λ or ω, and over both where both vary."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.errors import InputError
from hsiaug.files import write_whole
from hsiaug.report.cells import ArmCell
from hsiaug.report.curve_notes import n_text, panel_n
from hsiaug.report.curves import SIGNS, Axis, Line, Surface, drawn, lines, moving, reference, surfaces
from hsiaug.report.tables import Report, Table
from hsiaug.text import plotted
from hsiaug.trial.arm import CONTROLS, Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

__all__ = ["save_curves"]

HUES = ("Blues", "Oranges", "Greens", "Purples", "Reds", "YlOrBr", "PuRd", "BuGn")
"""A colour map per generator; its lines at several ω (or λ) are shades of it."""
MARKERS = "osD^vPXp"
HOW_TO_READ = "mean ± std; what is hollow, or has an n of its own, is over other draws"
PANEL = (4.4, 3.1)
"""Width and height of a panel in inches."""
DPI = 130


def save_curves(report: Report, axis: Axis, path: Path, format: str) -> None:
    """Write the picture of every table in which some generator has two values of the axis or more.

    Mean over the draws with a bar of one standard deviation, in percent: a column per classifier, a row for OA and
    one for AA, and as heat maps, with the mean in each field, where λ and ω both vary. ``none`` is the dotted line
    and its band; ``duplicate`` is grey. Along λ, every line begins at λ = 0 with ``none``, which it is by definition.

    format: png, svg or pdf. Raises InputError where nothing varies, or the file cannot be written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

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
    figure = Figure(figsize=(max(width, 7.0), sum(PANEL[1] * n + 1.1 for n in rows)), layout="constrained")
    FigureCanvasAgg(figure)
    places = figure.subfigures(len(shown), 1, height_ratios=[n + 0.35 for n in rows], squeeze=False)[:, 0]
    for place, table, n in zip(places, shown, rows, strict=True):
        _draw_table(place, table, axis, n)
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format, {})
    with matplotlib.rc_context({"svg.hashsalt": "hsiaug"}):
        # In memory first: the writer of PDF leaves a file open where the disk is full.
        file = io.BytesIO()
        figure.savefig(file, dpi=DPI, format=format, metadata=metadata)
    write_whole(path, lambda fresh: fresh.write_bytes(file.getvalue()))


def _most_surfaces(table: Table) -> int:
    return max(len(surfaces(table, classifier)) for classifier in table.classifiers)


def _draw_table(place: SubFigure, table: Table, axis: Axis, rows: int) -> None:
    title = f"LEAKY: {table.title}" if table.leaky else table.title
    place.suptitle(f"{plotted(title)}\n{HOW_TO_READ}", fontsize=10)
    panels = place.subplots(rows, len(table.classifiers), squeeze=False)
    styles = _styles(table, axis)
    entries: dict[str, Any] = {}
    scores = [(score.key, score.name) for score in drawn(table)]
    for column, classifier in enumerate(table.classifiers):
        for row, (metric, name) in enumerate(scores):
            panel = panels[row][column]
            entries |= _draw_curves(panel, table, classifier, axis, metric, styles)
            none = reference(table, classifier)
            over = panel_n(table, _shown(table, classifier, axis), none, axis, short=True)
            panel.set_title(f"{plotted(table.labels[classifier])}\n{over}", fontsize=10, wrap=True)
            panel.set(xlabel=SIGNS[axis], ylabel=f"{name} (%)")
        maps = [(s, metric, name) for s in surfaces(table, classifier) for metric, name in scores]
        for row, (surface, metric, name) in enumerate(maps, start=len(scores)):
            title = f"{table.labels[classifier]}, {table.labels[surface.generator]}: {name} (%)\n{n_text(surface.draws)}"
            _draw_surface(panels[row][column], surface, metric, title)
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
    from matplotlib import colormaps

    keys = list(dict.fromkeys((ln.generator, ln.held) for c in table.classifiers for ln in lines(table, c, axis)))
    generators = [g for g in dict.fromkeys(g for g, _ in keys) if g.name not in CONTROLS]
    other = SIGNS["omega" if axis == "lambda" else "lambda"]
    styles: dict[tuple[Method, float | None], dict[str, Any]] = {}
    for generator, held in keys:
        same = sorted(h for g, h in keys if g == generator and h is not None)
        shade = 0.75 if len(same) < 2 else 0.35 + 0.6 * same.index(held or 0.0) / (len(same) - 1)
        named = held is not None and (len(same) > 1 or axis == "lambda")
        label = table.labels[generator] + (f" {other}={held:g}" if named else "")
        if generator.name == "duplicate":
            styles[generator, held] = {"color": str(0.75 - 0.4 * shade), "linestyle": "--", "label": label}
        elif generator in generators:
            i = generators.index(generator)
            styles[generator, held] = {
                "color": colormaps[HUES[i % len(HUES)]](shade), "marker": MARKERS[i % len(MARKERS)], "label": label
            }  # fmt: skip
    return styles


def _draw_curves(
    panel: Axes, table: Table, classifier: Method, axis: Axis, metric: str, styles: dict[Any, dict[str, Any]]
) -> dict[str, Any]:
    """Draw the lines of one classifier; returns the entries of the legend."""
    entries: dict[str, Any] = {}
    none = _score(reference(table, classifier), metric)
    if none:
        mean, std = none
        panel.axhspan(mean - std, mean + std, color="0.93", zorder=0)
        entries["none"] = panel.axhline(mean, color="black", linestyle=":", linewidth=1.2)
    drawn = [ln for ln in _shown(table, classifier, axis) if (ln.generator, ln.held) in styles]
    moving = [ln for ln in drawn if ln.values]
    span = max((v for ln in moving for v in ln.values), default=1.0)
    for i, line in enumerate(moving):
        style = styles[line.generator, line.held]
        # Bars that would lie on one another stand side by side.
        entries[style["label"]] = _draw_line(panel, line, metric, style, (i - len(moving) / 2) * 0.008 * span)
        start = _score(line.start, metric) if axis == "lambda" and 0.0 not in line.values else None
        shared = ((v, _score(c, metric)) for v, c in line.points if v is not None and line.shares(c))
        first = next(((v, s[0]) for v, s in shared if s), None)
        if start and first:
            panel.plot([0, first[0]], [start[0], first[1]], color=style["color"], linewidth=0.9, alpha=0.6)
    for line in drawn:
        level = _score(line.points[0][1], metric)
        if not line.values and level:
            style = styles[line.generator, line.held]
            entries[style["label"]] = panel.axhline(level[0], color=style["color"], linestyle="--", linewidth=1.2)
    panel.grid(alpha=0.25)
    panel.margins(x=0.08)
    return entries


def _shown(table: Table, classifier: Method, axis: Axis) -> list[Line]:
    """The lines of a panel: those with a value on the axis, and along ω duplicate, a level to compare with.

    Other generators without guidance are left out.
    """
    found = [line for line in lines(table, classifier, axis) if line.generator.name != "none"]
    return [line for line in found if line.values or line.generator.name == "duplicate"]


def _draw_line(panel: Axes, line: Line, metric: str, style: dict[str, Any], shift: float) -> Any:
    """The points with a line through those that can be compared; returns the entry of the legend."""
    points = [(v, cell, s) for v, cell in line.points if v is not None and (s := _score(cell, metric))]
    bars: dict[str, Any] = {"capsize": 2, "elinewidth": 0.8, "markersize": 4}
    shared = [(value + shift, *score) for value, cell, score in points if line.shares(cell)]
    where, means, stds = ([point[i] for point in shared] for i in range(3))
    drawn = panel.errorbar(where, means, stds, linewidth=1.4, **bars, **style)
    hollow = {
        **style,
        "linestyle": "none",
        "label": None,
        "markerfacecolor": "white",
        "marker": style.get("marker", "o"),
    }
    for value, cell, (mean, std) in points:
        if not line.shares(cell):
            panel.errorbar([value + shift], [mean], [std], **bars, **hollow)
            text = f"n={len(cell.ok)}"
            panel.annotate(text, (value + shift, mean), (5, -3), textcoords="offset points", fontsize=7)
    for bar in (*drawn.lines[1], *drawn.lines[2]):
        bar.set_alpha(0.45)
    return drawn


def _draw_surface(panel: Axes, surface: Surface, metric: str, title: str) -> None:
    """λ to the right, ω upwards, the mean in every field; empty where there is no trial."""
    import numpy as np

    values = np.full((len(surface.omegas), len(surface.lambdas)), np.nan)
    apart = {}
    for (lam, omega), cell in surface.cells.items():
        place, score = (surface.omegas.index(omega), surface.lambdas.index(lam)), _score(cell, metric)
        if score and surface.shares(cell):
            values[place] = score[0]
        elif score:
            apart[place] = f"{score[0]:.1f}\nn={len(cell.ok)}"
    if np.isnan(values).all():
        panel.set_axis_off()
        return
    image = panel.imshow(np.ma.masked_invalid(values), cmap="viridis", origin="lower", aspect="auto")
    low, high = np.nanmin(values), np.nanmax(values)
    for (row, column), value in np.ndenumerate(values):
        text = apart.get((row, column), "" if np.isnan(value) else f"{value:.1f}")
        colour = "w" if value < (low + high) / 2 else "k"
        panel.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    panel.set_xticks(range(len(surface.lambdas)), [f"{lam:g}" for lam in surface.lambdas])
    panel.set_yticks(range(len(surface.omegas)), [f"{omega:g}" for omega in surface.omegas])
    panel.set_xlabel("λ")
    panel.set_ylabel("ω", rotation=0)
    panel.set_title(plotted(title), fontsize=10)
    panel.figure.colorbar(image, ax=panel)


def _score(cell: ArmCell | None, metric: str) -> tuple[float, float] | None:
    """Mean and std in percent; std 0 where there is one draw only."""
    summary = cell.summary(metric) if cell is not None else None
    return (100 * summary.mean, 100 * (summary.std or 0.0)) if summary else None
