"""The audit of the protocol, and what the numbers of a table are."""

from hsiaug.report.notes import audit_lines, table_notes
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import NUMBERS


def _section(table: ReportTable, sources: Sources) -> Section:
    numbers = Section(NUMBERS, notes=tuple(table_notes(table)))
    return Section(
        "Audit",
        facts=tuple(audit_lines(table, sources.report.where)),
        parts=(numbers,),
        opened=table.leaky,
    )


SECTIONS = (SectionKind("audit", _section, 110, within=""),)
