"""``hsiaug pretrain``, and benchmarks of what it wrote."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from hsiaug.data import toy_scene
from hsiaug.trial.store import Store
from tests.cli.test_bad_input import refused
from tests.strangers import hsiaug

BENCHMARK = ("--generator", "txt2hsi", "--classifier", "svm", "--preset", "tiny", "--patch", "5", "--seeds", "1")


def write(folder: Path, name: str, seed: int) -> None:
    """A small scene's files and card."""
    scene = toy_scene(seed=seed, height=40, width=32, bands=12, classes=3)
    np.save(folder / f"{name}.npy", scene.cube)
    np.save(folder / f"{name}_labels.npy", scene.labels)
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\n[cube]\nfile = "{name}.npy"\n[sensor]\nrange_nm = [450, 1000]\n'
        f'[labels]\nfile = "{name}_labels.npy"\nnames = ["Grassland", "Maize", "Pond"]\n'
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, and what was learnt of the toy scene and of one of them."""
    made = tmp_path_factory.mktemp("scenes")
    write(made, "second", 1)
    write(made, "third", 2)
    answer = hsiaug("pretrain", "toy", "second.toml", "--out", "learnt/prior", cwd=made)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "learnt/prior\n"
    assert "Next: hsiaug benchmark SCENE --generator txt2hsi --set txt2hsi.prior=learnt/prior" in answer.stderr
    assert [path.name for path in (made / "learnt").iterdir()] == ["prior"]  # nothing half-written beside it
    return made


def test_what_was_learnt_serves_a_benchmark_on_another_scene_and_is_part_of_its_trials(folder: Path) -> None:
    words = (*BENCHMARK, "--set", "txt2hsi.prior=learnt/prior", "--store", "ok", "--jobs", "1")
    answer = hsiaug("benchmark", "third.toml", *words, cwd=folder)

    assert answer.returncode == 0, answer.stderr
    records = list(Store(folder / "ok").records())
    assert {record["status"] for record in records} == {"ok"}
    (ours,) = (record for record in records if record["spec"]["generator"]["name"] == "txt2hsi")
    assert re.fullmatch("learnt/prior#sha256:[0-9a-f]{16}", ours["spec"]["generator"]["params"]["prior"])


def test_a_benchmark_on_a_scene_that_was_learnt_from_fails_and_says_why(folder: Path) -> None:
    words = (*BENCHMARK, "--set", "txt2hsi.prior=learnt/prior", "--store", "leak", "--jobs", "1")
    answer = hsiaug("benchmark", "second.toml", *words, cwd=folder)

    assert answer.returncode == 1
    (failed,) = (record for record in Store(folder / "leak").records() if record["status"] != "ok")
    assert failed["spec"]["generator"]["name"] == "txt2hsi"
    assert "a prior must not be learnt from the scene that it is used on" in answer.stderr
    assert "learnt from toy, second" in answer.stderr


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("toy", "--out", "learnt"), ("--out must be a folder that does not exist yet", "learnt")),
        (("toy", "--out", "new", "--generator", "smote"), ("one that learns from other scenes", "'smote'")),
        (("toy", "--out", "new", "--generator", "txt2hs"), ("'txt2hs'", "Did you mean txt2hsi")),
        (("second.toml", "toy", "toy", "--out", "new"), ("different scenes", "toy, the same as toy")),
        (
            ("toy", "--out", "new", "--set", "smote.k=3"),
            ("--set must name the generator of this command", "'smote'"),
        ),
        (("absent.toml", "--out", "new"), ("absent.toml",)),
    ],
)
def test_bad_input_gives_one_error_and_writes_nothing(
    folder: Path, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    message = refused(folder, "pretrain", *words)

    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (
            ("benchmark", "third.toml", *BENCHMARK, "--set", "txt2hsi.prior=absent"),
            ("--set txt2hsi.prior: no such file or folder", "'absent'"),
        ),
    ],
)
def test_a_generator_whose_file_is_missing_is_refused_before_any_trial(
    folder: Path, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    message = refused(folder, *words)

    for part in parts:
        assert part.replace("'absent'", "absent") in message


def test_the_help_shows_examples() -> None:
    answer = " ".join(hsiaug("pretrain", "--help").stdout.split())

    assert "hsiaug pretrain indian_pines pavia_university --out prior" in answer
