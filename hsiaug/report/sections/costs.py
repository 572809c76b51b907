"""What the trials of every configuration cost."""

from pandas import concat

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
    of_arm = {column.heading: (column.name, column.over_trials) for column in columns}
    found = [
        cell.trials[cell.trials["ok"]].assign(
            classifier=table.labels[cell.classifier], configuration=table.arm_label(cell.arm)
        )
        for cell in table.by_classifier
        if len(cell.ok)
    ]
    if not found:
        return None
    by = ["classifier", "configuration"]
    cost = concat(found).groupby(by, sort=False).agg(trials=("ok", "size"), **of_arm)
    return Section("Cost of every configuration", frames=(Frame("", cost),), notes=(NOTE,))


SECTIONS = (SectionKind("costs", _section, 55, views=("classifier",)),)
