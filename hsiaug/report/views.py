"""The sections of a report in a view: the summary, or those of each table that ``--by`` names."""

from dataclasses import replace

from hsiaug.base.errors import check_known
from hsiaug.report import words
from hsiaug.report.audit import damage_words
from hsiaug.report.section import Section
from hsiaug.report.sections import LABELS, NOTES, SUMMARY, Sources, check_view, section_kinds
from hsiaug.report.summary import notes_of, summary_section
from hsiaug.report.tables import Report, ReportTable
from hsiaug.tasks.scores import Metric


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
