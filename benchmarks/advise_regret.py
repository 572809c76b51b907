"""What is lost where ``hsiaug advise`` chooses: AA of the arm that it names, against the best arm
of the same draw in hindsight, and against the SVM without samples.

    python -m benchmarks.advise_regret run OUT.csv SCENE DRAW [BUDGET]
    python -m benchmarks.advise_regret table OUT.csv

``run`` lets ``advise`` choose on the training pixels of a draw (``--protocol issd@DRAW``, BUDGET
``5m`` by default), runs the arm that it names and the arms of hindsight on the test pixels of that
draw, and adds a row per arm to OUT.csv. ``table`` prints a line per scene. AA is over the classes
with at least 25 test pixels in the draw.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from benchmarks.common import check_usage, hsiaug, main_score, markdown, read_csv, say, write_csv

CLASSIFIERS = ("svm", "filtered:svm", "emp", "fused:svm", "fused:svm+emp", "teacher")
GENERATORS = ("none", "gaussian", "pseudo")
"""Arms of hindsight: each of these classifiers with each of these; samples are three for each real
one (λ = 0, M = 3), and ``teacher`` learns none.
"""


class Arm(NamedTuple):
    """A classifier, a generator and λ."""

    classifier: str
    generator: str
    rate: str

    @property
    def name(self) -> str:
        """What a table calls it."""
        if self.generator == "none":
            return self.classifier
        return f"{self.classifier} + {self.generator}"


BASELINE = Arm("svm", "none", "0.0")
Row = dict[str, str]


def run(out: Path, scene: str, draw: int, budget: str) -> None:
    """Choose on one draw, score every arm, and add the rows to a file."""
    # Commands run in a folder of their own.
    typed = scene
    if Path(scene).is_file():
        scene = str(Path(scene).absolute())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        words = ["advise", scene, "--protocol", f"issd@{draw}", "--budget", budget, "--jobs", "1"]
        found = json.loads(hsiaug([*words, "--json"], folder))
        use = found["use"]
        chosen = Arm(use["classifier"], use["generator"], str(float(use["lambda"])))
        usual = ["--seeds", f"{draw}-{draw}", "--jobs", "1", "--store", "scored"]
        options = ("--generator", "--classifier", "--lambda")
        asked = zip(options, (chosen.generator, chosen.classifier, chosen.rate), strict=True)
        hsiaug(["benchmark", scene, *(word for pair in asked for word in pair), *usual], folder)
        benchmark = ["benchmark", scene, "--lambda", "0", *usual]
        hsiaug(
            [
                *benchmark,
                *("--generator", ",".join(GENERATORS)),
                *("--classifier", ",".join(CLASSIFIERS)),
            ],
            folder,
        )
        hsiaug(["report", "--store", "scored", "--out", "trials.csv"], folder)
        rows = read_csv(out) if out.exists() else []
        for trial in read_csv(folder / "trials.csv"):
            if trial["status"] != "ok" or trial["classifier"] == "coords":
                continue
            arm = Arm(trial["classifier"], trial["generator"], rate_of(trial))
            rows.append(
                {
                    "scene": Path(scene).stem,
                    "draw": str(draw),
                    "classifier": arm.classifier,
                    "generator": arm.generator,
                    "lambda": arm.rate,
                    "aa": str(main_score(trial)),
                    "chosen": str(int(arm == chosen)),
                    "verdict": found["lines"]["Use"].replace(scene, typed),
                }
            )
        write_csv(out, rows)


def rate_of(trial: Row) -> str:
    """λ of a trial; that of a trial without samples is 0."""
    return "0.0" if trial["generator"] == "none" else str(float(trial["lambda"]))


def table(rows: Sequence[Row]) -> list[str]:
    """A line per scene, and the mean over scenes last."""
    header = ("scene", "draws", "AA of svm", "chosen", "best", "regret", "largest", "arms chosen")
    lines = []
    means: list[tuple[float, float]] = []
    for scene in dict.fromkeys(row["scene"] for row in rows):
        of_scene = [row for row in rows if row["scene"] == scene]
        baseline: list[float] = []
        gains: list[float] = []
        best: list[float] = []
        names: list[str] = []
        for draw in dict.fromkeys(row["draw"] for row in of_scene):
            arms = {
                Arm(row["classifier"], row["generator"], row["lambda"]): 100 * float(row["aa"])
                for row in of_scene
                if row["draw"] == draw
            }
            (chosen,) = {
                Arm(row["classifier"], row["generator"], row["lambda"])
                for row in of_scene
                if row["draw"] == draw and row["chosen"] == "1"
            }
            baseline.append(arms[BASELINE])
            gains.append(arms[chosen] - arms[BASELINE])
            best.append(max(arms.values()) - arms[BASELINE])
            names.append(chosen.name)
        regrets = [most - gain for most, gain in zip(best, gains, strict=True)]
        means.append((fmean(gains), fmean(regrets)))
        often = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names))
        lines.append(
            (
                scene,
                str(len(names)),
                f"{fmean(baseline):.1f}",
                f"{fmean(gains):+.1f}",
                f"{fmean(best):+.1f}",
                f"{fmean(regrets):.1f}",
                f"{max(regrets):.1f}",
                often,
            )
        )
    gain, regret = (fmean(values) for values in zip(*means, strict=True))
    lines.append(("mean", "", "", f"{gain:+.1f}", "", f"{regret:.1f}", "", ""))
    return [*markdown(header, lines)]


def main() -> None:
    """Run a draw, or print the table."""
    task, out, *rest = sys.argv[1:]
    if task == "run":
        run(Path(out).absolute(), rest[0], int(rest[1]), rest[2] if len(rest) > 2 else "5m")
    else:
        for line in table(read_csv(Path(out))):
            say(line)


if __name__ == "__main__":
    check_usage(__doc__, 2, 5)
    main()
