"""Classifiers that learnt from synthetic samples alone, beside those of real ones and of both."""

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from hsiaug.report.findings import cell_columns, metric_entry
from hsiaug.report.formatting import MISSING, with_ends
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Grid, GridColumn, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.arm import BOTH, NONE, SYNTHETIC, Arm, Method

REAL = {"real": NONE, BOTH: BOTH}
"""What synthetic samples alone are compared with, as it is called here and among the comparisons of
an arm.
"""


def synthetic_only_grid(table: ReportTable) -> Grid:
    """Rows classifier × arm × what was learnt from: scores, and what synthetic samples alone gain
    over the others.
    """
    main = table.scores.main

    def over(control: str, row: _Trained) -> str:
        found = table.synthetic_only.get(row.cell.key, {}).get(control)
        return with_ends(found.mean, found.main.ends) if found and found.draws else MISSING

    keys = [
        *cell_columns(table),
        GridColumn("train on", attrgetter("train"), numeric=False, note="train on"),
    ]
    columns = [
        *keys,
        *(
            GridColumn(
                s.name,
                partial(lambda score, row: metric_entry(table, score, row.cell), s),
                note=s.name,
            )
            for s in table.brief
        ),
        *(
            GridColumn(f"Δ{main.name} vs {name}", partial(over, control), note="difference")
            for name, control in REAL.items()
        ),
    ]
    rows = [row for cell in table.by_classifier for row in _trained(table, cell)]
    heading = f"Train on synthetic samples, test on real ones: {table.condition.scene}"
    return make_grid(heading, columns, rows, keys=len(keys), block=attrgetter("arm", "classifier"))


class _Trained(NamedTuple):
    """What a classifier learnt from, and how it did.

    Attributes
    ----------
    arm : Arm
        Of both, where it was run; the rows of one block share it.
    """

    arm: Arm
    classifier: Method
    train: str
    cell: ArmCell


def _trained(table: ReportTable, cell: ArmCell) -> Iterator[_Trained]:
    """Real samples, synthetic ones, both: of what was run on draws of an arm of synthetic samples
    alone.
    """
    if over := table.synthetic_only.get(cell.key):
        real, both = over[NONE].control_cell, over[BOTH].control_cell
        arm = both.arm if both else cell.arm
        for train, found in {"real": real, SYNTHETIC: cell, BOTH: both}.items():
            if found:
                yield _Trained(arm, cell.classifier, train, found)


def _section(table: ReportTable, _: Sources) -> Section | None:
    grid = synthetic_only_grid(table)
    return Section("Trained on synthetic samples alone", tables=(grid,)) if grid.rows else None


SECTIONS = (SectionKind("trained-on", _section, 40, views=("generator",)),)
