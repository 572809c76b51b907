"""OA, AA and κ of every configuration."""

from hsiaug.report.frames import cells_frame, score
from hsiaug.report.section import Frame, Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable


def _section(table: ReportTable, _: Sources) -> Section:
    columns = {metric.name: score(table, metric) for metric in table.brief}
    frame = cells_frame(table, table.by_classifier, columns)
    return Section("Accuracy in %", frames=(Frame("", frame),))


SECTIONS = (SectionKind("accuracy", _section, 20, views=("generator", "notes")),)
