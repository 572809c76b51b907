"""Accuracy against λ or ω as drawings, and over both at once as heat maps; the mean over the draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsiaug.report.cells import ArmCell
from hsiaug.report.curve_notes import curve_notes, line_label, n_text, panel_n, surface_label, surface_notes
from hsiaug.report.curves import (
    AXES,
    SIGNS,
    Axis,
    SweepLine,
    SweepPoint,
    SweepSurface,
    all_surfaces,
    drawn,
    moving,
    percentages,
    reference,
)
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, figure, scroller
from hsiaug.report.html.svg import HEIGHT, WIDTH, Scale, label, marker, picture, ticks
from hsiaug.report.labels import MISSING, percent
from hsiaug.report.scores import Metric
from hsiaug.trial.arm import Method

__all__ = ["curve_blocks", "heat_maps"]

LEFT, RIGHT, TOP, BOTTOM = 34, 8, 10, 34
SHADES = 9
"""Shades g1 to g9 of the page's style."""
Key = tuple[Method, float | None]


def curve_blocks(section: TableSection) -> str:
    """Drawings and tables of every axis along which some generator has two values; empty where none has."""
    return "".join(_block(section, axis) for axis in AXES if moving(section.table, axis))


def _block(section: TableSection, axis: Axis) -> str:
    table = section.table
    keys: dict[Key, str] = {line.key: line_label(table, line, axis) for line in moving(table, axis)}
    panels = []
    for classifier in table.classifiers:
        shown = [line for line in moving(table, axis) if line.classifier == classifier]
        for score in reversed(drawn(table)):
            caption = f"{score.name} (%) against {SIGNS[axis]}, {table.labels[classifier]}"
            none = reference(table, classifier)
            drawing = _panel(shown, keys, none, score, axis, caption)
            panels.append(figure(drawing, f"{caption}; {panel_n(table, shown, none, axis)}") if drawing else "")
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in (HOW_TO_READ, *curve_notes(table, axis)))
    return (
        f'<h4>Along {SIGNS[axis]}</h4><div class="panels">{"".join(panels)}</div>{_legend(keys)}'
        f"{notes}{details('The numbers of these curves', section.view(axis))}"
    )


HOW_TO_READ = (
    "Mean, with bars of ± std, over the draws that the panel names. A hollow mark with its own n is over other draws, "
    "and no line runs through it."
)


def _panel(
    shown: Sequence[SweepLine],
    keys: Mapping[Key, str],
    none: ArmCell | None,
    score: Metric,
    axis: Axis,
    caption: str,
) -> str:
    """Along λ every line begins at λ = 0 with none over its draws, which λ = 0 is by definition."""
    dots = {line: line.dots(score.key) for line in shown}
    level = percentages(none, score.key)
    starts = {line: start for line in shown if (start := percentages(line.start, score.key))}
    if not any(dots.values()):
        return ""
    numbers = [(dot.mean, dot.std) for found in dots.values() for dot in found]
    numbers += [(mean, std) for mean, std, _ in (*starts.values(), *([level] if level else []))]
    marks = ticks([mean + side * std for mean, std in numbers for side in (-1, 1)], 5)
    places = sorted({*(v for line in shown for v in line.values), *([0.0] if starts else [])})
    x = Scale(places[0], places[-1], LEFT + 14, WIDTH - RIGHT - 14)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    parts = [f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(m)}" y2="{y(m)}"/>' for m in marks]
    parts += [label(LEFT - 5, f"{float(y(m)) + 4:.1f}", f"{m:g}", "tick", "end") for m in marks]
    parts += [label(x(v), HEIGHT - BOTTOM + 15, f"{v:g}", "tick") for v in _apart(places)]
    parts.append(label((LEFT + WIDTH) / 2, HEIGHT - 4, SIGNS[axis], "axis"))
    if level:
        parts.append(_band(level[0], level[1], y))
    for line, found in dots.items():
        number, begin = list(keys).index(line.key), starts.get(line)
        first = next((dot for dot in found if not dot.apart), None)
        if begin and first and 0.0 not in line.values:
            parts.append(_first(number, begin[0], first, x, y))
        parts += _line(number, found, x, y, len(keys))
    return picture(HEIGHT, caption, parts)


def _apart(values: Sequence[float], most: int = 8) -> Sequence[float]:
    """At most ``most`` of the values, evenly: labels must not run into one another."""
    return values[:: -(-len(values) // most)]


def _band(mean: float, std: float, y: Scale) -> str:
    """none: a band of ± std, and its mean."""
    high, low, middle = (y(mean + d) for d in (std, -std, 0))
    across = f'x1="{LEFT}" x2="{WIDTH - RIGHT}"'
    height = float(low) - float(high)
    band = f'<rect class="band" x="{LEFT}" y="{high}" width="{WIDTH - RIGHT - LEFT}" height="{height:.1f}"/>'
    return f'{band}<line class="none" {across} y1="{middle}" y2="{middle}"/>'


def _first(place: int, none: float, dot: SweepPoint, x: Scale, y: Scale) -> str:
    """The thin line from the mean of none to the first point."""
    ends = f'x1="{x(0)}" y1="{y(none)}" x2="{x(dot.value)}" y2="{y(dot.mean)}"'
    return f'<line class="s{place % 8} first" {ends}/>'


def _line(place: int, dots: Sequence[SweepPoint], x: Scale, y: Scale, of: int) -> list[str]:
    """Bars that would lie on one another stand side by side."""
    shift = (place - (of - 1) / 2) * 2.5
    at = [(f"{float(x(dot.value)) + shift:.1f}", y(dot.mean), dot) for dot in dots]
    bars = [_error_bar(place, px, y, dot) for px, _, dot in at if dot.std]
    path = " ".join(f"{px},{py}" for px, py, dot in at if not dot.apart)
    marks = [marker(place, px, py, hollow=dot.apart) for px, py, dot in at]
    marks += [_own_n(float(px), float(py), dot.n) for px, py, dot in at if dot.apart]
    return [f'<polyline class="s{place % 8} line" points="{path}"/>', *bars, *marks]


def _own_n(x: float, y: float, n: int) -> str:
    """The n of a point, to its right, or to its left where the picture ends."""
    side, anchor = (7, "start") if x < WIDTH - 40 else (-7, "end")
    return label(f"{x + side:.1f}", f"{y + 4:.1f}", f"n={n}", "tick", anchor)


def _error_bar(place: int, x: str, y: Scale, dot: SweepPoint) -> str:
    low, high = y(dot.mean - dot.std), y(dot.mean + dot.std)
    return f'<line class="s{place % 8}" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _legend(keys: Mapping[Key, str]) -> str:
    entries = []
    for place, text in enumerate(keys.values()):
        swatch = f'<svg viewBox="-8 -8 16 16" class="key" aria-hidden="true">{marker(place, "0", "0")}</svg>'
        entries.append(f"<span>{swatch}{escape(text)}</span>")
    return f'<p class="legend">{"".join(entries)}<span><i class="none"></i>none, ± std</span></p>'


def heat_maps(section: TableSection) -> str:
    """One per classifier, generator and metric where both λ and ω vary; empty where they do nowhere."""
    table = section.table
    maps = []
    for surface in all_surfaces(table):
        for score in reversed(drawn(table)):
            caption = f"{score.name} (%), {surface_label(table, surface)}; {n_text(surface.draws)}"
            maps.append(_heat_map(section, surface, score, caption))
    if not maps:
        return ""
    note = (
        "Mean over the draws that the map names; λ to the right, ω upwards. Every map is shaded from its own lowest to "
        "its own highest; a field with an n is over other draws, and not shaded."
    )
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in (note, *surface_notes(table)))
    return f'<h4>Over λ and ω</h4><div class="panels">{"".join(maps)}</div>{notes}'


def _heat_map(section: TableSection, surface: SweepSurface, score: Metric, caption: str) -> str:
    shared = [cell for cell in surface.cells.values() if surface.shares(cell)]
    means = [s.mean for cell in shared if (s := cell.summary(score.key))]
    low, high = min(means, default=0.0), max(means, default=0.0)

    def field(cell: ArmCell | None) -> str:
        if cell is None:
            return f"<td>{MISSING}</td>"
        summary = cell.summary(score.key)
        if summary is None:
            return f"<td>{MISSING if cell.ok else section.cell_link('failed', cell)}</td>"
        if not surface.shares(cell):
            return f"<td>{section.cell_link(f'{percent(summary.mean)} (n={summary.n})', cell)}</td>"
        shade = 1 + round((SHADES - 1) * (summary.mean - low) / (high - low)) if high > low else 1
        return f'<td class="g{shade}">{section.cell_link(percent(summary.mean), cell)}</td>'

    head = "".join(f'<th scope="col">λ={lam:g}</th>' for lam in surface.lambdas)
    rows = "".join(
        f'<tr><th scope="row">ω={omega:g}</th>'
        + "".join(field(surface.cells.get((lam, omega))) for lam in surface.lambdas)
        + "</tr>"
        for omega in reversed(surface.omegas)
    )
    body = f"<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody>"
    return "<div>" + scroller(caption, f'<table class="heat">{body}</table>') + "</div>"
