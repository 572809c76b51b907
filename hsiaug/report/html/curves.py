"""Accuracy against λ or ω as drawings: a panel per classifier and metric, mean ± std over the draws."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.metrics.significance import MeanStd
from hsiaug.report.cells import Cell
from hsiaug.report.curves import AXES, SIGNS, Axis, Line, drawn, lines, reference
from hsiaug.report.html.markup import details, escape, figure
from hsiaug.report.html.place import Place
from hsiaug.report.html.svg import HEIGHT, WIDTH, Scale, label, marker, picture, ticks
from hsiaug.report.html.tables import view_tables
from hsiaug.report.labels import count, draws_text
from hsiaug.report.records import Method
from hsiaug.report.scores import Score
from hsiaug.report.tables import Table

__all__ = ["curve_blocks"]

LEFT, RIGHT, TOP, BOTTOM = 34, 8, 10, 34
Key = tuple[Method, float | None]


def curve_blocks(place: Place) -> str:
    """Drawings and tables of every axis along which some generator has two values; empty where none has."""
    return "".join(_block(place, axis) for axis in AXES if _moving(place.table, axis))


def _moving(table: Table, axis: Axis) -> list[Line]:
    """The lines with two points or more; duplicate is drawn where others move."""
    found = [line for c in table.classifiers for line in lines(table, c, axis) if len(line.values) > 1]
    return found if any(line.generator.name != "duplicate" for line in found) else []


def _block(place: Place, axis: Axis) -> str:
    table = place.table
    keys: list[Key] = list(dict.fromkeys((line.generator, line.held) for line in _moving(table, axis)))
    panels = []
    for classifier in table.classifiers:
        shown = [line for line in _moving(table, axis) if line.points[0][1].classifier == classifier]
        for score in reversed(drawn(table)):
            caption = f"{score.name} (%) against {SIGNS[axis]}, {table.labels[classifier]}"
            drawing = _panel(shown, keys, reference(table, classifier), score, axis, caption)
            panels.append(figure(drawing, caption) if drawing else "")
    seeds = sorted({t.seed for line in _moving(table, axis) for _, cell in line.points for t in cell.ok})
    note = f"Mean, with bars of ± std over {count(len(seeds), 'draw')} (seeds {draws_text(seeds)})."
    return (
        f'<h4>Along {SIGNS[axis]}</h4><div class="panels">{"".join(panels)}</div>{_legend(table, keys, axis)}'
        f'<p class="note">{note}</p>{details("The numbers of these curves", "".join(view_tables(place, axis)))}'
    )


def _panel(
    shown: Sequence[Line], keys: Sequence[Key], none: Cell | None, score: Score, axis: Axis, said: str
) -> str:
    """Along λ every line begins at λ = 0 with none, which λ = 0 is by definition."""
    dots = {line: _dots(line, score.key) for line in shown}
    level = none.summary(score.key) if none else None
    summaries = [s for found in dots.values() for _, s in found] + ([level] if level else [])
    values = [v for line in shown for v in line.values]
    if not values or not any(dots.values()):
        return ""
    marks = ticks([100 * (s.mean + side * (s.std or 0)) for s in summaries for side in (-1, 1)], 5)
    begin = level if axis == "lambda" and 0.0 not in values else None
    places = sorted({*values, *([0.0] if begin else [])})
    x = Scale(places[0], places[-1], LEFT + 14, WIDTH - RIGHT - 14)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    parts = [f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(m)}" y2="{y(m)}"/>' for m in marks]
    parts += [label(LEFT - 5, f"{float(y(m)) + 4:.1f}", f"{m:g}", "tick", "end") for m in marks]
    parts += [label(x(v), HEIGHT - BOTTOM + 15, f"{v:g}", "tick") for v in _apart(places)]
    parts.append(label((LEFT + WIDTH) / 2, HEIGHT - 4, SIGNS[axis], "axis"))
    if level:
        parts.append(_band(level, y))
    for line, found in dots.items():
        if begin and found:
            parts.append(_first(keys.index((line.generator, line.held)), begin, found[0], x, y))
        parts += _line(keys.index((line.generator, line.held)), found, x, y, len(keys))
    return picture(HEIGHT, said, parts)


def _apart(values: Sequence[float], most: int = 8) -> Sequence[float]:
    """At most ``most`` of the values, evenly: labels must not run into one another."""
    return values[:: -(-len(values) // most)]


def _dots(line: Line, metric: str) -> list[tuple[float, MeanStd]]:
    found = ((value, cell.summary(metric)) for value, cell in line.points if value is not None)
    return [(value, summary) for value, summary in found if summary is not None]


def _band(level: MeanStd, y: Scale) -> str:
    """none: a band of ± std, and its mean."""
    std = level.std or 0.0
    high, low, middle = (y(100 * (level.mean + d)) for d in (std, -std, 0))
    across = f'x1="{LEFT}" x2="{WIDTH - RIGHT}"'
    height = float(low) - float(high)
    band = f'<rect class="band" x="{LEFT}" y="{high}" width="{WIDTH - RIGHT - LEFT}" height="{height:.1f}"/>'
    return f'{band}<line class="none" {across} y1="{middle}" y2="{middle}"/>'


def _first(place: int, none: MeanStd, dot: tuple[float, MeanStd], x: Scale, y: Scale) -> str:
    """The thin line from none to the first point."""
    ends = f'x1="{x(0)}" y1="{y(100 * none.mean)}" x2="{x(dot[0])}" y2="{y(100 * dot[1].mean)}"'
    return f'<line class="s{place % 8} first" {ends}/>'


def _line(place: int, dots: Sequence[tuple[float, MeanStd]], x: Scale, y: Scale, of: int) -> list[str]:
    """Bars that would lie on one another stand side by side."""
    shift = (place - (of - 1) / 2) * 2.5
    at = [(f"{float(x(v)) + shift:.1f}", s) for v, s in dots]
    bars = [_error_bar(place, px, y, s.mean, s.std) for px, s in at if s.std]
    path = " ".join(f"{px},{y(100 * s.mean)}" for px, s in at)
    marks = [marker(place, px, y(100 * s.mean)) for px, s in at]
    return [f'<polyline class="s{place % 8} line" points="{path}"/>', *bars, *marks]


def _error_bar(place: int, x: str, y: Scale, mean: float, std: float) -> str:
    low, high = y(100 * (mean - std)), y(100 * (mean + std))
    return f'<line class="s{place % 8}" x1="{x}" x2="{x}" y1="{low}" y2="{high}"/>'


def _legend(table: Table, keys: Sequence[Key], axis: Axis) -> str:
    other = SIGNS["omega" if axis == "lambda" else "lambda"]
    entries = []
    for place, (generator, held) in enumerate(keys):
        text = table.labels[generator] + (f" {other}={held:g}" if held is not None else "")
        swatch = f'<svg viewBox="-8 -8 16 16" class="key" aria-hidden="true">{marker(place, "0", "0")}</svg>'
        entries.append(f"<span>{swatch}{escape(text)}</span>")
    return f'<p class="legend">{"".join(entries)}<span><i class="none"></i>none, ± std</span></p>'
