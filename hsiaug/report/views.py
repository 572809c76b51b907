"""The sections of a report: one for each table in a view; and the summary, which shows accuracy
first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hsiaug.report.answer_text import answer_texts
from hsiaug.report.answers import three_answers
from hsiaug.report.commands import to_repeat_all
from hsiaug.report.findings import best_row_sentences, words_note
from hsiaug.report.matrices import Matrix, headlines, matrices, matrix_grids
from hsiaug.report.notes import failure_heading, table_notes, table_section, warnings
from hsiaug.report.paper import RUN_AGAIN
from hsiaug.report.section import Section
from hsiaug.report.sections import LABELS, SUMMARY, Sources, check_view, sections_of
from hsiaug.report.sections.overview import grouped_overview
from hsiaug.report.sections.said_seen import said_section
from hsiaug.report.sections.trained_on import synthetic_only_grid
from hsiaug.report.split_audit import audit_lines, opening, short_audit
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.tested_classes import left_out_classes
from hsiaug.trial.store import Store


def report_sections(report: Report, by: str, store: Store | None = None) -> tuple[Section, ...]:
    """A section for each table of the report in a view; of the summary, and by generator last, one
    per run and protocol.

    Parameters
    ----------
    store : Store or None
        Where the records lie, for the command that runs them again.

    Raises
    ------
    InputError
        For an unknown view, and by labels where there is no curve.
    """
    check_view(by)
    if by == LABELS:
        from hsiaug.report.sections.labels import label_sections

        return label_sections(report)
    if by == SUMMARY:
        return summaries(report, store, brief=True)
    sources = Sources(report)
    shown = tuple(_table_section(table, by, sources) for table in report.tables)
    return (*shown, *summaries(report, store, brief=False)) if by == "generator" else shown


def _table_section(table: ReportTable, by: str, sources: Sources) -> Section:
    notes = table_notes(table, compared=by in ("generator", "gain", "classifier"))
    section = table_section(table, sources.report.where, notes)
    section = replace(section, parts=sections_of(table, by, sources))
    if by != "generator":
        return section
    return replace(section, text=opening(table), answers=answer_texts(three_answers(table)))


def summaries(report: Report, store: Store | None, *, brief: bool) -> tuple[Section, ...]:
    """A section per matrix: accuracy, what helps, and by how much; below the last, the next command
    to run, and what runs all trials again.

    Parameters
    ----------
    store : Store or None
        As of :func:`report_sections`.
    brief : bool
        For a terminal, with the notes and the audit of its tables.
    """
    next_ = (
        f"Next: hsiaug report{report.option} --out report.html (--notes: meanings, how to"
        " rerun; --by generator: more)"
    )
    again = to_repeat_all(report.shown, store)
    made = [_section(matrix, report, brief=brief) for matrix in matrices(report)]
    return (*made[:-1], *(_ended(last, next_, again) for last in made[-1:]))


def _ended(section: Section, next_: str, again: str) -> Section:
    """The last section, with what runs all trials again and the next command."""
    facts = (*section.facts, *([(RUN_AGAIN, again)] if again else []))
    return replace(section, facts=facts, closing=(*section.closing, next_))


def _section(matrix: Matrix, report: Report, *, brief: bool) -> Section:
    section = Section(
        heading=f"Summary: {matrix.title}",
        leaky=any(table.leaky for table in matrix.tables),
        failed=_failed(matrix.tables, report.where),
        warnings=_each_once(map(warnings, matrix.tables)),
        text=headlines(matrix) if len(matrix.tables) > 1 else (),
        tables=matrix_grids(matrix, grouped_overview),
        closing=_closing(matrix),
    )
    return _on_terminal(section, matrix, report.where) if brief else section


def _on_terminal(section: Section, matrix: Matrix, where: str) -> Section:
    """The section as it stands alone, with the notes and the audit of its tables."""
    tables = matrix.tables
    several = len(tables) > 1
    return replace(
        section,
        heading=matrix.title,
        text=section.text if several else opening(tables[0]),
        answers=() if several else answer_texts(three_answers(tables[0])),
        tables=(*section.tables, *map(synthetic_only_grid, tables)),
        parts=tuple(part for part in map(said_section, tables) if part),
        notes=_each_once(map(table_notes, tables)),
        facts=tuple(line for table in tables for line in audit_lines(table, where)),
    )


def _failed(tables: Sequence[ReportTable], where: str) -> str | None:
    """How many trials of tables failed, and where they are named; None where none did."""
    failed = failure_heading(*tables)
    return failed and f"{failed}; which: hsiaug report --store {where} --by seed"


def _closing(matrix: Matrix) -> tuple[str, ...]:
    """The last sentences: what words mean, which classes are left out, the audit in short, and
    where the best row of a scene is right.
    """
    tables = matrix.tables
    lines = [
        words_note(arm for table in tables for arm in table.by_arm.values()),
        *dict.fromkeys(left_out_classes(table) for table in tables),
        *short_audit(tables),
    ]
    if len(tables) == 1:
        lines += best_row_sentences(tables[0])
    return tuple(line for line in lines if line)


def _each_once(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys(text for several in texts for text in several))
