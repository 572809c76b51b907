"""Suites on the command line: one list of work, a table per run, resumed and reported by run."""

import json
import re
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import HsiaugError
from hsiaug.cli.main import app
from hsiaug.trial.store import Store
from tests.in_process import hsiaug
from tests.suites import BEGINNING
from tests.third_party import DUMMY, install

AS_STRINGS = BEGINNING.replace('["dummy"]', '"dummy"').replace('["nearest"]', '"nearest"')
SUITE = f"""
title = "Dummies"
{AS_STRINGS}
[[run]]
name = "gains"
lambdas = "0.5:1:0.5"
set = [{{}}, {{ dummy = {{ gain = 0.5 }} }}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite, run once, and what it printed."""
    root = tmp_path_factory.mktemp("suites")
    install(root / "site", "dummy_plugin", DUMMY)
    (root / "suite.toml").write_text(SUITE)
    answer = run(root, "benchmark", "--suite", "suite.toml", "--jobs", "1")
    (root / "out.md").write_text(answer.stdout)
    (root / "err.txt").write_text(answer.stderr)
    assert answer.returncode == 0, answer.stderr
    return root


def run(root: Path, *words: str) -> CompletedProcess[str]:
    return hsiaug(*words, site=root / "site", cwd=root)


def titles(text: str) -> list[str]:
    """The first lines of the tables."""
    return [line for line in text.splitlines() if line.startswith(("headline: ", "gains: "))]


def test_every_run_gets_tables_of_its_own_and_shared_trials_run_once(folder: Path) -> None:
    # headline: 2 protocols × 2 draws × (none, duplicate, dummy, coords); gains: 2 × (duplicate ½,
    # dummy ½, gain ½, 1)
    assert len(list(Store(folder / "results").each())) == 16 + 8
    assert [title.split(",")[:2] for title in titles((folder / "out.md").read_text())] == [
        ["headline: toy", " issd:0.05"],
        ["gains: toy", " issd:0.05"],
        ["headline: toy", " random:0.05"],
    ]


def test_arms_that_differ_in_a_parameter_are_told_apart(folder: Path) -> None:
    _, gains, leaky = re.split(
        "^(?:headline|gains): ", (folder / "out.md").read_text(), flags=re.M
    )[1:]
    rows = {line.split(" with nearest")[0] for line in gains.splitlines()}

    assert {f"dummy gain={gain} λ={lam}" for gain in (0.5, 1.0) for lam in (0.5, 1)} <= rows
    assert "LEAKY: " in leaky and "gain=" not in leaky


def test_a_finished_suite_runs_nothing_and_its_report_is_the_same(folder: Path) -> None:
    again = run(folder, "benchmark", "--suite", "suite.toml", "--jobs", "1")
    assert "24 of 24 trials are taken from results" in again.stderr
    assert again.stdout == (folder / "out.md").read_text()


def test_a_dry_run_lists_the_runs_and_counts_shared_trials_once(folder: Path) -> None:
    table = run(
        folder, "benchmark", "--suite", "suite.toml", "--dry-run", "--store", "fresh"
    ).stdout

    rows = [line.split("\t")[:6] for line in table.splitlines()]
    assert rows[0] == ["run", "scene", "protocol", "splits", "trials", "to run"]
    assert rows[1:4] == [
        ["headline", "toy", "issd", "2", "8", "8"],
        ["headline", "toy", "random:0.05", "2", "8", "8"],
        ["gains", "toy", "issd", "2", "16", "8"],
    ]
    assert "24 of 24 trials to run" in table and not (folder / "fresh").exists()
    plan = json.loads(
        run(
            folder,
            "benchmark",
            "--suite",
            "suite.toml",
            "--dry-run",
            "--json",
            "--seeds",
            "1",
        ).stdout
    )
    assert len(plan["trials"]) == 12 and plan["to_run"] == []
    assert [row["name"] for row in plan["runs"]] == ["headline", "headline", "gains", "gains"]


def test_a_finished_suite_as_json_names_the_run_of_each_table(folder: Path) -> None:
    answer = run(folder, "benchmark", "--suite", "suite.toml", "--json")
    assert [table["run"] for table in json.loads(answer.stdout)["tables"]] == [
        "headline",
        "gains",
        "headline",
    ]


def test_runs_on_several_scenes_are_one_list_of_work(folder: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((30, 30), dtype=np.int16)
    labels[:9, :9], labels[:9, 20:], labels[20:, :] = 1, 2, 3
    np.save(folder / "cube.npy", rng.random((30, 30, 6), dtype=np.float32))
    np.save(folder / "labels.npy", labels)
    (folder / "mine.toml").write_text(
        'name = "mine"\n[cube]\nfile = "cube.npy"\n[labels]\nfile = "labels.npy"\nnames = ["a",'
        ' "b", "c"]\n'
    )
    (folder / "sub").mkdir()
    text = SUITE.replace('scenes = "toy"', 'scenes = ["toy", "../mine.toml"]').replace(
        ', "random:0.05"', ""
    )
    (folder / "sub" / "suite.toml").write_text(text)
    answer = run(
        folder,
        "benchmark",
        "--suite",
        "sub/suite.toml",
        "--jobs",
        "2",
        "--store",
        "both",
        "--seeds",
        "0-0",
    )

    assert answer.returncode == 0, answer.stderr
    assert "16 of 16 trials" in answer.stderr and "failed" not in answer.stderr
    assert {r["scene_ref"] for r in Store(folder / "both").each()} == {"toy", "mine.toml"}
    assert len(titles(answer.stdout)) == 4


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--suite", "suite.toml", "--lambda", "1"), ("--lambda", "a suite says for itself")),
        (
            ("--suite", "suite.toml", "--generator", "smote", "--set", "a.b=1"),
            ("--generator", "--set"),
        ),
        (("neither.toml",), ("card", "neither.toml", "'a'")),
        (("absent.toml",), ("absent.toml", "must exist")),
        (("--suite", "claims"), ("suite", "'claims'", "txt2hsi_claims")),
        (("toy", "--suite", "suite.toml"), ("toy and --suite suite.toml",)),
        ((), ("of a SCENE or of a --suite",)),
    ],
)
def test_a_wrong_word_is_met_with_one_error(tmp_path, monkeypatch, words, parts):
    (tmp_path / "suite.toml").write_text(SUITE)
    (tmp_path / "neither.toml").write_text("a = 1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HsiaugError) as error:
        CliRunner().invoke(app, ["benchmark", *words], catch_exceptions=False)

    for part in parts:
        assert part in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neither.toml", "suite.toml"]
