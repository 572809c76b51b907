"""``hsiaug report``: tables from the records of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.bench import defaults
from hsiaug.cli.options import option
from hsiaug.cli.output import (
    cache_notes,
    read_report,
    say,
    say_written,
    show_report,
)


def report(
    store: Annotated[
        Path | None, option("Folder of the records.", "--store", show_default=defaults.STORE)
    ] = None,
    by: Annotated[
        str | None,
        option(
            "The rows: summary, generator, gain, classifier, class, seed, lambda, times, omega,"
            " or labels (of 'hsiaug labels'). Default: summary on a terminal, generator elsewhere."
        ),
    ] = None,
    notes: Annotated[
        bool | None,
        option(
            "Definitions and audits below the tables. Default: not on a terminal.",
            "--notes/--no-notes",
        ),
    ] = None,
    format: Annotated[
        str | None,
        option(
            "Without --out: rich, md, tex, csv, json, html; mlflow. Default: rich on a terminal,"
            " else md."
        ),
    ] = None,
    out: Annotated[
        list[Path] | None, option("Write to this file, by its ending; repeat for more.")
    ] = None,
    columns: Annotated[
        int,
        option(
            "Of a picture: columns of a two-column page that it fills.", min=1, max=2, metavar="N"
        ),
    ] = 2,
) -> None:
    """Rebuild the tables of a benchmark from its records alone.

    On a terminal: accuracy of every arm on every scene, what helps, and by how much. In a file: all
    tables, or what --by names. html is one page of everything, which needs no network. png, svg and
    pdf draw what helps as a card, or what --by gain, class (confusion matrices), lambda, times,
    omega or labels shows. csv has one row per trial (--by class: per trial and class; --by gain:
    per arm and control; --by labels: per point and arm); json has one row per trial and what each
    arm gains, whatever --by says. --format mlflow adds a run for each trial to mlflow.db in the
    folder --out, or here: 'mlflow ui' shows it there. Nothing is trained or downloaded.

    Examples:
      hsiaug report
      hsiaug report --out report.html
      hsiaug report --by classifier --no-notes --out table.tex
      hsiaug report --by gain --out gains.pdf --columns 1
      hsiaug report --format mlflow --out runs
    """
    from hsiaug.base.errors import InputError
    from hsiaug.base.files import check_target
    from hsiaug.report import ENDINGS, save_report
    from hsiaug.report.render_data import write_mlflow
    from hsiaug.trial.store import Store

    folders = (out or [Path()]) if format == "mlflow" else []
    out = [] if folders else out or []
    shapes = [ENDINGS[check_target(path, tuple(ENDINGS))] for path in out]
    if format and shapes and {format} != set(shapes):
        rule = "--format must agree with the endings of --out"
        conflict = f"--format {format} and --out {', '.join(map(str, out))}"
        raise InputError(rule, value=conflict, hint="Leave out --format.")
    records = Store(store or Path(defaults.STORE))
    for line in cache_notes():
        say(line, err=True)
    built = read_report(records)
    for path, shape in zip(out, shapes, strict=True):
        with_notes = notes is not False
        caption = save_report(
            built,
            path,
            shape,
            by,
            store=records,
            columns=columns,
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
