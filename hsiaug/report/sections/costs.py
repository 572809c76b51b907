"""What the trials of every arm cost."""

from hsiaug.report.section import Section, frame_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.trial.record import COLUMNS

NOTE = (
    "Cost: of trials that went well, without those of controls that read no spectrum. The highest"
    " memory is that of the process, which keeps what its earlier trials left. What several trials"
    " share, as the fit of a generator or of the teacher of a draw, is computed once and counts to"
    " the trial that came first: seconds depend on the order in which arms ran. Those of a"
    " generator's fit stand with every arm that uses it."
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
    grid = frame_grid("Cost of every arm, over all draws", cost, block="classifier")
    return Section("What it cost", tables=(grid,), notes=(NOTE,))


SECTIONS = (SectionKind("costs", _section, 55, views=("classifier",)),)
