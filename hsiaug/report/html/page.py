"""The whole page: verdicts first, then each table with its pictures and records, and the environment."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from hsiaug.report.audit import audit_lines, warnings
from hsiaug.report.cells import CellKey
from hsiaug.report.findings import headline
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.charts import curves_by_table, label_block, sweep_blocks
from hsiaug.report.html.classes import class_gains
from hsiaug.report.html.confusion import confusions
from hsiaug.report.html.filters import filter_facts
from hsiaug.report.html.gains import gain_pictures
from hsiaug.report.html.maps import MapMaker
from hsiaug.report.html.markup import badge, details, escape, facts, items, json_for_script, link
from hsiaug.report.html.protocols import protocol_tables
from hsiaug.report.html.records import environment, record_lists
from hsiaug.report.html.verdicts import failure_block, outcome, summary
from hsiaug.report.labels import count
from hsiaug.report.notes import control_notes, number_notes, significance_note, verdict_note
from hsiaug.report.tables import ADDED, Report, Table
from hsiaug.report.views import Said
from hsiaug.report.views_labels import main_worths, worth_verdicts
from hsiaug.trial.store import Store

__all__ = ["html_page"]

HERE = Path(__file__).parent
SCRIPTS = ("page.js", "filters.js", "maps.js", "hover.js", "print.js")
"""In their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes and protocols that the title of a page names at most."""
Section = tuple[str, str, str]
"""Id, heading, and markup."""


def html_page(report: Report, store: Store | None = None) -> str:
    """One self-contained page of HTML; equal for equal records.

    store: where the predictions lie from which maps are drawn; without it there are none. A map needs its scene,
        which is read where it lies on this machine and never downloaded.
    """
    shown = [TableSection(table, number, report.where) for number, table in enumerate(report.tables)]
    compared = [section for section in shown if section.table.condition.protocol != ADDED] or shown
    maker = MapMaker(store, len(compared))
    curves = curves_by_table(report, store)
    every_curve = [curve for found in curves.values() for curve in found]
    verdicts = _verdict(report, compared, maker, worth_verdicts(every_curve), main_worths(every_curve))
    sections: list[Section] = [("verdict", "Verdict", verdicts)]
    if across := protocol_tables(report):
        sections.append(("across", "Location under each protocol", across))
    for section in compared:
        equivalents = label_block(section, curves.get(section.table, ()))
        html = _table(section, maker, equivalents)
        sections.append((section.anchor("table"), section.table.title, html))
    if points := [section for section in shown if section not in compared]:
        folded = (details(s.table.title, _point(s), id=s.anchor("table")) for s in points)
        sections.append(("points", "Points of learning curves", "".join(folded)))
    trials = {trial.hash: trial for section in shown for trial in section.table.trials}.values()
    sections.append(("environment", "Environment", details("Machines and versions", environment(trials))))
    return _document(_title(report), sections, filter_facts(shown))


def _title(report: Report) -> str:
    """Scene and protocol, so that pages are told apart in tabs and bookmarks."""
    names = list(dict.fromkeys(table.title.split(",")[0] for table in report.tables))
    protocols = list(dict.fromkeys(table.condition.protocol for table in report.tables))
    said = [
        ", ".join(found[:MOST_TITLED]) + (", …" if len(found) > MOST_TITLED else "")
        for found in (names, protocols)
    ]
    return f"{': '.join(said)} · hsiaug" if report.tables else "hsiaug report"


def _document(title: str, sections: Sequence[Section], facts: Mapping[str, Any]) -> str:
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
        facts=json_for_script(facts),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        contents=links,
        body=body,
    )


def _joined(*names: str) -> str:
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


def _verdict(
    report: Report,
    shown: Sequence[TableSection],
    maker: MapMaker,
    worth: Mapping[Table, Said],
    worths: Mapping[Table, Mapping[CellKey, str]],
) -> str:
    if not shown:
        return f'<p class="headline">There is no record in {escape(report.where)} yet.</p>'
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    newest = max((str(trial.record.get("created") or "") for trial in trials.values()), default="")[:10]
    where = next((section.anchor("failed") for section in shown if section.table.failed), None)
    failures = link(f"{failed:,} failed", where)
    rest = f", in {report.where}" + (f"; the newest of {newest}" if newest else "")
    parts = [f'<p class="lead">{count(len(trials), "trial")}, {failures}{escape(rest)}.</p>']
    for section in shown:
        heading = (
            f'<h3><a href="#{section.anchor("table")}">{escape(section.table.title)}</a>{_tags(section)}</h3>'
        )
        said, lines = worth.get(section.table, ("", ()))
        labels = f"<p>{escape(said)}</p>{items(map(escape, lines))}" if lines else ""
        first = f'<p class="headline">{escape(headline(section.table))}</p>{outcome(section, worths.get(section.table))}'
        prose = details("In words", f"{summary(section)}{labels}")
        parts.append(f'<div class="verdict">{maker.thumbnail(section)}{heading}{first}{prose}</div>')
    return "\n".join([*parts, f'<p class="note">{HOW_TO_READ}</p>'])


HOW_TO_READ = (
    "Differences are means over paired draws, in points; p is Holm-corrected over the table. Every number in a table is "
    "a link to the records that it was made from. What each verdict claims stands below its table."
)


def _tags(section: TableSection) -> str:
    return " " + badge("LEAKY", "bad") if section.table.leaky else ""


def _table(section: TableSection, maker: MapMaker, equivalents: str) -> str:
    table = section.table
    notes = number_notes(table) + control_notes(table) + significance_note(table) + verdict_note(table)
    parts = [
        failure_block(section),
        "".join(f'<p class="warning" role="note">{escape(text)}</p>' for text in warnings(table)),
        '<p class="warning" role="note">LEAKY: location alone answers for part of the score; see the audit.</p>'
        if table.leaky
        else "",
        _part("Gains, draw by draw", gain_pictures(section)),
        _part("Tables", section.view("generator")),
        _part("λ and ω", sweep_blocks(section)),
        _part("Label equivalents", equivalents),
        _part("Per class", class_gains(section)),
        _part("Maps", maker.maps(section)),
        _part("Confusion", confusions(section)),
        _part("In detail", _folded(section)),
        _part("Notes and audit", details("What the numbers are", items(map(escape, notes)), opened=True)
              + details("Audit of the protocol", facts(audit_lines(table, section.where)), opened=table.leaky)),
        _part("Records", record_lists(section)),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _point(section: TableSection) -> str:
    """What a table adds that is read as a point of a curve: its numbers and records."""
    parts = [failure_block(section), section.view("generator"), record_lists(section)]
    return "\n".join(part for part in parts if part)


def _part(heading: str, html: str) -> str:
    return f"<h3>{escape(heading)}</h3>\n{html}" if html else ""


def _folded(section: TableSection) -> str:
    names = {
        "classifier": "Every metric, and the tests",
        "class": "Recall per class",
        "field": "Seen and new fields",
        "cost": "Seconds and memory",
    }
    return "".join(details(name, tables) for by, name in names.items() if (tables := section.view(by)))
