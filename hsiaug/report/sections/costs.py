"""What the trials of every configuration cost."""

from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.record import COLUMNS

NOTE = (
    "Of trials that went well. What several trials share, as the fit of a generator, is computed"
    " once and counts to the trial that came first."
)


def _section(table: ReportTable, _: Sources) -> Section | None:
    columns = [column for column in COLUMNS if column.heading]
    trials = table.frame(*(column.name for column in columns)).query("status == 'ok'")
    if trials.empty:
        return None
    of_arm = {column.heading: (column.name, column.over_trials) for column in columns}
    cost = trials.groupby(["classifier", "arm"], sort=False).agg(
        trials=("status", "size"), **of_arm
    )
    return Section("Cost of every configuration", frames=(Frame("", cost),), notes=(NOTE,))


SECTIONS = (SectionKind("costs", _section, 55, views=("classifier",)),)
