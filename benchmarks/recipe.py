"""What was lost where ``hsiaug advise --asked``, which is gone, chose: against the best arm in
hindsight, and no samples.

    python -m benchmarks.recipe table TRIALS.csv…

On draws of ``asked:16xsuggest:issd``, every arm predicted every pick that it had not learnt, the
recipe was chosen by that, and every arm was then scored on the draw's test pixels, which took no
part. A row per arm: picks named right, AA over the classes with at least 25 test pixels in the
draw, the same in new fields, whether it was chosen. The table has the regret (the best arm's AA
minus the chosen one's) and the gain over the SVM without samples.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.common import check_usage, markdown, read_csv, say

Row = dict[str, str]
FIRST = ("svm", "none")
"""What the recipe is measured against."""


def table(rows: list[Row]) -> list[str]:
    """A line per scene: means over draws, in points of AA, and the largest regret; last the mean
    over scenes.
    """
    header = (
        "scene",
        "draws",
        "AA of svm",
        "best arm",
        "recipe",
        "in new fields",
        "regret",
        "largest",
        "chosen",
    )
    found = [
        of_scene([row for row in rows if row["scene"] == s])
        for s in dict.fromkeys(row["scene"] for row in rows)
    ]
    listed = []
    for scene, draws, none, best, gain, new, regret, chosen in found:
        often = ", ".join(f"{name} {chosen.count(name)}" for name in dict.fromkeys(chosen))
        gains = (f"{fmean(values):+.1f}" for values in (best, gain, new))
        regrets = (f"{fmean(regret):.1f}", f"{max(regret):.1f}")
        listed.append((scene, str(draws), f"{fmean(none):.1f}", *gains, *regrets, often))
    gain, regret = (fmean(fmean(one[i]) for one in found) for i in (4, 6))
    return list(
        markdown(
            header, [*listed, ("mean", "", "", "", f"{gain:+.1f}", "", f"{regret:.1f}", "", "")]
        )
    )


def of_scene(rows: list[Row]) -> tuple[Any, ...]:
    """Scene, draws, and draw by draw: AA without samples, what the best arm and the recipe gain,
    the latter in new fields too, the regret, and the name of what was chosen.
    """
    draws: dict[str, list[Row]] = {}
    for row in rows:
        draws.setdefault(row["draw"], []).append(row)
    told = []
    for arms in draws.values():
        (chosen,) = (row for row in arms if row["chosen"] == "1")
        (none,) = (row for row in arms if (row["classifier"], row["generator"]) == FIRST)
        aa, base = 100 * float(chosen["aa"]), 100 * float(none["aa"])
        best = 100 * max(float(row["aa"]) for row in arms)
        new = 100 * (float(chosen["aa_new"]) - float(none["aa_new"]))
        name = f"{chosen['classifier']} + {chosen['generator']}".removesuffix(" + none")
        told.append((base, best - base, aa - base, new, best - aa, name))
    return rows[0]["scene"], len(draws), *map(list, zip(*told, strict=True))


if __name__ == "__main__":
    check_usage(__doc__, 2)
    for line in table([row for path in sys.argv[2:] for row in read_csv(Path(path))]):
        say(line)
