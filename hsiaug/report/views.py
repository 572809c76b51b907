"""The sections of a report: in a view one for each table, in the summary one for each run and
protocol, and all that the page shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from hsiaug.base.text import some_of
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.answers import three_answers
from hsiaug.report.commands import arm_commands, to_repeat_all
from hsiaug.report.findings import best_row_sentences, words_note
from hsiaug.report.formatting import LEAKY, count
from hsiaug.report.matrices import Matrix, headlines, matrices, matrix_figure, matrix_grids
from hsiaug.report.notes import (
    audit_lines,
    averaged_classes,
    failure_heading,
    nothing_there,
    opening,
    short_audit,
    table_notes,
    table_section,
    warnings,
)
from hsiaug.report.paper import RUN_AGAIN, run_facts
from hsiaug.report.render_page import markup_of
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import LABELS, SUMMARY, Sources, check_view, section_kinds
from hsiaug.report.sections.overview import grouped_overview, overview
from hsiaug.report.sections.said_seen import said_section
from hsiaug.report.sections.trained_on import synthetic_only_grid
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.text_templates import finding_meanings, heading_meanings, labelled
from hsiaug.trial.store import Store

MOST_TITLED = 3
"""Scenes that the title of a page names at most."""
READING = "How to read this page"
LEAKS = f"{LEAKY}: location alone answers for part of the score; see the audit."


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
    """A table in a view, with the sections that stand there."""
    made = (kind.make(table, sources) for kind in section_kinds() if by in kind.views)
    section = replace(
        table_section(table, sources.report.where),
        facts=tuple(audit_lines(table, sources.report.where)),
        parts=tuple(part for part in made if part is not None),
    )
    section = replace(section, notes=tuple(table_notes(table, section)))
    if by != "generator":
        return section
    return replace(section, text=opening(table), answers=three_answers(table).texts)


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
    for last in made[-1:]:
        facts = (*last.facts, *([(RUN_AGAIN, again)] if again else []))
        made[-1] = replace(last, facts=facts, closing=(*last.closing, next_))
    return tuple(made)


def _section(matrix: Matrix, report: Report, *, brief: bool) -> Section:
    failed = failure_heading(*matrix.tables)
    section = Section(
        heading=f"Summary: {matrix.title}",
        leaky=matrix.leaky,
        failed=failed and f"{failed}; which: hsiaug report --store {report.where} --by seed",
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
    section = replace(
        section,
        heading=matrix.title,
        text=section.text if several else opening(tables[0]),
        answers=() if several else three_answers(tables[0]).texts,
        tables=(*section.tables, *map(synthetic_only_grid, tables)),
        parts=tuple(part for part in map(said_section, tables) if part),
        facts=tuple(line for table in tables for line in audit_lines(table, where)),
    )
    return replace(section, notes=_each_once(table_notes(table, section) for table in tables))


def _closing(matrix: Matrix) -> tuple[str, ...]:
    """The last sentences: what words mean, which classes are left out, the audit in short, and
    where the best row of a scene is right.
    """
    tables = matrix.tables
    lines = [
        words_note(arm for table in tables for arm in table.by_arm.values()),
        *dict.fromkeys(averaged_classes(table) for table in tables),
        *short_audit(tables),
    ]
    if len(tables) == 1:
        lines += best_row_sentences(tables[0])
    return tuple(line for line in lines if line)


def _each_once(texts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys(text for several in texts for text in several))


# The page


def page_title(tables: Sequence[ReportTable]) -> str:
    """The title of a page that shows these tables: their scenes and protocols."""
    scenes = (f"{table.title.split(',')[0]}: {table.condition.protocol}" for table in tables)
    names = [*dict.fromkeys(scenes)]
    return some_of(names, MOST_TITLED)


def page_sections(
    report: Report, store: Store | None, declared: Sequence[Section] = ()
) -> list[Section]:
    """All that the page of a report shows: what a suite declares, what helps, and a section for
    each table.

    Parameters
    ----------
    store, declared
        As of :func:`hsiaug.report.render_html`.
    """
    sources = Sources(report, store)
    tables = [
        _page_table(table, number, sources, alone=len(report.shown) == 1)
        for number, table in enumerate(report.shown)
    ]
    first = []
    if declared:
        others = (replace(one, id=f"declared-{n}") for n, one in enumerate(declared[1:], start=1))
        first = [replace(declared[0], id="declared", parts=tuple(others))]
    # For readers who have nothing but the page: words of the answers and of comparisons, headings
    # of tables, verdicts.
    words = (
        *labelled("reading.txt", min_pairs=MIN_PAIRS),
        *heading_meanings(),
        *finding_meanings(),
    )
    reading = [Section(READING, id="reading", facts=words)] if tables else []
    return [*first, _answers(report, tables, store), *tables, *reading]


def _page_table(table: ReportTable, number: int, sources: Sources, *, alone: bool) -> Section:
    """A table on the page; where it is the only one, its answers stand above, and more of
    it is unfolded.
    """
    section = table_section(table, sources.report.where)
    parts = (
        replace(part, id=f"t{number}-{part.id}", opened=part.opened and alone)
        for part in _page_parts(table, sources)
    )
    keys = {cell: f"t{number}-a{place}" for place, cell in enumerate(table.every_cell.values())}
    return replace(
        section,
        id=f"t{number}-table",
        # On the page a warning says it, and leads to the audit.
        leaky=False,
        answers=() if alone else three_answers(table).texts,
        warnings=(*section.warnings, *([LEAKS] if table.leaky else [])),
        parts=tuple(parts),
        html=markup_of("commands_of", arm_commands(keys, sources.store)),
        keys=keys,
    )


def _page_parts(table: ReportTable, sources: Sources) -> tuple[Section, ...]:
    """The sections of a table as the page has them: parts, and what folds within these."""
    kinds = [kind for kind in section_kinds() if kind.on_page(table)]
    within: dict[str, list[Section]] = {}
    parts: dict[str, Section] = {}
    for kind in kinds:
        section = kind.make(table, sources)
        if section is None:
            continue
        if kind.within:
            within.setdefault(kind.within, []).append(section)
        else:
            parts[kind.id] = section
    return tuple(
        replace(section, id=id, parts=(*section.parts, *within.get(id, ())))
        for id, section in parts.items()
    )


def _answers(report: Report, tables: Sequence[Section], store: Store | None) -> Section:
    """The answers of each run and protocol."""
    if not report.shown:
        html = markup_of("headline", nothing_there(report))
        return Section("What helps", id="answers", html=html)
    # A trial may be in the tables of several runs.
    trials = {hash for table in report.tables for hash in table.trials["hash"]}
    failed = len({hash for table in report.tables for hash in table.failed["hash"]})
    to = next((f"{section.id}-failed" for section in tables if section.failed), None)
    found = matrices(report)
    parts = [_page_matrix(one, report.option, alone=len(found) == 1) for one in found]
    about = [
        *run_facts(report.shown, to_repeat_all(report.shown, store)),
        ("how to read it", markup_of("link", READING, "reading")),
    ]
    facts = Section("", facts=tuple(about), folded=False)
    return Section(
        "What helps",
        id="answers",
        html=markup_of("lead", count(len(trials), "trial"), f"{failed:,} failed", to, report.where),
        parts=(*parts, facts),
    )


def _page_matrix(matrix: Matrix, option: str, *, alone: bool) -> Section:
    """The answers of each scene of a run and protocol on the page.

    Parameters
    ----------
    option : str
        The option that names the store.
    alone : bool
        The page is about nothing else.
    """
    figures: tuple[SectionFigure, ...] = ()
    if any(row.judged for row in matrix.rows):
        figures = (SectionFigure(matrix.heading, partial(matrix_figure, matrix)),)
    section = Section(
        heading="" if alone and not matrix.leaky else matrix.title,
        leaky=matrix.leaky,
        folded=False,
    )
    if len(matrix.tables) == 1:
        (table,) = matrix.tables
        best = best_row_sentences(table, option)
        said = three_answers(table).texts
        return replace(section, answers=said, figures=figures, closing=tuple(best))
    scenes = (
        Section(table.condition.scene, answers=three_answers(table).texts, folded=False)
        for table in matrix.tables
    )
    by_scene = Section(
        "",
        figures=figures,
        tables=matrix_grids(matrix, overview),
        notes=(words_note(arm for table in matrix.tables for arm in table.judged),),
        folded=False,
    )
    return replace(section, parts=(*scenes, by_scene))
