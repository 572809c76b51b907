"""The report as one page of HTML: verdicts first, then each table with its pictures and records. Nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from hsiaug.report.curves import AXES, SIGNS, curve_notes, find_sweeps
from hsiaug.report.figures.curves import curve_figure, label_figure
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.figures.gains import gain_figure
from hsiaug.report.findings import CONTROL, OF_SIGNS, headline, said_of, signs_note
from hsiaug.report.grid import ReportPage
from hsiaug.report.html.maps import MapMaker
from hsiaug.report.html.markup import HERE, join, macros, picture_source, templates
from hsiaug.report.html.section import TableSection
from hsiaug.report.labels import count
from hsiaug.report.matrix import NOTE, Matrix, class_sentence, closing, matrices, overviews
from hsiaug.report.notes import audit_lines, failure_heading, failure_lines, table_notes, warnings
from hsiaug.report.records import ArmCell
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import ADDED, Report
from hsiaug.report.views_labels import label_grids, label_notes, said
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes and protocols that the title of a page names at most."""
DETAILED = {
    "classifier": "Every metric, and the tests",
    "class": "Recall per class",
}


class Section(NamedTuple):
    """A section of the page. parts: (id, heading) of what the contents list below it."""

    id: str
    heading: str
    html: Markup
    parts: tuple[tuple[str, str], ...] = ()


def html_page(report: Report, store: Store | None = None) -> str:
    """One self-contained page of HTML; equal for equal records.

    store: where the predictions lie from which maps are drawn; without it there are none. A map needs its scene,
        which is read where it lies on this machine and never downloaded.
    """
    shown = [TableSection(table, number, report.where) for number, table in enumerate(report.tables)]
    compared = [section for section in shown if section.table.condition.protocol != ADDED] or shown
    maker = MapMaker(store)
    curves = label_curves(report, store) if store is not None else []
    sections = [Section("verdict", "What helps", _verdicts(report, compared))]
    for section in compared:
        own = [curve for curve in curves if curve.table is section.table]
        sections.append(_table(section, maker, own, alone=len(compared) == 1))
    if points := [section for section in shown if section not in compared]:
        folded = (macros().fold(s.table.title, _point(s), id=s.anchor("table")) for s in points)
        sections.append(Section("points", "Points of learning curves", join(*folded)))
    environment = macros().fold("Libraries, devices and machines", macros().facts(_environment(report)))
    sections.append(Section("environment", "Environment", environment))
    return _document(_title(report), sections)


def pages_html(title: str, pages: Sequence[ReportPage]) -> str:
    """One self-contained page of HTML of tables and notes, without a store behind them."""
    return _document(title, [Section(f"page-{i}", page.heading, _tables(page)) for i, page in enumerate(pages)])


def _tables(page: ReportPage) -> Markup:
    return join(*(macros().grid(grid) for grid in page.grids), *map(macros().note, page.notes))


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
        made = dict(trial.environment or {})
        made |= made.pop("versions", None) or {}
        for name, value in made.items():
            found.setdefault(str(name), set()).add(str(value))
    return [(name, ", ".join(sorted(values))) for name, values in sorted(found.items())]


def _document(title: str, sections: Sequence[Section]) -> str:
    # One script, so that one checksum covers all that may run.
    script, style = _joined(*SCRIPTS), _joined("page.css", "charts.css")
    return (
        templates()
        .get_template("page.html")
        .render(
            title=title,
            style=style,
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            sections=sections,
        )
    )


def _joined(*names: str) -> Markup:
    return Markup("".join((HERE / name).read_text(encoding="utf-8") for name in names))


def _verdicts(report: Report, shown: Sequence[TableSection]) -> Markup:
    """Accuracy, then the verdict on every arm and scene."""
    if not shown:
        return Markup(macros().headline(f"There is no record in {report.where} yet."))
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    where = next((section.anchor("failed") for section in shown if section.table.failed), None)
    lead = macros().lead(count(len(trials), "trial"), f"{failed:,} failed", where, report.where)
    sections = {id(cell): section for section in shown for cell in section.table.every_cell.values()}
    found = matrices(report)
    made = [_matrix(one, lambda cell: sections[id(cell)].cell_id(cell), titled=len(found) > 1) for one in found]
    return join(lead, *made)


def _matrix(matrix: Matrix, anchor: Callable[[ArmCell], str], *, titled: bool) -> Markup:
    """A headline, accuracy, what else is found, and gains over the control that decides."""
    first, *more = closing(matrix)
    accuracy = [macros().grid(grid, anchor, "overview") for grid in overviews(matrix)]
    more = [*filter(None, map(class_sentence, matrix.tables)), *more]
    if len(matrix.tables) == 1 and first != (said := said_of(matrix.tables[0])):
        first, more = said, [first, *more]
    leaky = "LEAKY: " * any(table.leaky for table in matrix.tables)
    title = macros().title(leaky + matrix.title) if titled or leaky else ""
    if not matrix.rows:
        return join(title, macros().headline(first), *accuracy, *map(macros().para, more))
    notes = [signs_note(matrix.tables), f"{CONTROL}: a control.", OF_SIGNS, *([NOTE] if matrix.pooled else [])]
    about = macros().fold("What the signs and numbers are", macros().note(" ".join(notes)))
    gains = macros().grid(matrix.grid, anchor, "matrix")
    return join(title, macros().headline(first), *accuracy, *map(macros().para, more), gains, about)


def _table(section: TableSection, maker: MapMaker, curves: Sequence[LabelCurve], *, alone: bool) -> Section:
    """Everything about a table. alone: it is the only one, so that more of it is unfolded."""
    table = section.table
    compared = any(any(gain.against.values()) for gain in table.judged)
    gains = f"Δ{table.scores.main.name} of every arm over its controls, in percentage points"
    warned = [*warnings(table)]
    if table.leaky:
        warned.append("LEAKY: location alone answers for part of the score; see the audit.")
    above = [
        macros().headline(headline(table)),
        _failures(section),
        *map(macros().warning, warned),
    ]
    parts: list[tuple[str, str, str, bool]] = [
        ("gains", "Gains, draw by draw", _picture(gain_figure(Report((table,))), gains) if compared else "", True),
        ("maps", "Maps", maker.maps(section), alone),
        ("tables", "Tables", section.view("generator"), alone),
        ("sweeps", "λ and ω", _sweeps(section), alone),
        ("labels", "Label equivalents", _labels(section, curves) if curves else "", alone),
        ("classes", "Gain per class", section.class_gains(), False),
        *((by, name, section.view(by), False) for by, name in DETAILED.items()),
        ("notes", "What the numbers are", macros().items(table_notes(table)), False),
        ("audit", "Audit of the protocol", macros().facts(audit_lines(table, section.where)), table.leaky),
        ("records", "Records", section.records(), False),
    ]
    made = [(section.anchor(id), name, html, opened) for id, name, html, opened in parts if html]
    folded = [macros().fold(name, html, id, opened, "h3") for id, name, html, opened in made]
    below = tuple((id, name) for id, name, *_ in made)
    return Section(section.anchor("table"), table.title, join(*above, *folded), below)


def _point(section: TableSection) -> Markup:
    """Return the numbers and records of a table that is read as a point of a curve."""
    return join(_failures(section), section.view("generator"), section.records())


def _failures(section: TableSection) -> Markup:
    """Failed trials by error; empty where none failed."""
    heading = failure_heading(section.table)
    if heading is None:
        return Markup()
    lines = failure_lines(section.table, section.where)
    return Markup(macros().failures(section.anchor("failed"), heading, lines))


def _sweeps(section: TableSection) -> Markup:
    """Figure, notes and tables of each axis along which some generator has two values; empty where none has."""
    table, blocks = section.table, []
    for axis in AXES:
        if find_sweeps(table, axis):
            blocks += [
                Markup("<h4>Along {}</h4>").format(SIGNS[axis]),
                _picture(curve_figure(Report((table,)), axis), f"OA and AA against {SIGNS[axis]}"),
                *map(macros().note, curve_notes(table, axis)),
                macros().fold("The numbers of these curves", section.view(axis)),
            ]
    return join(*blocks)


def _labels(section: TableSection, curves: Sequence[LabelCurve]) -> Markup:
    """Sentences, figure, tables and notes of learning curves."""
    tables = join(*(section.grid(grid) for grid in label_grids(section.table, curves)))
    return join(
        macros().items([said(curve, arm) for curve in curves for arm in curve.arms]),
        _picture(label_figure(curves), "none with more labels per class, and the arms on its curve"),
        macros().fold("The numbers of these curves", tables),
        *map(macros().note, label_notes(curves)),
    )


def _picture(drawn: Figure, caption: str) -> Markup:
    source = picture_source(figure_bytes(drawn, "svg"))
    return Markup(macros().figure(f"{caption}: {drawn.get_label()}", caption, source))
