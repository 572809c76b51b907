"""Gains as pictures: per draw against each control, every mark with its values, which no figure of matplotlib has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.findings import judged
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import escape, figure, known_by, tip
from hsiaug.report.labels import count, p_said, signed, with_interval
from hsiaug.report.tables import Table

__all__ = ["gain_pictures"]

WIDTH, MARGIN = 360, 14
"""Units across a picture, about the pixels of a small screen, so that its letters stay readable there."""
NAME, LINE, TOP = 24, 14, 22
"""Heights of an arm's name, of the line of a control below it, and of what stands above all arms, in pixels."""
LONGEST = 52
"""Letters that fit across a picture: of a longer name the end stays, which has its λ and ω."""
SHAPES = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "M-3.5-3.5H3.5V3.5H-3.5Z",
    "M0-5L4.6 3.5H-4.6Z",
    "M0-5L5 0L0 5L-5 0Z",
    "M0 5L4.6-3.5H-4.6Z",
)
"""Markers of the controls: they are told apart by shape too, never by colour alone."""


def gain_pictures(section: TableSection) -> str:
    """A picture per classifier, all on one scale: every draw's difference, the mean, and its 95 % t interval."""
    table = section.table
    panels = {
        classifier: gains
        for classifier in table.classifiers
        if (gains := [g for g in judged(table) if g.cell.classifier == classifier and any(g.against.values())])
    }
    if not panels:
        return ""
    marks = _ticks([v for gains in panels.values() for gain in gains for v in _values(gain)])
    pictures = []
    for classifier, gains in panels.items():
        caption = f"Δ{table.scores.main.name} with {table.labels[classifier]}, in percentage points"
        drawing = _forest(section, gains, marks, caption)
        pictures.append(figure(drawing, caption, classifier=table.labels[classifier]))
    keys = "".join(
        f'<span><svg viewBox="-8 -8 16 16" class="key" aria-hidden="true">{_marker(i, "0")}</svg>over {name}</span>'
        for i, name in enumerate(_order(table))
    )
    legend = (
        f'<p class="legend">{keys}'
        "<span>small dots: draws; large mark: mean; bar: 95 % t interval of the mean, not corrected</span></p>"
    )
    return f'<div class="panels">{"".join(pictures)}</div>{legend}'


def _values(gain: Gain) -> list[float]:
    """Every place that its row must show, in points."""
    tests = [comparison.main for comparison in gain.against.values() if comparison is not None]
    return [100 * d for test in tests for d in (*test.differences, *(test.interval or ()))]


def _ticks(values: Sequence[float]) -> list[float]:
    """Round numbers, in equal steps, that enclose the values and 0."""
    from matplotlib.ticker import MaxNLocator

    return [
        float(v) for v in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(min(0.0, *values), max(0.0, *values))
    ]


def _order(table: Table) -> tuple[str, ...]:
    """The controls, the one that is harder to beat first, and those that only some arms need last."""
    return "duplicate", "none", *table.further_controls


def _forest(section: TableSection, gains: Sequence[Gain], marks: Sequence[float], caption: str) -> str:
    """Rows are arms; the lines of a row are the gains over duplicate, over none, and over further controls."""

    def x(points: float) -> str:
        return f"{MARGIN + (points - marks[0]) / (marks[-1] - marks[0]) * (WIDTH - 2 * MARGIN):.1f}"

    table, rows, y = section.table, [], TOP
    for gain in gains:
        name, cell = table.arm_label(gain.cell.arm), section.cell_id(gain.cell)
        short = name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 + 1 :]}"
        whole = f"<title>{escape(name)}</title>" if short != name else ""
        text = f'<text x="2" y="{y + 13}" class="row" text-anchor="start">{whole}{escape(short)}</text>'
        rows.append(_marks_of(name, cell, text))
        y += NAME
        for place, control in enumerate(_order(table)):
            if comparison := gain.against.get(control):
                rows.append(
                    f'<g class="f{place}" transform="translate(0 {y})">'
                    f"{_marks_of(f'{name} over {control}', cell, _line(comparison, x, place))}</g>"
                )
                y += LINE
    axis = [
        f'<line class="{"grid" if m else "zero"}" x1="{x(m)}" x2="{x(m)}" y1="{TOP}" y2="{y}"/>'
        f'<text x="{x(m)}" y="{TOP - 8}" class="tick" text-anchor="middle">{f"{m:+g}" if m else "0"}</text>'
        for m in marks
    ]
    shown = f'<svg class="chart" viewBox="0 0 {WIDTH} {y + 6}" role="img" aria-label="{escape(caption)}">'
    return f"{shown}{''.join([*axis, *rows])}</svg>"


def _marks_of(name: str, cell: str, html: str) -> str:
    """Marks of one arm, whose name stands before what each of them says."""
    return f'<g data-of="{escape(name)}"{known_by(cell=cell)}>{html}</g>'


def _line(comparison: Comparison, x: Callable[[float], str], place: int) -> str:
    """The interval, the draws, and their mean, which comes last to lie on top."""
    test, parts = comparison.main, []
    if test.interval:
        low, high = (x(100 * end) for end in test.interval)
        parts.append(f'<path class="s{place} mean" d="M{low} 0H{high}"/>')
    parts += [
        f'<circle class="draw" cx="{x(100 * d)}" r="3.2"{tip(f"draw {arm.seed}: {signed(d)}")}/>'
        for (arm, _), d in zip(comparison.pairs, test.differences, strict=True)
    ]
    mean = f"{with_interval(test.mean, test.interval)}, {p_said(test.p_holm)}"
    said = f"{mean}, mean of {count(len(test.differences), 'draw')}"
    return "".join([*parts, _marker(place, x(100 * test.mean), said)])


def _marker(place: int, x: str, said: str = "") -> str:
    """The marker of a control, in its colour. said: what its values are."""
    return f'<path class="f{place}" d="{SHAPES[place]}" transform="translate({x} 0)"{tip(said)}/>'
