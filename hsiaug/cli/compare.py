"""``hsiaug compare``: two configurations against each other."""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.options import option

CONFIGURATION = (
    "GENERATOR@λxM@ω/CLASSIFIER, as smote@0.5x3/svm; λ, M and ω may be left out where one fits."
)


def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help=f"The first configuration: {CONFIGURATION}")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The second; differences are B − A.")],
    store: options.StoreDir = Path(defaults.STORE),
    metric: Annotated[
        str | None,
        option(
            "oa, aa (as in the report), aa_all (over all classes, as aa of CSV and JSON), kappa,"
            " macro_f1, worst_recall, subset:NAME, aa_seen, aa_new, oa_seen or oa_new (in seen and"
            " in new fields); for masks those of their report.",
            metavar="METRIC",
            default="the report's main score",
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        option(
            "File to write: .md, .tex, .csv (a row per split) or .json; repeat for more.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Compare two configurations split by split: better, worse, no gain or unclear.

    Examples:
      hsiaug compare none/svm smote@0.5/svm
      hsiaug compare duplicate@1/cnn2d txt2hsi@1@3/cnn2d --store my-results --metric oa
      hsiaug compare none/svm smote@0.5/svm --out pair.tex --out pair.csv

    For each scene and protocol with both configurations: the mean difference over paired splits
    with its spread and interval, the paired test if there are at least 6 splits, and recall per
    class.
    """
    from hsiaug.base.files import TABLES, check_targets
    from hsiaug.cli.output import console, on_terminal, read_report, say_written
    from hsiaug.report.comparison import compare_configurations, comparison_tables
    from hsiaug.report.output_files import table_writers, write_files
    from hsiaug.report.render import as_text, print_sections
    from hsiaug.trial.store import Store

    check_targets(out or [], TABLES)
    tables = comparison_tables(
        compare_configurations(read_report(Store(store)), a, b, metric=metric), str(store)
    )
    if out:
        write_files(out, table_writers(lambda: tables))
        say_written(out)
    elif on_terminal():
        print_sections(tables.sections, console(), notes=True)
    else:
        typer.echo(as_text(tables.sections, notes=True), nl=False)
