"""The report as one page of HTML: the answers first, then each table with its pictures and records.
Nothing is fetched.

:func:`page_sections` collects all that the page shows; ``html/templates/page.html`` lays it out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from markupsafe import Markup

from hsiaug.base.text import json_of
from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.answer_text import answer_texts
from hsiaug.report.answers import three_answers
from hsiaug.report.cells import ArmCell
from hsiaug.report.commands import arm_commands, to_repeat_all
from hsiaug.report.figures.gain_charts import matrix_figure
from hsiaug.report.findings import best_row_sentences, words_note
from hsiaug.report.formatting import LEAKY, count
from hsiaug.report.html.markup import HERE, markup_of, templates
from hsiaug.report.matrices import Matrix, matrices, matrix_grids
from hsiaug.report.notes import failure_heading, failure_lines, warnings
from hsiaug.report.paper import run_facts
from hsiaug.report.render_data import csv_of, report_json
from hsiaug.report.section import Section, SectionFigure
from hsiaug.report.sections import Sources, page_parts
from hsiaug.report.sections.overview import overview
from hsiaug.report.tables import Report, ReportTable
from hsiaug.report.text_templates import finding_meanings, heading_meanings, labelled
from hsiaug.trial.store import Store

SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes that the title of a page names at most."""
READING = "How to read this page"
LEAKS = f"{LEAKY}: location alone answers for part of the score; see the audit."


def html_page(report: Report, store: Store | None = None, declared: Sequence[Section] = ()) -> str:
    """One self-contained page of HTML; equal for equal records. Points of learning curves stand in
    their curves alone.

    Parameters
    ----------
    store : Store or None
        Where the predictions lie from which maps are drawn; without it there are none. A map
        needs its scene, which is read where it lies on this machine and never downloaded.
    declared : sequence of Section
        The claims and tables of a suite, which come first.
    """
    sections = page_sections(report, store, declared)
    title = declared[0].title if declared else _named_after(report.shown)
    data = _data(report) if report.tables else ()
    return _rendered(f"{title} · hsiaug" if title else "hsiaug report", sections, data)


def tables_page(title: str, sections: Sequence[Section]) -> str:
    """One self-contained page of HTML of these sections."""
    return _rendered(
        title, [replace(one, id=f"page-{number}") for number, one in enumerate(sections)]
    )


def _named_after(tables: Sequence[ReportTable]) -> str:
    """The title of a page that shows these tables: their scenes and protocols."""
    scenes = (f"{table.title.split(',')[0]}: {table.condition.protocol}" for table in tables)
    names = [*dict.fromkeys(scenes)]
    return ", ".join(names[:MOST_TITLED]) + (", …" if len(names) > MOST_TITLED else "")


def _rendered(title: str, sections: Sequence[Section], data: Sequence[tuple[str, str]] = ()) -> str:
    """A page of these sections, with style and scripts.

    Parameters
    ----------
    data : sequence of (str, str)
        Files that the page holds: their names, and gzip in base64.
    """
    # One script, so that one checksum covers all that may run.
    script = Markup("".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS))
    return (
        templates()
        .get_template("page.html")
        .render(
            title=title,
            style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            sections=sections,
            data=data,
        )
    )


def _data(report: Report) -> list[tuple[str, str]]:
    """The report's data by file names, packed: gzip in base64."""
    found = report_json(report)
    texts = {"trials.csv": csv_of(found["trials"]), "report.json": json_of(found) + "\n"}
    return [
        (name, base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        for name, text in texts.items()
    ]


def page_sections(
    report: Report, store: Store | None, declared: Sequence[Section] = ()
) -> list[Section]:
    """All that the page of a report shows: what a suite declares, what helps, and a section for
    each table.

    Parameters
    ----------
    store, declared
        As of :func:`html_page`.
    """
    sources = Sources(report, store)
    tables = [
        _table_section(table, number, sources, alone=len(report.shown) == 1)
        for number, table in enumerate(report.shown)
    ]
    first = []
    if declared:
        others = (replace(one, id=f"declared-{n}") for n, one in enumerate(declared[1:], start=1))
        first = [replace(declared[0], id="declared", parts=tuple(others))]
    reading = [Section(READING, id="reading", facts=tuple(_reading_facts()))] if tables else []
    return [*first, _verdict(report, tables, store), *tables, *reading]


def _table_section(table: ReportTable, number: int, sources: Sources, *, alone: bool) -> Section:
    """A table; where it is the only one, its answers stand in the verdict, and more of it is
    unfolded.
    """
    keys = arm_keys(table, f"t{number}")
    commands = arm_commands(keys, sources.store)
    return Section(
        heading=table.title,
        id=f"t{number}-table",
        answers=() if alone else answer_texts(three_answers(table)),
        failed=failure_heading(table),
        failures=failure_lines(table, sources.report.where),
        warnings=(*warnings(table), *([LEAKS] if table.leaky else [])),
        parts=tuple(
            replace(part, id=f"t{number}-{part.id}", opened=part.opened and alone)
            for part in page_parts(table, sources)
        ),
        html=markup_of("commands_of", commands),
        keys=keys,
    )


def _verdict(report: Report, tables: Sequence[Section], store: Store | None) -> Section:
    """The answers of each run and protocol."""
    if not report.shown:
        html = markup_of("headline", f"There is no record in {report.where} yet.")
        return Section("What helps", id="verdict", html=html)
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    to = next((f"{section.id}-failed" for section in tables if section.failed), None)
    found = matrices(report)
    parts = [_matrix_section(one, report.option, alone=len(found) == 1) for one in found]
    about = [
        *run_facts(report.shown, to_repeat_all(report.shown, store)),
        ("how to read it", markup_of("link", READING, "reading")),
    ]
    facts = Section("", facts=tuple(about), folded=False)
    return Section(
        "What helps",
        id="verdict",
        html=markup_of("lead", count(len(trials), "trial"), f"{failed:,} failed", to, report.where),
        parts=(*parts, facts),
    )


def _matrix_section(matrix: Matrix, option: str, *, alone: bool) -> Section:
    """The answers of each scene of a run and protocol.

    Parameters
    ----------
    option : str
        The option that names the store.
    alone : bool
        The page is about nothing else.
    """
    leaky = any(table.leaky for table in matrix.tables)
    figures: tuple[SectionFigure, ...] = ()
    if any(row.judged for row in matrix.rows):
        figures = (SectionFigure(matrix.heading, partial(matrix_figure, matrix)),)
    section = Section(
        heading="" if alone and not leaky else matrix.title, leaky=leaky, folded=False
    )
    if len(matrix.tables) == 1:
        (table,) = matrix.tables
        best = best_row_sentences(table, option)
        said = answer_texts(three_answers(table))
        return replace(section, answers=said, figures=figures, closing=tuple(best))
    scenes = (
        Section(table.condition.scene, answers=answer_texts(three_answers(table)), folded=False)
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


def arm_keys(table: ReportTable, number: str) -> dict[ArmCell, str]:
    """Names of the arms of a table within the page.

    Parameters
    ----------
    table : ReportTable
        The trials of one scene and protocol.
    number : str
        The name of the table within the page.
    """
    return {cell: f"{number}-a{place}" for place, cell in enumerate(table.every_cell.values())}


def _reading_facts() -> list[tuple[str, str]]:
    """(word, meaning) pairs for readers who have nothing but the page: words of the answers and of
    comparisons, headings of tables, verdicts.
    """
    return [
        *labelled("reading.txt", min_pairs=MIN_PAIRS),
        *heading_meanings(),
        *finding_meanings(),
    ]
