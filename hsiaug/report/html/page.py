"""The report as one page of HTML: the answers first, then each table with its pictures and records.
Nothing is fetched.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from hsiaug.base.text import json_of
from hsiaug.report.answer_text import answer_texts
from hsiaug.report.answers import three_answers
from hsiaug.report.breakdowns import VIEWS, overview
from hsiaug.report.curves import AXES, SIGNS, find_sweeps
from hsiaug.report.figures.curves import curve_figure, label_figure
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.findings import best_row_sentences
from hsiaug.report.formatting import count
from hsiaug.report.grid import ReportPage
from hsiaug.report.html.arms import arm_commands, arm_keys
from hsiaug.report.html.classes import classes_html
from hsiaug.report.html.gains import gain_chart
from hsiaug.report.html.maps import MapMaker
from hsiaug.report.html.markup import (
    HERE,
    grids_html,
    join,
    macros,
    picture_source,
    templates,
)
from hsiaug.report.html.samples import SampleMaker
from hsiaug.report.label_breakdowns import label_grids, label_notes
from hsiaug.report.matrix import matrices, summary_notes
from hsiaug.report.notes import audit_lines, failure_heading, failure_lines, table_notes, warnings
from hsiaug.report.records import ArmCell
from hsiaug.report.render_data import csv_of, data_rows, report_json
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import Report, Table
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes that the title of a page names at most."""


class Section(NamedTuple):
    """A section of the page.

    Attributes
    ----------
    parts : tuple of (str, str)
        (id, heading) of what the contents list below it.
    """

    id: str
    heading: str
    html: Markup
    parts: tuple[tuple[str, str], ...] = ()


class Part(NamedTuple):
    """A part of a section, which opens and closes.

    Attributes
    ----------
    id : str
        Its last word.
    """

    id: str
    name: str
    html: Markup
    opened: bool


def html_page(
    report: Report, store: Store | None = None, declared: Sequence[ReportPage] = ()
) -> str:
    """One self-contained page of HTML; equal for equal records. Points of learning curves stand in
    their curves alone.

    Parameters
    ----------
    store : Store or None
        Where the predictions lie from which maps are drawn; without it there are none. A map
        needs its scene, which is read where it lies on this machine and never downloaded.
    declared : sequence of ReportPage
        The claims and tables of a suite, which come first.
    """
    compared = report.compared or report.tables
    maker, sampler = MapMaker(store), SampleMaker(store)
    curves = label_curves(report, store) if store is not None else []
    keys = {table: arm_keys(table, f"t{number}") for number, table in enumerate(compared)}
    sections = [_declared(declared)] if declared else []
    sections.append(Section("verdict", "What helps", _verdicts(report, compared, keys)))
    for number, table in enumerate(compared):
        own = [curve for curve in curves if curve.table is table]
        parts = _parts(table, report.where, store, maker, sampler, own, keys[table])
        sections.append(
            _table(table, f"t{number}", report, store, parts, keys[table], alone=len(compared) == 1)
        )
    names = [*dict.fromkeys(f"{t.title.split(',')[0]}: {t.condition.protocol}" for t in compared)]
    title = ", ".join(names[:MOST_TITLED]) + (", …" if len(names) > MOST_TITLED else "")
    return document_html(f"{title} · hsiaug" if title else "hsiaug report", sections, report)


def document_html(title: str, sections: Sequence[Section], report: Report | None = None) -> str:
    """The page of these sections, with its style and scripts, and the data of a report."""
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
            data=_data(report) if report and report.tables else (),
        )
    )


def _data(report: Report) -> list[tuple[str, str]]:
    """The report's data by file names, packed: gzip in base64."""
    rows = data_rows(report)
    texts = {
        "trials.csv": csv_of(rows),
        "report.json": json_of(report_json(report)) + "\n",
    }
    return [
        (name, base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        for name, text in texts.items()
    ]


def _declared(pages: Sequence[ReportPage]) -> Section:
    """The claims and tables of a suite: the first page, and folded the others."""
    first = _page_html(pages[0])
    folded = [
        macros().fold(page.heading, _page_html(page), f"declared-{number}", level="h3")
        for number, page in enumerate(pages[1:], 1)
    ]
    return Section("declared", pages[0].heading, join(first, *folded))


def _page_html(page: ReportPage) -> Markup:
    """Sentences, tables and notes of a page without answers."""
    return join(
        *map(macros().para, page.opening),
        grids_html(page.grids),
        *map(macros().note, page.notes),
        *map(macros().para, page.closing),
    )


def _verdicts(
    report: Report, compared: Sequence[Table], keys: Mapping[Table, Mapping[ArmCell, str]]
) -> Markup:
    """The three answers of each scene with the chart of its gains, and of several scenes the arms
    by scene, for each run and protocol.
    """
    if not compared:
        return Markup(macros().headline(f"There is no record in {report.where} yet."))
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    where = next(
        (f"t{number}-failed" for number, table in enumerate(compared) if table.failed), None
    )
    blocks = [macros().lead(count(len(trials), "trial"), f"{failed:,} failed", where, report.where)]
    every = matrices(report)
    for matrix in every:
        leaky = "LEAKY: " * any(table.leaky for table in matrix.tables)
        blocks += [macros().title(leaky + matrix.title)] if len(every) > 1 or leaky else []
        for table in matrix.tables:
            if len(matrix.tables) > 1:
                blocks.append(macros().subtitle(table.condition.scene))
            blocks.append(macros().answers(answer_texts(three_answers(table))))
            if len(compared) == 1:
                blocks.append(gain_chart(table, keys[table]))
        if len(matrix.tables) > 1:
            blocks.append(grids_html(matrix.grids))
            blocks += map(macros().note, summary_notes(matrix))
        else:
            blocks += map(macros().para, best_row_sentences(matrix.tables[0], report.option))
    return join(*blocks)


def _parts(
    table: Table,
    where: str,
    store: Store | None,
    maker: MapMaker,
    sampler: SampleMaker,
    curves: Sequence[LabelCurve],
    keys: Mapping[ArmCell, str],
) -> list[Part]:
    """The parts of the section of a table, those that have something to show."""
    parts = [
        Part("tables", "Table", _tables(table, curves, keys), opened=True),
        Part("maps", "Maps", maker.maps(table), opened=True),
        Part("classes", "Classes", classes_html(table, store), opened=False),
        Part("samples", "Samples", sampler.samples(table), opened=True),
        Part("audit", "Audit", _audit(table, where), opened=table.leaky),
        Part("records", "Records", grids_html(VIEWS["seed"](table), keys), opened=False),
    ]
    return [part for part in parts if part.html]


def _table(
    table: Table,
    number: str,
    report: Report,
    store: Store | None,
    parts: Sequence[Part],
    keys: Mapping[ArmCell, str],
    *,
    alone: bool,
) -> Section:
    """Everything about a table.

    Parameters
    ----------
    alone : bool
        It is the only one, so that more of it is unfolded.
    """
    above = [] if alone else [macros().answers(answer_texts(three_answers(table)))]
    if said := failure_heading(table):
        lines = failure_lines(table, report.where)
        above.append(macros().failures(f"{number}-failed", said, lines))
    above += map(macros().warning, warnings(table))
    if table.leaky:
        above.append(
            macros().warning("LEAKY: location alone answers for part of the score; see the audit.")
        )
    if not alone:
        above.append(gain_chart(table, keys))
    folded = [
        macros().fold(part.name, part.html, f"{number}-{part.id}", part.opened and alone, "h3")
        for part in parts
    ]
    commands = macros().commands_of(arm_commands(keys, store, report.option))
    below = tuple((f"{number}-{part.id}", part.name) for part in parts)
    return Section(f"{number}-table", table.title, join(*above, *folded, commands), below)


def _tables(table: Table, curves: Sequence[LabelCurve], keys: Mapping[ArmCell, str]) -> Markup:
    """Accuracy and verdicts; then folded what is asked for less often."""
    further = [
        ("Gain over each control", grids_html(VIEWS["generator"](table), keys)),
        ("λ and ω", _sweeps(table)),
        ("Label equivalents", _labels(table, curves) if curves else Markup("")),
        ("Every metric, and the tests", grids_html(VIEWS["classifier"](table), keys)),
    ]
    folded = [macros().fold(name, html, level="h4") for name, html in further if html]
    first = grids_html([overview(table)], keys) if table.cells else ""
    return join(first, *folded)


def _audit(table: Table, where: str) -> Markup:
    """The audit of the protocol, and what the numbers are."""
    notes = macros().items(table_notes(table))
    return join(
        macros().facts(audit_lines(table, where)),
        macros().fold("What the numbers are", notes, level="h4"),
    )


def _sweeps(table: Table) -> Markup:
    """Figure, notes and tables of each axis along which some generator has two values; empty where
    none has.
    """
    blocks = []
    for axis in AXES:
        if find_sweeps(table, axis):
            blocks += [
                Markup("<h4>Along {}</h4>").format(SIGNS[axis]),
                _picture(curve_figure(Report((table,)), axis), f"OA and AA against {SIGNS[axis]}"),
                macros().fold("The numbers of these curves", grids_html(VIEWS[axis](table))),
            ]
    return join(*blocks)


def _labels(table: Table, curves: Sequence[LabelCurve]) -> Markup:
    """Figure, tables and notes of learning curves."""
    return join(
        _picture(
            label_figure(curves), "none with more labels per class, and the arms on its curve"
        ),
        macros().fold("The numbers of these curves", grids_html(label_grids(table, curves))),
        *map(macros().note, label_notes(curves)),
    )


def _picture(drawn: Figure, caption: str) -> Markup:
    source = picture_source(figure_bytes(drawn, "svg"))
    return Markup(macros().figure(f"{caption}: {drawn.get_label()}", caption, source))
