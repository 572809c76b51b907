"""Slips of the keyboard: each is met with the line that was meant."""

from pathlib import Path

import numpy as np
import pytest

import hsiaug as package
from hsiaug.base.errors import InputError
from hsiaug.trial.store import Store
from tests.in_process import hsiaug, refused


def usage(tmp_path: Path, *words: str) -> str:
    """What an error of usage says, as one line without its frame."""
    said = hsiaug(*words, cwd=tmp_path)
    assert said.returncode == 2 and "Traceback" not in said.stderr
    return " ".join(said.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("benchmark toy --generator smote mixup", "--generator smote,mixup"),
        ("benchmark toy --lambda 0.5, 1 --seeds 2", "--lambda 0.5,1"),
        ("benchmark toy --budget 20m", "--budget is an option of 'hsiaug advise'"),
        ("benchmark toy --field crop", "'hsiaug datasets add'"),
        ("benchmark toy --record 3fa9", "It is now hsiaug map HASH."),
        ("report --json", "Here it is --format json."),
    ],
)
def test_a_blank_for_a_comma_and_options_of_other_commands(tmp_path, words, meant):
    assert meant in usage(tmp_path, *words.split())


def test_an_option_of_another_command_is_told_once_in_a_group_of_commands(tmp_path: Path) -> None:
    said = usage(tmp_path, "datasets", "add", "cube.npy", "--mask", "a.png")
    assert (
        said.count("--mask is an option of 'hsiaug generate', not of 'hsiaug datasets add'.") == 1
    )


def test_an_option_that_no_command_has_is_not_ascribed_to_one(tmp_path: Path) -> None:
    assert "is an option of" not in usage(tmp_path, "benchmark", "toy", "--lamda", "1")


def test_a_folder_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    (tmp_path / "flights").mkdir()
    message = refused(tmp_path, "start", "nowhere")
    assert "'nowhere', which is not there" in message and "flights" in message
    assert "Did you mean indian_pines" in refused(tmp_path, "start", "indian_pine")
    assert "hsiaug start flights" in refused(tmp_path, "benchmark", "flights")


def test_a_card_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    assert "hsiaug datasets add" in refused(tmp_path, "benchmark", "farm.toml")
    (tmp_path / "farms.toml").write_text('name = "farms"\n[cube]\nfile = "a.npy"\n')
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')
    message = refused(tmp_path, "benchmark", "farm.toml")
    assert "farms.toml" in message and "pyproject" not in message


def test_an_unknown_key_of_set_is_named(tmp_path: Path) -> None:
    for name in ("cube", "labels"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 4)))
    words = ("datasets", "add", "cube.npy", "--labels", "labels.npy", "--set")
    message = refused(tmp_path, *words, "bad_band=3")
    assert "'bad_band'" in message and "Did you mean bad_bands" in message
    assert "--set scale=0.0001" in refused(tmp_path, *words, "scale")


def test_a_hash_that_several_records_share_lists_them(tmp_path, monkeypatch):
    store = Store(tmp_path / "store", create=True)
    monkeypatch.setattr(store, "hashes", lambda: ("3fa9", "3fb0", "77aa"))
    with pytest.raises(InputError, match=r"3fa9, 3fb0"):
        store.find("3f")


def test_arguments_of_python_are_not_called_as_options_are() -> None:
    with pytest.raises(InputError, match="Write generators"):
        package.benchmark("toy", generator="smote")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="Did you mean lambdas"):
        package.benchmark("toy", lamdas=3)  # type: ignore[call-arg]


def test_a_cube_and_its_labels_in_each_others_place(tmp_path: Path) -> None:
    labels = np.zeros((12, 12), dtype=np.int16)
    labels[:4], labels[8:] = 1, 2
    np.save(tmp_path / "cube.npy", np.random.default_rng(0).random((12, 12, 5)))
    np.save(tmp_path / "labels.npy", labels)
    message = refused(tmp_path, "datasets", "add", "labels.npy", "--labels", "cube.npy")
    assert "Swap them: cube.npy --labels labels.npy" in message
