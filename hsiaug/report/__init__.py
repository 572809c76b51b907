"""Tables from records: nothing but the records of a store is read, and no plugin, scene or torch is
loaded.

``build_report`` groups records into tables, ``print_report`` shows them on a terminal,
``render_report`` writes them as text, ``figure_of`` draws them. ``render_html`` makes a page of
everything; for its maps and samples it reads predictions and scenes too, where they lie here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsiaug.base import files
from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.report.render_data import report_json as report_json
from hsiaug.report.tables import Report as Report
from hsiaug.report.tables import build_report as build_report
from hsiaug.report.trials import trials_of_records as trials_of_records
from hsiaug.report.trials import trials_of_store as trials_of_store

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from rich.console import Console

    from hsiaug.trial.store import Store

FORMATS = ("rich", *(ending.removeprefix(".") for ending in files.TABLES), "html")
PICTURES = tuple(ending.removeprefix(".") for ending in files.PICTURES)
ENDINGS = {f".{name}": name for name in (*FORMATS[1:], *PICTURES)} | {".txt": "md", ".htm": "html"}
"""The format that the ending of a file asks for."""


def print_report(
    report: Report,
    console: Console,
    by: str | None = None,
    *,
    metric: str | None = None,
    notes: bool = False,
) -> None:
    """Print every table to a rich console.

    Parameters
    ----------
    by : str or None
        A view: ``summary``, ``labels``, or one of :func:`hsiaug.report.sections.table_views`; None:
        the first.
    metric : str or None
        Of the summary, the key of a metric in place of the main score.
    notes : bool
        Also all scores, and the audit.

    Raises
    ------
    InputError
        For anything else, and by labels where the store holds no learning curve.
    """
    from hsiaug.report.render import print_sections
    from hsiaug.report.sections import SUMMARY
    from hsiaug.report.views import report_sections

    shown = report_sections(report, by or SUMMARY, metric=metric, notes=notes)
    print_sections(shown, console, notes=notes)


def render_report(
    report: Report,
    format: str = "md",
    by: str | None = None,
    *,
    metric: str | None = None,
    notes: bool = True,
    store: Store | None = None,
) -> str:
    """The report as text in one of FORMATS, ending in a newline.

    ``html`` has every view at once; ``csv`` has one row per trial, for ``by="class"`` one per
    trial and class, for ``by="gain"`` one per configuration and control, for ``by="labels"`` one
    per point of a curve and configuration on it; ``json`` the rows of trials, of gains, and then
    those of curves. Raises InputError for an unknown format or view.

    Parameters
    ----------
    by, metric, notes
        As of :func:`print_report`.
    store : Store or None
        As of :func:`render_html`.
    """
    from hsiaug.base.text import json_of
    from hsiaug.report.render import as_text, latex, markdown
    from hsiaug.report.render_data import csv_of, data_rows
    from hsiaug.report.sections import SUMMARY, check_view
    from hsiaug.report.views import report_sections

    by = by or SUMMARY
    check_view(by)
    if format not in FORMATS:
        known = (*FORMATS, *PICTURES)
        hint = did_you_mean(format, known)
        raise InputError(
            f"`format` must be one of {', '.join(known)}", value=repr(format), hint=hint
        )
    if format == "json":
        return json_of(report_json(report, by), indent=2) + "\n"
    if format == "csv":
        return csv_of(data_rows(report, by))
    if format == "html":
        return render_html(report, store)
    shown = report_sections(report, by, metric=metric, notes=notes)
    if format == "rich":
        return as_text(shown, notes=notes)
    return latex(shown, "" if by == SUMMARY else by) if format == "tex" else markdown(shown)


def render_html(report: Report, store: Store | None = None) -> str:
    """The report as one self-contained page; equal for equal records. Points of learning curves
    are in their curves alone.

    Parameters
    ----------
    store : Store or None
        Where the predictions lie from which maps are drawn; without it there are none. A map
        needs its scene, which is read where it lies on this machine and never downloaded.
    """
    from hsiaug.report.views import report_page

    return report_page(report, store)


def save_report(
    report: Report,
    path: Path,
    format: str,
    by: str | None = None,
    *,
    metric: str | None = None,
    store: Store | None = None,
    columns: int = 2,
    notes: bool = True,
) -> str:
    """Write the report to a file: a picture, the page (for whose maps ``store`` is read), or a
    text.

    Returns what the caption of a picture must say, if anything. Raises InputError as
    :func:`figure_of` and :func:`render_report` do, and for a file that cannot be written.
    """
    from hsiaug.base.files import write_text_whole, write_whole
    from hsiaug.report.sections import check_view

    if format in PICTURES:
        from hsiaug.report.figures.files import figure_bytes

        by = by or "gain"
        check_view(by)
        figure = figure_of(report, by, columns)
        picture = figure_bytes(figure, format)
        write_whole(path, lambda fresh: fresh.write_bytes(picture))
        return str(figure.get_label())
    text = render_report(report, format, by, metric=metric, notes=notes, store=store)
    write_text_whole(path, text)
    return ""


def figure_of(report: Report, by: str, columns: int = 2) -> Figure:
    """Draw a report: what every configuration gains over its controls split by split
    (``by="gain"``, or ``"generator"``), OA and AA against λ, M or ω, curves over labels
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
