"""``hsiaug leaderboard``: entries of a suite ranked over scenes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from hsiaug.cli import options
from hsiaug.cli.options import option


def leaderboard(
    store: options.StoreDir = Path("hsiaug-results"),
    out: Annotated[
        list[Path] | None,
        option("File to write: .html, .md, .tex, .csv or .json; repeat for more.", show_default=False),
    ] = None,
) -> None:
    """Rank every generator and classifier of a store over its scenes, controls included.

    An entry is one version with one setting on all scenes. It is ranked by its accuracy in new ground: the
    inter-quartile mean over scenes, with an interval from resampled scenes. Only records are read; records of a
    LEAKY protocol are refused.

    Examples:
      hsiaug benchmark benchmarks/leaderboard.toml
      hsiaug leaderboard --store hsiaug-results-leaderboard
      hsiaug leaderboard --store hsiaug-results-leaderboard --out board.html --out board.json
    """
    from hsiaug.base.targets import TABLES, check_targets
    from hsiaug.cli.output import read_report, show_tables
    from hsiaug.report.html.page import pages_html
    from hsiaug.report.leaderboard import boards, leaderboard_files
    from hsiaug.trial.store import Store

    check_targets(out or [], (*TABLES, ".html"))
    made = leaderboard_files(*boards(read_report(Store(store))))
    page = partial(pages_html, "Leaderboard · hsiaug", made.pages)
    show_tables(made, out or [], {".html": lambda path: path.write_text(page(), "utf-8")})
