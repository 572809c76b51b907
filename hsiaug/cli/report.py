"""``hsiaug report``: tables from the records of a store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

SUFFIXES = {".md": "md", ".tex": "tex", ".csv": "csv", ".json": "json"}


StoreFolder = Annotated[Path, typer.Argument(help="Folder of records that 'hsiaug benchmark' wrote.")]
Rows = Annotated[str, typer.Option(help="The rows: generator, classifier, class or seed.")]
Shape = Annotated[
    str | None,
    typer.Option(
        help="rich, md, tex, csv or json. Without it: what the suffix of --out says, else rich on a terminal "
        "and md elsewhere."
    ),
]
OutFile = Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")]


def report(
    store: StoreFolder = Path("hsiaug-results"),
    by: Rows = "generator",
    format: Shape = None,
    out: OutFile = None,
) -> None:
    """Rebuild the tables of a benchmark from its records alone.

    One table per scene, protocol, patch and task: mean ± std over draws, gains
    over the controls none and duplicate, failed trials by name, the audit of the
    protocol. Nothing is trained or downloaded. csv has one row per trial (with
    --by class one per trial and class); json lists the hashes of every cell.

    Examples:

        hsiaug report

        hsiaug report my-results --by class

        hsiaug report my-results --by classifier --out table.tex

        hsiaug report my-results --format csv > trials.csv
    """
    from hsiaug.report import build_report, print_report, render_report
    from hsiaug.trial.store import Store

    shape = format or _usual_format(out)
    built = build_report(Store(store).records(), store=str(store))
    if out is not None:
        _write(out, render_report(built, format=shape, by=by))
    elif shape == "rich":
        from rich.console import Console

        print_report(built, Console(), by=by)
    else:
        typer.echo(render_report(built, format=shape, by=by), nl=False)


def _usual_format(out: Path | None) -> str:
    if out is not None:
        return SUFFIXES.get(out.suffix.lower(), "md")
    return "rich" if sys.stdout.isatty() else "md"


def _write(out: Path, text: str) -> None:
    from hsiaug.errors import InputError

    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            "--out must name a file that can be written",
            value=f"{out} ({error.strerror})",
            mend="Create its folder, or name another one.",
        ) from error
