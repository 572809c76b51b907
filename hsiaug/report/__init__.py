"""Tables from records: nothing but the records of a store is read, and no plugin, scene or torch is
loaded.

``build_report`` groups records into tables, ``print_report`` shows them on a terminal,
``render_report`` writes them as text, ``figure_of`` draws them. ``render_html`` makes a page of
everything; for its maps and samples it reads predictions and scenes too, where they lie here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hsiaug.base import files
from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.report.answers import three_answers
from hsiaug.report.render_data import report_json as report_json
from hsiaug.report.tables import Report as Report
from hsiaug.report.tables import build_report as build_report
from hsiaug.report.trials import trials_of_records as trials_of_records
from hsiaug.report.trials import trials_of_store as trials_of_store

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from rich.console import Console

    from hsiaug.report.section import Section
    from hsiaug.trial.record_json import Record
    from hsiaug.trial.store import Store

FORMATS = ("rich", *(ending.removeprefix(".") for ending in files.TABLES), "html")
PICTURES = tuple(ending.removeprefix(".") for ending in files.PICTURES)
ENDINGS = {f".{name}": name for name in (*FORMATS[1:], *PICTURES)} | {".txt": "md", ".htm": "html"}
"""The format that the ending of a file asks for."""
IN_FILES = "generator"
"""The view of files, and of what goes into a pipe; on a terminal it is the summary."""


def print_report(
    report: Report,
    console: Console,
    by: str | None = None,
    *,
    notes: bool = False,
    store: Store | None = None,
) -> None:
    """Print every table to a rich console.

    Parameters
    ----------
    notes : bool
        Also what its numbers are, and all of each protocol's audit.
    by : str or None
        A view: ``summary``, ``labels``, or one of :func:`hsiaug.report.sections.table_views`; None:
        the first.
    store : Store or None
        Where the records lie, for the command that runs them again and for confusion matrices.

    Raises
    ------
    InputError
        For anything else, and by labels where the store holds no learning curve.
    """
    from rich.text import Text

    from hsiaug.report.notes import nothing_there
    from hsiaug.report.render_rich import print_sections
    from hsiaug.report.sections import SUMMARY
    from hsiaug.report.views import report_sections

    shown = report_sections(report, by or SUMMARY, store)
    if not shown:
        console.print(Text(nothing_there(report)))
    print_sections(shown, console, notes=notes)


def render_report(
    report: Report,
    format: str = "md",
    by: str | None = None,
    *,
    notes: bool = True,
    store: Store | None = None,
    declared: Sequence[Section] = (),
) -> str:
    """The report as text in one of FORMATS, ending in a newline.

    ``html`` holds every view at once; ``csv`` has one row per trial, for ``by="class"`` one per
    trial and class, for ``by="gain"`` one per arm and control, for ``by="labels"`` one per point of
    a curve and per arm on it; ``json`` the
    rows of trials, of gains, and then those of curves. Raises InputError for an unknown format or
    view.

    Parameters
    ----------
    by : str or None
        As of :func:`print_report`; None: IN_FILES.
    notes : bool
        Of md and tex, what stands below the tables.
    store, declared
        As of :func:`render_html`; without a store no command runs the trials again.
    """
    from hsiaug.base.text import json_of
    from hsiaug.report.notes import nothing_there
    from hsiaug.report.render_data import csv_of, data_rows
    from hsiaug.report.render_rich import rich_text
    from hsiaug.report.render_text import latex, markdown, markdown_text
    from hsiaug.report.section import without_parts
    from hsiaug.report.sections import check_view
    from hsiaug.report.views import report_sections

    by = by or IN_FILES
    check_view(by)
    if format not in FORMATS:
        known = (*FORMATS, *PICTURES, "mlflow")
        hint = did_you_mean(format, known)
        raise InputError(
            f"`format` must be one of {', '.join(known)}", value=repr(format), hint=hint
        )
    if format == "json":
        return json_of(report_json(report, by), indent=2) + "\n"
    if format == "csv":
        return csv_of(data_rows(report, by))
    if format == "html":
        return render_html(report, store, declared)
    shown = report_sections(report, by, store)
    if format == "rich":
        return rich_text(shown) if shown else f"{nothing_there(report)}\n"
    if not notes:
        shown = tuple(
            replace(one, notes=(), closing=(), facts=(), text=(), answers=())
            for one in without_parts(shown)
        )
    if not shown:
        said = nothing_there(report)
        return f"% {' '.join(said.split())}\n" if format == "tex" else f"{markdown_text(said)}\n"
    return latex(shown, "" if by == IN_FILES else by) if format == "tex" else markdown(shown)


def render_html(
    report: Report, store: Store | None = None, declared: Sequence[Section] = ()
) -> str:
    """The report as one self-contained page; equal for equal records. Points of learning curves
    stand in their curves alone.

    Parameters
    ----------
    store : Store or None
        Where the predictions lie from which maps are drawn; without it there are none. A map
        needs its scene, which is read where it lies on this machine and never downloaded.
    declared : sequence of Section
        The claims and tables of a suite, which come first.
    """
    from hsiaug.base.text import json_of
    from hsiaug.report.page import page_sections, page_title
    from hsiaug.report.render_data import csv_of
    from hsiaug.report.render_page import html_page

    files = {}
    if report.tables:
        found = report_json(report)
        files = {"trials.csv": csv_of(found["trials"]), "report.json": json_of(found) + "\n"}
    title = declared[0].title if declared else page_title(report.shown)
    sections = page_sections(report, store, declared)
    return html_page(f"{title} · hsiaug" if title else "hsiaug report", sections, files)


def save_report(
    report: Report,
    path: Path,
    format: str,
    by: str | None = None,
    *,
    store: Store | None = None,
    columns: int = 2,
    notes: bool = True,
    declared: Sequence[Section] = (),
) -> str:
    """Write the report to a file: a picture, the page (for whose maps ``store`` is read), or a
    text.

    Returns what the caption of a picture must say, if anything. Raises InputError as
    :func:`figure_of` and :func:`render_report` do, and for a file that cannot be written.

    Parameters
    ----------
    declared : sequence of Section
        The claims and tables of a suite, for the page.
    """
    from hsiaug.base.files import write_text_whole, write_whole
    from hsiaug.report.sections import check_view

    if format in PICTURES:
        from hsiaug.report.figures.files import figure_bytes

        by = by or IN_FILES
        check_view(by)
        figure = figure_of(report, by, columns)
        picture = figure_bytes(figure, format)
        write_whole(path, lambda fresh: fresh.write_bytes(picture))
        return str(figure.get_label())
    text = render_report(report, format, by, notes=notes, store=store, declared=declared)
    write_text_whole(path, text)
    return ""


def running_answer_lines(records: Iterable[Record], ended: str) -> tuple[str, ...]:
    """What the draws that have ended show.

    Parameters
    ----------
    records : iterable of Record
        Records of these draws.
    ended : str
        The draws, as ``2 of 7 draws``.

    Returns
    -------
    tuple of str
        A line that marks the answers as those of few draws, and a line for each of the three;
        empty where the records are of learning curves alone.
    """
    lines: list[str] = []
    for table in build_report(records).compared:
        of = table.condition
        lines.append(f"{of.scene}, {of.protocol}, after {ended}; may change:")
        answers = replace(three_answers(table), running=True)
        lines += [f"  {text.line}" for text in answers.texts]
    return tuple(lines)


def figure_of(report: Report, by: str, columns: int = 2) -> Figure:
    """Draw a report: what helps as a card (``by="generator"``), what every arm gains over its
    controls draw by draw (``by="gain"``), OA and AA against λ, M or ω, curves over labels
    (``by="labels"``), or confusion matrices (``by="class"``).

    Parameters
    ----------
    columns : int
        Columns of a page with two, which it fills: 1 = 3.5 inches, 2 = 7.2 inches.

    Raises
    ------
    InputError
        For another view, where no generator was run at two values, or the store holds no
        learning curve or no confusion matrix.
    """
    from hsiaug.report.sections import LABELS, pictures

    figures = pictures()
    if by not in figures:
        raise InputError(
            "a picture shows what helps, gains, accuracy against λ, M or ω or over added labels,"
            " or which class is taken for which",
            value=f"`by` {by}",
            hint=(
                f"Write `by` {', '.join(view for view in figures if view != LABELS)} or labels with"
                " it, or name a file that ends in .md, .csv, .tex or .json."
            ),
        )
    return figures[by](report, columns)
