"""What location alone answers for: protocols of one scene, the score of none beside that of ``coords``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hsiaug.metrics.significance import t_interval
from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import reference
from hsiaug.report.html.markup import escape, figure, tip
from hsiaug.report.html.svg import WIDTH, Scale, label, marks_of, picture
from hsiaug.report.labels import percent
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.trial.arm import Method

__all__ = ["protocol_pictures"]

TOP, NAME, ROW = 22, 18, 36
"""Heights of what stands above all rows, of a protocol's name, and of a row."""
MARKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
HOW_TO_READ = (
    "Score of none under each protocol of a scene, mean over the draws with its 95 % t interval; hollow: coords, which "
    "reads row and column and no band. What coords reaches, a classifier may owe to location alone; a protocol under "
    "which it reaches much says little of new ground."
)


def protocol_pictures(report: Report) -> str:
    """A panel per scene and classifier that was run under several protocols; empty where there is none."""
    scenes: dict[tuple[str, str, str, int, str], list[Table]] = {}
    for table in report.tables:
        one = table.condition
        if one.protocol != ADDED:
            scenes.setdefault((table.run, one.scene, one.task, one.patch, one.scene_sha256), []).append(table)
    pictures = "".join(figure for tables in scenes.values() for figure in _scene(tables))
    return f'<div class="panels">{pictures}</div><p class="note">{escape(HOW_TO_READ)}</p>' if pictures else ""


def _scene(tables: Sequence[Table]) -> list[str]:
    """A picture per classifier: protocols under which location answers for least come first."""
    metric, blind = tables[0].scores.main, {table: _blind(table) for table in tables}
    panels: dict[Method, dict[Table, ArmCell]] = {}
    for table in sorted(tables, key=lambda table: _mean(blind[table], metric.key)):
        for classifier in table.classifiers:
            if (none := reference(table, classifier)) is not None and none.values(metric.key):
                panels.setdefault(classifier, {})[table] = none
    pictures = []
    for classifier, cells in panels.items():
        if len(cells) > 1:
            named = max((table.labels[classifier] for table in cells), key=len)
            caption = f"{metric.name} (%) of none by protocol, {tables[0].condition.scene}, {named}"
            pictures.append(figure(_drawing(cells, blind, named, caption), caption))
    return pictures


def _blind(table: Table) -> ArmCell | None:
    """The cell of ``coords`` without synthetic samples."""
    found = [c for c in table.blind if c.classifier.name == "coords" and c.arm.generator.name == "none" and c.ok]
    return max(found, key=lambda cell: len(cell.ok), default=None)


def _mean(cell: ArmCell | None, metric: str) -> float:
    summary = cell.summary(metric) if cell else None
    return summary.mean if summary else 2.0


def _ends(cell: ArmCell, metric: str) -> tuple[float, float]:
    """Interval of the mean, of which none beyond 0 and 1 is drawn; the mean twice for a single draw."""
    values = cell.values(metric)
    low, high = t_interval(values) or (values[0], values[0])
    return max(low, 0.0), min(high, 1.0)


def _drawing(
    cells: Mapping[Table, ArmCell],
    blind: Mapping[Table, ArmCell | None],
    classifier: str,
    caption: str,
) -> str:
    x = Scale(0, 1, 14, WIDTH - 14)
    foot = TOP + ROW * len(cells)
    parts = [f'<line class="grid" x1="{x(m)}" x2="{x(m)}" y1="{TOP}" y2="{foot}"/>' for m in MARKS]
    parts += [label(x(m), TOP - 8, percent(m).removesuffix(".0"), "tick") for m in MARKS]
    for i, (table, none) in enumerate(cells.items()):
        y, metric = TOP + ROW * i, table.scores.main
        parts.append(label(2, y + 14, _protocol(table), "row", "start"))
        shown = [(none, classifier, "f0 edge"), (blind[table], "coords", "s1 hollow")]
        found = [(cell, name, kind) for cell, name, kind in shown if cell and cell.values(metric.key)]
        for cell, name, kind in reversed(found):
            parts.append(_mark(cell, f"{_protocol(table)}, {name}", kind, metric.key, x, y + NAME + 8))
    return picture(foot + 6, caption, parts)


def _protocol(table: Table) -> str:
    """``random:0.05, no buffer, LEAKY``."""
    one = table.condition
    name = ":".join(filter(None, (one.protocol, one.argument.split("#")[0])))
    buffer = "no buffer" if one.buffer == "none" else f"{one.buffer} buffer"
    return f"{name}, {buffer}{', LEAKY' if table.leaky else ''}"


def _mark(cell: ArmCell, name: str, kind: str, metric: str, x: Scale, y: float) -> str:
    values, (low, high) = cell.values(metric), _ends(cell, metric)
    mean = sum(values) / len(values)
    interval = f" [{percent(low)}, {percent(high)}]" if len(values) > 1 else ""
    said = tip(f"{percent(mean)}{interval} %, n = {len(values)}")
    bar = f'<path class="{"s0" if kind.startswith("f0") else "s1"} mean" d="M{x(low)} {y}H{x(high)}"/>'
    return marks_of(name, [bar, f'<circle class="{kind}" cx="{x(mean)}" cy="{y}" r="4.5"{said}/>'])
