"""What is printed of stores of invented records. ``python -m tests.report.screens`` writes the
files of ``golden/`` again, after a look at what has changed.
"""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsiaug.report import build_report, render_report
from hsiaug.report.comparison import compare_configurations, comparison_tables
from hsiaug.report.output_files import table_text
from hsiaug.report.paper import methods_paragraph
from tests.report.report_records import benchmark, failure, record

GOLDEN = Path(__file__).parent / "golden"
FIVE = {"gaussian": 0.03, "smote": 0.01, "mixup": 0.0, "noise": -0.03}


def trials(
    generators: Mapping[str, float],
    classifiers: tuple[str, ...] = ("svm",),
    splits: int = 7,
    seed: int = 0,
    scope: tuple[str, ...] = (),
    **spec: Any,
) -> list[dict[str, Any]]:
    """Trials of generators, each so much better than no samples, with ``coords``.

    Parameters
    ----------
    scope : tuple of str
        Generators that read all unlabelled pixels.
    """
    draw = random.Random(seed)

    def one(generator: str, classifier: str, split: int, aa: float) -> dict[str, Any]:
        aa = round(aa + draw.gauss(0, 0.01) + 0.03 * (split % 4), 4)
        made = record(aa + 0.1, aa, generator=generator, classifier=classifier, seed=split, **spec)
        made["command"] = (
            f"hsiaug benchmark {made['spec']['scene']['name']} --generator {generator}"
            f" --classifier {classifier} --lambda {made['spec']['lambda']:g} --times 3"
            f" --protocol issd:0.05 --buffer centre --patch 9 --seeds {split}-{split}"
        )
        if generator in scope:
            made |= {"scope": {"generator": "scene", "classifier": "none"}, "transductive": True}
        return made

    made = []
    for split in range(splits):
        made.append(one("none", "coords", split, 0.2))
        for classifier in classifiers:
            for generator, better in {"none": 0.0, "duplicate": 0.0, **generators}.items():
                made.append(one(generator, classifier, split, 0.4 + better))
    return made


def transductive(teacher: float | None = 0.42) -> list[dict[str, Any]]:
    """``txt2hsi``, which reads all pixels, with its controls; without a teacher where it is None."""
    records = trials({"pseudo": 0.05, "txt2hsi": 0.08}, scope=("pseudo", "txt2hsi"))
    if teacher is not None:
        records += [
            record(teacher + 0.1, teacher + 0.03 * (s % 4), classifier="teacher", seed=s)
            for s in range(7)
        ]
    return records


def stores() -> dict[str, list[dict[str, Any]]]:
    """Records by the name of their store."""
    small = {"none": 0.0, "duplicate": 0.0, "smote": 0.04}
    sweep = [
        one
        for lam in (0.5, 1, 2)
        for one in trials({"smote": 0.02 * lam}, splits=6, seed=int(2 * lam), lam=lam)
        if one["spec"]["generator"]["name"] != "none" or lam == 1
    ]
    for one in sweep:
        if one["spec"]["generator"]["name"] == "none":
            one["spec"]["lambda"] = 0.0
    return {
        "transductive": transductive(),
        "no_teacher": transductive(None),
        "five": trials(FIVE, ("cnn2d", "rf", "svm")),
        "one": trials(small),
        "few": trials(small, splits=3),
        "none": trials({}, ("rf", "svm")),
        "failed": [failure(generator=g, seed=s) for g in ("none", "smote") for s in range(3)],
        "two_scenes": trials(small) + trials({"smote": 0.01}, scene="pavia"),
        "sweep": sweep,
        "empty": [],
    }


def screens() -> dict[str, str]:
    """What is printed, by the name of its golden file."""
    known = stores()
    reports = {name: build_report(records, store="results") for name, records in known.items()}
    made = {name: render_report(report, "rich", notes=False) for name, report in reports.items()}
    one = reports["transductive"]
    made["notes"] = render_report(one, "rich", notes=True)
    made["kappa"] = render_report(one, "rich", metric="kappa", notes=False)
    made["markdown"] = render_report(reports["one"], "md", notes=False)
    made["latex"] = render_report(reports["one"], "tex", notes=False)
    for by in ("generator", "gain", "classifier", "class", "seed", "lambda", "omega"):
        made[f"by_{by}"] = render_report(build_report(benchmark(2)), "rich", by, notes=False)
    pair = compare_configurations(one, "none/svm", "txt2hsi/svm")
    made["compare"] = table_text(comparison_tables(pair, "results"), ".md")
    made["methods"] = methods_paragraph(one.tables[0]) + "\n"
    return made


if __name__ == "__main__":
    for name, text in screens().items():
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
