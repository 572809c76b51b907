"""The hashes of planned trials: the names of their records. A store of today serves tomorrow's
hsiaug, unless the version of a plugin, or SPEC_FORMAT, was raised on purpose.

Made anew by ``python -m tests.golden.test_hashes``.
"""

import json
from pathlib import Path

from hsiaug.bench.plans_of_runs import plan_runs
from hsiaug.bench.request import read_request
from hsiaug.bench.suite import Run
from hsiaug.registry.lookup import registry

FILE = Path(__file__).with_name("hashes.json")
LINE = {"generators": "txt2hsi", "lambdas": 0.5, "seeds": 1}
"""README's line, on its first split."""
GENERATORS = (
    *("duplicate", "noise", "mixup", "smote", "cvae", "wgan", "pseudo"),
    *("fill", "relight", "gaussian", "txt2hsi"),
)
CLASSIFIERS = (
    *("svm", "rf", "hgb", "cnn1d", "cnn2d", "cnn3d", "centre-cnn", "ssrn", "hybridsn"),
    *("spectralformer", "coords", "teacher", "fused", "emp", "filtered:svm"),
    *("superpixel", "random-walk", "self-training", "label-spreading", "fixmatch"),
)


def planned() -> dict[str, str]:
    """Hashes by what their trials are in words."""
    asked = [("indian_pines", read_request(**LINE))]
    # A trial of each classifier without samples, and one of each generator.
    grid = {"generators": "none", "classifiers": ",".join(CLASSIFIERS), "lambdas": 1, "seeds": 1}
    asked.append(("toy", read_request(**grid)))
    grid = {"generators": ",".join(GENERATORS), "classifiers": "svm", "lambdas": 1, "seeds": 1}
    asked.append(("toy", read_request(**grid)))
    return {
        " ".join(
            [trial.scene, trial.generator.name, f"{trial.rate.lam:g}", trial.classifier_label]
        ): trial.hash
        for plan in plan_runs((Run("", tuple(asked)),), registry())
        for trial in plan.trials
    }


def test_hashes_of_planned_trials_stay() -> None:
    assert planned() == json.loads(FILE.read_text("utf-8"))


if __name__ == "__main__":
    FILE.write_text(json.dumps(planned(), indent=1) + "\n", "utf-8")
