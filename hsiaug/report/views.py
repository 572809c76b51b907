"""The sections of a report in a view: one for each table, in the summary one for each run and
protocol. Those of the page are of :mod:`hsiaug.report.page`.
"""

from collections.abc import Iterable
from dataclasses import replace

from hsiaug.report.answers import three_answers
from hsiaug.report.findings import best_row_sentences, words_note
from hsiaug.report.matrices import Matrix, headlines, matrices, matrix_grids
from hsiaug.report.notes import (
    audit_lines,
    averaged_classes,
    failure_heading,
    opening,
    short_audit,
    table_notes,
    table_section,
    warnings,
)
from hsiaug.report.paper import run_facts
from hsiaug.report.section import Section
from hsiaug.report.sections import LABELS, SUMMARY, Sources, check_view, section_kinds
from hsiaug.report.sections.overview import grouped_overview
from hsiaug.report.sections.recall import mixed_up
from hsiaug.report.sections.trained_on import synthetic_only_grid
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.store import Store


def report_sections(report: Report, by: str, store: Store | None = None) -> tuple[Section, ...]:
    """A section for each table of the report in a view; of the summary, and by generator last, one
    per run and protocol.

    Parameters
    ----------
    store : Store or None
        Where the records lie, for the command that runs them again and for confusion matrices.

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
    """A table in a view, with the sections that stand there."""
    made = (kind.make(table, sources) for kind in section_kinds() if by in kind.views)
    section = replace(
        table_section(table, sources.report.where),
        facts=tuple(audit_lines(table, sources.report.where)),
        parts=tuple(part for part in made if part is not None),
    )
    if by == "generator":
        section = replace(section, text=opening(table), answers=three_answers(table).texts)
    return replace(section, notes=tuple(table_notes(table, section)))


def summaries(report: Report, store: Store | None, *, brief: bool) -> tuple[Section, ...]:
    """A section per matrix: accuracy, what helps, and by how much; below the last when and with
    what all trials ran, what runs them again and, on a terminal alone, the next command to run.

    Parameters
    ----------
    store : Store or None
        As of :func:`report_sections`.
    brief : bool
        For a terminal, with the notes and the audit of its tables.
    """
    made = [_section(matrix, report, store, brief=brief) for matrix in matrices(report)]
    for last in made[-1:]:
        facts = (*last.facts, *run_facts(report, store))
        next_ = f"Next: hsiaug report{report.option} --out report.html; --by generator: more"
        made[-1] = replace(
            last,
            facts=facts,
            closing=(*last.closing, next_) if brief else last.closing,
            hints=(
                f"hsiaug report{report.option} --notes: what the numbers are; to rerun, to cite",
            ),
        )
    return tuple(made)


def _section(matrix: Matrix, report: Report, store: Store | None, *, brief: bool) -> Section:
    failed = failure_heading(*matrix.tables)
    section = Section(
        heading=f"Summary: {matrix.title}",
        leaky=matrix.leaky,
        failed=failed and f"{failed}; which: hsiaug report --store {report.where} --by seed",
        warnings=_each_once(map(warnings, matrix.tables)),
        text=headlines(matrix) if len(matrix.tables) > 1 else (),
        tables=matrix_grids(matrix, grouped_overview),
        closing=_closing(matrix, store),
    )
    return _on_terminal(section, matrix, report.where) if brief else section


def _on_terminal(section: Section, matrix: Matrix, where: str) -> Section:
    """The section as it stands alone, with the notes and the audit of its tables."""
    tables = matrix.tables
    several = len(tables) > 1
    section = replace(
        section,
        heading=matrix.title,
        text=section.text if several else opening(tables[0]),
        answers=() if several else three_answers(tables[0]).texts,
        tables=(*section.tables, *map(synthetic_only_grid, tables)),
        facts=tuple(line for table in tables for line in audit_lines(table, where)),
    )
    return replace(section, notes=_each_once(table_notes(table, section) for table in tables))


def _closing(matrix: Matrix, store: Store | None) -> tuple[str, ...]:
    """The last sentences: what words mean, which classes are left out, the audit in short, where
    the best row of a scene is right, and which classes are mixed up.
    """
    tables = matrix.tables
    lines = [
        words_note(
            (arm for table in tables for arm in table.by_arm.values()),
            ends=matrix.detailed,
            # Of several tables the answers have no numbers.
            more=three_answers(tables[0]).more_gains if len(tables) == 1 else (),
        ),
        *dict.fromkeys(averaged_classes(table) for table in tables),
        *short_audit(tables),
    ]
    if len(tables) == 1:
        lines += [*best_row_sentences(tables[0]), mixed_up(tables[0], store)]
    return tuple(line for line in lines if line)


def _each_once(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys(text for several in texts for text in several))
