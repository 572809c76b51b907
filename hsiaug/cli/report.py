"""``hsiaug report``: tables from the records of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.cite import write_citation
from hsiaug.cli.options import option
from hsiaug.cli.output import (
    cache_notes,
    read_report,
    say,
    say_written,
    show_report,
)
from hsiaug.cli.show import show


def report(
    store: options.StoreDir = Path(defaults.STORE),
    by: Annotated[
        str | None,
        option(
            "The rows: summary, generator, gain, classifier, class, seed, lambda, times, omega, or"
            " labels (of 'hsiaug worth').",
            metavar="ROWS",
            default="summary on a terminal, generator elsewhere",
        ),
    ] = None,
    notes: Annotated[
        bool | None,
        option(
            "Definitions and audits below the tables.",
            "--notes/--no-notes",
            default="not on a terminal",
        ),
    ] = None,
    trial: Annotated[
        str | None,
        option(
            "Show one record, by its hash or the beginning of it, and the command that reruns it.",
            metavar="HASH",
        ),
    ] = None,
    cite: Annotated[
        bool,
        option(
            "Write the paragraph of methods and the BibTeX of what was used; with --out to .bib,"
            " .md or .txt."
        ),
    ] = False,
    format: Annotated[
        str | None,
        option(
            "Without --out: rich, md, tex, csv, json, html; or mlflow.",
            metavar="FORMAT",
            default="rich on a terminal, md elsewhere",
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        option(
            "File to write: .html, .md, .tex, .csv, .json, .png, .svg or .pdf; repeat for more.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Rebuild the tables of a benchmark from its records alone.

    Examples:
      hsiaug report
      hsiaug report --out report.html
      hsiaug report --by classifier --no-notes --out table.tex
      hsiaug report --by gain --out gains.pdf
      hsiaug report --trial 3fa9
      hsiaug report --cite --out references.bib
      hsiaug report --format mlflow --out runs

    html is one page of everything, which needs no network. png, svg and pdf draw the gains, or what
    --by gain, class (confusion matrices), lambda, times, omega or labels shows. csv has one row per
    trial (--by class: per trial and class; --by gain: per configuration and control; --by labels:
    per point and configuration); json has one row per trial and the gains, whatever --by says.
    --format mlflow adds a run for each trial to mlflow.db in the folder --out, or here. Nothing is
    trained or downloaded.
    """
    if trial is not None or cite:
        _check_alone(trial, by=by, cite=cite)
        if trial is not None:
            show(trial, store, json=format == "json")
        else:
            write_citation(store, out)
        return
    from hsiaug.base.errors import InputError
    from hsiaug.base.files import check_target
    from hsiaug.report import ENDINGS, save_report
    from hsiaug.report.render_data import write_mlflow
    from hsiaug.trial.record_cache import uncollected
    from hsiaug.trial.store import Store

    folders = (out or [Path()]) if format == "mlflow" else []
    out = [] if folders else out or []
    shapes = [ENDINGS[check_target(path, tuple(ENDINGS))] for path in out]
    if format and shapes and {format} != set(shapes):
        rule = "--format must agree with the endings of --out"
        conflict = f"--format {format} and --out {', '.join(map(str, out))}"
        raise InputError(rule, value=conflict, hint="Leave out --format.")
    records = Store(store)
    for line in cache_notes():
        say(line, err=True)
    with uncollected():
        built = read_report(records)
        for path, shape in zip(out, shapes, strict=True):
            with_notes = notes is not False
            caption = save_report(
                built,
                path,
                shape,
                by,
                store=records,
                notes=with_notes,
            )
            if caption:
                typer.echo(f"caption of {path.name}: {caption}", err=True)
        if out:
            say_written(out)
        for folder in folders:
            typer.echo(write_mlflow(built, folder), err=True)
        if not out and not folders:
            show_report(built, records, by, shape=format, notes=notes)


def _check_alone(trial: str | None, *, by: str | None, cite: bool) -> None:
    """Refuse --trial and --cite with another view."""
    from hsiaug.base.errors import InputError

    if (trial is not None and cite) or by is not None:
        rule = "--trial, --cite and --by are each a view of its own"
        raise InputError(rule, hint="Name one of them.")
