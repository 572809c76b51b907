"""Every metric of every configuration, and the interval of the main one."""

from hsiaug.metrics.significance import mean_ends
from hsiaug.report.formatting import ends_text, percent
from hsiaug.report.frames import cells_frame, score
from hsiaug.report.gains import ArmCell
from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable


def _section(table: ReportTable, _: Sources) -> Section:
    main = table.scores.main

    def interval(cell: ArmCell) -> str:
        return ends_text(mean_ends(cell.values(main.key)), percent)

    columns = {metric.name: score(table, metric) for metric in table.metrics}
    columns |= {"n": lambda cell: str(len(cell.ok)), f"{main.name}, 95 % interval": interval}
    frame = cells_frame(table, table.by_classifier, columns)
    return Section("Every metric in %", frames=(Frame("", frame),))


SECTIONS = (SectionKind("metrics", _section, 50, views=("classifier",)),)
