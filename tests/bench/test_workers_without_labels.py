"""Where no labels lie: a Dask worker in a mount namespace of its own, in which the folder of scene,
card, labels and store is empty, runs trials as this machine does.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.own_scenes import add_scene
from hsiaug.trial.store import Store
from tests.processes import scheduler_address
from tests.third_party import DUMMY, environment, hsiaug, install, results

pytest.importorskip("distributed")
SEEKER = """
    def fit(self, samples, view, *, seed, device, progress):
        import gc, os
        found = []
        for folder, _, names in os.walk(FOLDER):
            found += [folder + "/" + name for name in names]
        for number in range(256):
            try:
                found += [at for at in [os.readlink(f"/proc/self/fd/{number}")] if FOLDER in at]
            except OSError:
                pass
        for value in gc.get_objects():
            for one in list(value.values()) if isinstance(value, dict) else [value]:
                if isinstance(one, np.ndarray) and one.dtype.kind in "iu":
                    if one.shape == view.cube.shape[:2] and np.count_nonzero(one) > len(samples.y):
                        found += ["labels in memory"]
        self.facts = {"found": found}
        self.ids"""
WORDS = (
    *("benchmark", "mine/scene.toml", "--generator", "dummy", "--classifier", "nearest"),
    *("--seeds", "2", "--patch", "3", "--view", "raw", "--lambda", "0.5", "--jobs", "1"),
)
HIDE = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && cd / && exec "$@"']


def hidden(folder: Path, *command: str) -> list[str]:
    """The command where a folder is empty."""
    return [*HIDE, str(folder), *command]


def can_hide(folder: Path) -> bool:
    if not shutil.which("unshare"):
        return False
    return not subprocess.run(hidden(folder, "true"), capture_output=True, check=False).returncode


@contextmanager
def running(*command: str, env: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.usefixtures("blank_pictures")
def test_a_worker_in_a_namespace_without_labels_gives_the_records_of_this_machine(
    toy: Scene, tmp_path: Path
) -> None:
    (scene := tmp_path / "mine").mkdir()
    if not can_hide(scene):
        pytest.skip("no mount namespace can be made here")
    np.save(scene / "cube.npy", toy.cube)
    np.save(scene / "labels.npy", toy.labels)
    add_scene(scene / "cube.npy", scene / "labels.npy", "scene", folder=scene)
    code = DUMMY.replace(
        "\n    def fit(self, samples, view, *, seed, device, progress):\n        self.ids",
        SEEKER.replace("FOLDER", repr(str(scene))),
    )
    assert "found" in code
    env = environment(install(tmp_path / "site", "dummy_plugin", code))
    dask, file = (sys.executable, "-m", "dask"), tmp_path / "scheduler.json"
    at = ("--scheduler-file", str(file), "--no-dashboard")
    scheduler = hidden(scene, *dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *at)
    worker = hidden(scene, *dask, "worker", "--nthreads", "1", *at)

    here = hsiaug(*WORDS, "--store", "mine/here", env=env, cwd=tmp_path)
    with (
        running(*scheduler, env=env, cwd=tmp_path) as serving,
        running(*worker, env=env, cwd=tmp_path),
    ):
        address = scheduler_address(file, serving)
        on = ("--on", f"dask:{address}", "--cluster", "labels=here")
        there = hsiaug(*WORDS, *on, "--store", "mine/there", env=env, cwd=tmp_path)

    assert here.returncode == there.returncode == 0, here.stderr + there.stderr
    assert results(scene / "here") == results(scene / "there")
    found = [
        record["classifier_facts"]["found"]
        for record in Store(scene / "there").each()
        if record["spec"]["classifier"]["name"] == "nearest"
    ]
    assert len(found) >= 2 and not any(found), found
