"""Table of what spectral views give without a generator, from the committed trials.

    python -m benchmarks.spectral_views benchmarks/results/spectral_views/trials.csv

A row per scene and run of the suite, over the draws that all of its views have: OA / AA of each view, how often ``auto``
chose the best of the five by AA where all five were run, and how much AA it lost against that best.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean

from benchmarks.common import markdown, read_csv, say

VIEWS = ("raw", "unit", "derivative", "continuum", "raw+unit")
Row = dict[str, str]


def main() -> None:
    trials: dict[tuple[str, str], dict[int, dict[str, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in read_csv(Path(sys.argv[1])):
        if row["status"] == "ok" and row["classifier"] != "coords":
            trials[row["scene"], row["run"]][int(row["seed"])][row["view"]] = row
    header = ("scene", "run", "draws", *VIEWS, "auto", "auto chose")
    for line in markdown(header, (entry(*one) for one in trials.items())):
        say(line)


def entry(key: tuple[str, str], by_draw: dict[int, dict[str, Row]]) -> tuple[str, ...]:
    """OA / AA by view, in %, over draws that have all of them."""
    most = max(len(views) for views in by_draw.values())
    draws = [views for views in by_draw.values() if len(views) == most]
    cells = [mean(draws, view) if view in draws[0] else "–" for view in (*VIEWS, "auto")]
    shown = Counter(views["auto"]["view_shown"] for views in draws)
    told = ", ".join(f"{name} {n}" for name, n in shown.most_common())
    named = [view for view in VIEWS if view in draws[0]]
    if len(named) == len(VIEWS):
        lost = [max(float(v[view]["aa"]) for view in named) - float(v["auto"]["aa"]) for v in draws]
        told += (
            f"; the best in {sum(gap < 1e-9 for gap in lost)} of {len(draws)}, AA −{100 * fmean(lost):.1f} to it"
        )
    return (*key, str(len(draws)), *cells, told)


def mean(draws: list[dict[str, Row]], view: str) -> str:
    oa, aa = (100 * fmean(float(views[view][score]) for views in draws) for score in ("oa", "aa"))
    return f"{oa:.1f} / {aa:.1f}"


if __name__ == "__main__":
    main()
