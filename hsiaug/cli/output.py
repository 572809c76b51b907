"""Tables on a terminal; lines of tab-separated fields elsewhere, so that other programs can read
them.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from hsiaug.base.text import ascii_json, json_of, visible

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.base.terminal import Console as Ours
    from hsiaug.report.gains import ArmCell
    from hsiaug.report.tables import Report
    from hsiaug.trial.store import Store

CARD_SETTINGS = (
    *("classes", "unlabelled", "ignore", "crs", "scale", "units", "bad_bands", "nodata", "axes"),
    *("cube_key", "labels_key"),
)
"""Keys of ``--set`` of ``hsiaug datasets add``."""


def console(*, err: bool = False) -> Ours:
    """Standard output or, with err, standard error."""
    from hsiaug.base.terminal import Console

    return Console(stderr=err)


def cell(value: object) -> str:
    """A value as tables show it."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)


def print_table(
    out: Console, header: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
) -> None:
    """One table with a header line; None and numbers as :func:`cell` writes them."""
    texts = [list(map(cell, row)) for row in rows]
    if not out.is_terminal:
        # A tab or a line break inside an entry would make two of it.
        print_lines(out, ("\t".join(map(visible, row)) for row in (header, *texts)))
        return
    from rich.table import Column, Table

    by_column = [[name, *(row[place] for row in texts)] for place, name in enumerate(header)]
    # A terminal must not break a word.
    least = [max(map(len, " ".join(column).split()), default=1) for column in by_column]
    framed = sum(least) + 3 * len(least) + 1 <= out.width
    around = 3 * len(least) + 1 if framed else 2 * len(least)
    if sum(least) + around > out.width:
        # No width is left for whole words side by side.
        print_lines(out, [title] if title else [])
        for row in texts:
            named = zip(header, row, strict=True)
            print_lines(out, (", ".join(f"{n}: {text}" for n, text in named if text != "–"), ""))
        return
    longest = [max(map(len, column)) for column in by_column]
    widths = _shared_out(least, longest, out.width - around)
    columns = [Column(name, width=width) for name, width in zip(header, widths, strict=True)]
    frame = {} if framed else {"box": None, "pad_edge": False}
    table = Table(*columns, title=title or None, **frame)  # type: ignore[arg-type]
    for row in texts:
        table.add_row(*row)
    out.print(table, highlight=False)


def _shared_out(least: Sequence[int], longest: Sequence[int], room: int) -> list[int]:
    """Widths of columns: those of their longest words, and what is left to those that need more."""
    widths = list(least)
    for _ in range(room - sum(least)):
        needs = [most - width for most, width in zip(longest, widths, strict=True)]
        if max(needs) <= 0:
            break
        widths[needs.index(max(needs))] += 1
    return widths


def print_facts(out: Console, facts: Iterable[tuple[str, object]], width: int = 16) -> None:
    """A line for each name and value, in two columns on a terminal."""
    lines = (f"{name}\t{cell(value)}" for name, value in facts)
    print_lines(out, (line.expandtabs(width) if out.is_terminal else line for line in lines))


MANY = 8
"""Numbers of a list that are written out; of a longer one the smallest and the largest are."""


def flat_facts(
    facts: Mapping[str, object],
    without: Collection[str] = (),
    by_class: Collection[str] = (),
    within: str = "",
) -> Iterator[tuple[str, str]]:
    """(name, text) of all that nested facts tell that is not empty, "a.b" of what is within.

    Parameters
    ----------
    without : collection of str
        Keys left out.
    by_class : collection of str
        Keys whose lists are left out: a table has them. A number of the same key is told.
    """
    for key, value in facts.items():
        name = f"{within}{key}"
        # 0 and False are facts.
        if key in without or value is None or value == "":
            continue
        if isinstance(value, Mapping):
            yield from flat_facts(value, without, by_class, f"{name}.")
        elif not isinstance(value, Sequence) or isinstance(value, str):
            yield name, " ".join(cell(value).split())
        elif key in by_class:
            continue
        elif value and isinstance(value[0], Mapping):
            for item in value:
                yield from flat_facts(item, without, by_class, f"{name}.")
        elif len(value) > MANY and all(isinstance(item, int | float | None) for item in value):
            numbers = [item for item in value if item is not None]
            if numbers:
                yield name, f"{min(numbers)}–{max(numbers)}, {len(numbers)} numbers"
        elif value:
            yield name, ", ".join(map(cell, value))


def print_lines(out: Console, lines: Iterable[str]) -> None:
    """Lines without markup and colour; control characters but for tabs as escapes. On a terminal
    they are wrapped between words, below what stands behind a label; a command stays whole, so
    that it can be copied.
    """
    for line in lines:
        # Console.print would turn tabs into spaces.
        text = visible(name_options(line) if out.stderr else line, keep="\t")
        if out.is_terminal and len(text) > out.width and not COMMAND.match(text):
            text = _wrapped(text, out.width)
        out.file.write(f"{text}\n")


COMMAND = re.compile(r"\s*(?:next:|command)?\s*hsiaug ")
"""A line that is a command."""
LABEL = re.compile(r"\S+(?: \S+)*\s{2,}")
"""A label before a text."""


def _wrapped(text: str, width: int) -> str:
    label = LABEL.match(text)
    indent = label.end() if label and label.end() <= width // 3 else 0
    return fill(
        text,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def on_terminal() -> bool:
    """True where standard output is a terminal; a closed one is none."""
    return sys.stdout is not None and sys.stdout.isatty()


def say(line: str, *, err: bool = False) -> None:
    """One line as it is, without a console, which takes time to import."""
    typer.echo(visible(line, keep="\t"), err=err)


def say_written(files: Iterable[Path]) -> None:
    """A line on standard error that names files."""
    say(f"written: {', '.join(map(str, files))}", err=True)


LISTS = ("lambda", "omega", "generator", "classifier", "view")
"""Options that take several values, whose parameter has a plural."""
OPTION_NAMES = {
    "lam": "lambda",
    "draws": "seeds",
    "overrides": "set",
    **{f"{name}s": name for name in LISTS},
    **{key: f"set {key}" for key in CARD_SETTINGS},
}
"""Parameters whose option has another name."""


def name_options(text: str) -> str:
    """The text with `parameter` as --parameter and `plugin.parameter` as --set plugin.parameter.

    The core names parameters as Python has them, in backticks.
    """
    text = re.sub(r"`([\w:{}-]+\.[a-z_]+(?:=[^`]*)?)`", r"--set \1", text)
    return re.sub(
        r"`([a-z_]+)(=[^`]*)?`",
        lambda match: (
            f"--{OPTION_NAMES.get(match[1], match[1].replace('_', '-'))}{_typed(match[2] or '')}"
        ),
        text,
    )


def _typed(value: str) -> str:
    """``=VALUE`` as a shell has it, of a text that Python has in quotes."""
    text = value[1:]
    if text[:1] not in ("'", '"'):
        return value
    try:
        return f"={shlex.quote(str(ast.literal_eval(text)))}"
    except (SyntaxError, ValueError):
        return value


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


def show_report(
    report: Report,
    store: Store,
    by: str | None = None,
    *,
    metric: str | None = None,
    shape: str | None = None,
    notes: bool = False,
) -> None:
    """A report on a terminal, and the same words in a pipe.

    Parameters
    ----------
    store : Store
        Where its records lie.
    by : str or None
        The rows; None for the summary.
    metric : str or None
        Of the summary, in place of the main score.
    shape : str or None
        In place of the usual form: one of :data:`hsiaug.report.FORMATS`.
    notes : bool
        Also all scores and the audit.
    """
    from hsiaug.base.errors import InputError
    from hsiaug.report import PICTURES, print_report, render_report

    if shape in PICTURES:
        raise InputError(
            "a picture needs a file", value=f"--format {shape}", hint="Add --out curves.png."
        )
    if shape in (None, "rich") and on_terminal():
        print_report(report, console(), by, metric=metric, notes=notes)
        return
    text = render_report(report, shape or "rich", by, metric=metric, notes=notes, store=store)
    if shape == "json":
        say_json(text.rstrip("\n"))
    else:
        typer.echo(text, nl=False)


def read_report(
    store: Store,
    runs: Mapping[str, Collection[str]] | None = None,
    *,
    keep: Callable[[ArmCell], bool] | None = None,
    seeds: Collection[int] = (),
    smallest: float | None = None,
) -> Report:
    """The report of a store; what is missing of the runs and what is damaged is said on standard
    error.

    Parameters
    ----------
    runs : mapping of str to collection of str or None
        Hashes of the trials of a benchmark, or of each run of a suite by its name: which rows are
        shown. Intervals and verdicts are those of all that the store holds on their splits.
    keep : callable or None
        Whether a row is shown.
    seeds : collection of int
        The splits in question; none: all.
    smallest : float or None
        The smallest gain that matters, in points; None: the usual one.
    """
    from hsiaug.metrics.significance import SMALLEST_GAIN
    from hsiaug.report import build_report, trials_of_store

    trials, damaged = trials_of_store(store)
    report = build_report(
        trials,
        store=str(store.root),
        runs=runs,
        keep=keep,
        seeds=seeds,
        damaged=damaged,
        smallest=SMALLEST_GAIN if smallest is None else smallest / 100,
    )
    reported = {hash for table in report.tables for hash in table.trials["hash"]} if runs else set()
    for run, hashes in (runs or {}).items():
        if run and (missing := sum(hash not in reported for hash in hashes)):
            say(f"run {run}: {missing} of {len(hashes)} trials are not in {store.root}", err=True)
    for line in trials.attrs["older"]:
        say(line, err=True)
    for damage in damaged:
        say(f"{damage.words}; it is left out", err=True)
    return report
