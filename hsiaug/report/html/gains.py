"""Gains as pictures: per draw against each control."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.findings import judged
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import figure, tip
from hsiaug.report.html.svg import WIDTH, Scale, key, label, marker, marks_of, picture, ticks
from hsiaug.report.labels import count, p_said, signed, with_interval
from hsiaug.report.tables import Table

__all__ = ["gain_pictures"]

NAME, LINE, TOP = 24, 14, 22
"""Heights of an arm's name, of the line of a control below it, and of what stands above all arms, in pixels."""


def gain_pictures(section: TableSection) -> str:
    """A picture per classifier, all on one scale: every draw's difference, the mean, and its 95 % t interval."""
    table = section.table
    main = table.scores.main.name
    panels = {
        classifier: gains
        for classifier in table.classifiers
        if (gains := [g for g in judged(table) if g.cell.classifier == classifier and any(g.against.values())])
    }
    if not panels:
        return ""
    marks = ticks([0.0, *(v for gains in panels.values() for gain in gains for v in _values(gain))])
    pictures = []
    for classifier, gains in panels.items():
        caption = f"Δ{main} with {table.labels[classifier]}, in percentage points"
        drawing = _forest(section, gains, marks, caption)
        pictures.append(figure(drawing, caption, classifier=table.labels[classifier]))
    keys = "".join(f"<span>{key(i)}over {name}</span>" for i, name in enumerate(_order(table)))
    legend = (
        f'<p class="legend">{keys}'
        "<span>small dots: draws; large mark: mean; bar: 95 % t interval of the mean, not corrected</span></p>"
    )
    return f'<div class="panels">{"".join(pictures)}</div>{legend}'


def _values(gain: Gain) -> list[float]:
    """Every place that its row must show, in points."""
    tests = [comparison.main for comparison in gain.against.values() if comparison is not None]
    return [100 * d for test in tests for d in (*test.differences, *(test.interval or ()))]


def _order(table: Table) -> tuple[str, ...]:
    """The controls, the one that is harder to beat first, and those that only some arms need last."""
    return "duplicate", "none", *table.further_controls


def _forest(section: TableSection, gains: Sequence[Gain], marks: Sequence[float], caption: str) -> str:
    """Rows are arms; the lines of a row are the gains over duplicate, over none, and over further controls."""
    x = Scale(marks[0], marks[-1], 14, WIDTH - 14)
    table, rows, y = section.table, [], TOP
    for gain in gains:
        name, cell = table.arm_label(gain.cell.arm), section.cell_id(gain.cell)
        rows.append(marks_of(name, [label(2, y + 13, name, "row", "start")], cell=cell))
        y += NAME
        for place, control in enumerate(_order(table)):
            if comparison := gain.against.get(control):
                rows.append(_line(comparison, f"{name} over {control}", x, y, place, cell))
                y += LINE
    parts = [
        f'<line class="{"grid" if m else "zero"}" x1="{x(m)}" x2="{x(m)}" y1="{TOP}" y2="{y}"/>' for m in marks
    ]
    parts += [label(x(m), TOP - 8, f"{m:+g}" if m else "0", "tick") for m in marks]
    return picture(y + 6, caption, [*parts, *rows])


def _line(comparison: Comparison, name: str, x: Scale, y: float, place: int, cell: str) -> str:
    """The interval, the draws, and their mean, which comes last to lie on top."""
    test, parts = comparison.main, []
    if test.interval:
        low, high = (x(100 * end) for end in test.interval)
        parts.append(f'<path class="s{place} mean" d="M{low} 0H{high}"/>')
    seeds = (arm.seed for arm, _ in comparison.pairs)
    parts += [
        f'<circle class="draw" cx="{x(100 * d)}" r="3.2"{tip(f"draw {seed}: {signed(d)}")} data-draw="{seed}"/>'
        for seed, d in zip(seeds, test.differences, strict=True)
    ]
    mean = f"{with_interval(test.mean, test.interval)}, {p_said(test.p_holm)}"
    said = f"{mean}, mean of {count(len(test.differences), 'draw')}"
    parts.append(marker(place, x(100 * test.mean), "0", said=said))
    return f'<g class="f{place}" transform="translate(0 {y})">{marks_of(name, parts, cell=cell)}</g>'
