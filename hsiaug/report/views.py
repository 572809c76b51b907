"""The ways to look at a table: by generator, classifier, class or seed, by what it cost, and along λ or ω."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import attrgetter

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.metrics.significance import t_interval
from hsiaug.report.across import known_pools
from hsiaug.report.asked_labels import asked_pages
from hsiaug.report.cells import ArmCell, CellKey
from hsiaug.report.compare import Comparison
from hsiaug.report.curves import axis_of, curve_grids, curve_notes
from hsiaug.report.failures import table_page
from hsiaug.report.findings import FINDINGS, verdict, verdict_text
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage, make_grid
from hsiaug.report.labels import MISSING, p_text, percent, signed
from hsiaug.report.matrix import summary_pages
from hsiaug.report.measured import measured_grids
from hsiaug.report.notes import control_notes, number_notes, significance_note, table_notes
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.views_alone import alone_grid
from hsiaug.report.views_raw import (
    arm_columns,
    class_grids,
    classifier_column,
    cost_grids,
    diagnosis_grid,
    metric_text,
    seed_grids,
)
from hsiaug.trial.arm import Arm, Method

SHORT = {"duplicate": "dup.", "duplicate-balanced": "bal."}
"""Names of controls in narrow columns."""
LABELS, SCENE, SUMMARY = "labels", "scene", "summary"
"""Views of several tables at once; the first reads predictions too."""


def check_view(by: str) -> None:
    """Raise InputError for a view that does not exist."""
    known = (SUMMARY, *VIEWS, SCENE, LABELS)
    if by not in known:
        raise InputError(f"`by` must be one of {', '.join(known)}", value=repr(by), hint=did_you_mean(by, known))


def pages(report: Report, by: str) -> tuple[ReportPage, ...]:
    """A page per table of the report.

    Raises InputError for an unknown view, by labels where there is no curve, and by scene below three scenes.
    """
    check_view(by)
    if by == LABELS:
        from hsiaug.report.views_labels import label_pages

        return label_pages(report)
    if by == SCENE:
        known_pools(report)
    made = tuple(_page(table, report.where, by) for table in report.tables if by in VIEWS)
    if by not in ("generator", SCENE, SUMMARY):
        return made
    asked = () if by == SCENE else asked_pages(report)
    return (*made, *asked, *summary_pages(report, _worths(report), alone=by == SUMMARY, pooled=by == SCENE))


def _worths(report: Report) -> dict[Table, dict[CellKey, str]]:
    """How many labels each arm and classifier is worth, where the store holds its learning curve."""
    if all(table.condition.protocol != ADDED for table in report.tables):
        return {}
    # Reads predictions and scenes, and so loads numerical libraries.
    from hsiaug.report.scenes.label_curves import label_curves
    from hsiaug.report.views_labels import main_worths

    return main_worths(label_curves(report))


def _page(table: Table, where: str, by: str) -> ReportPage:
    notes = table_notes(table) if by == "generator" else number_notes(table)
    if by in ("gain", "classifier") and table.gains:
        notes += control_notes(table) + significance_note(table)
    if axis := axis_of(by):
        notes += curve_notes(table, axis)
        notes.append("none has no synthetic sample: it is λ = 0 of every generator, at any ω.")
    page = table_page(table, where, VIEWS[by](table), notes)
    return replace(page, verdict=verdict(table)) if by == "generator" else page


def _accuracy(table: Table) -> Grid:
    """Rows generator × λ × ω, columns classifiers with the metrics of the task."""
    columns = keys = arm_columns(table, lambda arm: arm)
    for classifier in table.classifiers:
        entries: dict[str, Callable[[ArmCell], str]] = {
            score.name: partial(metric_text, score.key) for score in (*table.scores.shown, *table.brief_fields)
        }
        if any(len(cell.ok) < len(table.draws) for cell in table.cells_of(classifier)):
            entries["n"] = _n
        columns = columns + [
            GridColumn(
                name,
                partial(_of_classifier, table, classifier, text),
                group=table.labels[classifier],
                best=name != "n",
            )
            for name, text in entries.items()
        ]
    return make_grid("Accuracy", columns, table.arms, keys=len(keys), block=attrgetter("control"))


def _of_classifier(table: Table, classifier: Method, text: Callable[[ArmCell], str], arm: Arm) -> GridEntry:
    """Return the field of an arm with a classifier, filled by ``text``."""
    cell = table.cells.get((arm, classifier))
    return GridEntry(text(cell), cell) if cell else GridEntry(MISSING)


def _n(cell: ArmCell) -> str:
    return str(len(cell.ok))


def _gains(table: Table) -> Grid:
    """Rows classifier × arm: what each arm gains over each control, and the verdict."""
    keys = [classifier_column(table), *arm_columns(table)]
    columns = [
        *keys,
        *(
            GridColumn(f"Δ{score.name}", partial(_against, table, control, text), f"vs {control}")
            for control in table.controls
            for score, text in ((table.scores.main, _main), (table.scores.second, _second))
        ),
        GridColumn("pairs", partial(_pairs, table)),
        GridColumn("verdict", partial(_verdict, table), numeric=False),
    ]
    cells = [cell for cell in table.by_classifier if table.gain(cell)]
    return make_grid("Gain over the controls", columns, cells, keys=len(keys), block=attrgetter("classifier"))


def _verdict(table: Table, cell: ArmCell) -> GridEntry:
    gain = table.gain(cell)
    if gain is None:
        return GridEntry(MISSING)
    return GridEntry(verdict_text(table, gain), tone=FINDINGS[gain.verdict.finding].tone if gain.verdict else "")


def _classifier_grids(table: Table) -> tuple[Grid, ...]:
    """Rows classifier × arm: all metrics, the interval of the main one, and the corrected tests."""
    main = table.scores.main
    keys = [classifier_column(table), *arm_columns(table)]
    columns = [
        *keys,
        *(GridColumn(score.name, partial(metric_text, score.key), "accuracy") for score in table.metrics),
        GridColumn("n", _n, "accuracy"),
        *(
            GridColumn(f"AA {subset}", partial(metric_text, f"subset:{subset}"), f"{main.name} in detail")
            for subset in table.subsets
        ),
        GridColumn(f"{main.name} 95 %", partial(_interval, main.key), f"{main.name} in detail"),
    ]
    for control in table.controls:
        short = SHORT.get(control, control)
        columns.append(GridColumn(f"Δ{main.name} {short}", partial(_against, table, control, _main), "controls"))
        columns.append(GridColumn(f"p {short}", partial(_against, table, control, _p), "controls"))
    heading, cells = f"Every metric, and the tests on {main.name}", table.by_classifier
    return (make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("classifier")),)


def _interval(metric: str, cell: ArmCell) -> str:
    values = cell.values(metric)
    interval = t_interval(values) if values else None
    return f"[{percent(interval[0])}, {percent(interval[1])}]" if interval else MISSING


def _against(table: Table, control: str, text: Callable[[Comparison], str], cell: ArmCell) -> str:
    """Return ``text`` of the comparison with a control, if there is one."""
    found = table.against(cell).get(control)
    return text(found) if found else MISSING


def _main(comparison: Comparison) -> str:
    return signed(comparison.main.mean)


def _second(comparison: Comparison) -> str:
    return signed(comparison.second.mean if comparison.second else None)


def _p(comparison: Comparison) -> str:
    return p_text(comparison.main.p_holm)


def _pairs(table: Table, cell: ArmCell) -> str:
    counts = [len(c.pairs) if c else 0 for c in table.against(cell).values()]
    if not cell.arm.judged:
        counts = counts[:1]
    return "/".join(str(n) for n in (counts if len(set(counts)) > 1 else counts[:1]))


VIEWS: dict[str, Callable[[Table], tuple[Grid, ...]]] = {
    "generator": lambda table: (_accuracy(table), _gains(table), alone_grid(table), diagnosis_grid(table)),
    "gain": lambda table: (_gains(table),),
    "classifier": _classifier_grids,
    "class": class_grids,
    "seed": seed_grids,
    "cost": cost_grids,
    "lambda": lambda table: curve_grids(table, "lambda"),
    "times": lambda table: curve_grids(table, "times"),
    "omega": lambda table: (*curve_grids(table, "omega"), *measured_grids(table)),
}
