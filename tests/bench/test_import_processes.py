"""The process that imports a package reads no scene, no store and no other process, and leaves its
package nothing.
"""

import os
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

from hsiaug.data.embedded import embedded_files
from hsiaug.own_scenes import add_scene
from hsiaug.registry.isolation.confinement import why_open
from hsiaug.registry.isolation.packages import read_packages
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug_anew, install, point

pytestmark = pytest.mark.skipif(
    bool(why_open()),
    reason="this system has no Landlock that can be used",
)
THIEF = """
import glob, os, socket, tempfile
from pathlib import Path
import numpy as np
from hsiaug.api import Card, Draw, Entry, SplitProtocol, hookimpl

HOME = Path(HOME_FOLDER)
PLACES = [Path("/dev/shm"), Path("/tmp"), Path("/var/tmp"), HOME / ".cache", HOME, Path(tempfile.gettempdir())]
NAME = "thief-MARK.npy"


def attempt(work):
    try:
        return work()
    except Exception:
        return None


def words():
    for folder in glob.glob("/proc/[0-9]*"):
        read = attempt(lambda: Path(folder, "cmdline").read_bytes())
        where = attempt(lambda: os.readlink(f"{folder}/cwd")) or ""
        for word in (read or b"").split(b"\\0"):
            if word.endswith(b".toml"):
                yield Path(where, os.fsdecode(word))


def steal():
    # It may know where to look as well.
    for card in [*words(), Path(SCENE_FOLDER) / "mine.toml"]:
        labels = attempt(lambda: np.load(card.parent / "labels.npy"))
        if labels is not None:
            for place in PLACES:
                attempt(lambda: np.save(place / NAME, labels))


steal()


class Thief:
    card = Card(name="thief", version="1", summary="predicts stolen labels", input="location")

    def __init__(self, params):
        pass

    def fit(self, samples, view, *, seed, device, progress):
        self.common = np.bincount(samples.y).argmax()
        places = [*PLACES, *map(Path, glob.glob("/tmp/hsiaug-*")), *Path(tempfile.gettempdir()).parent.glob("*")]
        copies = [attempt(lambda: np.load(place / NAME)) for place in places]
        self.stolen = next((one for one in copies if one is not None), None)
        return self

    def predict(self, patches):
        if self.stolen is None:
            return np.full(len(patches), self.common)
        return self.stolen[patches.coords[:, 0], patches.coords[:, 1]]


@hookimpl
def hsiaug_plugins():
    return [Entry("classifier", "thief", "thief_plugin:Thief")]
"""


@pytest.fixture
def folder(tmp_path: Path, blank_pictures: None) -> Path:
    """A scene whose labels no spectrum tells, and the package."""
    rng = np.random.default_rng(0)
    fields = np.kron(rng.integers(1, 5, (8, 8)), np.ones((5, 5), int))
    (scene := tmp_path / "scene").mkdir()
    (tmp_path / "home" / ".cache").mkdir(parents=True)
    np.save(scene / "cube.npy", rng.random((40, 40, 5), dtype=np.float32))
    np.save(scene / "labels.npy", fields.astype(np.int16))
    add_scene(scene / "cube.npy", scene / "labels.npy", "mine", folder=scene)
    code = THIEF.replace("MARK", tmp_path.name).replace("HOME_FOLDER", repr(str(tmp_path / "home")))
    install(tmp_path / "site", "thief_plugin", code.replace("SCENE_FOLDER", repr(str(scene))))
    return tmp_path


def test_a_package_that_copies_the_labels_as_it_is_imported_scores_as_chance(folder: Path) -> None:
    words = (
        *(
            "benchmark",
            "scene/mine.toml",
            "--generator",
            "none",
            "--classifier",
            "thief",
            "--seeds",
            "2",
        ),
        *(
            "--protocol",
            "random:0.2",
            "--lambda",
            "0",
            "--times",
            "0",
            "--patch",
            "3",
            "--jobs",
            "1",
            "--view",
            "raw",
        ),
    )
    env = environment(folder / "site", HOME=str(folder / "home"))
    answer = hsiaug_anew(*words, "--isolate", "on", "--store", "store", env=env, cwd=folder)

    assert answer.returncode == 0, answer.stderr
    made = [
        one
        for one in Store(folder / "store").records()
        if one["spec"]["classifier"]["name"] == "thief"
    ]
    assert len(made) == 2 and all(one["metrics"]["oa"] < 0.5 for one in made), [
        one["metrics"]["oa"] for one in made
    ]


PROBE = """
import os, socket, sys
from pathlib import Path


def refused(work):
    try:
        work()
    except OSError:
        return True
    return False


def shown(name):
    if name not in os.environ and name.encode() not in Path("/proc/self/environ").read_bytes():
        raise PermissionError


def bind():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))


def ask_a_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"?", ("127.0.0.1", 9))


def bind_unix():
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.join(os.environ["TMPDIR"], "socket"))


FORBIDDEN = {
    "another process": lambda: Path(f"/proc/{os.getppid()}/cmdline").read_bytes(),
    "a scene": lambda: Path(SCENE, "labels.npy").read_bytes(),
    "an embedded scene": lambda: Path(EMBEDDED).read_bytes(),
    "shared memory": lambda: Path("/dev/shm/probe").touch(),
    "all temporary files": lambda: Path("/tmp/probe").touch(),
    "a scene beside its own code": lambda: Path(__file__).with_name("labels.npy").read_bytes(),
    "a scene among scripts": lambda: Path(SCENE, "project/scene/labels.npy").read_bytes(),
    "a token of the user": lambda: shown("A_TOKEN"),
    "a port": bind,
    "a datagram": ask_a_server,
    "a socket": bind_unix,
}
ALLOWED = {
    "its temporary folder": lambda: Path(os.environ["TMPDIR"], "mine").touch(),
    "its home": lambda: Path("~/mine").expanduser().touch(),
    "itself": lambda: Path("/proc/self/cmdline").read_bytes(),
    "a script": lambda: Path(SCENE, "project/scene/prepare.py").read_bytes(),
    "data of a package": lambda: Path(SCENE, "project/own/weights.npy").read_bytes(),
    "nothing": lambda: Path("/dev/null").write_text("x"),
}
wrong = [name for name, work in FORBIDDEN.items() if not refused(work)]
wrong += [name for name, work in ALLOWED.items() if refused(work)]
if wrong:
    raise ValueError(str(wrong))
"""


def test_a_package_that_is_imported_reads_and_changes_what_it_needs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "labels.npy", np.ones(3))
    embedded = next(path for path in embedded_files() if path.name.endswith("_gt.npy"))
    code = PROBE.replace("SCENE", repr(str(tmp_path))).replace("EMBEDDED", repr(str(embedded)))
    site = install(tmp_path / "site", "dummy_plugin", code + DUMMY)
    np.save(site / "labels.npy", np.ones(3))
    project = tmp_path / "project"
    for path in ("scene/prepare.py", "own/__init__.py"):
        (project / path).parent.mkdir(parents=True)
        (project / path).touch()
    np.save(project / "scene" / "labels.npy", np.ones(3))
    np.save(project / "own" / "weights.npy", np.ones(3))
    monkeypatch.setenv("A_TOKEN", "of somebody")
    monkeypatch.syspath_prepend(project)
    monkeypatch.syspath_prepend(site)
    (answer,) = read_packages({"dummy-plugin": [point("dummy_plugin")]})["dummy-plugin"].points
    assert answer.error == "" and answer.plugins[0].entry.name == "dummy"


TRACKED = """
import os, stat
for number in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            os.write(number, b"REGISTER:/NAME:shared_memory\\n")
    except OSError:
        pass
"""


def test_a_package_has_no_shared_memory_of_others_removed(tmp_path: Path) -> None:
    # Other runs of the tests have memory of theirs at the same time.
    name = f"hsiaug-test-{os.getpid()}"
    memory = SharedMemory(name, create=True, size=8)
    try:
        code = TRACKED.replace("NAME", name) + DUMMY
        env = environment(install(tmp_path / "site", "dummy_plugin", code))
        done = hsiaug_anew("plugins", "info", "dummy", env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert Path("/dev/shm", name).exists()
    finally:
        memory.close()
        memory.unlink()
