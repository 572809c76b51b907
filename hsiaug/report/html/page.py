"""The report as one page of HTML: verdicts first, then each table with its pictures and records.
Nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from hsiaug.report.curves import AXES, SIGNS, find_sweeps
from hsiaug.report.figures.curves import curve_figure, label_figure
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.figures.gains import gain_figure
from hsiaug.report.findings import best_said, headline
from hsiaug.report.grid import Grid
from hsiaug.report.html.maps import MapMaker
from hsiaug.report.html.markup import HERE, join, macros, picture_source, templates
from hsiaug.report.html.samples import SampleMaker
from hsiaug.report.labels import count
from hsiaug.report.matrix import headlines, matrices, summary_notes
from hsiaug.report.notes import audit_lines, failure_heading, failure_lines, table_notes, warnings
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.views import VIEWS
from hsiaug.report.views_labels import label_grids, label_notes
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes that the title of a page names at most."""


class Section(NamedTuple):
    """A section of the page. parts: (id, heading) of what the contents list below it."""

    id: str
    heading: str
    html: Markup
    parts: tuple[tuple[str, str], ...] = ()


def html_page(report: Report, store: Store | None = None) -> str:
    """One self-contained page of HTML; equal for equal records. Points of learning curves stand in
    their curves alone.

    store: where the predictions lie from which maps are drawn; without it there are none. A map
        needs its scene, which is read where it lies on this machine and never downloaded.
    """
    compared = [
        table for table in report.tables if table.condition.protocol != ADDED
    ] or report.tables
    maker, sampler = MapMaker(store), SampleMaker(store)
    curves = label_curves(report, store) if store is not None else []
    sections = [Section("verdict", "What helps", _verdicts(report, compared))]
    for number, table in enumerate(compared):
        own = [curve for curve in curves if curve.table is table]
        sections.append(
            _table(table, f"t{number}", report.where, maker, sampler, own, alone=len(compared) == 1)
        )
    names = [*dict.fromkeys(f"{t.title.split(',')[0]}: {t.condition.protocol}" for t in compared)]
    title = ", ".join(names[:MOST_TITLED]) + (", …" if len(names) > MOST_TITLED else "")
    return document_html(f"{title} · hsiaug" if title else "hsiaug report", sections)


def grids_html(grids: Iterable[Grid]) -> Markup:
    """Tables, one below the other; those without a row are left out."""
    return join(*(macros().grid(grid) for grid in grids if grid.rows))


def document_html(title: str, sections: Sequence[Section]) -> str:
    """The page of these sections, with its style and scripts."""
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
        )
    )


def _verdicts(report: Report, compared: Sequence[Table]) -> Markup:
    """What is found, accuracy, and of several scenes gains over the control that decides, for each
    run and protocol.
    """
    if not compared:
        return Markup(macros().headline(f"There is no record in {report.where} yet."))
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    where = next(
        (f"t{number}-failed" for number, table in enumerate(compared) if table.failed), None
    )
    blocks = [macros().lead(count(len(trials), "trial"), f"{failed:,} failed", where, report.where)]
    for matrix in (found := matrices(report)):
        leaky = "LEAKY: " * any(table.leaky for table in matrix.tables)
        blocks += [macros().title(leaky + matrix.title)] if len(found) > 1 or leaky else []
        blocks += [*map(macros().headline, headlines(matrix)), grids_html(matrix.grids)]
        blocks += map(macros().note, summary_notes(matrix))
        if len(matrix.tables) == 1:
            blocks += map(macros().para, best_said(matrix.tables[0], report.option))
    return join(*blocks)


def _table(
    table: Table,
    number: str,
    where: str,
    maker: MapMaker,
    sampler: SampleMaker,
    curves: Sequence[LabelCurve],
    *,
    alone: bool,
) -> Section:
    """Everything about a table. alone: it is the only one, so that more of it is unfolded."""
    above = [] if alone else [macros().headline(headline(table))]
    if said := failure_heading(table):
        above.append(macros().failures(f"{number}-failed", said, failure_lines(table, where)))
    above += map(macros().warning, warnings(table))
    if table.leaky:
        above.append(
            macros().warning("LEAKY: location alone answers for part of the score; see the audit.")
        )
    compared = any(any(gain.against.values()) for gain in table.judged)
    gains = f"Δ{table.scores.main.name} of every arm over its controls, in percentage points"
    parts: list[tuple[str, str, str, bool]] = [
        ("maps", "Maps", maker.maps(table), alone),
        ("samples", "Samples", sampler.samples(table), alone),
        (
            "gains",
            "Gains, draw by draw",
            _picture(gain_figure(Report((table,))), gains) if compared else "",
            True,
        ),
        ("tables", "Tables", grids_html(VIEWS["generator"](table)), alone),
        ("sweeps", "λ and ω", _sweeps(table), alone),
        ("labels", "Label equivalents", _labels(table, curves) if curves else "", alone),
        (
            "classifier",
            "Every metric, and the tests",
            grids_html(VIEWS["classifier"](table)),
            False,
        ),
        ("class", "Recall per class", grids_html(VIEWS["class"](table)), False),
        ("notes", "What the numbers are", macros().items(table_notes(table)), False),
        ("audit", "Audit of the protocol", macros().facts(audit_lines(table, where)), table.leaky),
        ("records", "Records", grids_html(VIEWS["seed"](table)), False),
    ]
    made = [(f"{number}-{id}", name, html, opened) for id, name, html, opened in parts if html]
    folded = [macros().fold(name, html, id, opened, "h3") for id, name, html, opened in made]
    below = tuple((id, name) for id, name, *_ in made)
    return Section(f"{number}-table", table.title, join(*above, *folded), below)


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
