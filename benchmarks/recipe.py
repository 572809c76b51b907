"""What is lost where ``hsiaug advise --asked`` chooses, against the best arm in hindsight and against no samples.

    python -m benchmarks.recipe SCENE FIRST LAST STORE OUT.csv
    python -m benchmarks.recipe table OUT.csv…

For draws FIRST to LAST of ``asked:16xsuggest:issd``: every arm predicts every pick that it has not learnt, the recipe is
chosen by that, and every arm is then scored on the draw's test pixels, which took no part. A row per arm: picks named
right, AA over the classes with at least 25 test pixels in the draw, the same in new fields, whether it was chosen. The
table has the regret (the best arm's AA minus the chosen one's) and the gain over the SVM without samples.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.common import markdown, read_csv, say, write_csv
from hsiaug.advice.asked import PARTS, PickArm, advise_by_picks, picks_plan
from hsiaug.advice.session import Session
from hsiaug.base.terminal import Console
from hsiaug.bench.engine import cluster_settings, open_engine
from hsiaug.bench.plan import Plan, Request, build_plan
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import registry
from hsiaug.trial.store import Record, Store

DRAW = "asked:16xsuggest:issd"
CLASSIFIERS = ("svm", "teacher", "fused")
FEWEST = 25
Row = dict[str, str]
FIRST = ("svm", "none")
"""What the recipe is measured against."""


def measure(ref: str, draws: range, root: Path, out: Path) -> None:
    """Write the rows of a scene, after every draw."""
    scene, rows = load_scene(ref), read_csv(out) if out.exists() else []
    with open_engine(cluster_settings(None, ()), 1, say) as engine:
        for draw in draws:
            now = time.time()
            session = Session(
                scene,
                ref,
                registry(),
                Store(root, create=True),
                "cpu",
                engine,
                now,
                now + 3600,
                Console(stderr=True),
            )
            picks = parse_protocol(f"picks:{PARTS}:{DRAW}@{draw}")
            request = Request(lambdas=[1.0], seeds=(), protocol=picks, classifiers=CLASSIFIERS)
            advice = advise_by_picks(picks_plan(scene, request, registry(), ref), request, session)
            whole = Request(
                lambdas=[1.0],
                seeds=[draw],
                protocol=parse_protocol(DRAW),
                classifiers=CLASSIFIERS,
                generators=[arm.trial.generator.name for arm in advice.arms if arm.trial.rate],
            )
            plan = build_plan(scene, whole, registry(), scene_ref=ref)
            for arm in advice.arms:
                record = judged(arm, plan, session)
                rows.append(
                    {
                        "scene": scene.name,
                        "draw": str(draw),
                        "classifier": arm.trial.classifier.name,
                        "generator": arm.trial.generator.name,
                        "right": str(sum(arm.right)),
                        "picks": str(len(arm.right)),
                        "aa": f"{average(record['metrics'], record['metrics']['recall']):.4f}",
                        "aa_new": f"{average(record['metrics'], record['metrics']['fields']['new']['recall']):.4f}",
                        "chosen": str(int(arm is advice.chosen)),
                    }
                )
            write_csv(out, rows)
            say(f"{scene.name}, draw {draw}: {time.time() - now:.0f} s")


def judged(arm: PickArm, plan: Plan, session: Session) -> Record:
    """The record of an arm on the test pixels of its draw."""
    trial = next(
        t
        for t in plan.trials
        if (t.arm, t.classifier, t.view) == (arm.trial.arm, arm.trial.classifier, arm.trial.view)
    )
    session.run(plan, [trial])
    record = session.record(trial)
    if record is None:
        raise SystemExit(f"trial {trial.hash} did not go well")
    return record


def average(metrics: Record, recall: list[float | None]) -> float:
    """Mean recall over the classes with ``FEWEST`` test pixels; NaN where none of them is in these fields."""
    large = [r for r, n in zip(recall, metrics["n_test"], strict=True) if n >= FEWEST and r is not None]
    return fmean(large) if large else float("nan")


def table(rows: list[Row]) -> list[str]:
    """A line per scene: means over draws, in points of AA, and the largest regret; last the mean over scenes."""
    header = ("scene", "draws", "AA of svm", "best arm", "recipe", "in new fields", "regret", "largest", "chosen")
    found = [
        of_scene([row for row in rows if row["scene"] == s]) for s in dict.fromkeys(row["scene"] for row in rows)
    ]
    listed = []
    for scene, draws, none, best, gain, new, regret, chosen in found:
        often = ", ".join(f"{name} {chosen.count(name)}" for name in dict.fromkeys(chosen))
        gains = (f"{fmean(values):+.1f}" for values in (best, gain, new))
        regrets = (f"{fmean(regret):.1f}", f"{max(regret):.1f}")
        listed.append((scene, str(draws), f"{fmean(none):.1f}", *gains, *regrets, often))
    gain, regret = (fmean(fmean(one[i]) for one in found) for i in (4, 6))
    return list(markdown(header, [*listed, ("mean", "", "", "", f"{gain:+.1f}", "", f"{regret:.1f}", "", "")]))


def of_scene(rows: list[Row]) -> tuple[Any, ...]:
    """Scene, draws, and draw by draw: AA without samples, what the best arm and the recipe gain, the latter in new fields
    too, the regret, and the name of what was chosen.
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
    if sys.argv[1] == "table":
        for line in table([row for path in sys.argv[2:] for row in read_csv(Path(path))]):
            say(line)
    else:
        measure(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]) + 1), Path(sys.argv[4]), Path(sys.argv[5]))
