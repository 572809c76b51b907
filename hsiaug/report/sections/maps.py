"""Maps of a draw: the scene, its classes, the split, and what arms predicted, for the page."""

from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable


def _section(table: ReportTable, sources: Sources) -> Section:
    from hsiaug.report.html.map_pictures import MapMaker
    from hsiaug.report.html.markup import markup_of

    maps = sources.shared(MapMaker).maps(table)
    if maps.why_none:
        return Section("Maps", notes=(maps.why_none,), opened=True)
    return Section("Maps", html=markup_of("maps", maps), opened=True)


SECTIONS = (SectionKind("maps", _section, 80, within=""),)
