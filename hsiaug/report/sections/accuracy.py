"""Accuracy of every generator, a column for each classifier and score."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import attrgetter

from hsiaug.report.findings import arm_columns, metric_entry, not_tested
from hsiaug.report.formatting import MISSING
from hsiaug.report.gains import ArmCell
from hsiaug.report.matrices import card_figure
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import Arm, Method


def _accuracy(table: ReportTable) -> Grid:
    """Rows generator × λ × ω, columns classifiers with the metrics of the task."""

    def entry(
        classifier: Method, text: Callable[[ArmCell], str | GridEntry], arm: Arm
    ) -> str | GridEntry:
        cell = table.cells.get((arm, classifier))
        return text(cell) if cell else MISSING

    columns = keys = arm_columns(table, lambda arm: arm)
    for classifier in table.classifiers:
        counted = any(len(cell.ok) < len(table.draws) for cell in table.cells_of(classifier))
        scores = [
            GridColumn(
                s.name, partial(metric_entry, table, s, counted=counted), best=True, note=s.name
            )
            for s in table.brief
        ]
        if counted:
            scores.append(GridColumn("n", lambda cell: str(len(cell.ok))))
        columns = columns + [
            replace(c, entry=partial(entry, classifier, c.entry), group=table.labels[classifier])
            for c in scores
        ]
    return make_grid("Accuracy", columns, table.arms, keys=len(keys), block=attrgetter("leads"))


def _section(table: ReportTable, sources: Sources) -> Section:
    # The two best classifiers: with samples these would be another difference.
    closing: tuple[str, ...] = ()
    if len(table.without_samples) > 1:
        *_, b, a = sorted(table.without_samples, key=table.score_rank)
        closing = (not_tested("classifiers", table, (a, b), sources.report.option),)
    return Section("Accuracy with each classifier", tables=(_accuracy(table),), closing=closing)


SECTIONS = (
    SectionKind(
        "accuracy",
        _section,
        20,
        views=("generator",),
        pictures={"generator": card_figure},
    ),
)
