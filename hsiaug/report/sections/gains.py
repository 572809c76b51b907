"""What every arm gains over each of its controls, and the verdict."""

from functools import partial
from operator import attrgetter

from hsiaug.report.answers import TONES
from hsiaug.report.figures.gain_charts import gain_figure
from hsiaug.report.findings import against_entry, cell_columns, verdict_text
from hsiaug.report.formatting import count, p_text
from hsiaug.report.gains import ArmCell, rival_of
from hsiaug.report.section import Grid, GridColumn, GridEntry, Section, SectionFigure, make_grid
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.arm import NONE

MOST_ARMS = 24
"""Arms that the figure of the page shows."""


def _gains(table: ReportTable) -> Grid:
    """Rows classifier × arm: what each arm gains over each control, the p over the rival, and the
    verdict.
    """

    def pairs(cell: ArmCell) -> str:
        counts = [gain.draws for gain in table.against(cell).values()]
        several = cell.arm.judged and len(set(counts)) > 1
        return "/".join(str(n) for n in (counts if several else counts[:1]))

    def deciding_p(cell: ArmCell) -> str:
        arm = table.against(cell)
        return p_text((rival_of(arm) or arm[NONE]).p_corrected)

    def verdict(cell: ArmCell) -> GridEntry:
        found = table.against(cell)[NONE].verdict
        tone = TONES[found.finding] if found else ""
        return GridEntry(verdict_text(found, table.scores.second.name), tone=tone)

    keys = cell_columns(table)
    scores = {"main": table.scores.main, "second": table.scores.second}
    columns = [
        *keys,
        *(
            GridColumn(
                f"Δ{score.name}", partial(against_entry, table, control, what), f"vs {control}"
            )
            for control in table.controls
            for what, score in scores.items()
        ),
        GridColumn("pairs", pairs),
        GridColumn("p over rival", deciding_p),
        GridColumn("verdict", verdict, numeric=False),
    ]
    cells = [cell for cell in table.by_classifier if cell.key in table.by_arm]
    return make_grid(
        "Gain over the controls", columns, cells, keys=len(keys), block=attrgetter("classifier")
    )


def _section(table: ReportTable, _: Sources) -> Section:
    caption = f"Δ{table.scores.main.name} of each arm over its controls, in percentage points"
    if (left := len(table.by_gain) - MOST_ARMS) > 0:
        caption += f" ({count(left, 'arm')} that gain less: in the table alone)"
    figure = SectionFigure(caption, partial(gain_figure, Report((table,)), most=MOST_ARMS))
    return Section(
        "Gain over each control",
        tables=(_gains(table),),
        figures=(figure,) if table.by_gain else (),
    )


SECTIONS = (
    SectionKind("gains", _section, 30, views=("generator", "gain"), pictures={"gain": gain_figure}),
)
