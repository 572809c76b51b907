"""``hsiaug compare``: Markdown in a pipe, strict JSON, one clear error."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.in_process import hsiaug
from tests.report.report_records import benchmark, fill


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight draws; each generator is 2 points better in AA than the one before it. No
    predictions.
    """
    return fill(tmp_path_factory.mktemp("compared") / "results", benchmark(8, classifiers=("svm",)))


def test_a_pipe_gets_what_a_terminal_gets_without_colour(store: Path) -> None:
    answer = hsiaug("compare", "none/svm", "smote/svm", "--store", str(store))
    lines = answer.stdout.splitlines()
    assert answer.returncode == 0 and answer.stderr == ""
    assert "\x1b" not in answer.stdout and "│" not in answer.stdout
    assert lines[0] == (
        "A = none/svm, B = smote@1/svm: indian-pines, issd:0.05, centre buffer, 9×9 patches, pixels"
    )
    cells = [line.split() for line in lines]
    assert any(row[:1] == ["AA"] and row[7:10] == ["+6.0", "±", "0.0"] for row in cells)
    assert any("better (p = .008, corrected" in line for line in lines[-2:])
    start = next(i for i, row in enumerate(cells) if row[:3] == ["seed", "A", "B"])
    assert [row[0] for row in cells[start + 1 : start + 9]] == [str(seed) for seed in range(8)]


def test_json_is_whole_and_strict(store: Path) -> None:
    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is not JSON")

    out = store.parent / "pair.json"
    words = ("--store", str(store), "--metric", "oa", "--out", str(out))
    hsiaug("compare", "smote/svm", "none/svm", *words)
    made = json.loads(out.read_text("utf-8"), parse_constant=refuse)
    (condition,) = made["conditions"]
    assert condition["shown"] == "worse" and len(made["draws"]) == 8
    assert condition["metric"] == "oa" and condition["mean"] == pytest.approx(-0.06)
    assert condition["p"] == pytest.approx(1 / 128)


def test_bad_input_gets_one_error(store: Path) -> None:
    answer = hsiaug("compare", "none/svm", "smot/svm", "--store", str(store))
    message = " ".join(answer.stderr.split())
    assert answer.returncode == 2 and answer.stdout == "" and "Traceback" not in message
    assert "error:" in message and "'smot/svm'" in message and "Did you mean smote" in message


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    answer = hsiaug("compare", "none/svm", "smote/svm", cwd=tmp_path)
    assert answer.returncode == 2 and "hsiaug-results" in answer.stderr
    assert not list(tmp_path.iterdir())
