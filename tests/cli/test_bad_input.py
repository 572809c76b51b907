"""Bad input: one clear error, exit code 2, no traceback, nothing half-written."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests import third_party
from tests.in_process import hsiaug, refused, run_trials_here


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("indian_pine",), ("'indian_pine'", "Did you mean indian_pines")),
        (("toy", "--generator", "smot"), ("'smot'", "Did you mean smote")),
        (("toy", "--classifier", "cnn2"), ("'cnn2'", "cnn2d")),
        (("toy", "--lambda", "-1"), ("--lambda", "-1", "0 for no synthetic samples")),
        (("toy", "--lambda", "half"), ("--lambda", "'half'")),
        (("toy", "--lambda", ","), ("--lambda", "must be numbers")),
        (("toy", "--omega", "-3", "--generator", "smote"), ("--omega", "-3")),
        (("toy", "--protocol", "ksot:5"), ("'ksot'", "kshot")),
        (("toy", "--protocol", "kshot:none"), ("kshot:10",)),
        (("toy", "--buffer", "center"), ("'center'", "centre")),
        (("toy", "--seeds", ""), ("--seeds", "''")),
        (("toy", "--seeds", "0"), ("--seeds", "'0'")),
        (("toy", "--seeds", "1.5"), ("--seeds", "'1.5'")),
        (("toy", "--patch", "4"), ("--patch", "odd")),
        (("toy", "--set", "smote"), ("--set", "PLUGIN.PARAMETER=VALUE")),
        (("toy", "--set", "smote.neighbors_k=3"), ("smote.neighbors_k", "no such parameter")),
        (("toy", "--device", "cuda:7", "--classifier", "cnn2d"), ("--device", "'cuda:7'")),
        (("toy", "--device", "cuda:0,1", "--classifier", "cnn2d"), ("--device", "'cuda:0,1'")),
        (("absent.toml",), ("absent.toml",)),
    ],
)
def test_a_wrong_word_is_met_with_the_rule_and_the_mend(tmp_path, words, parts):
    message = refused(tmp_path, "benchmark", *words)

    for part in parts:
        assert part in message


def card(folder: Path, cube: str, labels: str, more: str = "") -> Path:
    path = folder / "my_scene.toml"
    path.write_text(
        f'name = "mine"\n[cube]\nfile = "{cube}"\n[labels]\nfile = "{labels}"\nnames = ["a", "b",'
        f' "c"]\n{more}'
    )
    return path


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A small, sound scene in .npy and .mat."""
    cube = rng.random((30, 30, 6), dtype=np.float32)
    labels = np.zeros((30, 30), dtype=np.int16)
    labels[:9, :9], labels[:9, 20:], labels[20:, :] = 1, 2, 3
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "labels.npy", labels)
    savemat(tmp_path / "cube.mat", {"cube": cube})
    return tmp_path


def test_a_sound_scene_of_ones_own_runs(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_trials_here(monkeypatch)
    words = ("--classifier", "rf", "--seeds", "1", "--patch", "3", "--jobs", "1")
    answer = hsiaug("benchmark", str(card(files, "cube.npy", "labels.npy")), *words, cwd=files)

    assert answer.returncode == 0, answer.stderr
    assert "smote" in answer.stdout and "mine" in answer.stdout


def test_nan_in_the_cube(files: Path) -> None:
    cube = np.load(files / "cube.npy")
    cube[3, 4, 5] = np.nan
    np.save(files / "cube.npy", cube)

    message = refused(files, "benchmark", str(card(files, "cube.npy", "labels.npy")))
    assert "NaN" in message and "1 pixels" in message and "bad_bands" in message


def test_a_class_with_one_pixel(files: Path) -> None:
    labels = np.load(files / "labels.npy")
    labels[labels == 2] = 0
    labels[0, 25] = 2
    np.save(files / "labels.npy", labels)

    message = refused(files, "benchmark", str(card(files, "cube.npy", "labels.npy")))
    assert "class 2 (b)" in message and "labels.ignore" in message


def test_a_broken_plugin_is_named_when_its_plugin_is_asked_for(tmp_path: Path) -> None:
    site = third_party.install(tmp_path / "site", "broken_plugin", "import no_such_module")
    words = ("benchmark", "toy", "--generator", "theirs")
    answer = third_party.hsiaug(*words, env=third_party.environment(site), cwd=tmp_path)

    assert answer.returncode == 2 and answer.stdout == "" and "Traceback" not in answer.stderr
    assert "broken-plugin" in answer.stderr and "no_such_module" in answer.stderr
    assert list(tmp_path.iterdir()) == [site]


def test_reports_and_records_that_are_not_there(tmp_path: Path) -> None:
    assert "must be a store" in refused(tmp_path, "report", "--store", "nowhere")
    assert "must be a store" in refused(tmp_path, "report", "--trial", "abc", "--store", "nowhere")
