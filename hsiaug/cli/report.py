"""``hsiaug report``: tables from the records of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.cite import write_citations
from hsiaug.cli.options import option
from hsiaug.cli.output import read_report, say_written, show_report
from hsiaug.cli.show import show_trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from hsiaug.report.gains import ArmCell


def report(
    store: options.StoreDir = Path(defaults.STORE),
    by: Annotated[
        str | None,
        option(
            "The rows: summary, generator, gain, classifier, class, seed, lambda, times, omega or"
            " labels (of 'hsiaug worth').",
            metavar="ROWS",
            default="summary",
        ),
    ] = None,
    generator: Annotated[
        str | None,
        option("Show only these generators, with all controls.", metavar="NAME,…"),
    ] = None,
    classifier: Annotated[
        str | None, option("Show only these classifiers.", metavar="NAME,…")
    ] = None,
    seeds: Annotated[
        str | None,
        option("Splits to report, such as 400-406.", metavar="SEEDS", default="all"),
    ] = None,
    metric: Annotated[
        str | None,
        option("Score to report instead of the main one: oa, kappa, ….", metavar="METRIC"),
    ] = None,
    smallest_gain: Annotated[
        float | None,
        option(
            "The smallest gain that matters, in points: a smaller one is never called better.",
            metavar="POINTS",
            default=1,
            min=0.0,
        ),
    ] = None,
    notes: Annotated[
        bool | None,
        option(
            "Also print all scores and the audit.", "--notes/--no-notes", default="only in files"
        ),
    ] = None,
    trial: Annotated[
        str | None,
        option("Show one record and the command that repeats it.", metavar="HASH"),
    ] = None,
    cite: Annotated[
        bool, option("Write a methods paragraph and BibTeX; --out takes .bib, .md or .txt.")
    ] = False,
    format: Annotated[
        str | None,
        option(
            "Without --out: rich, md, tex, csv, json or html.",
            metavar="FORMAT",
            default="rich",
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
    """Print the tables of a benchmark from its records.

    Examples:
      hsiaug report
      hsiaug report --out report.html
      hsiaug report --by classifier --out table.tex
      hsiaug report --by gain --out gains.pdf
      hsiaug report --trial 3fa9
      hsiaug report --cite --out references.bib

    Intervals and verdicts always use all configurations of the store on these splits, whichever
    rows are printed. html is one page with everything, which needs no network. png, svg and pdf are
    figures of gains, or of --by class (confusion matrices), lambda, times, omega or labels. csv has
    one row per trial (--by class: per trial and class; --by gain: per configuration and control;
    --by labels: per point); json has all trials and gains, whatever --by is.
    """
    from hsiaug.base.errors import InputError
    from hsiaug.base.files import check_target
    from hsiaug.bench import ranges
    from hsiaug.report import ENDINGS, save_report
    from hsiaug.trial.store import Store

    if trial is not None:
        show_trial(trial, store or Path(defaults.STORE), json=format == "json")
        return
    out = out or []
    shapes = [] if cite else [ENDINGS[check_target(path, tuple(ENDINGS))] for path in out]
    if format and shapes and {format} != set(shapes):
        rule = "--format must agree with the endings of --out"
        conflict = f"--format {format} and --out {', '.join(map(str, out))}"
        raise InputError(rule, value=conflict, hint="Leave out --format.")
    records = Store(store or Path(defaults.STORE))
    built = read_report(
        records,
        keep=_rows(generator, classifier),
        seeds=ranges.seeds(seeds) if seeds else (),
        smallest=smallest_gain,
    )
    if cite:
        write_citations(built, out)
        return
    for path, shape in zip(out, shapes, strict=True):
        caption = save_report(
            built,
            path,
            shape,
            by,
            metric=metric,
            store=records,
            notes=notes is not False,
        )
        if caption:
            typer.echo(f"caption of {path.name}: {caption}", err=True)
    if out:
        say_written(out)
    if not out:
        on_screen = format in (None, "rich")
        more = bool(notes) if on_screen else notes is not False
        show_report(built, records, by, metric=metric, shape=format, notes=more)


def _rows(generators: str | None, classifiers: str | None) -> Callable[[ArmCell], bool] | None:
    """Whether a row is shown: those of these generators and of controls, with these classifiers;
    None where all are.
    """
    if generators is None and classifiers is None:
        return None
    made, given = (
        {name.strip() for name in (names or "").split(",")} - {""}
        for names in (generators, classifiers)
    )

    def keep(cell: ArmCell) -> bool:
        of_generator = not made or cell.is_control or cell.arm.generator.name in made
        is_map = cell.without_samples and cell.classifier.name in cell.known_controls
        return of_generator and (not given or is_map or cell.classifier.name in given)

    return keep
