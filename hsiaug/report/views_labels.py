"""The view by labels: learning curves of ``none`` over added labels, and how many labels each arm is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.metrics.label_equivalents import RESAMPLES, LabelEquivalent
from hsiaug.report.audit import audit_lines, warnings
from hsiaug.report.cells import CellKey
from hsiaug.report.failures import failure_heading, failure_lines
from hsiaug.report.findings import verdict_text
from hsiaug.report.grid import Grid, GridColumn, GridEntry, ReportPage, make_grid
from hsiaug.report.labels import MISSING, count, count_range, decimal, draws_text, plus_minus
from hsiaug.report.scenes.label_curves import SCORES, ArmWorth, LabelCurve, label_curves
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Report, Table
from hsiaug.report.views_raw import arm_columns, classifier_column, diagnosis_grid
from hsiaug.trial.store import Store

__all__ = [
    "LabelRow",
    "curve_label",
    "curves_of",
    "label_grids",
    "label_notes",
    "label_pages",
    "labels_text",
    "main_worths",
    "said",
    "worth_text",
    "worth_verdicts",
]

MANY = 10
"""Draws below which a note says that intervals are too narrow."""
NAMES = {"aa": "in AA", "oa": "in OA", "aa_new": "in new fields", "worst_recall": "in the worst class"}
WORTH = "Label equivalents k*, with 95 % intervals"
WHERE = {"scattered": "scattered", "field": "one per field", "clump": "in the clump"}


class LabelRow(NamedTuple):
    """What a row of a grid is about."""

    curve: LabelCurve
    about: Any

    @property
    def classifier(self) -> Any:
        """As other rows name it."""
        return self.curve.classifier


def curves_of(report: Report, store: Store | None = None) -> list[LabelCurve]:
    """The curves of a report. Raises InputError where there are none.

    store: None for the one that the report names.
    """
    found = label_curves(report, store)
    if not found:
        raise InputError(
            "`by` labels needs a learning curve over added labels, with its predictions and its scene on this machine",
            value=f"none in {report.where}",
            hint=f"Run 'hsiaug labels SCENE --store {report.where}' first.",
        )
    return found


def label_pages(report: Report) -> tuple[ReportPage, ...]:
    """A page for each table that has a curve. Raises InputError where none has."""
    found = curves_of(report)
    tables = dict.fromkeys(curve.table for curve in found)
    return tuple(_page(table, report.where, [c for c in found if c.table is table]) for table in tables)


def _page(table: Table, where: str, curves: Sequence[LabelCurve]) -> ReportPage:
    return ReportPage(
        title=f"Label equivalents: {table.title}",
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table),
        grids=label_grids(table, curves),
        notes=tuple(label_notes(curves)),
        audit=audit_lines(table, where),
        verdict=tuple((sentence, ()) for curve in curves for arm in curve.arms if (sentence := said(curve, arm))),
    )


def label_grids(table: Table, curves: Sequence[LabelCurve]) -> tuple[Grid, ...]:
    """The curves, a row per classifier, placement and score; and k*, a row per classifier, placement and arm."""
    grids = _curve_grid(table, curves), _worth_grid(table, curves), diagnosis_grid(table)
    return tuple(grid for grid in grids if grid.rows)


def _first_columns(table: Table) -> list[GridColumn]:
    return [
        classifier_column(table),
        GridColumn("added labels", lambda row: WHERE[row.curve.placement], numeric=False),
    ]


def _curve_grid(table: Table, curves: Sequence[LabelCurve]) -> Grid:
    keys = [*_first_columns(table), GridColumn("score", lambda row: row.about.name, numeric=False)]
    labels = sorted({k for curve in curves for k in curve.labels})
    columns = [GridColumn(f"k={k}", partial(_point, k)) for k in labels]
    rows = [LabelRow(curve, score) for curve in curves for score in SCORES if score.key in curve.means]
    heading = "none with k more labels per class"
    return make_grid(heading, [*keys, *columns], rows, keys=len(keys), block=lambda row: row.curve)


def _point(k: int, row: LabelRow) -> GridEntry:
    curve, score = row
    return GridEntry(plus_minus(curve.means[score.key][curve.labels.index(k)]) if k in curve.labels else MISSING)


def _worth_grid(table: Table, curves: Sequence[LabelCurve]) -> Grid:
    keys = [*_first_columns(table), *arm_columns(table, lambda row: row.about.cell.arm)]
    columns = [GridColumn(f"k* {score.name}", partial(_worth, score)) for score in SCORES]
    columns += [GridColumn(score.name, partial(_score, score), "on the same pixels") for score in SCORES]
    columns.append(GridColumn("n", lambda row: str(len(row.about.seeds))))
    rows = [LabelRow(curve, arm) for curve in curves for arm in curve.arms]
    heading = "Label equivalents: added labels per class that give none the same score (95 % interval)"
    return make_grid(heading, [*keys, *columns], rows, keys=len(keys), block=lambda row: row.curve)


def _worth(score: Metric, row: LabelRow) -> GridEntry:
    found = row.about.worth.get(score.key)
    return GridEntry(worth_text(found, row.curve.labels[-1]) if found else MISSING, row.about.cell)


def _score(score: Metric, row: LabelRow) -> GridEntry:
    return GridEntry(plus_minus(row.about.means.get(score.key)), row.about.cell)


def worth_text(found: LabelEquivalent, most: int) -> str:
    """``2.1 (1.2 to 4)``, ``< 0 (< 0 to 0.4)``, or ``> 20`` where all of it is. most: the largest number of labels."""
    censored = math.isinf(found.value) and found.low == found.high
    if found.low is None or found.high is None or censored:
        return labels_text(found.value, most)
    return f"{labels_text(found.value, most)} ({labels_text(found.low, most)} to {labels_text(found.high, most)})"


def labels_text(value: float, most: int) -> str:
    """``2.1``, ``< 0`` or ``> 20``: a number of labels. most: the largest of the curve."""
    if math.isinf(value):
        return f"> {most}" if value > 0 else "< 0"
    return decimal(value).removesuffix(".0") if value < 10 else f"{value:.0f}"


def said(curve: LabelCurve, arm: ArmWorth) -> str:
    """``smote λ=1 with svm: undecided (…); worth about 2.1 more labels per class (1.2 to 4) in AA; …``."""
    gain = curve.table.gain(arm.cell)
    verdict = f"{verdict_text(curve.table, gain)}; " if gain is not None and gain.verdict is not None else ""
    return f"{_named(curve, arm)}: {verdict}{_worths(curve, arm)}."


def worth_verdicts(curves: Sequence[LabelCurve]) -> dict[Table, tuple[str, tuple[str, ...]]]:
    """What the arms of each table are worth in labels, to stand below what is said of their gains."""
    lines: dict[Table, list[str]] = {}
    for curve in curves:
        lines.setdefault(curve.table, []).extend(
            f"{_named(curve, arm)}: {_worths(curve, arm)}" for arm in curve.arms
        )
    return {table: (WORTH, tuple(found)) for table, found in lines.items() if found}


def main_worths(curves: Sequence[LabelCurve]) -> dict[Table, dict[CellKey, str]]:
    """How many labels per class an arm and classifier are worth in AA, on the first curve that has them."""
    found: dict[Table, dict[CellKey, str]] = {}
    for curve in curves:
        for arm in curve.arms:
            if (worth := arm.worth.get(SCORES[0].key)) is not None:
                text = labels_text(worth.value, curve.labels[-1])
                found.setdefault(curve.table, {}).setdefault((arm.cell.arm, arm.cell.classifier), text)
    return found


def _named(curve: LabelCurve, arm: ArmWorth) -> str:
    where = "" if curve.placement == "scattered" else f" [{WHERE[curve.placement]}]"
    return f"{curve.table.cell_label(arm.cell)}{where}"


def _worths(curve: LabelCurve, arm: ArmWorth) -> str:
    """What an arm is worth in each score."""
    most = curve.labels[-1]
    parts: list[str] = []
    for score in SCORES:
        if (found := arm.worth.get(score.key)) is None:
            continue
        words = NAMES[score.key]
        parts.append(f"{words} {worth_text(found, most)}" if parts else f"{_amount(found, most)} {words}")
    return "; ".join(parts)


def _amount(found: LabelEquivalent, most: int) -> str:
    """What the first score of a sentence says."""
    interval = worth_text(found, most).removeprefix(labels_text(found.value, most))
    if found.value == -math.inf:
        return f"worth less than no added label{interval}"
    if found.value == math.inf:
        return f"worth more than {most} more labels per class{interval}"
    return f"worth about {labels_text(found.value, most)} more labels per class{interval}"


def curve_label(curve: LabelCurve) -> str:
    """``svm, scattered``: a curve in the title of a panel."""
    return f"{curve.table.labels[curve.classifier]}, {WHERE[curve.placement]}"


def label_notes(curves: Sequence[LabelCurve]) -> Iterator[str]:
    """What the figures are, on which pixels, and what limits them."""
    labels = sorted({k for curve in curves for k in curve.labels})
    seeds = sorted({seed for curve in curves for seed in curve.seeds})
    pixels = count_range([n for curve in curves for n in curve.pixels])
    yield (
        f"k*: how many more labels per class give none the arm's score: where the non-decreasing fit to the means at "
        f"k = {', '.join(map(str, labels))} reaches it, linear in between; 95 % interval from {RESAMPLES:,} resamples of "
        f"the draws, curve and arm together. < 0: below none; > {labels[-1]}: above the end of the curve."
    )
    yield (
        f"Mean ± std in percent over {count(len(seeds), 'draw')} (seeds {draws_text(seeds)}). Curve and arms are scored "
        f"on the same {pixels} test pixels of a draw: those of the base draw without any added label, seen and "
        "new fields as they are without one. So the scores are not those of the other tables."
    )
    if len(seeds) < MANY:
        yield f"{count(len(seeds), 'draw')}: intervals from fewer than {MANY} are too narrow."
    for where, near in {WHERE[curve.placement]: curve.overlap for curve in curves}.items():
        yield (
            f"Added labels ({where}) have no buffer: with {labels[-1]}, {near:.0f} % of the test pixels lie in a "
            "training patch. What reads patches gains location by it, which lifts its curve and lowers k*."
        )
    for curve in curves[:1]:
        names = [curve.table.class_names[c - 1] for c in curve.capped]
        if names:
            yield f"Fewer labels than {labels[-1]} could be added to {', '.join(names)}, so that some remain for test."
    yield from dict.fromkeys(f"Left out of the curves: {why}." for curve in curves for why in curve.why)
