"""A plugin that looks for test labels wherever a process can look finds none, and scores as one
that does not look.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from hsiaug.bench.worker import BlindData
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.own_scenes import add_scene
from hsiaug.registry.isolation.confinement import can_confine
from hsiaug.trial.store import Store
from tests.third_party import environment, hsiaug, hsiaug_anew, install

HUNTER = """
import gc, os, sys
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from hsiaug.api import Card, Entry, hookimpl, param


@dataclass(frozen=True)
class Params:
    looks: bool = param(True, "look for labels")


def arrays(values, deep=2):
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif deep and isinstance(value, dict | list | tuple | set):
            yield from arrays(list(value.values() if isinstance(value, dict) else value), deep - 1)
        elif deep:
            try:
                inner = list(vars(value).values())
            except Exception:
                continue
            yield from arrays(inner, deep - 1)


def in_memory():
    return list(arrays(gc.get_objects(), 1))


def in_frames():
    found = []
    for frame in sys._current_frames().values():
        while frame:
            found += arrays(list(frame.f_locals.values()))
            frame = frame.f_back
    return found


def on_disk(folder):
    for path in Path(folder).rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            if "cache" in path.parts and "store" in path.parts:
                continue
            if path.name.startswith("cube") or path.suffix == ".toml" or "site" in path.parts:
                continue
            try:
                yield path, path.read_bytes()[:9]
            except OSError:
                pass


def in_open_files(known):
    for entry in Path("/proc/self/fd").iterdir():
        try:
            read = os.pread(int(entry.name), 2**26, 0)
        except OSError:
            continue
        for kind in (np.int16, np.uint8, np.int64):
            values = np.frombuffer(read[: len(read) // 8 * 8], dtype=kind)
            if len(values) and values.min() == 0 and 2 < values.max() < 40 and np.count_nonzero(values) > known:
                yield entry.name


def by_the_library(folder):
    import hsiaug
    return hsiaug.load_scene(str(next(Path(folder).glob("*.toml")))).labels


class Hunter:
    card = Card(name="hunter", version="1", summary="looks for labels", input="spectrum", params=Params)

    def __init__(self, params):
        self.params = params

    def fit(self, samples, view, *, seed, device, progress):
        self.common, self.found, known = np.bincount(samples.y).argmax(), [], len(view.real.y)
        if self.params.looks:
            for where in (in_memory, in_frames):
                for array in where():
                    whole = array.shape == view.cube.shape[:2] and array.dtype.kind in "iu"
                    if whole and len(np.unique(array)) > 2 and np.count_nonzero(array) > known:
                        self.found.append(where.__name__)
            self.found += on_disk(FOLDER)
            try:
                self.found += [by_the_library(FOLDER).shape]
            except Exception:
                pass
            self.found += in_open_files(known)
        self.facts = {"found": [str(one)[:200] for one in self.found]}
        return self

    def predict(self, patches):
        return np.full(len(patches), self.common)


@hookimpl
def hsiaug_plugins():
    return [Entry("classifier", "hunter", "hunter_plugin:Hunter")]
"""


@pytest.fixture
def folder(toy: Scene, tmp_path: Path, blank_pictures: None) -> Path:
    """A scene of files, and the package."""
    install(tmp_path / "site", "hunter_plugin", f"FOLDER = {str(tmp_path)!r}\n{HUNTER}")
    (tmp_path / "scene").mkdir()
    np.save(tmp_path / "scene" / "cube.npy", toy.cube)
    np.save(tmp_path / "scene" / "labels.npy", toy.labels)
    cube, labels = (tmp_path / "scene" / name for name in ("cube.npy", "labels.npy"))
    add_scene(cube, labels, "mine", folder=tmp_path / "scene")
    return tmp_path


@pytest.mark.skipif(not can_confine(), reason="this system has no Landlock")
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_plugin_that_looks_for_labels_finds_none(folder: Path) -> None:
    words = (
        *("benchmark", "scene/mine.toml", "--generator", "none", "--classifier", "hunter"),
        *("--seeds", "1", "--lambda", "0", "--times", "0", "--patch", "3", "--jobs", "1"),
        *("--view", "raw"),
    )
    env = environment(folder / "site")
    blind = hsiaug(*words, "--set", "hunter.looks=false", "--store", "store", env=env, cwd=folder)
    # There are records of the same draws beside it now.
    answer = hsiaug_anew(*words, "--store", "store", env=env, cwd=folder)

    assert answer.returncode == blind.returncode == 0, answer.stderr + blind.stderr
    records = [
        record for record in Store(folder / "store").each() if record.get("classifier_facts")
    ]
    assert [record["status"] for record in records] == ["ok"] * 2
    assert [record["classifier_facts"] for record in records] == [{"found": []}] * 2
    assert records[0]["metrics"] == records[1]["metrics"]
    # What it tried stands in its records.
    noted = {note for record in records for note in record["notes"]}
    assert f"hunter opened {folder / 'scene' / 'labels.npy'}" in noted


def test_workers_map_one_copy_of_the_cube_and_no_label(toy: Scene, folder: Path) -> None:
    import multiprocessing

    scene = load_scene(folder / "scene" / "mine.toml")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_answer, args=(theirs, BlindData(scene))
    )
    process.start()
    names, total, writeable, owned = ours.recv()
    process.join()

    assert "labels" not in names and "cube" in names
    assert total == float(toy.cube.sum(dtype=np.float64)) and not writeable and not owned


def _answer(pipe, blind) -> None:
    data = blind.data
    cube = data.cube
    pipe.send(
        (
            list(vars(data)),
            float(cube.sum(dtype=np.float64)),
            cube.flags.writeable,
            cube.flags.owndata,
        )
    )
