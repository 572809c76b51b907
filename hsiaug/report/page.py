"""The sections of the page of a report: what a suite declares, what helps, and all that is known of
each table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from hsiaug.base.text import some_of
from hsiaug.report.answers import three_answers
from hsiaug.report.commands import arm_commands
from hsiaug.report.findings import best_row_sentences, words_note
from hsiaug.report.formatting import LEAKY, LOCATION_ALONE, count
from hsiaug.report.matrices import Matrix, matrices, matrix_figure, matrix_grids
from hsiaug.report.notes import nothing_there, opening, short_audit, table_section, warnings
from hsiaug.report.paper import run_facts
from hsiaug.report.render_page import markup_of
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import Sources, section_kinds
from hsiaug.report.sections.overview import overview
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.text_templates import finding_meanings, heading_meanings, labelled
from hsiaug.trial.store import Store

MOST_TITLED = 3
"""Scenes that the title of a page names at most."""
READING = "How to read this page"
LEAKS = f"{LEAKY}: {LOCATION_ALONE}; see the audit."


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
    overviews = {table: overview(table) for table in report.shown if table.cells}
    sources = Sources(report, store, overviews=overviews)
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
        *labelled("reading.txt"),
        *_terms(tables),
        *finding_meanings(),
    )
    reading = [Section(READING, id="reading", facts=words)] if tables else []
    return [*first, _answers(tables, sources), *tables, *reading]


def _terms(sections: Iterable[Section]) -> list[tuple[str, str]]:
    """What the headings of the tables of some sections mean."""
    headings = {heading for section in sections for heading in _headings(section)}
    return [
        (term, meaning)
        for term, meaning in heading_meanings()
        if any(f"{heading} ".startswith(f"{term} ") for heading in headings)
    ]


def _headings(section: Section) -> Iterator[str]:
    """Those of the columns of a section and of its parts; what a gain is of has a Δ before it."""
    for column in section.columns:
        yield column.header.removeprefix("Δ")
    for part in section.parts:
        yield from _headings(part)


def _page_table(table: ReportTable, number: int, sources: Sources, *, alone: bool) -> Section:
    """A table on the page; where it is the only one, its answers stand above, and more of
    it is unfolded.
    """
    section = table_section(table, sources.report.where, page=True)
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
        warnings=(*(() if alone else section.warnings), *([LEAKS] if table.leaky else [])),
        parts=tuple(parts),
        html=markup_of("commands_of", arm_commands(keys, sources.store)),
        keys=keys,
    )


def _page_parts(table: ReportTable, sources: Sources) -> tuple[Section, ...]:
    """The sections of a table as the page has them: parts, and what folds within these."""
    within: dict[str, list[Section]] = {}
    parts: dict[str, Section] = {}
    for kind in section_kinds():
        section = kind.make(table, sources)
        if section is None or not kind.on_page(section):
            continue
        if kind.within:
            within.setdefault(kind.within, []).append(section)
        else:
            parts[kind.id] = section
    return tuple(
        replace(section, id=id, parts=(*section.parts, *within.get(id, ())))
        for id, section in parts.items()
    )


def _answers(tables: Sequence[Section], sources: Sources) -> Section:
    """The answers of each run and protocol."""
    report = sources.report
    if not report.shown:
        html = markup_of("headline", nothing_there(report))
        return Section("What helps", id="answers", html=html)
    # A trial may be in the tables of several runs.
    trials = {hash for table in report.tables for hash in table.trials["hash"]}
    failed = len({hash for table in report.tables for hash in table.failed["hash"]})
    to = next((f"{section.id}-failed" for section in tables if section.failed), None)
    found = matrices(report)
    parts = [_page_matrix(one, sources, alone=len(found) == 1) for one in found]
    about = [
        *run_facts(report, sources.store),
        ("how to read it", markup_of("link", READING, "reading")),
    ]
    facts = Section("", facts=tuple(about), folded=False)
    return Section(
        "What helps",
        id="answers",
        html=markup_of("lead", count(len(trials), "trial"), f"{failed:,} failed", to, report.where),
        parts=(*parts, facts),
    )


def _page_matrix(matrix: Matrix, sources: Sources, *, alone: bool) -> Section:
    """The answers of each scene of a run and protocol on the page.

    Parameters
    ----------
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
        best = best_row_sentences(table, sources.report.option)
        said = three_answers(table).texts
        return replace(
            section,
            answers=said,
            warnings=warnings(table, page=True),
            text=(*opening(table), *short_audit([table])),
            figures=figures,
            closing=tuple(best),
        )
    scenes = (
        Section(table.condition.scene, answers=three_answers(table).texts, folded=False)
        for table in matrix.tables
    )
    by_scene = Section(
        "",
        figures=figures,
        tables=matrix_grids(matrix, sources.overviews.__getitem__),
        notes=(
            words_note(
                (arm for table in matrix.tables for arm in table.judged), ends=matrix.detailed
            ),
        ),
        folded=False,
    )
    return replace(section, parts=(*scenes, by_scene))
