"""A plugin that looks for test labels wherever a process can look finds none, and scores as one
that does not look.
"""

import ctypes
import errno
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.bounds import Bounds
from hsiaug.bench.engine import Batch, WorkerSettings
from hsiaug.bench.engines.local import Local
from hsiaug.bench.worker import OPEN
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.data.pair_loading import label_files
from hsiaug.own_scenes import add_scene
from hsiaug.registry.isolation.confinement import broken_promises, why_open
from hsiaug.registry.isolation.processes import without_secrets
from hsiaug.tasks.task import get_task
from hsiaug.trial.store import Store
from tests.third_party import environment, hsiaug, hsiaug_anew, install

HUNTER = """
import gc, os, socket, sys
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from hsiaug.api import Card, Entry, hookimpl, param


@dataclass(frozen=True)
class Params:
    folder: str = param("", "where the scene and the store lie, which it is told")
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


def in_other_processes():
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            with open(process / "mem", "rb") as memory:
                for line in (process / "maps").read_text().splitlines():
                    begin = int(line.split("-")[0], 16)
                    memory.seek(begin)
                    yield process, memory.read(16)
                    break
        except (OSError, ValueError):
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
    for line in Path("/proc/net/unix").read_text(errors="replace").splitlines()[1:]:
        at = line.split()[-1]
        if at.startswith(str(Path(os.environ["TMPDIR"]).parent)):  # of this run, not of others on the machine
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(1)
                    client.connect(at)
                    yield at
            except OSError:
                pass


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
            self.found += [*on_disk(self.params.folder), *in_other_processes()]
            try:
                self.found += [by_the_library(self.params.folder).shape]
            except Exception:
                pass
            self.found += [name for name in os.environ if "TOKEN" in name]
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
    install(tmp_path / "site", "hunter_plugin", HUNTER)
    (tmp_path / "scene").mkdir()
    np.save(tmp_path / "scene" / "cube.npy", toy.cube)
    np.save(tmp_path / "scene" / "labels.npy", toy.labels)
    cube, labels = (tmp_path / "scene" / name for name in ("cube.npy", "labels.npy"))
    add_scene(cube, labels, "mine", folder=tmp_path / "scene")
    return tmp_path


@pytest.mark.skipif(bool(why_open()), reason="this system has no Landlock that can be used")
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_plugin_that_looks_for_labels_finds_none(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    words = (
        *(
            "benchmark",
            "scene/mine.toml",
            "--generator",
            "none",
            "--classifier",
            "hunter",
            "--seeds",
            "2",
        ),
        *("--lambda", "0", "--times", "0", "--patch", "3", "--jobs", "1", "--view", "raw"),
        *("--set", f"hunter.folder={folder}"),
    )
    # Sockets have short names.
    short = tempfile.TemporaryDirectory(dir="/tmp")
    request.addfinalizer(short.cleanup)
    env = environment(folder / "site", A_TOKEN="of somebody", TMPDIR=short.name)
    blind = hsiaug(*words, "--set", "hunter.looks=false", "--store", "store", env=env, cwd=folder)
    # There are records of the same draws beside it now.
    answer = hsiaug_anew(*words, "--store", "store", env=env, cwd=folder)

    assert answer.returncode == blind.returncode == 0, answer.stderr + blind.stderr
    records = [
        record for record in Store(folder / "store").records() if record.get("classifier_facts")
    ]
    assert len(records) == 4 and {record["status"] for record in records} == {"ok"}
    assert [record["classifier_facts"] for record in records] == [{"found": []}] * 4
    assert len({str(record["metrics"]) for record in records}) == 2  # of the draws


def test_what_a_worker_may_take_can_be_limited(folder: Path) -> None:
    greedy = HUNTER.replace(
        "self.facts =",
        "open(os.path.join(os.environ['TMPDIR'], 'x'), 'wb').write(bytes(3 * 10**6)); self.facts =",
    )
    install(folder / "greedy", "hunter_plugin", greedy)
    words = (
        *(
            "benchmark",
            "scene/mine.toml",
            "--generator",
            "none",
            "--classifier",
            "hunter",
            "--seeds",
            "1",
        ),
        *("--lambda", "0", "--times", "0", "--patch", "3", "--jobs", "1", "--view", "raw"),
        *("--set", "hunter.looks=false"),
    )
    env = environment(folder / "greedy")
    answer = hsiaug(
        *words, "--store", "small", "--limit", "file=1MB", "--isolate", "off", env=env, cwd=folder
    )
    assert answer.returncode == 1 and "File too large" in answer.stderr
    answer = hsiaug(*words, "--store", "large", "--limit", "file=9MB", env=env, cwd=folder)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "limit", ["memory", "memory=8", "memory=0GB", "processes=2GB", "files=1GB", "file=1e3GB"]
)
def test_a_limit_that_cannot_be_read_is_refused(limit: str) -> None:
    with pytest.raises(InputError, match="--limit must"):
        Bounds.of("auto", [limit])


def test_a_limit_that_a_system_does_not_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="--limit memory needs Linux"):
        Bounds.of("auto", ["memory=8GB"])
    assert Bounds.of("auto", ["file=1GB"]).limits == (("file", 10**9),)


def test_where_isolation_is_demanded_the_system_must_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hsiaug.registry.isolation.confinement._landlock_version", lambda: 1)
    with pytest.raises(InputError, match="needs Landlock"):
        Bounds.of("on", [])
    assert Bounds.of("auto", ["memory=2GB", "processes=90"]).limits == (
        ("memory", 2 * 10**9),
        ("processes", 90),
    )


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"sys.platform": "darwin", "platform.system": "Darwin"}, "Darwin has no Landlock"),
        ({"sys.platform": "win32", "platform.system": "Windows"}, "Windows has no Landlock"),
        ({"_landlock_version": 1}, "no Landlock (Linux 5.19)"),
        ({"platform.machine": "riscv64"}, "system calls of riscv64"),
        ({"ctypes.get_errno": errno.EINVAL}, "no filters of seccomp"),
    ],
)
@pytest.mark.skipif(bool(why_open()), reason="of a system that has all")
def test_what_a_system_cannot_keep_is_named(
    system: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken_promises() == []
    for name, value in system.items():
        answer = value if name == "sys.platform" else lambda value=value: value
        monkeypatch.setattr(f"hsiaug.registry.isolation.confinement.{name}", answer)
    (line,) = broken_promises()
    assert said in line and "can read test labels" in line
    with pytest.raises(InputError, match="--isolate on needs Landlock and seccomp"):
        Bounds.of("on", [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GH_TOKEN", "x"),
        ("aws_secret_access_key", "x"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("WANDB_API_KEY", "x"),
        ("GITLAB_PAT", "x"),
        ("MYSQL_PWD", "x"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("DATABASE_URL", "postgres://me:word@host/db"),
        ("HTTPS_PROXY", "http://me:word@proxy:8080"),
    ],
)
def test_what_only_the_user_may_know_is_not_passed_on(name: str, value: str) -> None:
    plain = {"PWD": "/home/me", "KEYBOARD": "us", "PATH": "/bin", "URL": "http://host:80/a@b"}
    assert without_secrets({name: value, **plain}) == plain


def without_landlock() -> None:
    """Let this process and its children get ENOSYS for Landlock's system calls: a filter of seccomp
    (its manual page).
    """
    load, jump_at_least, answer = (
        0x20,
        0x35,
        0x06,
    )  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.ENOSYS
    steps = [
        *((load, 0, 0, 0), (jump_at_least, 0, 2, 444), (jump_at_least, 1, 0, 447)),
        *((answer, 0, 0, refuse), (answer, 0, 0, allow)),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert (
        prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, program, 0, 0) == 0
    )  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
@pytest.mark.parametrize(
    ("isolate", "said"),
    [
        ("auto", f"{OPEN}: this system has no Landlock or seccomp, or forbids it."),
        ("off", f"{OPEN} (--isolate off)."),
    ],
)
def test_output_and_records_say_that_workers_are_not_sealed(
    isolate: str, said: str, tmp_path: Path
) -> None:
    words = (
        "benchmark",
        "toy",
        "--generator",
        "none",
        "--classifier",
        "svm",
        "--seeds",
        "2",
        "--patch",
        "3",
    )
    command = [
        sys.executable,
        "-m",
        "hsiaug",
        *words,
        "--view",
        "raw",
        "--jobs",
        "1",
        "--store",
        str(tmp_path / "s"),
    ]
    command += ["--isolate", isolate]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=without_landlock)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count(said) == done.stderr.count(OPEN) == 1
    records = list(Store(tmp_path / "s").records())
    assert len(records) > 1 and {tuple(record["notes"]) for record in records} == {(said,)}


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_the_process_that_scores_lets_no_other_look_into_its_memory() -> None:
    asks = (
        "import ctypes; from hsiaug.registry.isolation.confinement import close_memory; p = ctypes.CDLL(None).prctl;"
        " b = p(3); "
    )
    done = subprocess.run(
        [sys.executable, "-c", asks + "close_memory(); print(b, p(3))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "0"]


def test_the_labels_of_all_scenes_of_a_run_are_hidden_from_every_worker(
    toy: Scene, folder: Path
) -> None:
    for name in ("first", "second"):
        np.save(folder / "scene" / f"{name}.npy", toy.labels)
        labels = folder / "scene" / f"{name}.npy"
        add_scene(folder / "scene" / "cube.npy", labels, name, folder=folder / "scene")
    task, settings = get_task("pixels"), WorkerSettings("cpu")
    first, second = (
        Batch(
            task,
            toy,
            str(folder / "scene" / f"{name}.toml"),
            folder / "store",
            settings,
            [],
            dict,
        )
        for name in ("first", "second")
    )
    engine = Local(1)
    engine.divide([first, second])
    for batch in (first, second):
        hidden = {path.name for path in engine.scene_run(batch).start.hidden}
        assert hidden >= {"first.npy", "second.npy", "store"}
    engine.cancel()


def test_both_files_of_labels_in_envi_are_hidden_whichever_the_card_names(
    toy: Scene, folder: Path
) -> None:
    from spectral.io import envi

    labels = folder / "scene" / "classes.hdr"
    envi.save_image(str(labels), toy.labels, ext=".img", dtype=np.int16)
    for name, given in (("by_header", labels), ("by_data", labels.with_suffix(".img"))):
        add_scene(folder / "scene" / "cube.npy", given, name, folder=folder / "scene")
        hidden = {path.name for path in label_files(folder / "scene" / f"{name}.toml")}
        assert hidden == {"cube.npy", "classes.hdr", "classes.img", f"{name}_look.png"}


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
