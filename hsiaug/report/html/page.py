"""The report as one page of HTML: the answers first, then each table with its pictures and records.
Nothing is fetched.

:func:`report_model` collects all that the page shows, and ``templates/report.html`` lays it out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from hsiaug.base.text import json_of
from hsiaug.report.answer_text import AnswerText, answer_texts
from hsiaug.report.answers import Answers, Use, three_answers
from hsiaug.report.breakdowns import VIEWS, overview
from hsiaug.report.cells import ArmCell
from hsiaug.report.curves import AXES, SIGNS, find_sweeps
from hsiaug.report.figures.curves import curve_figure, label_figure
from hsiaug.report.figures.files import figure_bytes
from hsiaug.report.findings import best_row_sentences
from hsiaug.report.formatting import count
from hsiaug.report.grid import Grid, ReportPage
from hsiaug.report.html.arms import arm_commands, arm_keys
from hsiaug.report.html.classes import ClassRecalls, class_recalls
from hsiaug.report.html.gains import GainChart, gain_chart
from hsiaug.report.html.maps import MapMaker, TableMaps
from hsiaug.report.html.markup import HERE, picture_source, templates
from hsiaug.report.html.samples import SampleMaker, TableSamples
from hsiaug.report.label_breakdowns import label_grids, label_notes
from hsiaug.report.notes import (
    audit_lines,
    failure_heading,
    failure_lines,
    run_facts,
    table_notes,
    warnings,
)
from hsiaug.report.pages import Matrix, matrices, summary_notes
from hsiaug.report.render_data import csv_of, data_rows, report_json
from hsiaug.report.scenes.label_curves import LabelCurve, label_curves
from hsiaug.report.tables import Report, ReportTable
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCRIPTS = ("page.js", "stage.js", "maps.js", "print.js")
"""Scripts in their order: each may use what stands before it."""
MOST_TITLED = 3
"""Scenes that the title of a page names at most."""
LEAKY = "LEAKY: location alone answers for part of the score; see the audit."


class Heading(NamedTuple):
    """A section of a page in its contents.

    Attributes
    ----------
    parts : tuple of (str, str)
        (id, heading) of what the contents list below it.
    """

    id: str
    heading: str
    parts: tuple[tuple[str, str], ...] = ()


class Part(NamedTuple):
    """A part of the section of a table, which opens and closes.

    Attributes
    ----------
    id : str
        The last word of its id within the page.
    """

    id: str
    name: str
    opened: bool


@dataclass(frozen=True)
class CurvePicture:
    """A picture of curves.

    Attributes
    ----------
    caption, label : str
        What is drawn, in short and with how to read it.
    source : str
        The picture, as the source of an ``img``.
    grids : sequence of Grid
        The numbers of the curves.
    heading : str
        The axis that they run along; "" for learning curves.
    notes : sequence of str
        Sentences below the numbers.
    """

    caption: str
    label: str
    source: str
    grids: Sequence[Grid]
    heading: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class TableSection:
    """All that the page shows of a table.

    Attributes
    ----------
    id : str
        What the ids of its parts begin with.
    keys : mapping of ArmCell to str
        Names of its arms within the page.
    alone : bool
        It is the only one: its answers and its chart stand in the verdict, and more of it is
        unfolded.
    overview : Grid or None
        The main table; None where there is no arm.
    gains, sweeps, labels, metrics
        What is folded below the main table.
    commands : mapping of str to str
        The command that runs the draws of an arm again, by the name of the arm.
    """

    id: str
    title: str
    scene: str
    alone: bool
    keys: Mapping[ArmCell, str]
    answers: Sequence[AnswerText]
    failed: str | None
    failures: Sequence[str]
    warnings: Sequence[str]
    leaky: bool
    chart: GainChart | None
    overview: Grid | None
    gains: Sequence[Grid]
    sweeps: Sequence[CurvePicture]
    labels: CurvePicture | None
    metrics: Sequence[Grid]
    maps: TableMaps
    classes: ClassRecalls | None
    samples: TableSamples | None
    audit: Sequence[tuple[str, str]]
    notes: Sequence[str]
    commands: Mapping[str, str]
    table: ReportTable = field(repr=False)

    @property
    def records(self) -> Sequence[Grid]:
        """A row per trial. Made where it is shown, as the rows of all tables together may be too
        many for the memory.
        """
        return VIEWS["seed"](self.table)

    @property
    def parts(self) -> list[Part]:
        """Those that have something to show; of several tables, all are closed."""
        shown = {
            Part("tables", "Table", opened=self.alone): self.overview,
            Part("maps", "Maps", opened=self.alone): self.maps,
            Part("classes", "Classes", opened=False): self.classes,
            Part("samples", "Samples", opened=self.alone): self.samples,
            Part("audit", "Audit", opened=self.alone and self.leaky): self.audit,
            Part("records", "Records", opened=False): self.table.trials,
        }
        return [part for part, content in shown.items() if content]


@dataclass(frozen=True)
class MatrixVerdict:
    """The answers of each scene of a run and protocol.

    Attributes
    ----------
    title : str
        "" where the page is about nothing else.
    tables : sequence of TableSection
        A table for each scene.
    grids, notes : sequence of Grid or of str
        Of several scenes, the arms by scene.
    best : sequence of str
        Of one scene, sentences on the row with the highest score.
    """

    title: str
    tables: Sequence[TableSection]
    grids: Sequence[Grid] = ()
    notes: Sequence[str] = ()
    best: Sequence[str] = ()


@dataclass(frozen=True)
class ReportModel:
    """All that the page of a report shows.

    Attributes
    ----------
    where : str
        The store as an argument of commands.
    facts : sequence of (str, str)
        When, with what and at what cost the records were made.
    trials, failed : str
        How many there are, and how many of them failed.
    failed_table : str or None
        The id of the first list of failures.
    declared : sequence of ReportPage
        The claims and tables of a suite, which come first.
    verdicts : sequence of MatrixVerdict
        Empty where there is no record.
    """

    where: str
    facts: Sequence[tuple[str, str]]
    trials: str
    failed: str
    failed_table: str | None
    declared: Sequence[ReportPage]
    verdicts: Sequence[MatrixVerdict]
    tables: Sequence[TableSection]

    @property
    def contents(self) -> list[Heading]:
        """The sections of the page."""
        declared = [Heading("declared", page.heading) for page in self.declared[:1]]
        tables = [
            Heading(
                f"{table.id}-table",
                table.title,
                tuple((f"{table.id}-{part.id}", part.name) for part in table.parts),
            )
            for table in self.tables
        ]
        return [*declared, Heading("verdict", "What helps"), *tables]


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
    answers = {table: three_answers(table) for table in _shown_tables(report)}
    model = report_model(report, answers, store, declared)
    title = declared[0].heading if declared else _named_after(list(answers))
    return _rendered(
        "report.html",
        f"{title} · hsiaug" if title else "hsiaug report",
        model.contents,
        _data(report, answers) if report.tables else (),
        report=model,
    )


def _named_after(tables: Sequence[ReportTable]) -> str:
    """The title of a page that shows these tables: their scenes and protocols."""
    scenes = (f"{table.title.split(',')[0]}: {table.condition.protocol}" for table in tables)
    names = [*dict.fromkeys(scenes)]
    return ", ".join(names[:MOST_TITLED]) + (", …" if len(names) > MOST_TITLED else "")


def tables_page(title: str, pages: Sequence[ReportPage]) -> str:
    """One self-contained page of HTML with a section for each of these tables."""
    contents = [Heading(f"page-{number}", page.heading) for number, page in enumerate(pages)]
    return _rendered("tables.html", title, contents, pages=pages)


def _rendered(
    template: str,
    title: str,
    contents: Sequence[Heading],
    data: Sequence[tuple[str, str]] = (),
    **model: object,
) -> str:
    """A page of a template, with style and scripts.

    Parameters
    ----------
    data : sequence of (str, str)
        Files that the page holds: their names, and gzip in base64.
    model : object
        What the template shows.
    """
    # One script, so that one checksum covers all that may run.
    script = Markup("".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS))
    return (
        templates()
        .get_template(template)
        .render(
            title=title,
            style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            contents=contents,
            data=data,
            **model,
        )
    )


def _shown_tables(report: Report) -> Sequence[ReportTable]:
    """The tables of the page: without points of learning curves, unless there is nothing else."""
    return report.compared or report.tables


def _data(report: Report, answers: Mapping[ReportTable, Answers]) -> list[tuple[str, str]]:
    """The report's data by file names, packed: gzip in base64."""
    rows = data_rows(report)
    texts = {
        "trials.csv": csv_of(rows),
        "report.json": json_of(report_json(report, answers)) + "\n",
    }
    return [
        (name, base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode())
        for name, text in texts.items()
    ]


def report_model(
    report: Report,
    answers: Mapping[ReportTable, Answers],
    store: Store | None,
    declared: Sequence[ReportPage],
) -> ReportModel:
    """All that the page of a report shows.

    Parameters
    ----------
    answers : mapping of ReportTable to Answers
        Of each table that the page shows.
    store, declared
        As of :func:`html_page`.
    """
    tables = list(answers)
    maps = MapMaker(store)
    samples = SampleMaker(store)
    curves = label_curves(report, store) if store is not None else []
    sections = {}
    for number, table in enumerate(tables):
        keys = arm_keys(table, f"t{number}")
        sections[table] = TableSection(
            id=f"t{number}",
            title=table.title,
            scene=table.condition.scene,
            alone=len(tables) == 1,
            keys=keys,
            answers=answer_texts(answers[table]),
            failed=failure_heading(table),
            failures=failure_lines(table, report.where),
            warnings=[*warnings(table), *([LEAKY] if table.leaky else [])],
            leaky=table.leaky,
            chart=gain_chart(table, keys),
            overview=overview(table) if table.cells else None,
            gains=VIEWS["generator"](table),
            sweeps=_sweeps(table),
            labels=_labels(table, [curve for curve in curves if curve.table is table]),
            metrics=VIEWS["classifier"](table),
            maps=maps.maps(table),
            classes=class_recalls(table, store),
            samples=samples.samples(table),
            audit=audit_lines(table, report.where),
            notes=table_notes(table),
            commands=arm_commands(keys, store, report.option),
            table=table,
        )
    found = matrices(report) if tables else []
    trials = {trial.hash: trial for table in report.tables for trial in table.trials}
    failed = sum(trial.failed for trial in trials.values())
    listed = (f"{section.id}-failed" for section in sections.values() if section.failed)
    return ReportModel(
        where=report.where,
        facts=run_facts(tables),
        trials=count(len(trials), "trial"),
        failed=f"{failed:,} failed",
        failed_table=next(listed, None),
        declared=declared,
        verdicts=[
            _verdict(
                matrix,
                [sections[table] for table in matrix.tables],
                answers[matrix.tables[0]].use,
                report.option,
                alone=len(found) == 1,
            )
            for matrix in found
        ],
        tables=[*sections.values()],
    )


def _verdict(
    matrix: Matrix, sections: Sequence[TableSection], use: Use, option: str, *, alone: bool
) -> MatrixVerdict:
    """The answers of a matrix.

    Parameters
    ----------
    sections : sequence of TableSection
        Of its tables.
    use : Use
        The third answer of the first of them.
    option : str
        The option that names the store.
    alone : bool
        It is the only one.
    """
    leaky = "LEAKY: " * any(section.leaky for section in sections)
    title = "" if alone and not leaky else leaky + matrix.title
    if len(sections) == 1:
        best = best_row_sentences(matrix.tables[0], use, option)
        return MatrixVerdict(title, sections, best=best)
    return MatrixVerdict(title, sections, matrix.grids, summary_notes(matrix))


def _sweeps(table: ReportTable) -> list[CurvePicture]:
    """A picture of each axis along which some generator has two values."""
    return [
        _picture(
            curve_figure(Report((table,)), axis),
            f"OA and AA against {SIGNS[axis]}",
            VIEWS[axis](table),
            heading=f"Along {SIGNS[axis]}",
        )
        for axis in AXES
        if find_sweeps(table, axis)
    ]


def _labels(table: ReportTable, curves: Sequence[LabelCurve]) -> CurvePicture | None:
    """The picture of learning curves; None without any."""
    if not curves:
        return None
    return _picture(
        label_figure(curves),
        "none with more labels per class, and the arms on its curve",
        label_grids(table, curves),
        notes=label_notes(curves),
    )


def _picture(
    drawn: Figure,
    caption: str,
    grids: Sequence[Grid],
    *,
    heading: str = "",
    notes: Sequence[str] = (),
) -> CurvePicture:
    source = picture_source(figure_bytes(drawn, "svg"))
    label = f"{caption}: {drawn.get_label()}"
    return CurvePicture(caption, label, source, grids, heading, notes)
