"""Disks that are full, broken, read-only or gone, at every operation in turn: one error that names
the path, what was there stays readable, and the same once more ends as on a good disk.
``benchmarks/faults`` has more kinds and commands.
"""

import itertools
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.faults.disk import faulty_disk
from benchmarks.faults.pieces import each_fault, pieces
from hsiaug.base.errors import InputError
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.ui.answers import AnswerFile, PixelAnswer
from hsiaug_builtin.nets.checkpoint import resume, save
from tests.report.report_records import believable, record

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for open files in /proc"),
    pytest.mark.usefixtures("blank_pictures"),
]

KINDS = ("full", "broken", "read-only", "short", "gone")
PIECES = pieces([believable(record(0.5 + seed / 100, 0.4, seed=seed)) for seed in range(2)])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name, piece in PIECES.items()
        for kind in KINDS
        if not (piece.makes and kind == "gone")
    ],
)
def test_every_operation_may_fail(name: str, kind: str, tmp_path: Path) -> None:
    assert each_fault(PIECES[name], kind, tmp_path) > 0


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_lock_that_a_full_disk_does_not_hold_is_not_in_the_way(tmp_path: Path, at: int) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    given = AnswerFile(folder / "answers.csv", (20, 30))
    with (
        faulty_disk(folder, "full", at),
        pytest.raises(InputError, match="No space left"),
        given.held(),
    ):
        raise AssertionError
    with given.held():
        pass
    assert not list(folder.iterdir())


def test_a_scene_whose_card_cannot_be_put_in_its_place_leaves_no_picture(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "disk"
    source.mkdir()
    folder.mkdir()
    np.save(source / "cube.npy", np.arange(120, dtype=np.float32).reshape(6, 5, 4))
    np.save(source / "labels.npy", np.arange(30).reshape(6, 5) % 4)
    asked = source / "cube.npy", source / "labels.npy", folder / "farm.toml", ImportOptions()

    for at in range(1, 9):
        with faulty_disk(folder, "broken", at), suppress(InputError):
            add_scene(*asked, lambda scene, path: path.write_bytes(b"a picture"))
        found = (folder / "farm.toml").exists(), (folder / "farm_look.png").exists()
        assert found == (False, False), at
    add_scene(*asked)


@pytest.mark.parametrize("kind", ["full once", "broken"])
def test_answers_go_on_after_one_that_the_disk_refused(tmp_path: Path, kind: str) -> None:
    first, second, third = (PixelAnswer(((number, 2),), "class", "wheat") for number in range(3))
    for at in itertools.count(1):
        file = tmp_path / str(at) / "answers.csv"
        file.parent.mkdir()
        given, refused = AnswerFile(file, (20, 30)), False
        given.add(first)
        with faulty_disk(file.parent, kind, at) as disk:
            try:
                given.add(second)
            except InputError as error:
                assert str(file) in str(error)
                refused = True
        given.add(third)
        assert (
            AnswerFile(file, (20, 30)).given
            == given.given
            == [first, *([] if refused else [second]), third]
        )
        if disk.fired is None:
            break
    assert at > 4


@pytest.mark.parametrize("kind", ["full", "broken"])
def test_a_training_goes_on_without_a_checkpoint_that_the_disk_refuses(
    tmp_path: Path, kind: str
) -> None:
    net, optimiser = nn.Linear(3, 3), torch.optim.SGD([torch.zeros(1)])
    for at in itertools.count(1):
        folder = tmp_path / str(at)
        folder.mkdir()
        with faulty_disk(folder, kind, at) as disk:
            save(folder / "state" / "net.safetensors", 1, net, net, optimiser)
        if disk.fired is None:
            break
        assert "remove" in disk.fired or not [path for path in folder.rglob("*") if path.is_file()]
    assert at > 2 and resume(folder / "state" / "net.safetensors", net, net, optimiser) == 1
