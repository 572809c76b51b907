"""Every trial: how it went, how long it took, and the hash of its record."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter

from hsiaug.report.findings import cell_columns
from hsiaug.report.formatting import MISSING, percent
from hsiaug.report.section import Grid, GridColumn, Section, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial, number_of


def _seeds(table: ReportTable) -> Grid:
    """One row per trial, those of control classifiers too: how it went, how long it took, and its
    hash.
    """

    def text(metric: str, write: Callable[[float], str], trial: Trial) -> str:
        return MISSING if (value := number_of(trial, metric)) is None else write(value)

    classifier, *arm = cell_columns(table)
    columns = [
        GridColumn("seed", lambda trial: str(trial.seed)),
        *arm,
        classifier,
        GridColumn("status", attrgetter("status"), numeric=False),
        *(GridColumn(one.name, partial(text, one.key, percent)) for one in table.brief),
        GridColumn("seconds", partial(text, "seconds", "{:.1f}".format)),
        GridColumn("hash", attrgetter("hash"), numeric=False),
    ]
    trials = sorted(table.trials, key=attrgetter("seed"))
    return make_grid("Trials", columns, trials, keys=len(arm) + 2, block=attrgetter("seed"))


def _section(table: ReportTable, _: Sources) -> Section | None:
    # Made where it is shown: the rows of all tables together may be too many for the memory.
    return Section("Records", tables=map(_seeds, [table])) if table.trials else None


SECTIONS = (SectionKind("records", _section, 120, views=("seed",), within=""),)
