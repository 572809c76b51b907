"""Every trial: how it went, how long it took, and the hash of its record."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter

from hsiaug.report.findings import cell_columns
from hsiaug.report.formatting import MISSING, percent
from hsiaug.report.notes import tested_classes, tested_in
from hsiaug.report.section import Grid, GridColumn, LateGrid, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial, rows_of


def _seeds(table: ReportTable) -> LateGrid:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its
    hash.
    """
    metrics = [*(one.key for one in table.brief), "seconds"]
    by_hash = table.trials.reindex(columns=["hash", *metrics]).set_index("hash")

    def text(metric: str, write: Callable[[float], str], trial: Trial) -> str:
        value = float(by_hash.at[trial.hash, metric])
        return write(value) if value == value else MISSING

    def classes(trial: Trial) -> str:
        """How many have test pixels, which means are over."""
        return str(tested_in(trial.audit) or MISSING)

    classifier, *arm = cell_columns(table)
    keys = (GridColumn("seed", lambda trial: str(trial.seed)), *arm, classifier)
    columns = (
        *keys,
        GridColumn("status", attrgetter("status"), numeric=False),
        *(
            GridColumn(one.name, partial(text, one.key, percent), note=one.name)
            for one in table.brief
        ),
        *([GridColumn("classes", classes)] if len({*tested_classes(table)}) > 1 else []),
        GridColumn("seconds", partial(text, "seconds", "{:.1f}".format)),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    )

    def make() -> Grid:
        rows = rows_of(table.trials.sort_values("seed", kind="stable"))
        return make_grid("Trials", columns, rows, keys=len(keys), block=attrgetter("seed"))

    return LateGrid(columns, make)


def _section(table: ReportTable, _: Sources) -> Section | None:
    return Section("Records", tables=(_seeds(table),)) if len(table.trials) else None


SECTIONS = (SectionKind("records", _section, 120, views=("seed",), within=""),)
