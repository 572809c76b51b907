"""A few samples of each generator beside real ones, for the page."""

from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable


def _section(table: ReportTable, sources: Sources) -> Section | None:
    from hsiaug.report.html.markup import markup_of
    from hsiaug.report.html.sample_pictures import SampleMaker

    samples = sources.shared(SampleMaker).samples(table)
    if samples is None:
        return None
    return Section("Samples", html=markup_of("samples", samples), opened=True)


SECTIONS = (SectionKind("samples", _section, 100, within=""),)
