"""The ways to look at a table: by generator, classifier, class or seed, by what it cost, and along λ or ω."""

from __future__ import annotations

from collections.abc import Callable

from hsiaug.errors import InputError, did_you_mean
from hsiaug.metrics.significance import t_interval
from hsiaug.report.audit import audit_lines, warnings
from hsiaug.report.cells import Cell
from hsiaug.report.compare import Comparison, Gain
from hsiaug.report.curve_notes import curve_notes
from hsiaug.report.curves import curve_grids
from hsiaug.report.failures import failure_heading, failure_lines
from hsiaug.report.findings import verdict, verdict_text
from hsiaug.report.grid import Column, Grid, Page, across, arm_columns, changes
from hsiaug.report.labels import MISSING, p_text, percent, plus_minus, signed
from hsiaug.report.notes import control_notes, number_notes, significance_note, verdict_note
from hsiaug.report.tables import Report, Table
from hsiaug.report.views_raw import class_grids, cost_grids, seed_grids
from hsiaug.trial.arm import CONTROLS

__all__ = ["VIEWS", "check_view", "pages"]


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    if by not in VIEWS:
        raise InputError(f"--by must be one of {', '.join(VIEWS)}", value=repr(by), hint=did_you_mean(by, VIEWS))


def pages(report: Report, by: str) -> tuple[Page, ...]:
    """A page per table of the report. Raises InputError for an unknown view."""
    check_view(by)
    return tuple(_page(table, report.where, by) for table in report.tables)


def _page(table: Table, where: str, by: str) -> Page:
    notes = number_notes(table)
    if by in ("generator", "classifier") and table.gains:
        notes += control_notes(table) + significance_note(table)
    if by == "generator":
        notes += verdict_note(table)
    if by in ("lambda", "omega"):
        notes += curve_notes(table, "lambda" if by == "lambda" else "omega")
        notes.append("none has no synthetic sample: it is λ = 0 of every generator, at any ω.")
    return Page(
        title=table.title,
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table),
        grids=tuple(grid for grid in VIEWS[by](table) if grid.rows),
        notes=tuple(notes),
        audit=audit_lines(table, where),
        verdict=verdict(table) if by == "generator" else (),
    )


def _generator_grids(table: Table) -> tuple[Grid, ...]:
    return _scores(table), _gains(table)


def _scores(table: Table) -> Grid:
    """Rows generator × λ × ω, columns classifiers with the metrics of the task."""
    short = {c for (_, c), cell in table.cells.items() if len(cell.ok) < len(table.draws)}
    keys = arm_columns(table.guided)
    columns = list(keys)
    for classifier in table.classifiers:
        headers = [score.name for score in table.scores.shown] + (["n"] if classifier in short else [])
        columns += [Column(header, group=table.labels[classifier]) for header in headers]
    rows, cells = [], []
    for arm in table.arms:
        texts: list[str] = []
        owners: list[Cell | None] = []
        for classifier in table.classifiers:
            cell = table.cells.get((arm, classifier))
            texts += [_metric_text(cell, score.key) for score in table.scores.shown]
            texts += [str(len(cell.ok)) if cell else MISSING] if classifier in short else []
            owners += [cell] * (len(texts) - len(owners))
        rows.append((*table.arm_texts(arm), *texts))
        cells.append(tuple(owners))
    first = next((i for i, arm in enumerate(table.arms) if not arm.control), 0)
    return Grid("Accuracy", tuple(columns), tuple(rows), len(keys), frozenset({first} - {0}), tuple(cells))


def _gains(table: Table) -> Grid:
    """Rows classifier × arm: what each arm gains over either control, and the verdict."""
    main, second = table.scores.main.name, table.scores.second.name
    columns = (
        Column("classifier", numeric=False),
        *arm_columns(table.guided),
        *(Column(header, group=f"vs {control}") for control in CONTROLS for header in (f"Δ{main}", f"Δ{second}")),
        Column("pairs"),
        Column("verdict", numeric=False),
    )
    rows, cells = [], []
    for classifier in table.classifiers:
        for arm in table.arms:
            gain = table.gains.get((arm, classifier))
            if gain is not None:
                texts = [*_delta_texts(gain.none), *_delta_texts(gain.duplicate), _pairs(gain)]
                texts.append(verdict_text(table, gain))
                rows.append((table.labels[classifier], *table.arm_texts(arm), *texts))
                cells.append(gain.cell)
    keys = 1 + len(arm_columns(table.guided))
    breaks, owners = changes([row[0] for row in rows]), across(cells, columns, keys)
    return Grid("Gain over the controls", columns, tuple(rows), keys, breaks, owners)


def _classifier_grids(table: Table) -> tuple[Grid, ...]:
    """Rows classifier × arm: all metrics, the interval of the main one, and the corrected tests."""
    main = table.scores.main.name
    keys = (Column("classifier", numeric=False), *arm_columns(table.guided))
    columns = (
        *keys,
        *(Column(name, group="accuracy") for name in (*(score.name for score in table.scores.all), "n")),
        *(Column(f"AA {subset}", group=f"{main} in detail") for subset in table.subsets),
        Column(f"{main} 95 %", group=f"{main} in detail"),
        *(Column(name, group="controls") for name in (f"Δ{main} none", "p none", f"Δ{main} dup.", "p dup.")),
    )
    rows, cells = [], []
    for classifier in table.classifiers:
        for arm in table.arms:
            cell = table.cells.get((arm, classifier))
            if cell is not None:
                numbers = [_metric_text(cell, score.key) for score in table.scores.all]
                subsets = [_metric_text(cell, f"subset:{subset}") for subset in table.subsets]
                texts = [*numbers, str(len(cell.ok)), *subsets, _interval(cell, table.scores.main.key)]
                tests = _test_texts(table.gains.get((arm, classifier)))
                rows.append((table.labels[classifier], *table.arm_texts(arm), *texts, *tests))
                cells.append(cell)
    breaks, owners = changes([row[0] for row in rows]), across(cells, columns, len(keys))
    return (Grid(f"Every metric, and the tests on {main}", columns, tuple(rows), len(keys), breaks, owners),)


def _metric_text(cell: Cell | None, metric: str) -> str:
    """``48.2 ± 3.1``; with its n where some trials that went well lack the number; where none has it, why."""
    if cell is None:
        return MISSING
    summary = cell.summary(metric)
    if summary is None:
        return cell.blank
    return plus_minus(summary) + (f" (n={summary.n})" if summary.n < len(cell.ok) else "")


def _delta_texts(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return [MISSING, MISSING]
    return [signed(comparison.main.mean), signed(comparison.second.mean if comparison.second else None)]


def _pairs(gain: Gain) -> str:
    counts = [len(c.pairs) if c else 0 for c in (gain.none, gain.duplicate)]
    if gain.cell.arm.control:
        counts = counts[:1]
    return "/".join(str(n) for n in dict.fromkeys(counts))


def _interval(cell: Cell, metric: str) -> str:
    values = cell.values(metric)
    interval = t_interval(values) if values else None
    return f"[{percent(interval[0])}, {percent(interval[1])}]" if interval else MISSING


def _test_texts(gain: Gain | None) -> list[str]:
    texts = []
    for comparison in (gain.none, gain.duplicate) if gain else (None, None):
        texts += [signed(comparison.main.mean), p_text(comparison.p_holm)] if comparison else [MISSING, MISSING]
    return texts


VIEWS: dict[str, Callable[[Table], tuple[Grid, ...]]] = {
    "generator": _generator_grids,
    "classifier": _classifier_grids,
    "class": class_grids,
    "seed": seed_grids,
    "cost": cost_grids,
    "lambda": lambda table: curve_grids(table, "lambda"),
    "omega": lambda table: curve_grids(table, "omega"),
}
