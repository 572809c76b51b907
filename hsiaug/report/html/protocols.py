"""The score of ``none`` under each protocol of a scene, beside what location alone reaches."""

from __future__ import annotations

from collections.abc import Sequence

from hsiaug.metrics.significance import t_interval
from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import reference
from hsiaug.report.html.markup import escape, plain_grid
from hsiaug.report.labels import MISSING, percent
from hsiaug.report.tables import ADDED, Report, Table

__all__ = ["protocol_tables"]

HOW_TO_READ = (
    "Mean over the draws with its 95 % t interval. coords reads row and column and no band: what it reaches, a "
    "classifier may owe to location alone, and a protocol under which it reaches much says little of new ground."
)


def protocol_tables(report: Report) -> str:
    """A table for each scene that was run under several protocols; empty where there is none."""
    scenes: dict[tuple[str, str, str, int, str], list[Table]] = {}
    for table in report.tables:
        one = table.condition
        if one.protocol != ADDED:
            scenes.setdefault((table.run, one.scene, one.task, one.patch, one.scene_sha256), []).append(table)
    tables = "".join(_scene(found) for found in scenes.values() if len(found) > 1)
    return f'{tables}<p class="note">{escape(HOW_TO_READ)}</p>' if tables else ""


def _scene(tables: Sequence[Table]) -> str:
    """A row for each protocol; those under which location answers for least come first."""
    metric = tables[0].scores.main
    labels = {classifier: table.labels[classifier] for table in tables for classifier in table.classifiers}
    rows = []
    for table in tables:
        blind = _blind(table)
        scores = [_score(reference(table, classifier), metric.key) for classifier in labels]
        rank = sum(values) / len(values) if blind and (values := blind.values(metric.key)) else 2.0
        rows.append((rank, (_protocol(table), _score(blind, metric.key), *scores)))
    heading = f"{metric.name} (%) of none by protocol, {tables[0].condition.scene}"
    ordered = [row for _, row in sorted(rows, key=lambda entry: entry[0])]
    return plain_grid(heading, ("protocol", "coords", *labels.values()), ordered)


def _blind(table: Table) -> ArmCell | None:
    """The cell of ``coords`` without synthetic samples."""
    found = [c for c in table.blind if c.classifier.name == "coords" and c.arm.generator.name == "none" and c.ok]
    return max(found, key=lambda cell: len(cell.ok), default=None)


def _protocol(table: Table) -> str:
    """``random:0.05, no buffer, LEAKY``."""
    one = table.condition
    name = ":".join(filter(None, (one.protocol, one.argument.split("#")[0])))
    buffer = "no buffer" if one.buffer == "none" else f"{one.buffer} buffer"
    return f"{name}, {buffer}{', LEAKY' if table.leaky else ''}"


def _score(cell: ArmCell | None, metric: str) -> str:
    """``60.0 [58.2, 61.8]``: a mean with its interval, which is cut at 0 and 1."""
    values = cell.values(metric) if cell else []
    if not values:
        return MISSING
    interval = t_interval(values)
    ends = f" [{percent(max(interval[0], 0.0))}, {percent(min(interval[1], 1.0))}]" if interval else ""
    return f"{percent(sum(values) / len(values))}{ends}"
