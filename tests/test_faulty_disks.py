"""Disks that are full, broken, read-only or gone, at every operation in turn: one error that names
the path, what was there stays readable, and the same once more ends as on a good disk.
``benchmarks/faults`` has more kinds and commands.
"""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.faults.disk import faulty_disk
from benchmarks.faults.pieces import Piece, each_fault, pieces
from hsiaug.base.errors import InputError, StoreError
from hsiaug.bench.engines.slurm import SlurmJob, read_jobs, runs_folder, write_jobs
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store
from hsiaug.ui.answers import AnswerFile, PixelAnswer
from hsiaug_builtin.nets.checkpoint import resume, save
from tests.in_process import hsiaug
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


COMMAND_KINDS = ("quota", "broken", "read-only", "short", "fsync")
COMMANDS = {
    "label": "label {0}/../../farm.toml -n 1 --out {0}/x.csv --out {0}/x.json",
    "datasets add": "datasets add {0}/../../c.npy --labels {0}/../../l.npy --out {0}/x.toml",
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in COMMANDS for kind in COMMAND_KINDS]
)
def test_every_operation_of_a_whole_command_may_fail(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsiaug.suggest.committee.COMMITTEE", ("coords",))
    np.save(tmp_path / "c.npy", np.random.default_rng(0).random((12, 10, 4), dtype=np.float32))
    np.save(tmp_path / "l.npy", np.arange(120).reshape(12, 10) % 4)
    add_scene(tmp_path / "c.npy", tmp_path / "l.npy", tmp_path / "farm.toml", ImportOptions())

    def run(folder: Path) -> None:
        if not (folder / "x.toml").exists():
            answer = hsiaug(*COMMANDS[name].format(folder).split())
            said = " ".join(answer.stderr.split())
            assert answer.returncode == 2 * said.count("error:") and "Traceback" not in said, said
            if answer.returncode:
                raise OSError(said)

    def look(folder: Path) -> list[tuple[str, bytes]]:
        return [(path.name, path.read_bytes()) for path in folder.glob("[!.]*")]

    assert each_fault(Piece(lambda folder: None, run, look), kind, tmp_path) > 0


@pytest.fixture
def real_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB; skips where none may be mounted."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    if refused := mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)):
        pytest.skip(f"a disk cannot be mounted here: {refused}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(*words: str) -> str:
    """Why a disk could not be mounted; empty where it could."""
    if shutil.which("mount") is None:
        return "no command mount"
    return subprocess.run(["mount", *words], capture_output=True, text=True).stderr.strip()


def test_a_real_disk_that_is_full_or_read_only_keeps_its_records(real_disk: Path) -> None:
    made = [believable(record(0.5, 0.4, seed=seed)) for seed in range(20)]
    store = Store(real_disk / "store", create=True)
    (real_disk / "filler").write_bytes(bytes(2**26 - 2**15))
    stored: list[Record] = []
    with pytest.raises(StoreError, match=f"{real_disk}/store .*No space left on device"):
        stored.extend(store.put(one, None) for one in made)

    assert 0 < len(stored) < len(made) and list(store.each()) == sorted(
        stored, key=itemgetter("hash")
    )
    (real_disk / "filler").unlink()
    assert not mount("-o", "remount,ro", str(real_disk))
    with pytest.raises(StoreError, match=f"{real_disk}/store .*Read-only file system"):
        store.put(made[-1], None)
    store.sweep()
    assert len(store.read().records) == len(stored)
    assert not mount("-o", "remount,rw", str(real_disk))
    for one in made:
        store.put(one, None)
    assert len(store.read().records) == len(made)


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


def test_half_a_list_of_jobs_is_none(tmp_path: Path) -> None:
    write_jobs(tmp_path, "one", [SlurmJob("1_0", ("a",))])
    (runs_folder(tmp_path) / ".0123456789abcdef.json").write_text('{"name": "two"')

    assert read_jobs(tmp_path) == [SlurmJob("1_0", ("a",))]


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
