"""Gains as pictures and tables: per draw against each control, and per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from hsiaug.metrics.significance import MeanStd
from hsiaug.report.compare import Gain, PairedTest, class_deltas
from hsiaug.report.findings import judged
from hsiaug.report.grid import GridColumn, GridEntry, make_grid
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, figure, grid_table
from hsiaug.report.html.svg import WIDTH, Scale, label, picture, ticks
from hsiaug.report.labels import MISSING, signed
from hsiaug.report.tables import Table
from hsiaug.trial.arm import Method

__all__ = ["class_gains", "gain_pictures"]

NAME, LINE, TOP = 24, 14, 22
"""Heights of an arm's name, of the line of a control below it, and of what stands above all arms, in pixels."""


def gain_pictures(table: Table) -> str:
    """A picture per classifier: every draw's difference, the mean, and its 95 % t interval."""
    main = table.scores.main.name
    pictures = []
    for classifier in table.classifiers:
        gains = [g for g in judged(table) if g.cell.classifier == classifier and any(g.against.values())]
        if gains:
            caption = f"Δ{main} with {table.labels[classifier]}, in percentage points"
            pictures.append(figure(_forest(table, gains, caption), caption))
    if not pictures:
        return ""
    keys = "".join(f'<span><i class="k{i}"></i>over {name}</span>' for i, name in enumerate(_order(table)))
    legend = (
        f'<p class="legend">{keys}'
        "<span>small dots: draws; large mark: mean; bar: 95 % t interval of the mean</span></p>"
    )
    return f'<div class="panels">{"".join(pictures)}</div>{legend}'


def _order(table: Table) -> tuple[str, ...]:
    """The controls, the one that is harder to beat first, and those that only some arms need last."""
    return "duplicate", "none", *table.further_controls


def _forest(table: Table, gains: Sequence[Gain], caption: str) -> str:
    """Rows are arms; the lines of a row are the gains over duplicate, over none, and over further controls."""
    values = [0.0]
    for gain in gains:
        for comparison in gain.against.values():
            if comparison is not None:
                test = comparison.main
                values += [100 * d for d in (*test.differences, *(test.interval or ()))]
    marks = ticks(values)
    x = Scale(marks[0], marks[-1], 14, WIDTH - 14)
    row = NAME + LINE * len(_order(table))
    bottom = TOP + row * len(gains)
    parts = [f'<line class="{"zero" if m == 0 else "grid"}" x1="{x(m)}" x2="{x(m)}" y1="{TOP}" y2="{bottom}"/>'
             for m in marks]  # fmt: skip
    parts += [label(x(m), TOP - 8, f"{m:+g}" if m else "0", "tick") for m in marks]
    for i, gain in enumerate(gains):
        y = TOP + row * i
        parts.append(label(2, y + 13, table.arm_label(gain.cell.arm), "row", "start"))
        for j, control in enumerate(_order(table)):
            if comparison := gain.against.get(control):
                parts += _line(comparison.main, x, y + NAME + LINE * j, j)
    return picture(bottom + 6, caption, parts)


def _line(test: PairedTest, x: Scale, y: float, place: int) -> list[str]:
    parts = []
    if test.interval:
        low, high = (x(100 * end) for end in test.interval)
        parts.append(f'<line class="s{place} mean" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
    parts += [f'<circle class="f{place} draw" cx="{x(100 * d)}" cy="{y}" r="3.2"/>' for d in test.differences]
    mean = x(100 * test.mean)
    return [*parts, f'<rect class="f{place} edge" x="{float(mean) - 4:.1f}" y="{y - 4}" width="8" height="8"/>']


def class_gains(section: TableSection) -> str:
    """Per classifier: recall of every class, arm minus control, with bars."""
    made = {section.table.labels[c]: _class_table(section, c) for c in section.table.classifiers}
    tables = {name: html for name, html in made.items() if html}
    if len(tables) == 1:
        return next(iter(tables.values()))
    return "".join(details(name, html, opened=i == 0) for i, (name, html) in enumerate(tables.items()))


def _class_table(section: TableSection, classifier: Method) -> str:
    table = section.table
    ids = range(1, len(table.class_names) + 1)
    compared = [
        (gain, control, class_deltas(comparison, len(ids)))
        for gain in judged(table)
        for control in _order(table)
        if gain.cell.classifier == classifier and (comparison := gain.against.get(control)) is not None
    ]
    if not compared or not ids:
        return ""
    most = max((abs(d.mean) for _, _, deltas in compared for d in deltas.values()), default=0.0) or 1.0
    columns = [GridColumn("class", lambda i: table.class_names[i - 1], numeric=False)]
    columns += [
        GridColumn(f"Δ {control}", partial(_delta, gain, deltas, most), group=table.arm_label(gain.cell.arm))
        for gain, control, deltas in compared
    ]
    heading = f"Gain in recall per class, {table.labels[classifier]} (points; mean over paired draws)"
    return grid_table(make_grid(heading, columns, ids), section.cell_id)


def _delta(gain: Gain, deltas: Mapping[int, MeanStd], most: float, class_id: int) -> GridEntry:
    delta = deltas.get(class_id)
    if delta is None:
        return GridEntry(MISSING)
    return GridEntry(signed(delta.mean), gain.cell, bar=delta.mean / most)
