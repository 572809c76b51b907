"""The sections of a report in a view: the summary, or those of each table that ``--by`` names."""

from dataclasses import replace

from hsiaug.base.errors import check_known
from hsiaug.base.text import json_of, some_of
from hsiaug.report import words
from hsiaug.report.audit import damage_words
from hsiaug.report.render_data import csv_of, report_json
from hsiaug.report.render_page import html_page
from hsiaug.report.section import Section
from hsiaug.report.sections import LABELS, MAIN, NOTES, SUMMARY, Sources, check_view, section_kinds
from hsiaug.report.sections.gains import gain_figure_of
from hsiaug.report.summary import notes_of, summary_section
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric
from hsiaug.trial.store import Store


def report_sections(
    report: Report, by: str = SUMMARY, *, metric: str | None = None, notes: bool = False
) -> tuple[Section, ...]:
    """The sections of a view; one that says so where the store holds nothing.

    Parameters
    ----------
    metric : str or None
        Of the summary, in place of the main score.
    notes : bool
        Of the summary, also all scores, what small differences show, and the audit.

    Raises
    ------
    InputError
        For an unknown view or metric, and by labels where there is no curve.
    """
    check_view(by)
    if by == LABELS:
        from hsiaug.report.sections.labels import label_sections

        return label_sections(report)
    if not report.tables:
        return (Section(nothing_there(report)),)
    if by == SUMMARY:
        return _summaries(report, metric, notes=notes)
    sources = Sources(report)
    return tuple(
        Section(table.heading, parts=sections_of(table, by, sources)) for table in report.tables
    )


def nothing_there(report: Report) -> str:
    """What is said of a report without a table."""
    if report.damaged:
        records = damage_words(report.damaged)
        return words.ALL_DAMAGED.format(where=report.where, records=records)
    return words.NOTHING.format(where=report.where)


def sections_of(table: ReportTable, by: str, sources: Sources) -> tuple[Section, ...]:
    """The sections of a table in a view of it."""
    made = (kind.make(table, sources) for kind in section_kinds() if by in kind.views)
    return tuple(section for section in made if section is not None)


def _summaries(report: Report, metric: str | None, *, notes: bool) -> tuple[Section, ...]:
    """A screen for each table, and the last line once."""
    sources = Sources(report)
    made = []
    for table in report.shown:
        section = summary_section(report, table, metric_of(table, metric))
        if notes:
            parts = (*sections_of(table, NOTES, sources), notes_of(report, table))
            section = replace(section, parts=parts)
        made.append(section)
    more = words.MORE.format(option=report.option)
    made.append(Section(more))
    return tuple(made)


def metric_of(table: ReportTable, key: str | None) -> Metric | None:
    """A metric of a table by its key; None for the main one."""
    if key is None or key == "aa":
        return None
    known = {one.key: one for one in table.metrics}
    known["aa_all"] = known.get("aa", table.scores.main)
    check_known("`metric` must be one that the records have", key, known)
    return known[key]


# The page


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
