"""Table of what spectral views give without a generator, from the committed trials.

    python -m benchmarks.spectral_views benchmarks/results/spectral_views/trials.csv

A row per scene and run of the suite, over the draws that all of its views have: OA / AA of each
view, how often ``auto`` chose the best of the five by AA where all five were run, and how much AA
it lost against that best.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean

from benchmarks.common import check_usage, markdown, read_csv, say

VIEWS = ("raw", "unit", "derivative", "continuum", "raw+unit")
Row = dict[str, str]


def main() -> None:
    trials: dict[tuple[str, str], dict[int, dict[str, Row]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in read_csv(Path(sys.argv[1])):
        if row["status"] == "ok" and row["classifier"] != "coords":
            trials[row["scene"], row["run"]][int(row["seed"])][row["view"]] = row
    header = ("scene", "run", "draws", *VIEWS, "auto", "auto chose")
    whole = {
        key: kept
        for key, draws in trials.items()
        if (kept := [v for v in draws.values() if len(v) == asked(draws)])
    }
    for line in markdown(header, (entry(*one) for one in whole.items())):
        say(line)


def asked(by_draw: dict[int, dict[str, Row]]) -> int:
    """Views that were tried in this scene and run."""
    return len({view for views in by_draw.values() for view in views})


def entry(key: tuple[str, str], draws: list[dict[str, Row]]) -> tuple[str, ...]:
    """OA / AA by view, in %."""
    cells = [mean(draws, view) if view in draws[0] else "–" for view in (*VIEWS, "auto")]
    told = ", ".join(
        f"{name} {n}" for name, n in Counter(v["auto"]["view_shown"] for v in draws).most_common()
    )
    if set(VIEWS) <= set(draws[0]):
        lost = [max(float(v[view]["aa"]) for view in VIEWS) - float(v["auto"]["aa"]) for v in draws]
        told += (
            f"; the best in {sum(gap < 1e-9 for gap in lost)} of {len(draws)}, AA"
            f" −{100 * fmean(lost):.1f} to it"
        )
    return (*key, str(len(draws)), *cells, told)


def mean(draws: list[dict[str, Row]], view: str) -> str:
    oa, aa = (100 * fmean(float(views[view][score]) for views in draws) for score in ("oa", "aa"))
    return f"{oa:.1f} / {aa:.1f}"


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
