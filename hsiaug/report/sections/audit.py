"""The audit of the splits, and with what the trials ran."""

from hsiaug.report.audit import audit_facts
from hsiaug.report.paper import run_facts
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable


def _section(table: ReportTable, _: Sources) -> Section:
    return Section("Audit", facts=(*audit_facts(table), *run_facts([table])))


SECTIONS = (SectionKind("audit", _section, 110, within=""),)
