"""``hsiaug benchmark SCENE --protocol picks:8:picks.csv --seeds 8``, then ``hsiaug report``: arms
compared on picks.
"""

import json
from pathlib import Path

import numpy as np

from hsiaug.data import toy_scene
from hsiaug.trial.store import Store
from tests.in_process import hsiaug

LINE = (
    "mine.toml",
    "--protocol",
    "picks:8:picks.csv",
    "--seeds",
    "8",
    "--generator",
    "smote",
    "--classifier",
    "svm",
)
QUICK = ("--view", "raw", "--patch", "3", "--jobs", "1", "--device", "cpu")


def test_eight_draws_predict_every_pick_once_and_the_report_compares_the_arms(
    tmp_path: Path,
) -> None:
    """A scene with the labels of its left half alone, and ten picks in the right half, filled
    in.
    """
    toy, left = toy_scene(), np.arange(48) < 24
    np.save(tmp_path / "cube.npy", toy.cube)
    np.save(tmp_path / "labels.npy", np.where(left, toy.labels, 0))
    names = json.dumps(toy.class_names)
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[cube]\nfile = "cube.npy"\n[labels]\nfile = "labels.npy"\nnames ='
        f" {names}\n"
    )
    picks = np.random.default_rng(1).permutation(np.argwhere((toy.labels > 0) & ~left))[:10]
    rows = [f"{r},{c},{toy.class_names[toy.labels[r, c] - 1]}" for r, c in picks]
    (tmp_path / "picks.csv").write_text("\n".join(["row,column,class", *rows, "0,0,"]) + "\n")

    done = hsiaug("benchmark", *LINE, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    store = Store(tmp_path / "hsiaug-results")
    tested: dict[str, list[int]] = {}
    for record in store.each():
        arm = f"{record['spec']['generator']['name']}/{record['spec']['classifier']['name']}"
        tested.setdefault(arm, []).extend(store.predictions(record["hash"])[0].tolist())
    every_pick = sorted(np.ravel_multi_index(tuple(picks.T), toy.shape).tolist())
    assert {"none/svm", "duplicate/svm", "smote/svm"} <= set(tested)
    assert all(sorted(pixels) == every_pick for pixels in tested.values())

    told = hsiaug("report", "--format", "json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "picks:8:picks.csv" in told.stdout and "smote" in told.stdout
