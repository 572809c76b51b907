"""Tables on a terminal; lines of tab-separated fields elsewhere, so that other programs can read
them.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hsiaug.base.text import ascii_json, json_of, visible

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.base.terminal import Console as Ours
    from hsiaug.report.output_files import TableFiles, Writers
    from hsiaug.report.tables import Report
    from hsiaug.trial.store import Reading, Store

CARD_SETTINGS = (
    *("ignore", "crs", "scale", "units", "bad_bands", "nodata", "axes", "cube_key", "labels_key"),
)
"""Keys of ``--set`` of ``hsiaug datasets add``."""


def console(*, err: bool = False) -> Ours:
    """Standard output or, with err, standard error."""
    from hsiaug.base.terminal import Console

    return Console(stderr=err)


def cell(value: object) -> str:
    """A value as tables show it."""
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def print_table(
    out: Console, header: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
) -> None:
    """One table with a header line; None and numbers as :func:`cell` writes them."""
    texts = [list(map(cell, row)) for row in rows]
    if not out.is_terminal:
        # A tab or a line break inside an entry would make two of it.
        print_lines(out, ("\t".join(map(visible, row)) for row in (header, *texts)))
        return
    from rich.table import Table

    table = Table(*header, title=title or None)
    for row in texts:
        table.add_row(*row)
    out.print(table, highlight=False)


def print_facts(out: Console, facts: Iterable[tuple[str, object]], width: int = 16) -> None:
    """A line for each name and value, in two columns on a terminal."""
    lines = (f"{name}\t{cell(value)}" for name, value in facts)
    print_lines(out, (line.expandtabs(width) if out.is_terminal else line for line in lines))


MANY = 8
"""Numbers of a list that are written out; of a longer one the smallest and the largest are."""


def flat_facts(
    facts: Mapping[str, object], without: Collection[str] = (), within: str = ""
) -> Iterator[tuple[str, str]]:
    """(name, text) of all that nested facts tell that is not empty, "a.b" of what is within.
    without: keys left out.
    """
    for key, value in facts.items():
        name = f"{within}{key}"
        if key in without or value in (None, "", False):
            continue
        if isinstance(value, Mapping):
            yield from flat_facts(value, without, f"{name}.")
        elif not isinstance(value, Sequence) or isinstance(value, str):
            yield name, " ".join(cell(value).split())
        elif value and isinstance(value[0], Mapping):
            for one in value:
                yield from flat_facts(one, without, f"{name}.")
        elif len(value) > MANY and isinstance(value[0], int | float):
            yield name, f"{min(value)}–{max(value)}, {len(value)} numbers"
        elif value:
            yield name, ", ".join(map(cell, value))


def print_lines(out: Console, lines: Iterable[str]) -> None:
    """Lines as they are: no markup, no wrapping, no colour; control characters but for tabs as
    escapes.
    """
    for line in lines:
        # Console.print would turn tabs into spaces.
        out.file.write(visible(name_options(line) if out.stderr else line, keep="\t") + "\n")


def notes_console(err: Ours, *, quiet: bool) -> Ours:
    """Return the console for notes that --quiet leaves out: ``err``, or one that prints nowhere."""
    from hsiaug.base.terminal import Console

    return Console(file=StringIO()) if quiet else err


@contextmanager
def hushed() -> Iterator[None]:
    """Without the warnings of libraries, in this process and in those that it starts."""
    before = os.environ.get("PYTHONWARNINGS")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"
        try:
            yield
        finally:
            if before is None:
                del os.environ["PYTHONWARNINGS"]
            else:
                os.environ["PYTHONWARNINGS"] = before


def on_terminal() -> bool:
    """True where standard output is a terminal; a closed one is none."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(line: str, *, err: bool = False) -> None:
    """One line as it is, without a console, which takes time to import."""
    typer.echo(visible(line, keep="\t"), err=err)


def say_written(files: Iterable[Path]) -> None:
    """A line on standard error that names files."""
    say(f"written: {', '.join(map(str, files))}", err=True)


SPELT = {"lam": "lambda", "draws": "seeds", "overrides": "set", "overwrite": "force"}
SPELT |= {f"{name}s": name for name in ("lambda", "omega", "generator", "classifier", "view")}
SPELT |= {key: f"set {key}" for key in CARD_SETTINGS}
"""Parameters whose option has another name."""


def name_options(text: str) -> str:
    """The text with `parameter` as --parameter and `plugin.parameter` as --set plugin.parameter.

    The core names parameters as Python has them, in backticks.
    """
    text = re.sub(r"`([\w:{}-]+\.[a-z_]+(?:=[^`]*)?)`", r"--set \1", text)
    return re.sub(
        r"`([a-z_]+)(=[^`]*)?`",
        lambda found: f"--{SPELT.get(found[1], found[1].replace('_', '-'))}{found[2] or ''}",
        text,
    )


def print_json(value: object, indent: int | None = 2) -> None:
    """A value as strict JSON on standard output, of which it is all: lists as arrays, their rows as
    objects.
    """
    say_json(json_of(value, indent))


def say_json(text: str) -> None:
    """The same of a text that is JSON already; in escapes where the encoding does not have all
    letters.
    """
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = ascii_json(text)
    typer.echo(text)


def show_tables(made: TableFiles, out: Sequence[Path], others: Writers | None = None) -> None:
    """Tables of a command in files by their endings; without any, on a terminal, and as Markdown
    elsewhere.

    others: writers of further endings.
    """
    from hsiaug.report.output_files import table_writers, write_files
    from hsiaug.report.render_rich import print_page
    from hsiaug.report.render_text import markdown

    if out:
        write_files(out, {**table_writers(lambda: made), **(others or {})})
        say_written(out)
    elif on_terminal():
        for page in made.pages:
            print_page(page, console(), notes=True)
    else:
        typer.echo(markdown(made.pages), nl=False)


def read_report(
    store: Store, runs: Mapping[str, Collection[str]] | None = None, read: Reading | None = None
) -> Report:
    """The report of a store; what is missing of the runs and what is damaged is said on standard
    error.

    runs: hashes of the trials of each run of a suite, by its name. read: the records, where they
    are not to be read anew.
    """
    from hsiaug.report import build_report, read_store
    from hsiaug.trial.record import damage_lines

    damaged = [] if read is None else list(read.damaged)
    records = read_store(store, damaged) if read is None else read.records
    report = build_report(records, store=str(store.root), runs=runs, damaged=damaged)
    known = (
        {hash for table in report.tables for hash in table.trials.columns["hash"].tolist()}
        if runs
        else set()
    )
    for run, hashes in (runs or {}).items():
        if run and (missing := sum(hash not in known for hash in hashes)):
            say(f"run {run}: {missing} of {len(hashes)} trials are not in {store.root}", err=True)
    for line in damage_lines(damaged):
        say(line, err=True)
    return report
