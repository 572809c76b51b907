"""``hsiaug generate``."""

import json
from pathlib import Path

import numpy as np
import pytest

from hsiaug.trial.store import Store
from tests.in_process import hsiaug


def test_samples_are_exported_with_a_parsable_table(tmp_path: Path) -> None:
    words = (
        "generate",
        "toy",
        "--generator",
        "mixup",
        "--lambda",
        "0.5",
        "--with-real",
    )
    answer = hsiaug(*words, "--out", "aug.npz", cwd=tmp_path)
    rows = [line.split("\t") for line in answer.stdout.splitlines()]

    assert answer.returncode == 0, answer.stderr
    assert rows[0] == ["class", "name", "real", "synthetic"] and len(rows) == 6
    with np.load(tmp_path / "aug.npz", allow_pickle=False) as file:
        counts = np.bincount(file["y"][file["synthetic"]], minlength=6)[1:]
        assert [row[3] for row in rows[1:]] == [str(n) for n in counts]
        assert file["x"].shape[1:] == (20, 9, 9)
        assert json.loads(str(file["provenance"]))["lambda"] == 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["aug.npz"]


def test_samples_of_a_record_are_those_that_its_trial_learnt_from(tmp_path: Path) -> None:
    quick = ("--classifier", "svm", "--view", "raw", "--patch", "5", "--seeds", "3-3")
    words = ("--generator", "noise", "--set", "noise.level=0.3", "--lambda", "0.5", *quick)
    assert hsiaug("benchmark", "toy", *words, cwd=tmp_path).returncode == 0
    records = Store(tmp_path / "hsiaug-results").each()
    record = next(r for r in records if r["spec"]["generator"]["name"] == "noise")
    hash = record["hash"][:10]

    assert hsiaug("generate", hash, "--out", "made.npz", cwd=tmp_path).returncode == 0
    with np.load(tmp_path / "made.npz", allow_pickle=False) as file:
        stated = json.loads(str(file["provenance"]))
        assert np.bincount(file["y"], minlength=6)[1:].tolist() == record["samples"]["synthetic"]
    for key in ("seed", "patch", "protocol", "generator", "scene"):
        assert stated[key] == record["spec"][key], key
    looked = hsiaug("inspect", hash, "--out", "look", cwd=tmp_path)
    assert looked.returncode == 0, looked.stderr
    quality = json.loads((tmp_path / "look" / "quality.json").read_text("utf-8"))
    assert quality["provenance"]["fit_hash"] == stated["fit_hash"]
    refused = hsiaug("generate", hash, "--generator", "smote", "--out", "no.npz", cwd=tmp_path)
    assert refused.returncode == 2 and "a record states its generator" in refused.stderr


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--out", "absent/aug.npz"), "folder that exists"),
        (("--out", "a.npz", "--generator", "smot"), "Did you mean smote"),
        (("--out", "a.npz", "--generator", "none"), "makes samples"),
        (("--out", "a.npz", "--omega", "1"), "takes none"),
        (("--out", "a.npz", "--set", "svm.folds=2"), "must name the generator"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    answer = hsiaug("generate", "toy", *words, cwd=tmp_path)

    assert answer.returncode == 2 and answer.stdout == "" and "Traceback" not in answer.stderr
    assert part in " ".join(answer.stderr.split())
    assert list(tmp_path.iterdir()) == []
