"""The page of a report: of each table a first screen as a terminal has it, with the figure of
gains, and below it all that is known.
"""

from dataclasses import replace

from hsiaug.base.text import json_of, some_of
from hsiaug.report import words
from hsiaug.report.render_data import csv_of, report_json
from hsiaug.report.render_page import html_page
from hsiaug.report.section import Section
from hsiaug.report.sections import MAIN, Sources, section_kinds
from hsiaug.report.sections.gains import gain_figure_of
from hsiaug.report.summary import notes_of, summary_section
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.views import nothing_there
from hsiaug.trial.store import Store

MOST_TITLED = 3
"""Scenes that the title of a page names at most."""
TABLES = "All tables"


def report_page(report: Report, store: Store | None) -> str:
    """The page of a report, as :func:`hsiaug.report.render_html` says."""
    if not report.tables:
        return html_page("hsiaug report", [Section(nothing_there(report), id="answers")])
    found = report_json(report)
    files = {"trials.csv": csv_of(found["trials"]), "report.json": json_of(found) + "\n"}
    sources = Sources(report, store)
    sections = [
        one
        for number, table in enumerate(report.shown)
        for one in _table_sections(table, f"t{number}-", sources)
    ]
    names = dict.fromkeys(f"{t.condition.scene}: {t.condition.protocol}" for t in report.shown)
    return html_page(f"{some_of([*names], MOST_TITLED)} · hsiaug", sections, files)


def _table_sections(table: ReportTable, prefix: str, sources: Sources) -> list[Section]:
    """The first screen of a table, and its other sections."""
    first = summary_section(sources.report, table)
    notes = notes_of(sources.report, table)
    figure = gain_figure_of(table)
    small = Section("?", notes=notes.notes, facts=((words.GUIDE_LABEL, words.GUIDE),))
    first = replace(
        first,
        id=f"{prefix}answers",
        figures=(figure,) if figure else (),
        parts=(replace(small, id=f"{prefix}reading"),),
    )
    return [first, *_others(table, prefix, sources)]


def _others(table: ReportTable, prefix: str, sources: Sources) -> list[Section]:
    """The sections of a table as the page has them: parts, and what folds within these."""
    within: dict[str, list[Section]] = {}
    parts: dict[str, Section] = {}
    for kind in section_kinds():
        section = kind.make(table, sources)
        if section is None or not kind.on_page(section):
            continue
        section = replace(section, id=f"{prefix}{kind.id}")
        if kind.within:
            within.setdefault(kind.within, []).append(section)
        else:
            parts[kind.id] = section
    main = Section(TABLES, id=f"{prefix}{MAIN}", parts=tuple(within.get(MAIN, ())))
    made = [
        replace(section, parts=(*section.parts, *within.get(id, ())))
        for id, section in parts.items()
    ]
    place = next((i for i, one in enumerate(made) if one.id == f"{prefix}audit"), len(made))
    return [*made[:place], *([main] if main.parts else []), *made[place:]]
