"""A shared disk shows what another machine wrote only after a while, and has a clock of its own:
that does no harm.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.temporary_folders import ABANDONED
from hsiaug.core.scene import Scene
from hsiaug.tasks.task import get_task
from hsiaug.trial import fits
from hsiaug.trial.saved_fits import fits_folder
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.trial_run import SceneContext
from tests.leavings import left_in

Spec = Callable[..., TrialSpec]
Run = Callable[..., Any]


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that cannot be seen yet, though the disk holds them."""
    folders: list[Path] = []

    def seen(ask: Callable[[Path], bool]) -> Callable[[Path], bool]:
        return lambda path: not any(path.is_relative_to(folder) for folder in folders) and ask(path)

    for name in ("is_dir", "is_file", "exists"):
        monkeypatch.setattr(Path, name, seen(getattr(Path, name)))
    return folders


def test_a_fit_that_another_process_saved_and_that_is_not_seen_yet_is_made_again(
    late: list[Path],
    spec: Spec,
    run: Run,
    toy: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fits, "WORTH_SAVING", -1.0)
    trial, folder = spec(), tmp_path / "cache"
    first, _ = run(trial)
    late.append(fits_folder(folder, trial) / trial.fit_hash)

    record, _ = run(trial, SceneContext(toy, get_task("pixels"), folder))
    late.clear()
    after, _ = run(trial, SceneContext(toy, get_task("pixels"), folder))

    assert record["notes"] == after["notes"] == []
    assert (
        record["predictions_sha256"] == after["predictions_sha256"] == first["predictions_sha256"]
    )
    assert [path.name for path in fits_folder(folder, trial).iterdir()] == [trial.fit_hash]


def test_a_record_that_another_process_wrote_and_that_is_not_seen_yet_is_written_once(
    late, spec, run, tmp_path
):
    store = Store(tmp_path / "store", create=True)
    record, prediction = run(spec())
    store.put(record, prediction)
    late.append(store.folder(record["hash"]))

    Store(store.root).put(record, prediction)
    late.clear()

    assert [one["hash"] for one in store.records()] == [record["hash"]]
    assert not [path for path in (store.root / "records").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("ahead", [-1e6, 1e6])
def test_folders_are_swept_by_the_clock_of_the_disk(ahead, tmp_path, monkeypatch):
    store = Store(tmp_path, create=True)
    old, new = (left_in(store.root / "records") for _ in range(2))
    for path in (old, *old.rglob("*")):
        os.utime(path, (0, time.time() - 2 * ABANDONED))
    there = time.time() + ahead
    monkeypatch.setattr(time, "time", lambda: there)

    store.sweep()

    assert new.exists() and not old.exists()
