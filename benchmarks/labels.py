"""k* of generators and of another classifier, on one learning curve: the table of
docs/evidence/label-worth.md.

    for scene in indian_pines benchmarks/scenes/{houston_crop,pavia_crop,jasper_ridge}.toml; do
        hsiaug worth $scene --generator txt2hsi,noise,smote --classifier svm --store STORE
        hsiaug benchmark $scene --generator none --classifier self-training --store STORE
    done
    python -m benchmarks.labels STORE benchmarks/results/labels

Writes scores.csv (a row per draw and arm, all scored on the same
test pixels of the draw, as ``hsiaug worth`` does), and prints the table. Run it where the first
commands were run.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import check_usage, markdown, say, write_csv
from hsiaug.core.fields import seen_fields
from hsiaug.metrics.accuracy import confusion, score
from hsiaug.metrics.label_equivalents import label_equivalent
from hsiaug.report.ground_truth import ROLES, GroundTruth, read_maps
from hsiaug.report.sections.labels import worth_text
from hsiaug.report.tables import number_draws
from hsiaug.report.trials import Trial, rows_of, trials_of_records
from hsiaug.trial.store import Store

LABELS = (0, 1, 2, 3, 5, 10, 20)
SCORES = {"aa": "AA", "aa_new": "AA new"}
Row = dict[str, object]


def main() -> None:
    store, target = Store(Path(sys.argv[1])), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    draws: dict[tuple[str, int], dict[str, Trial]] = defaultdict(dict)
    trials = number_draws(trials_of_records(store.read().records))
    for trial in rows_of(trials[trials["ok"]]):
        if trial.classifier.view == "auto":
            draws[trial.condition.scene, trial.seed][name_of(trial)] = trial
    truths: dict[str, GroundTruth] = {}
    rows = [row for key in sorted(draws) for row in scored(*key, draws[key], store, truths)]
    write_csv(target / "scores.csv", rows)
    for line in table(rows):
        say(line)


def name_of(trial: Trial) -> str:
    """``3`` for none with three added labels, else the arm."""
    condition, generator = trial.condition, str(trial.arm.generator.name)
    if trial.classifier.name != "svm":
        return f"{generator}, {trial.classifier.name}"
    if generator == "none":
        return str(condition.argument).split("x")[0] if condition.protocol == "added" else "0"
    return generator


def scored(
    scene: str, seed: int, trials: Mapping[str, Trial], store: Store, truths: dict[str, GroundTruth]
) -> Iterator[Row]:
    """A row per arm of a draw, on the pixels that every point of the curve tests."""
    # The first of them is plain, whose draw the others extend.
    ordered = {"0": trials["0"], **trials}
    maps = read_maps(store, ordered.values(), truths)
    truth = maps.truth
    called = {name: places[0] for name, places in zip(ordered, maps.called, strict=True)}
    tested = np.logical_and.reduce([called[str(k)] > 0 for k in LABELS])
    assert maps.roles is not None
    seen = seen_fields(truth.data.fields, maps.roles[0] == ROLES.index("train"))  # type: ignore[union-attr]
    true, classes = truth.masks[0], len(truth.class_names)
    for name, label in called.items():
        whole, new = (
            confusion(true[mask], label[mask], classes) for mask in (tested, tested & ~seen)
        )
        found = score(whole, {}, new)
        numbers = {"aa": found["aa"], "oa": found["oa"], "aa_new": found["fields"]["new"]["aa"]}
        yield {"scene": scene, "seed": seed, "arm": name, "pixels": int(tested.sum()), **numbers}


def table(rows: list[Row]) -> Iterator[str]:
    """A row per arm, k* by scene and score; the draws in brackets where the arm failed in some."""
    values = {(r["scene"], r["arm"], r["seed"]): r for r in rows}
    scenes = list(dict.fromkeys(str(r["scene"]) for r in rows))
    arms = sorted({str(r["arm"]) for r in rows} - set(map(str, LABELS)))
    header = ("arm, svm", *(f"{scene} {name}" for scene in scenes for name in SCORES.values()))

    def entry(scene: str, arm: str, key: str) -> str:
        seeds = [s for sc, a, s in values if (sc, a) == (scene, arm)]
        if not seeds:
            return "–"
        curve = np.array(
            [[values[scene, str(k), s][key] for k in LABELS] for s in seeds], dtype=np.float64
        )
        own = np.array([values[scene, arm, s][key] for s in seeds], dtype=np.float64)
        return worth_text(label_equivalent(LABELS, curve, own), LABELS[-1]) + (
            f" [{len(seeds)} draws]" if len(seeds) < 5 else ""
        )

    yield from markdown(
        header, ((arm, *(entry(s, arm, key) for s in scenes for key in SCORES)) for arm in arms)
    )


if __name__ == "__main__":
    check_usage(__doc__, 2, 2)
    main()
