"""``hsiaug compare``: two arms against each other, and what the draws allow to claim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.options import option

ArmName = "GENERATOR@λxM@ω/CLASSIFIER, for example smote@0.5x3/svm."


def compare(
    a: Annotated[str, typer.Argument(help=f"The first arm, {ArmName}", show_default=False)],
    b: Annotated[str, typer.Argument(help="The second arm; differences are B − A.", show_default=False)],
    store: options.StoreDir = Path("hsiaug-results"),
    metric: Annotated[
        str | None,
        option(
            "oa, aa, kappa, macro_f1, worst_recall, subset:NAME, aa_seen, aa_new, oa_seen or oa_new (in seen and in new "
            "fields); for masks those of their report. Default: the main score of the report.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        option("File to write: .md, .tex, .csv (a row per draw) or .json; repeat for more.", show_default=False),
    ] = None,
    margin: options.Margin = 1.0,
    json: options.Json = False,
) -> None:
    """Compare two arms, draw by draw, and claim a difference only where the draws carry it.

    For each scene and protocol that both were run on: the mean difference over paired draws with its spread and interval,
    the paired test where there are at least 6 draws, and recall per class. λ, M and ω may be left out where one fits.

    Examples:
      hsiaug compare none/svm smote@0.5/svm
      hsiaug compare duplicate@1/cnn2d txt2hsi@1@3/cnn2d --store my-results --metric oa
      hsiaug compare none/svm smote@0.5/svm --out pair.tex --out pair.csv
    """
    from hsiaug.base.targets import TABLES, check_targets
    from hsiaug.cli.output import (
        console,
        print_facts,
        print_json,
        print_lines,
        print_table,
        read_report,
        say_written,
    )
    from hsiaug.report import two_arms
    from hsiaug.report.output_files import table_writers, write_files
    from hsiaug.report.two_arms import compare_arms
    from hsiaug.trial.store import Store

    check_targets(out or [], TABLES)
    comparison, screen = compare_arms(read_report(Store(store), margin=margin), a, b, metric=metric), console()
    if json:
        print_json(two_arms.comparison_json(comparison, str(store)), indent=1)
    for pairing in () if json else comparison.pairings:
        print_facts(screen, two_arms.facts(comparison, pairing), 34)
        print_table(screen, two_arms.DRAW_HEADER, two_arms.draw_rows(pairing), title="Draw by draw")
        print_table(screen, two_arms.CLASS_HEADER, two_arms.class_rows(pairing), title="Recall per class, B − A")
        print_lines(screen, [*(f"note\t{text}" for text in two_arms.notes(pairing)), ""])
    print_lines(screen, (f"not compared\t{text}" for text in (() if json else comparison.apart)))
    if out:
        write_files(out, table_writers(lambda: two_arms.comparison_tables(comparison, str(store))))
        say_written(out)
