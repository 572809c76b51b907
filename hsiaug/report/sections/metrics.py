"""Every metric of every arm, and the tests of its gains."""

from functools import partial
from operator import attrgetter

from hsiaug.metrics.significance import mean_ends
from hsiaug.report.findings import cell_columns, metric_entry
from hsiaug.report.formatting import MISSING, ends_text, p_text, percent
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Grid, GridColumn, Section, make_grid
from hsiaug.report.sections import SectionKind
from hsiaug.report.tables import ReportTable


def _every_metric(table: ReportTable) -> Grid:
    """Rows classifier × arm: all metrics, the interval of the main one, and its corrected tests."""
    main, keys = table.scores.main, cell_columns(table)

    def p_over(control: str, cell: ArmCell) -> str:
        gain = table.against(cell).get(control)
        return p_text(gain.main.p_corrected) if gain and gain.draws else MISSING

    def interval(cell: ArmCell) -> str:
        values = cell.values(main.key)
        return ends_text(mean_ends(values), percent)

    columns = [
        *keys,
        *(
            GridColumn(
                score.name, partial(metric_entry, table, score, counted=True), note=score.name
            )
            for score in table.metrics
        ),
        GridColumn("n", lambda cell: str(len(cell.ok))),
        GridColumn(f"{main.name}, 95 % interval or range", interval, note="interval"),
        *(
            GridColumn(f"p over {control}", partial(p_over, control), note="p")
            for control in table.controls
        ),
    ]
    heading = f"Every metric, and the tests on {main.name}"
    cells = table.by_classifier
    return make_grid(heading, columns, cells, keys=len(keys), block=attrgetter("classifier"))


SECTIONS = (
    SectionKind(
        "metrics",
        lambda table, _: Section("Every metric, and the tests", tables=(_every_metric(table),)),
        50,
        views=("classifier",),
    ),
)
