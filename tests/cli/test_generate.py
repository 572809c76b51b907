"""``hsiaug generate``."""

import json
from pathlib import Path

import numpy as np
import pytest

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


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--out", "aug.xls"), ".npz, .mat, .csv or .sli"),
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
