"""The report as one page of HTML: verdicts first, then each table with its pictures and records. Nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from hsiaug.report.across import NOTE, scene_pools
from hsiaug.report.asked_labels import asked_pages
from hsiaug.report.audit import audit_lines, warnings
from hsiaug.report.cells import CellKey
from hsiaug.report.curves import AXES, SIGNS, curve_notes, find_sweeps
from hsiaug.report.failures import failure_heading, failure_lines
from hsiaug.report.figures.curves import curve_figure
from hsiaug.report.figures.files import light_svg
from hsiaug.report.figures.gains import gain_figure
from hsiaug.report.figures.labels import label_figure
from hsiaug.report.figures.scenes import scenes_figure
from hsiaug.report.findings import headline, judged, verdict
from hsiaug.report.grid import ReportPage
from hsiaug.report.html.maps import MapMaker
from hsiaug.report.html.markup import (
    badge,
    details,
    embedded_svg,
    escape,
    facts,
    grid_table,
    items,
    link,
    scroller,
)
from hsiaug.report.html.section import TableSection
from hsiaug.report.html.shaded import class_gains, confusions
from hsiaug.report.labels import count
from hsiaug.report.matrix import matrices
from hsiaug.report.notes import table_notes
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.signs import OF_SIGNS, signs_note
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.views_labels import label_grids, label_notes, main_worths, said
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["html_page", "pages_html"]

HERE = Path(__file__).parent
SCRIPTS = ("page.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes and protocols that the title of a page names at most."""
DETAILED = {
    "classifier": "Every metric, and the tests",
    "class": "Recall per class",
    "cost": "Seconds and memory",
}
HOW_TO_READ = (
    "Differences are means over paired draws, in points; p is Holm-corrected over the table. Every number in a table is "
    "a link to the records that it was made from. What each verdict claims stands below its table."
)
Section = tuple[str, str, str]
"""Id, heading, and markup."""


def html_page(report: Report, store: Store | None = None) -> str:
    """One self-contained page of HTML; equal for equal records.

    store: where the predictions lie from which maps are drawn; without it there are none. A map needs its scene,
        which is read where it lies on this machine and never downloaded.
    """
    shown = [TableSection(table, number, report.where) for number, table in enumerate(report.tables)]
    compared = [section for section in shown if section.table.condition.protocol != ADDED] or shown
    maker = MapMaker(store)
    curves = label_curves(report, store) if store is not None else []
    sections: list[Section] = [("verdict", "Verdict", _verdicts(report, compared, main_worths(curves)))]
    for section in compared:
        html = _table(section, maker, [curve for curve in curves if curve.table is section.table])
        sections.append((section.anchor("table"), section.table.title, html))
    for page in asked_pages(report):
        sections.append(("asked", page.title, "".join(map(grid_table, page.grids)) + _notes(page.notes)))
    if points := [section for section in shown if section not in compared]:
        folded = (details(s.table.title, _point(s), id=s.anchor("table")) for s in points)
        sections.append(("points", "Points of learning curves", "".join(folded)))
    sections.append(("environment", "Environment", facts(_environment(report))))
    return _document(_title(report), sections)


def pages_html(title: str, pages: Sequence[ReportPage]) -> str:
    """One self-contained page of HTML of tables and notes, without a store behind them."""
    sections = [
        (f"page-{number}", page.heading, "".join(map(grid_table, page.grids)) + _notes(page.notes))
        for number, page in enumerate(pages)
    ]
    return _document(title, sections)


def _title(report: Report) -> str:
    """Scene and protocol, so that pages are told apart in tabs and bookmarks."""
    names = list(dict.fromkeys(table.title.split(",")[0] for table in report.tables))
    protocols = list(dict.fromkeys(table.condition.protocol for table in report.tables))
    said = [
        ", ".join(found[:MOST_TITLED]) + (", …" if len(found) > MOST_TITLED else "")
        for found in (names, protocols)
    ]
    return f"{': '.join(said)} · hsiaug" if report.tables else "hsiaug report"


def _environment(report: Report) -> list[tuple[str, str]]:
    """Environments of the trials: each entry, such as a device or a library, with all its values."""
    found: dict[str, set[str]] = {}
    for trial in (trial for table in report.tables for trial in table.trials):
        made = dict(trial.record.get("environment") or {})
        made |= made.pop("versions", None) or {}
        for name, value in made.items():
            found.setdefault(str(name), set()).add(str(value))
    return [(name, ", ".join(sorted(values))) for name, values in sorted(found.items())]


def _document(title: str, sections: Sequence[Section]) -> str:
    # One script, so that one checksum covers all that may run.
    script, style = _joined(*SCRIPTS), _joined("page.css", "charts.css")
    links = "".join(f'<li><a href="#{escape(id)}">{escape(heading)}</a></li>' for id, heading, _ in sections)
    body = "\n".join(
        f'<section id="{escape(id)}" aria-labelledby="h-{escape(id)}">'
        f'<h2 id="h-{escape(id)}">{escape(heading)}</h2>\n{html}\n</section>'
        for id, heading, html in sections
    )
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=style,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        contents=links,
        body=body,
    )


def _joined(*names: str) -> str:
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


def _verdicts(report: Report, shown: Sequence[TableSection], worths: Mapping[Table, Mapping[CellKey, str]]) -> str:
    """The verdict of every table at a glance and in words."""
    if not shown:
        return f'<p class="headline">There is no record in {escape(report.where)} yet.</p>'
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    where = next((section.anchor("failed") for section in shown if section.table.failed), None)
    failures = link(f"{failed:,} failed", where)
    parts = [f'<p class="lead">{count(len(trials), "trial")}, {failures}, in {escape(report.where)}.</p>']
    for matrix in matrices(report, worths):
        note = " ".join([signs_note(matrix.tables), OF_SIGNS, *([NOTE] if matrix.pooled else [])])
        parts.append(f'<h3>{escape(matrix.title)}</h3>{grid_table(matrix.grid)}<p class="note">{escape(note)}</p>')
    if scene_pools(report):
        parts.append(
            _picture(scenes_figure(report), "Gain of every arm over none by scene, their mean, and a new scene")
        )
    for section in shown:
        table = section.table
        leaky = f" {badge('LEAKY', 'bad')}" if table.leaky else ""
        heading = f'<h3><a href="#{section.anchor("table")}">{escape(table.title)}</a>{leaky}</h3>'
        first = f'<p class="headline">{escape(headline(table))}</p>'
        prose = "".join(
            f"<p><strong>{escape(sentence)}</strong></p>{items(map(escape, lines)) if lines else ''}"
            for sentence, lines in verdict(table)[1:]
        )
        parts.append(f'<div class="verdict">{heading}{first}{details("In words", prose) if prose else ""}</div>')
    return "\n".join([*parts, f'<p class="note">{HOW_TO_READ}</p>'])


def _table(section: TableSection, maker: MapMaker, curves: Sequence[LabelCurve]) -> str:
    table = section.table
    notes = table_notes(table)
    compared = any(any(gain.against.values()) for gain in judged(table))
    gains = f"Δ{table.scores.main.name} of every arm over its controls, in percentage points"
    parts = [
        _failures(section),
        "".join(f'<p class="warning" role="note">{escape(text)}</p>' for text in warnings(table)),
        '<p class="warning" role="note">LEAKY: location alone answers for part of the score; see the audit.</p>'
        if table.leaky
        else "",
        _part("Gains, draw by draw", _picture(gain_figure(Report((table,))), gains) if compared else ""),
        _part("Tables", section.view("generator")),
        _part("λ and ω", _sweeps(section)),
        _part("Label equivalents", _labels(section, curves) if curves else ""),
        _part("Per class", class_gains(section)),
        _part("Maps", maker.maps(section)),
        _part("Confusion", confusions(section)),
        _part("In detail", "".join(details(name, section.view(by)) for by, name in DETAILED.items())),
        _part("Notes and audit", details("What the numbers are", items(map(escape, notes)), opened=True)
              + details("Audit of the protocol", facts(audit_lines(table, section.where)), opened=table.leaky)),
        _part("Records", section.records()),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _point(section: TableSection) -> str:
    """Return the numbers and records of a table that is read as a point of a curve."""
    return "\n".join([_failures(section), section.view("generator"), section.records()])


def _part(heading: str, html: str) -> str:
    return f"<h3>{escape(heading)}</h3>\n{html}" if html else ""


def _failures(section: TableSection) -> str:
    """Failed trials by error; empty where none failed."""
    heading = failure_heading(section.table)
    if heading is None:
        return ""
    lines = items(map(escape, failure_lines(section.table, section.where)))
    return f'<div class="warning" role="note" id="{section.anchor("failed")}"><p>{heading}:</p>{lines}</div>'


def _sweeps(section: TableSection) -> str:
    """Figure, notes and tables of each axis along which some generator has two values; empty where none has."""
    table, blocks = section.table, []
    for axis in AXES:
        if find_sweeps(table, axis):
            drawn = _picture(curve_figure(Report((table,)), axis), f"OA and AA against {SIGNS[axis]}")
            numbers = details("The numbers of these curves", section.view(axis))
            blocks.append(f"<h4>Along {SIGNS[axis]}</h4>{drawn}{_notes(curve_notes(table, axis))}{numbers}")
    return "".join(blocks)


def _labels(section: TableSection, curves: Sequence[LabelCurve]) -> str:
    """Sentences, figure, tables and notes of learning curves."""
    drawn = _picture(label_figure(curves), "none with more labels per class, and the arms on its curve")
    sentences = items(escape(said(curve, arm)) for curve in curves for arm in curve.arms)
    tables = "".join(section.grid(grid) for grid in label_grids(section.table, curves))
    return f"{sentences}{drawn}{details('The numbers of these curves', tables)}{_notes([*label_notes(curves)])}"


def _picture(drawn: Figure, caption: str) -> str:
    """A figure at its own size, so that its letters stay readable on a small screen, where it scrolls."""
    return scroller(caption, embedded_svg(light_svg(drawn), caption))


def _notes(sentences: Sequence[str]) -> str:
    return "".join(f'<p class="note">{escape(sentence)}</p>' for sentence in sentences)
