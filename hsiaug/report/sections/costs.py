"""What the trials of every arm cost."""

from hsiaug.report.grid import frame_grid
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable

NOTE = (
    "Cost: of trials that went well. What trials share, as the fit of a generator, counts to the"
    " first of them, so sums over draws are compared."
)


def _section(table: ReportTable, _: Sources) -> Section | None:
    trials = table.frame("seconds", "cpu_seconds", "peak_memory_mb").query("status == 'ok'")
    if trials.empty:
        return None
    cost = trials.groupby(["classifier", "arm"], sort=False).agg(
        **{
            "trials": ("seconds", "size"),
            "seconds": ("seconds", "sum"),
            "CPU seconds": ("cpu_seconds", "sum"),
            "highest memory (MB)": ("peak_memory_mb", "max"),
        }
    )
    grid = frame_grid("Cost of every arm, over all draws", cost, block="classifier")
    return Section("What it cost", tables=(grid,), notes=(NOTE,))


SECTIONS = (SectionKind("costs", _section, 55, views=("classifier",)),)
