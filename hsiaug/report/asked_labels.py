"""Labels that were asked for: every arm by their number and strategy, over the same test pixels of each draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from hsiaug.metrics.significance import t_interval
from hsiaug.protocol.asked import STRATEGIES, AskedLabels, read_asked
from hsiaug.report.cells import CellKey
from hsiaug.report.curves import reference
from hsiaug.report.grid import Grid, GridColumn, ReportPage, make_grid
from hsiaug.report.labels import MISSING, percent, with_interval
from hsiaug.report.records import Condition
from hsiaug.report.tables import ASKED, Report, Table
from hsiaug.report.views_raw import arm_columns
from hsiaug.trial.hashing import canonical_json

NOTE = (
    "Mean in percent, and what it is above none with the fewest asked labels: mean paired difference in points and its "
    "95 % t interval, not corrected for the number of arms. The test pixels of a draw are the same in all columns."
)
AskedTable = tuple[AskedLabels, Table]


def asked_tables(report: Report) -> dict[tuple[str, Condition], list[AskedTable]]:
    """The tables of asked labels by run and condition without what is asked, the fewest labels first."""
    found: dict[tuple[str, Condition], list[AskedTable]] = {}
    for table in report.tables:
        condition = table.condition
        if condition.protocol == ASKED and (said := read_asked(condition.argument)) is not None:
            # Strategies differ in the committee whose versions they name.
            rest = {key: v for key, v in json.loads(condition.rest).items() if key != "protocol_version"}
            key = replace(condition, argument=said.base, rest=canonical_json(rest))
            found.setdefault((table.run, key), []).append((said, table))
    for tables in found.values():
        tables.sort(key=lambda one: (one[0].number, STRATEGIES.index(one[0].strategy), -one[0].batch))
    return found


def asked_pages(report: Report) -> tuple[ReportPage, ...]:
    """A page with a grid for each scene that was asked in several ways; none where none was."""
    grids = [_grid(tables) for tables in asked_tables(report).values() if len(tables) > 1]
    return (ReportPage("Labels that were asked for", grids=tuple(grids), notes=(NOTE,)),) if grids else ()


def _grid(tables: Sequence[AskedTable]) -> Grid:
    """Rows classifier × arm, columns strategy and number."""
    said, first = tables[0]
    widest = max((table for _, table in tables), key=lambda table: len(table.cells))
    classes = sum(1 for n in next(iter(first.splits.values()), {}).get("train_counts", ()) if n)
    most = tables[-1][0].number
    keys = [
        GridColumn("classifier", lambda key: widest.labels[key[1]], numeric=False),
        *arm_columns(widest, lambda key: key[0]),
    ]
    columns = [
        GridColumn(f"{asked.number} asked", partial(_entry, first, table), _how(asked) if asked.number else "")
        for asked, table in tables
    ]
    scene = first.condition.scene
    heading = (
        f"{scene}, {said.base}: {first.scores.main.name}; {most} labels are {most / max(1, classes):.1f} per class"
    )
    return make_grid(heading, [*keys, *columns], widest.cells, keys=len(keys), block=lambda key: key[1])


def _how(asked: AskedLabels) -> str:
    """The strategy, and the size of its batches where there are several."""
    return asked.strategy + (f", batches of {asked.batch}" if asked.batch < asked.number else "")


def _entry(first: Table, table: Table, key: CellKey) -> str:
    """``71.2 (+8.4 [+6.1, +10.7])``: an arm's score, and its gain over ``none`` with the fewest asked labels."""
    cell, score = table.cells.get(key), table.scores.main.key
    summary = cell.summary(score) if cell else None
    if cell is None or summary is None:
        return cell.blank if cell else MISSING
    plain = reference(first, key[1])
    before = {trial.seed: trial.metric(score) for trial in plain.ok} if plain else {}
    gains = [
        v - u for t in cell.ok if (v := t.metric(score)) is not None and (u := before.get(t.seed)) is not None
    ]
    if not gains or (plain and cell.ok == plain.ok):
        return percent(summary.mean)
    return f"{percent(summary.mean)} ({with_interval(sum(gains) / len(gains), t_interval(gains))})"
