"""What SECURITY.md promises of plugins, sentence by sentence, and how each is tried to be broken.

One package tries all that one process can: as it is imported, by the process of packages and by a
worker, and in ``fit``. TESTS names the tests of other files that try more.
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import hsiaug as package
from hsiaug.own_scenes import add_scene
from hsiaug.registry.isolation.confinement import why_open
from hsiaug.trial.store import Store
from tests.plain_use.test_processes import STARTS, cleared, running
from tests.third_party import environment, hsiaug, hsiaug_anew, install

ROOT = Path(package.__file__).parent.parent
TESTS = {
    1: ["trial/test_leaks.py: test_permuting_the_test_labels_changes_no_prediction"],
    2: [
        "bench/test_hidden_labels.py: test_a_plugin_that_looks_for_labels_finds_none",
        "bench/test_import_processes.py: test_a_package_that_is_imported_reads_and_changes",
        "bench/test_closed_sockets.py: test_a_worker_reaches_no_program_through_a_socket",
    ],
    3: [
        "bench/test_sealed_store.py: test_a_plugin_that_forges_records_changes_none",
        "bench/test_what_workers_change.py: test_a_worker_changes_no_cache_of_records_and_no_code",
    ],
    4: [
        "bench/test_misbehaving_plugins.py: test_a_generator_may_end_in_any_way",
        "bench/test_third_party.py: test_a_package_that_replaces_functions_changes_no_other_trial",
    ],
    5: ["registry/test_library_plugins.py: test_libraries_are_shown_entry_points_of_their_own"],
    6: ["plain_use/test_processes.py: test_what_a_generator_starts_ends_with_a_command"],
    7: ["bench/test_hidden_labels.py: test_what_a_system_cannot_keep_is_named"],
    8: [],
    9: ["bench/test_workers_without_labels.py: test_a_worker_in_a_namespace_without_labels"],
}
"""Further tests of each sentence."""
LABELS = "np.kron(np.random.default_rng(0).integers(1, 5, (8, 8)), np.ones((5, 5), np.int16))"
BREAKER = '''
import fcntl, gc, json, os, socket, stat, subprocess, sys, tempfile
from pathlib import Path
import numpy as np
from hsiaug.api import Card, Entry, PatchSamples, hookimpl

TRUTH = (LABELS).copy()


def holds_labels(value):
    """Whether it is an array with the labels of all pixels."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value is TRUTH:
        return False
    return value.size == TRUTH.size and (value.ravel() == TRUTH.ravel()).mean() > 0.5


def reached(value, deep=4):
    """All that an object leads to."""
    yield value
    inner = list(getattr(value, "__dict__", {}).values()) if deep else []
    if deep and isinstance(value, list | tuple | set | frozenset):
        inner += value
    if deep and isinstance(value, dict):
        inner += value.values()
    inner += [cell.cell_contents for cell in getattr(value, "__closure__", None) or () if deep]
    inner += [value.base] if isinstance(value, np.ndarray) and value.base is not None else []
    for one in inner:
        yield from reached(one, deep - 1)


def of_frames():
    for frame in sys._current_frames().values():
        while frame:
            yield from frame.f_locals.values()
            frame = frame.f_back


def of_objects():
    for value in gc.get_objects():
        yield from reached(value, 1)


def none_of(values):
    if any(map(holds_labels, values)):
        return
    raise PermissionError


def handed(given):
    return {
        (1, "what it is given"): lambda: none_of(reached(given)),
        (1, "frames of its process"): lambda: none_of(of_frames()),
        (1, "objects of its process"): lambda: none_of(of_objects()),
    }


def ask_a_server():
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(SERVER))
        except FileNotFoundError:
            pass  # It could ask: nobody is there.


def started_elsewhere():
    code = f"import numpy; numpy.load({str(SCENE / 'labels.npy')!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


WAYS = {
    (2, "a file of labels"): lambda: np.load(SCENE / "labels.npy"),
    (2, "a process that it starts"): started_elsewhere,
    (2, "a record of the store"): lambda: next(STORE.rglob("record.json")).read_bytes(),
    (2, "the memory of its parent"): lambda: open(f"/proc/{os.getppid()}/mem", "rb").close(),
    (2, "a socket with a path"): ask_a_server,
    (3, "a record"): lambda: next(STORE.rglob("record.json")).open("ab").close(),
    (3, "a new record"): lambda: (STORE / "records" / "forged").touch(),
    (3, "the user's cache"): lambda: (CACHE / "forged").touch(),
    (3, "hsiaug"): lambda: open(HSIAUG, "ab").close(),
    (3, "an installed package"): lambda: open(np.__file__, "ab").close(),
    (3, "its own package"): lambda: open(__file__, "ab").close(),
    (3, "fits of hsiaug"): lambda: os.makedirs(STORE / "cache/forged", exist_ok=True),
    (3, "fits of other packages"): lambda: os.makedirs(STORE / "cache/others/a", exist_ok=True),
}


def tried(ways):
    found = []
    for (sentence, name), way in ways.items():
        try:
            way()
            found.append(f"{sentence} {name}")
        except (OSError, StopIteration, subprocess.CalledProcessError):
            pass
    return found


def open_for_writing():
    """Files without a name that this process has open, and may change: others may have them too."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        try:
            file = os.stat(int(entry))
            mode = fcntl.fcntl(int(entry), fcntl.F_GETFL) & os.O_ACCMODE
        except OSError:
            continue
        if stat.S_ISREG(file.st_mode) and not file.st_nlink and mode != os.O_RDONLY:
            found.append(os.readlink(f"/proc/self/fd/{entry}"))
    return found


def leave_mark():
    # The process of the command alone may write there.
    try:
        (MARKS / f"{__name__} {os.getpid()}").touch()
    except OSError:
        pass


leave_mark()
AT_IMPORT = tried(WAYS)
every()


class Fitted:
    def __init__(self, x, y, facts):
        self.x, self.y, self.facts = x, y, facts

    def sample(self, counts, *, guidance, seed):
        index = np.concatenate([np.resize(np.flatnonzero(self.y == c), n) for c, n in counts.items()])
        return PatchSamples.made(self.x[index], self.y[index], self.facts)

    def save(self, folder):
        raise OSError


class Breaker:
    card = Card(name="breaker", version="1", summary=json.dumps(AT_IMPORT))

    def __init__(self, params):
        pass

    def fit(self, view, *, seed, device, progress):
        ways = {**handed([view, progress, self]), **WAYS}
        facts = {"tried": [f"{a} {b}" for a, b in ways], "broke": tried(ways), "import": AT_IMPORT}
        labels = TRUTH.copy()
        holder = Fitted(labels, None, None)
        facts["where labels are"] = tried(handed([holder]))
        facts["shared"] = open_for_writing()
        with tempfile.TemporaryFile():
            facts["own"] = open_for_writing()
        every()
        return Fitted(view.real.x, view.real.y, facts)

    def load(self, folder, *, device):
        raise OSError


class Ends(Breaker):
    card = Card(name="ends", version="1", summary="ends its process")

    def fit(self, view, *, seed, device, progress):
        os._exit(3)


class Raises(Breaker):
    card = Card(name="raises", version="1", summary="leaves Python")

    def fit(self, view, *, seed, device, progress):
        raise SystemExit


class Nonsense(Breaker):
    card = Card(name="nonsense", version="1", summary="samples that are none")

    def fit(self, view, *, seed, device, progress):
        return Fitted(np.full_like(view.real.x, np.nan), view.real.y, {})


class Replaces(Breaker):
    card = Card(name="replaces", version="1", summary="replaces functions of numpy")

    def fit(self, view, *, seed, device, progress):
        np.mean = np.argmax = np.unique = None
        raise ValueError


@hookimpl
def hsiaug_plugins():
    names = "breaker", "ends", "raises", "nonsense", "replaces"
    return [Entry("generator", name, f"breaker_plugin:{name.title()}") for name in names]
'''
SPY = """
from pathlib import Path
import os
try:
    (Path(MARKS) / f"{__name__} {os.getpid()}").touch()
except OSError:
    pass
def plugin(*_): pass
"""
GROUPS = {
    "spy_pydantic": "pydantic",
    "spy_torch": "torch.backends",
    "spy_dask": "dask.sizeof",
    "spy_skimage": "skimage_backends",
}
"""Modules of the package by the group of entry points of a library that they are in."""
FAULTY = "ends", "raises", "nonsense", "replaces"
WORDS = (
    *("benchmark", "scene/mine.toml", "--classifier", "svm", "--seeds", "1", "--patch", "3"),
    *("--view", "raw", "--lambda", "0.5", "--jobs", "1", "--protocol", "random:0.2"),
)


class Run(NamedTuple):
    """What a run of the package came to."""

    records: list[dict[str, Any]]
    facts: dict[str, list[str]]
    """What ``fit`` of the package tried, and what it broke."""
    at_import: list[str]
    """What it broke where it is asked what its plugins are."""
    marks: list[str]
    left: list[int]
    """Processes that are still there."""


def run(folder: Path, isolate: str, generators: str) -> Run:
    """A benchmark of a scene of files, with the package."""
    labels = eval(LABELS, {"np": np})
    scene, marks = folder / "scene", folder / "marks"
    marks.mkdir(parents=True)
    scene.mkdir()
    np.save(scene / "cube.npy", np.random.default_rng(1).random((40, 40, 5), dtype=np.float32))
    np.save(scene / "labels.npy", labels.astype(np.int16))
    add_scene(scene / "cube.npy", scene / "labels.npy", "mine", folder=scene)
    mark = f"mark-{folder.name}-{os.getpid()}"
    places = {
        "SCENE": scene,
        "STORE": folder / "store",
        "CACHE": folder / "cache",
        "SERVER": folder / "server",
        "MARKS": marks,
    }
    named = "".join(f"{name} = Path({str(path)!r})\n" for name, path in places.items())
    named += f"HSIAUG = {package.__file__!r}\n"
    starts = STARTS.replace("MARK", mark).replace("HOW()", "")
    starts = starts.replace(
        "(popen, session, daemon, fork, pool, joblib)", "(popen, session, daemon, fork)"
    )
    code = BREAKER.replace("LABELS", LABELS)
    place = install(
        folder / "site", "breaker_plugin", f"from pathlib import Path\n{named}{starts}{code}"
    )
    for module in GROUPS:
        (place / f"{module}.py").write_text(SPY.replace("MARKS", repr(str(marks))))
    (points,) = place.glob("*.dist-info/entry_points.txt")
    more = "".join(f"[{GROUPS[module]}]\nspy = {module}:plugin\n" for module in GROUPS)
    points.write_text(points.read_text() + more)
    env = environment(place, HSIAUG_CACHE_DIR=str(folder / "cache"))
    with cleared(mark):
        words = (*WORDS, "--generator", generators, "--isolate", isolate, "--store", "store")
        done = hsiaug_anew(*words, env=env, cwd=folder)
        left = running(mark)
    assert done.returncode in (0, 1), done.stderr
    records = list(Store(folder / "store").records())
    (facts,) = [one["provenance"] for one in records if "tried" in (one["provenance"] or {})]
    cached = (folder / "cache" / "packages").glob("*.json")
    (said,) = [path.read_text() for path in cached]
    at_import = re.findall(r"[23] [\w' ]+", said.partition("summary")[2].partition("]")[0])
    return Run(records, facts, at_import, sorted(path.name for path in marks.iterdir()), left)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run as it is promised."""
    return run(tmp_path_factory.mktemp("sealed"), "on", ",".join(("breaker", "smote", *FAULTY)))


@pytest.fixture(scope="module")
def unsealed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One whose workers are not sealed: there the ways lead somewhere."""
    return run(tmp_path_factory.mktemp("unsealed"), "off", "breaker,smote")


linux = pytest.mark.skipif(bool(why_open()), reason="this system has no Landlock")


def promises() -> dict[int, str]:
    """The numbered sentences of SECURITY.md."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    numbered = re.findall(r"(?m)^(\d+)\. ((?:.+\n(?:   )?)+?)(?=\d+\. |\n)", text)
    return {int(number): " ".join(sentence.split()) for number, sentence in numbered}


def test_every_sentence_is_one_and_has_tests() -> None:
    sentences = promises()
    assert list(sentences) == list(TESTS) and len(sentences) <= 10
    for number, sentence in sentences.items():
        assert sentence.endswith(".") and not re.search(r"\. [A-Z]", sentence), sentence
        for test in TESTS[number]:
            file, _, name = test.partition(": ")
            assert f"def {name}" in (ROOT / "tests" / file).read_text("utf-8"), test
    assert {int(name[5]) for name in globals() if re.match(r"test_\d_", name)} >= {
        1,
        2,
        3,
        4,
        5,
        6,
        8,
    }


@linux
@pytest.mark.parametrize(
    "way", ["what it is given", "frames of its process", "objects of its process"]
)
def test_1_a_plugin_is_never_handed_a_test_label(way: str, sealed: Run) -> None:
    assert f"1 {way}" in sealed.facts["tried"] and f"1 {way}" not in sealed.facts["broke"]
    assert f"1 {way}" in sealed.facts["where labels are"]


def refused(way: str, sealed: Run, unsealed: Run) -> None:
    """Neither ``fit``, nor what a worker imports, nor the process of packages does it."""
    assert way in sealed.facts["tried"]
    assert way not in [*sealed.facts["broke"], *sealed.facts["import"], *sealed.at_import]
    assert way not in unsealed.at_import and way in unsealed.facts["broke"]


@linux
@pytest.mark.parametrize(
    "way",
    [
        "a file of labels",
        "a process that it starts",
        "a record of the store",
        "the memory of its parent",
        "a socket with a path",
    ],
)
def test_2_what_it_runs_in_holds_no_label(way: str, sealed: Run, unsealed: Run) -> None:
    refused(f"2 {way}", sealed, unsealed)


@linux
@pytest.mark.parametrize(
    "way",
    [
        "a record",
        "a new record",
        "the user's cache",
        "hsiaug",
        "an installed package",
        "its own package",
        "fits of hsiaug",
        "fits of other packages",
    ],
)
def test_3_it_changes_nothing_that_is_trusted(way: str, sealed: Run, unsealed: Run) -> None:
    refused(f"3 {way}", sealed, unsealed)


@linux
@pytest.mark.parametrize("generator", FAULTY)
def test_4_a_faulty_plugin_costs_its_own_trials(generator: str, sealed: Run, unsealed: Run) -> None:
    by_generator: dict[str, set[str]] = {}
    for record in sealed.records:
        by_generator.setdefault(record["spec"]["generator"]["name"], set()).add(record["status"])
    assert by_generator[generator] == {"failed"}
    assert by_generator["smote"] == by_generator["none"] == by_generator["breaker"] == {"ok"}
    alone = {record["hash"]: record["predictions_sha256"] for record in unsealed.records}
    beside = {record["hash"]: record["predictions_sha256"] for record in sealed.records}
    assert {key: beside[key] for key in alone} == alone


@linux
def test_4_it_changes_nothing_that_other_workers_have_open(sealed: Run) -> None:
    # The data of all trials lie in such a file.
    assert sealed.facts["shared"] == [] and len(sealed.facts["own"]) == 1


@linux
@pytest.mark.parametrize("module", ["breaker_plugin", *GROUPS])
def test_5_the_process_of_the_benchmark_imports_no_package(
    module: str, sealed: Run, unsealed: Run
) -> None:
    assert not [mark for mark in sealed.marks if mark.startswith(module)]
    # Workers that are not sealed leave marks.
    assert module != "breaker_plugin" or [m for m in unsealed.marks if m.startswith(module)]


@linux
@pytest.mark.parametrize("isolate", ["sealed", "unsealed"])
def test_6_what_a_plugin_starts_ends_with_the_command(
    isolate: str, request: pytest.FixtureRequest
) -> None:
    # Children, sessions of their own, daemons and forks, of fit, and of what is imported.
    assert request.getfixturevalue(isolate).left == []


@pytest.mark.parametrize("command", ["generate", "label", "plugins check"])
def test_8_commands_that_run_plugins_themselves_score_nothing(command: str, tmp_path: Path) -> None:
    named = set(re.findall(r"`([a-z ]+)`", promises()[8]))
    modules = {path.stem: path.read_text("utf-8") for path in (ROOT / "hsiaug/cli").glob("*.py")}
    fit_here = {
        name for name, code in modules.items() if re.search(r"^    compute_here\(\)", code, re.M)
    }
    assert named == {*fit_here, "plugins check"}
    words = {
        "generate": ("toy", "--generator", "smote", "--patch", "3", "--out", "made.npz"),
        "label": ("toy", "-n", "2", "--out", "picks.csv"),
        "plugins check": ("smote",),
    }
    done = hsiaug(*command.split(), *words[command], env=environment(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("record*"))
