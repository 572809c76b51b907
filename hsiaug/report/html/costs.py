"""Cost against gain: a mark per arm, with its name beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hsiaug.report.costs import HOW_TO_READ, NAMED, CostedArm, costed_arms, named_arms
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import escape, figure, tip
from hsiaug.report.html.svg import LETTER, WIDTH, LogScale, Scale, label, marks_of, picture, ticks
from hsiaug.report.labels import duration, with_interval
from hsiaug.report.positions import apart, decades, labelled

__all__ = ["cost_pictures"]

LEFT, TOP, BOTTOM = 34, 12, 34
LETTERS = 24
"""Letters of a name that fit beside the marks."""
LINE = 15
"""Height of a name."""
LOWEST = 150
"""Least height of the field of marks."""


class _Frame(NamedTuple):
    """What all panels of a table share. marks: of the gains; times: of the seconds; names: where the names begin."""

    marks: Sequence[float]
    times: Sequence[float]
    names: float


def cost_pictures(section: TableSection) -> str:
    """A panel per classifier, all on one scale; empty where nothing is compared with ``none``."""
    table = section.table
    panels = {c: arms for c in table.classifiers if (arms := costed_arms(table, c))}
    if not panels:
        return ""
    every = [arm for arms in panels.values() for arm in arms]
    marks = ticks([0.0, *(v for arm in every for v in (arm.mean, *arm.ends))], 5)
    times = decades([arm.seconds for arm in every])
    longest = min(LETTERS, max(len(table.arm_label(arm.cell.arm)) for arm in every))
    frame = _Frame(marks, times, WIDTH - LETTER * longest)
    pictures = []
    for classifier, arms in panels.items():
        caption = f"Δ{table.scores.main.name} to none (points) against seconds, {table.labels[classifier]}"
        drawing = _drawing(section, arms, frame, caption)
        pictures.append(figure(drawing, caption, classifier=table.labels[classifier]))
    return f'<div class="panels">{"".join(pictures)}</div><p class="note">{escape(HOW_TO_READ)}</p>'


def _drawing(section: TableSection, arms: Sequence[CostedArm], frame: _Frame, caption: str) -> str:
    marks, times, names = frame
    height = TOP + max(LOWEST, LINE * min(NAMED, len(arms))) + BOTTOM
    foot = height - BOTTOM
    x = LogScale(times[0], times[-1], LEFT + 8, names - 24)
    y = Scale(marks[0], marks[-1], foot, TOP)
    shown = labelled(times, max(2, int((names - LEFT) / 36)))
    parts = [f'<line class="grid" x1="{x(t)}" x2="{x(t)}" y1="{TOP}" y2="{foot}"/>' for t in shown]
    across = f'x1="{LEFT}" x2="{names - 16:.1f}"'
    parts += [f'<line class="{"grid" if m else "zero"}" {across} y1="{y(m)}" y2="{y(m)}"/>' for m in marks]
    parts += [label(LEFT - 5, f"{float(y(m)) + 4:.1f}", f"{m:+g}" if m else "0", "tick", "end") for m in marks]
    parts += [label(x(t), foot + 15, duration(t), "tick") for t in shown]
    parts.append(label(f"{(LEFT + names - 16) / 2:.1f}", height - 4, "time of a trial", "axis"))
    named = named_arms(arms)
    heights = apart([float(y(arm.mean)) for arm in named], LINE, TOP + 4, foot)
    places = {arm: (names, at) for arm, at in zip(named, heights, strict=True)}
    leads = [_lead(x(arm.seconds), y(arm.mean), *place) for arm, place in places.items()]
    drawn = [_arm(section, arm, x, y, places.get(arm)) for arm in (*(a for a in arms if a not in places), *named)]
    return picture(height, caption, [*parts, *leads, *drawn])


def _lead(x: str, y: str, names: float, at: float) -> str:
    """The thin line from a mark to its name."""
    return f'<path class="lead" d="M{x} {y}L{names - 10:.1f} {at:.1f}H{names - 3:.1f}"/>'


def _arm(section: TableSection, arm: CostedArm, x: LogScale, y: Scale, place: tuple[float, float] | None) -> str:
    table = section.table
    px, py, control = x(arm.seconds), y(arm.mean), arm.cell.arm.control
    name = table.arm_label(arm.cell.arm)
    interval = arm.gain.interval if arm.gain else None
    gained = with_interval(arm.mean / 100, interval)
    said = f"Δ{table.scores.main.name} {gained} to none" if arm.gain else "what the others are measured against"
    low, high = (y(end) for end in arm.ends)
    bar = f'<path class="{"s5" if control else "s0"} mean" d="M{px} {low}V{high}"/>' if interval else ""
    kind = "s5 hollow" if control else "f0 edge"
    dot = f'<circle class="{kind}" cx="{px}" cy="{py}" r="4.5"{tip(f"{duration(arm.seconds)}, {said}")}/>'
    text = label(f"{place[0]:.1f}", f"{place[1] + 4:.1f}", name, "row", "start", LETTERS) if place else ""
    return marks_of(name, [bar, dot, text], cell=section.cell_id(arm.cell))
