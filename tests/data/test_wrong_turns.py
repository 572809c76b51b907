"""Wrong turns of who brings a first scene: each ends in a line that says what to do."""

from pathlib import Path

import numpy as np
import pytest

from hsiaug.data import toy_scene
from tests.in_process import hsiaug

SCENE, FIVE = toy_scene(classes=3), toy_scene()
CODES = SCENE.labels.astype(int)
Arrays = dict[str, np.ndarray]
NAMES = ("--set", "classes=hay,rye,track")
ADD = ("datasets", "add", "cube.npy", "--labels", "labels.npy")
CSV = (*ADD[:-1], "labels.csv")


def table(folder: Path) -> None:
    (folder / "labels.csv").write_text("row,col,class\n0,0,hay\n5,5,rey\n9,9,track\n")


TURNS: dict[str, tuple[Arrays, tuple[str, ...], tuple[str, ...]]] = {
    "a class misspelt": ({}, (*CSV, *NAMES), ("'rey'", "Did you mean rye?")),
    "classes from 0 on": (
        {"labels": CODES - 1},
        (*ADD, *NAMES),
        ("must fit one reading of the codes", "--set unlabelled=0 or --set unlabelled=-1"),
    ),
    "labels with axes exchanged": (
        {"cube": SCENE.cube[:40], "labels": CODES[:40].T},
        (*ADD, "--set", "axes=hwb"),
        ("height and width of the labels are exchanged: transposed",),
    ),
    "bands first, said to be last": (
        {"cube": np.moveaxis(SCENE.cube[:40], 2, 0), "labels": CODES[:40]},
        (*ADD, "--set", "axes=hwb"),
        ("--set axes", "Leave it out, or say bhw"),
    ),
    "reflectance in percent": (
        {"cube": 100 * SCENE.cube},
        ADD,
        ("are no reflectance", "0.01 for percent"),
    ),
    "labels in place of the cube": (
        {},
        (*ADD[:2], "labels.npy", "--labels", "cube.npy"),
        ("labels.npy", "cube.npy"),
    ),
    "a cube without a card": (
        {},
        ("benchmark", "cube.npy"),
        ("hsiaug datasets add cube.npy --labels FILE",),
    ),
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_wrong_turn_is_met_with_what_to_do(turn: str, tmp_path: Path) -> None:
    arrays, words, parts = TURNS[turn]
    for name, array in {"cube": SCENE.cube, "labels": CODES, **arrays}.items():
        np.save(tmp_path / f"{name}.npy", array)
    table(tmp_path)
    before = sorted(tmp_path.iterdir())
    answer = hsiaug(*words, cwd=tmp_path)

    said = " ".join((answer.stdout + answer.stderr).split())
    assert [part for part in parts if part not in said] == []
    assert answer.returncode in (0, 2) and "Traceback" not in said
    # Either a scene with a warning, or one error and nothing else.
    assert answer.returncode == 0 or (
        said.count("error:") == 1 and sorted(tmp_path.iterdir()) == before
    )
