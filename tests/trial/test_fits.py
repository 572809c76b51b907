"""Saved fits save time and nothing else: damage, a full disk or another process never change a
result.
"""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hsiaug.core.scene import Scene
from hsiaug.registry import plugin_code
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial import fits
from hsiaug.trial.saved_fits import checkpoint, fits_folder, save_fit
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext
from tests.leavings import paths_in
from tests.processes import Process

Spec = Callable[..., TrialSpec]
Run = Callable[..., Any]


@pytest.fixture
def dummy(plugins: Registry) -> Any:
    """The module of the dummy plugins."""
    return sys.modules[plugins.find("generator", "dummy").load().__module__]


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.fixture
def saved(
    monkeypatch: pytest.MonkeyPatch, plugins: Registry, spec: Spec, run: Run, tmp_path: Path
) -> tuple[TrialSpec, Any, Path]:
    """A trial whose fit lies on disk, its record, and the folder of the fit."""
    # The registry of the process may have been read before the dummy package was there.
    monkeypatch.setattr(plugin_code, "registry", lambda: plugins)
    monkeypatch.setattr(fits, "WORTH_SAVING", -1.0)
    trial = spec()
    record, _ = run(trial)
    folder = fits_folder(tmp_path / "cache", trial) / trial.fit_hash
    assert record["status"] == "ok" and record["notes"] == [] and folder.is_dir()
    return trial, record, folder


def again(run: Run, trial: TrialSpec, toy: Scene, tmp_path: Path) -> Any:
    """The record of the trial in a new process's place: nothing is in memory."""
    record, _ = run(trial, SceneContext(toy, get_task("pixels"), tmp_path / "cache"))
    return record


def test_a_package_that_was_edited_in_place_finds_no_fit_of_its_old_code(monkeypatch, saved, run):
    trial, _, _ = saved
    learnt: list[str] = []
    monkeypatch.setattr(fits, "_note_why", lambda *_: learnt.append("anew"))
    assert run(trial)[0]["status"] == "ok" and learnt == []
    monkeypatch.setattr(plugin_code, "digest_of_module", lambda name: "of edited files")
    assert run(trial)[0]["status"] == "ok" and learnt == ["anew"]


def test_a_fit_that_a_third_party_classifier_may_have_spoilt_is_not_saved(
    monkeypatch, spec, run, toy, tmp_path
):
    monkeypatch.setattr(fits, "WORTH_SAVING", -1.0)
    context = SceneContext(toy, get_task("pixels"), tmp_path / "cache")
    context.saves = False
    assert run(spec(), context)[0]["status"] == "ok"
    assert not fits_folder(tmp_path / "cache", spec()).exists()


def biggest(folder: Path) -> Path:
    return max(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )


def flip(folder: Path) -> None:
    file = biggest(folder / "fitted")
    data = bytearray(file.read_bytes())
    data[-len(data) // 3] ^= 1
    file.write_bytes(bytes(data))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one flipped bit": flip,
    "a file that has gone": lambda folder: biggest(folder / "fitted").unlink(),
    "no checksums": lambda folder: (folder / "fit.json").unlink(),
    "checksums that are no JSON": lambda folder: (folder / "fit.json").write_text("{"),
    "a pipe in place of checksums": lambda folder: (
        (folder / "fit.json").unlink(),
        os.mkfifo(folder / "fit.json"),
    ),
    "seconds that are no number": (
        lambda folder: (folder / "fit.json").write_text('{"seconds": "x", "files": {}}')
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_fit_is_fitted_again_and_replaced(saved, run, toy, tmp_path, damage):
    trial, record, folder = saved
    DAMAGE[damage](folder)
    healed = again(run, trial, toy, tmp_path)

    assert healed["status"] == "ok", healed["error"]
    assert healed["predictions_sha256"] == record["predictions_sha256"]
    (note,) = healed["notes"]
    assert note.startswith("The saved fit of dummy could not be used, and was fitted again: ")
    assert again(run, trial, toy, tmp_path)["notes"] == []
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_fit_that_its_plugin_cannot_load_is_fitted_again(saved, run, toy, tmp_path, dummy):
    trial, record, _ = saved
    for error in (RuntimeError("no such tensor"), SystemExit(3)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dummy.Generator, "load", raising(error))
            healed = again(run, trial, toy, tmp_path)
        assert healed["predictions_sha256"] == record["predictions_sha256"]
        assert type(error).__name__ in healed["notes"][0]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), ValueError("no"), SystemExit(3)]
)
def test_a_fit_that_cannot_be_saved_is_a_note_and_not_a_failure(
    monkeypatch, spec, run, tmp_path, dummy, error
):
    monkeypatch.setattr(fits, "WORTH_SAVING", -1.0)

    def save(self: Any, folder: Path) -> None:
        (folder / "half").write_text("half")
        raise error

    monkeypatch.setattr(dummy.Fitted, "save", save)
    record, _ = run(spec())
    assert record["status"] == "ok", record["error"]
    (note,) = record["notes"]
    assert note.startswith("The fit of dummy could not be saved for another run: ")
    assert list(fits_folder(tmp_path / "cache", spec()).iterdir()) == []


def left_by(folder: Path, text: str) -> Path:
    """A checkpoint that some process left."""
    made = folder.with_name(f"{folder.name}.unfinished") / "state"
    made.mkdir(parents=True)
    (made / "step").write_text(text)
    return made


def test_what_a_process_left_is_taken_over_and_removed_at_the_end_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "abc"
    theirs = left_by(folder, "7")
    with pytest.raises(KeyboardInterrupt), checkpoint(folder) as mine:
        assert mine == theirs and (mine / "step").read_text() == "7"
        raise KeyboardInterrupt
    with checkpoint(folder) as mine:
        assert mine == theirs and (mine / "step").read_text() == "7"
    assert not theirs.parent.exists()


HELD = """
import sys
from pathlib import Path
from hsiaug.trial.saved_fits import checkpoint
with checkpoint(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_what_a_running_process_saves_is_left_alone_until_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "abc"
    theirs = left_by(folder, "7")
    with Process(
        [sys.executable, "-c", HELD, str(folder)],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with checkpoint(folder) as mine:
            assert mine is None
        assert (theirs / "step").read_text() == "7"
        other.kill()
    with checkpoint(folder) as mine:
        assert mine == theirs and (theirs / "step").read_text() == "7"


def test_a_folder_that_is_no_fit_is_not_replaced_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "abc"
    folder.mkdir()
    (folder / "kept").write_text("mine")

    said = save_fit(folder, lambda fresh: (fresh / "x").write_text("x"), 1.0)
    assert said is not None and "no saved fit" in said and paths_in(tmp_path) == {"abc", "abc/kept"}


@pytest.fixture
def resuming(monkeypatch: pytest.MonkeyPatch, dummy: Any) -> list[str]:
    """Makes the dummy go on from a checkpoint; what it found in it, fit by fit."""
    found: list[str] = []
    whole = dummy.Generator.fit

    def fit(self: Any, view: Any, *, checkpoint: Path, **options: Any) -> Any:
        text = (checkpoint / "step").read_text() if (checkpoint / "step").exists() else "nothing"
        found.append(text)
        checkpoint.mkdir(parents=True, exist_ok=True)
        if text == "damaged":
            raise ValueError("a checkpoint of another kind")
        return whole(self, view, **options)

    monkeypatch.setattr(dummy.Generator, "fit", fit)
    monkeypatch.setattr(dummy.Generator, "card", replace(dummy.Generator.card, resumes=True))
    return found


@pytest.fixture
def rerun(spec: Spec, run: Run, tmp_path: Path) -> Callable[[str], Any]:
    """The record of a trial of which a run that was killed left such a checkpoint."""

    def again(checkpoint: str) -> Any:
        trial = spec()
        left_by(fits_folder(tmp_path / "cache", trial) / trial.fit_hash, checkpoint)
        return run(trial)[0]

    return again


def test_a_rerun_goes_on_from_a_killed_runs_checkpoint_and_leaves_none(
    rerun, spec, tmp_path, resuming
):
    record = rerun("half")

    assert record["status"] == "ok" and record["notes"] == [] and resuming == ["half"]
    assert [path.suffix for path in fits_folder(tmp_path / "cache", spec()).iterdir()] == [".lock"]


def test_a_checkpoint_that_cannot_be_used_is_begun_anew(rerun, tmp_path, resuming):
    record = rerun("damaged")

    assert record["status"] == "ok", record["error"]
    assert resuming == ["damaged", "nothing"]
    assert "could not go on from its checkpoint, and began anew: ValueError" in record["notes"][0]
