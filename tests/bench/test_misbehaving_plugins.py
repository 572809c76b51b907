"""Plugins that end their process, or change what is not theirs: each costs its own trials, and no
other is changed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install, results

MISBEHAVING = '''
import ctypes, os, random, signal, sys, time
import numpy as np
from hsiaug.api import Card, Entry, PatchSamples, hookimpl
from dummy_plugin import Generator, Nearest


class Odd:
    def __str__(self):
        raise RuntimeError("no text")


class Unreadable(Exception):
    __str__ = Odd.__str__


def chain():
    error = None
    for i in range(3000):
        following = ValueError(str(i))
        following.__cause__, error = error, following
    raise error


def from_numpy(view):
    import torch
    torch.from_numpy(view.real.x).zero_()


def alter(view):
    view.y[:] = 1


def unlock(view):
    view.cube.flags.writeable = True


def wreck(view):
    import torch
    os.chdir("/"); os.environ.clear(); os.umask(0o777); sys.setrecursionlimit(400); np.seterr(all="raise")
    random.seed(1); np.random.seed(1); torch.manual_seed(1); torch.set_default_dtype(torch.float64)
    torch.set_num_threads(3); os.close(1); sys.stdout = None
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


FIT = {
    "exit": lambda view: sys.exit(3),
    "interrupt": lambda view: (_ for _ in ()).throw(KeyboardInterrupt()),
    "leave": lambda view: os._exit(0),
    "crash": lambda view: ctypes.string_at(0),
    "endless": lambda view: endless(),
    "unreadable": lambda view: (_ for _ in ()).throw(Unreadable()),
    "surrogate": lambda view: (_ for _ in ()).throw(ValueError("bad \\udc80 text " + "x" * 10**6)),
    "chain": lambda view: chain(),
    "print": lambda view: (print("printed"), os.write(1, b"written")),
    "fork": lambda view: os.fork(),
    "junk": lambda view: None,
    "nest": lambda view: nest(),
    "alter": alter,
    "unlock": unlock,
    "tensor": from_numpy,
    "wreck": wreck,
}
SAY = {"numpy": {"a": np.float32(1)}, "nan": {"a": float("nan")}, "large": {"a": "x" * 2**21}, "cycle": {}}
SAY["cycle"]["a"] = SAY["cycle"]
GIVE = {"none": lambda made: None, "pair": lambda made: (made.x, made.y)}


def endless():
    return endless()


def nest():
    here = os.getcwd()
    os.chdir(os.environ["TMPDIR"])
    for _ in range(2500):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(here)


def make(name):
    class Bad(Generator):
        card = Card(name="bad-" + name, version="1", summary="misbehaves")

        def fit(self, view, *, seed, device, progress):
            if name in FIT:
                FIT[name](view)
            if name == "junk":
                for junk in ((5, 3, "[/]"), (None, "x", 7), (-1, np.float32(2), "\\x1b[2J")):
                    time.sleep(0.25)
                    progress(*junk)
            fitted = super().fit(view, seed=seed, device=device, progress=lambda *_: None)
            plain = fitted.sample

            def sample(counts, *, guidance, seed):
                made = plain(counts, guidance=guidance, seed=seed)
                if name in SAY:
                    return PatchSamples.made(made.x, made.y, SAY[name])
                return GIVE[name](made) if name in GIVE else made

            fitted.sample = sample
            return fitted

        def __init__(self, params):
            self.params = type("P", (), {"gain": 1.0})

    Bad.__name__ = name
    return Bad


class Writer(Nearest):
    """A classifier that writes into all that it is given."""

    card = Card(name="writer", version="1", summary="writes", input="patch")

    def fit(self, samples, view, *, seed, device, progress):
        for array in (samples.y, samples.x, view.y):
            try:
                array[:] = array.max()
            except ValueError:
                pass
        import torch
        torch.from_numpy(samples.x).zero_()
        torch.from_numpy(view.coords).zero_()
        return super().fit(samples, view, seed=seed, device=device, progress=progress)


NAMES = [*FIT, *SAY, *GIVE]
for name in NAMES:
    globals()["bad_" + name] = make(name)


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "bad-" + n, "misbehaving:bad_" + n) for n in NAMES] + [
        Entry("classifier", "writer", "misbehaving:Writer")
    ]
'''

SPOILING = '''
import builtins, gc, json, os, struct, sys, time
from multiprocessing.connection import Connection
import numpy as np
import hsiaug
from hsiaug.api import Card, Entry, PatchSamples, hookimpl
from dummy_plugin import Generator, Nearest


def arrays():
    np.mean = lambda *a, **k: 0.0
    np.argsort = lambda a, *k, **w: np.arange(len(a))


def library():
    import sklearn.svm
    sklearn.svm.SVC.predict = lambda self, x: np.full(len(x), self.classes_[0])


def core():
    from hsiaug.tasks.prediction import PixelPredictor
    plain = PixelPredictor.predict
    PixelPredictor.predict = lambda *a, **k: np.ones_like(plain(*a, **k))


def functions():
    builtins.sorted, builtins.max = lambda x, *a, **k: list(x), min


def modules():
    sys.path.clear()
    for name in list(sys.modules):
        if name.split(".")[0] in ("sklearn", "scipy"):
            sys.modules[name] = None


def clock():
    time.process_time, time.monotonic = lambda: float("nan"), lambda: -5.0


def odd():
    for one in gc.get_objects():
        if isinstance(one, Connection) and one.writable:
            one.send_bytes(b"no pickle")


def scene():
    hsiaug.load_scene("toy")


FIT = {
    "arrays": arrays, "library": library, "core": core, "functions": functions, "modules": modules, "clock": clock,
    "scene": scene,
    "odd": odd,
    "closed": lambda: os.closerange(3, 400),
}
GIVE = {
    "nan": lambda made: made.weight.fill(np.nan),
    "negative": lambda made: made.weight.fill(-1e30),
    "between": lambda made: PatchSamples.made(made.x, made.y + 0.4),
}


def make(name):
    class Spoiler(Generator):
        card = Card(name="spoil-" + name, version="1", summary="spoils its process")

        def __init__(self, params):
            self.params = type("P", (), {"gain": 1.0})

        def fit(self, view, *, seed, device, progress):
            FIT.get(name, int)()
            fitted = super().fit(view, seed=seed, device=device, progress=lambda *_: None)
            plain = fitted.sample

            def sample(counts, *, guidance, seed):
                made = plain(counts, guidance=guidance, seed=seed)
                return GIVE.get(name, lambda made: None)(made) or made

            fitted.sample = sample
            return fitted

    return Spoiler


class Spoiler(Nearest):
    """A classifier that spoils the samples of the generator that it is asked with."""

    card = Card(name="spoiler", version="1", summary="spoils its process", input="spectrum")

    def __init__(self, params):
        from hsiaug.trial import run
        run.draw_pool = None


for name in (*FIT, *GIVE):
    globals()["spoil_" + name] = make(name)


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "spoil-" + n, "spoiling:spoil_" + n) for n in (*FIT, *GIVE)] + [
        Entry("classifier", "spoiler", "spoiling:Spoiler")
    ]
'''

WELL = {"wreck", "print", "fork", "junk", "nest"}
"""These end as they should: what they change is put back, and what they say is harmless."""


def arguments(store: Path, *more: str) -> list[str]:
    return [
        *("benchmark", "toy", "--lambda", "0.5", "--patch", "5", "--seeds", "1", "--device", "cpu"),
        *("--view", "raw", "--store", str(store), *more),
    ]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    site = tmp_path_factory.mktemp("misbehaving") / "site"
    install(site, "dummy_plugin", DUMMY)
    return environment(install(site, "misbehaving", MISBEHAVING))


@pytest.fixture(scope="module")
def expected(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of the dummy generator with the nearest class mean, alone."""
    store = tmp_path_factory.mktemp("plain")
    words = ("--generator", "dummy", "--classifier", "nearest", "--jobs", "1")
    answer = hsiaug(*arguments(store), *words, env=env)
    assert answer.returncode == 0, answer.stderr
    return results(store)


def test_a_generator_may_end_in_any_way_and_costs_its_own_trials_only(
    tmp_path: Path, env: dict[str, str], expected: dict[str, Any]
) -> None:
    names = [
        line.split('"')[1]
        for line in MISBEHAVING.splitlines()
        if line.startswith('    "') and "lambda" in line
    ]
    bad = [
        *names,
        "alter",
        "unlock",
        "tensor",
        "wreck",
        "numpy",
        "nan",
        "large",
        "cycle",
        "none",
        "pair",
    ]

    store = tmp_path / "store"
    words = [
        *arguments(store, "--jobs", "2", "--json"),
        "--generator",
        ",".join(["dummy", *(f"bad-{n}" for n in bad)]),
    ]
    answer = hsiaug(*words, "--classifier", "nearest", env=env)

    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr[-2000:]
    json.loads(answer.stdout)  # nothing that a plugin printed is in between
    records = {r["hash"]: r for r in Store(store).each()}
    mine = {
        n: [r for r in records.values() if r["spec"]["generator"]["name"] == f"bad-{n}"]
        for n in bad
    }
    assert all(len(found) == 1 for found in mine.values())
    assert {n for n, found in mine.items() if found[0]["status"] == "ok"} == WELL
    assert {r["status"] for n in bad if n not in WELL for r in mine[n]} == {"failed"}
    assert {
        r["hash"]: (r["status"], r["predictions_sha256"])
        for r in records.values()
        if r["hash"] in expected
    } == (expected)
    errors = {n: found[0]["error"] for n, found in mine.items() if found[0]["error"]}
    assert "sys.exit(3)" in errors["exit"]["message"]
    assert errors["interrupt"]["type"] == "KeyboardInterrupt"
    assert errors["leave"]["type"] == errors["crash"]["type"] == "WorkerDied"
    assert "exit code 0" in errors["leave"]["message"] and "SIGSEGV" in errors["crash"]["message"]
    assert errors["crash"]["stage"] == "fit_generator"
    assert errors["endless"]["type"] == "RecursionError"
    assert len(errors["surrogate"]["message"]) < 5000
    assert "changed: real.x" in errors["tensor"]["message"]
    assert "plain JSON" in errors["numpy"]["message"] and "plain JSON" in errors["cycle"]["message"]
    assert "must return PatchSamples; found NoneType" in errors["none"]["message"]
    assert "must return PatchSamples; found tuple" in errors["pair"]["message"]


def test_a_classifier_that_writes_into_what_it_is_given_fails_and_changes_no_other_trial(
    tmp_path, env, expected
):
    words = ["--generator", "dummy", "--jobs", "1"]
    answer = hsiaug(
        *arguments(tmp_path / "store"), *words, "--classifier", "writer,nearest", env=env
    )

    assert answer.returncode == 1
    records = list(Store(tmp_path / "store").each())
    writer = [r for r in records if r["spec"]["classifier"]["name"] == "writer"]
    assert len(writer) == 3
    assert all("must leave the arrays" in r["error"]["message"] for r in writer)
    found = results(tmp_path / "store")
    assert {hash: found[hash] for hash in expected} == expected


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of built-in plugins."""
    store = tmp_path_factory.mktemp("undisturbed")
    assert hsiaug(*arguments(store), *BUILT_IN).returncode == 0
    return results(store)


BUILT_IN = ("--generator", "smote", "--classifier", "svm", "--jobs", "1")


def spoiled(tmp_path: Path, names: list[str], classifiers: str = "svm", jobs: int = 1) -> Store:
    """The records of a run with those generators before the built-in one."""
    install(tmp_path / "site", "dummy_plugin", DUMMY)
    env = environment(install(tmp_path / "site", "spoiling", SPOILING))
    generators = ",".join([*(f"spoil-{name}" for name in names), "smote"])
    asked = ["--generator", generators, "--classifier", classifiers, "--jobs", str(jobs)]
    answer = hsiaug(*arguments(tmp_path / "store"), *asked, env=env)
    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr[-2000:]
    return Store(tmp_path / "store")


def errors(store: Store, name: str) -> list[str]:
    """What the records of a generator's failed trials say."""
    told = [r["error"] for r in store.each() if r["spec"]["generator"]["name"] == f"spoil-{name}"]
    assert told
    return [f"{error['type']}: {error['message']}" for error in told if error]


def same(store: Store, undisturbed: dict[str, Any]) -> bool:
    """Whether the built-in plugins gave what they give alone."""
    found = {r["hash"]: (r["status"], r["predictions_sha256"]) for r in store.each()}
    return {hash: found.get(hash) for hash in undisturbed} == undisturbed


def test_what_a_plugin_replaces_in_its_process_no_other_trial_sees(tmp_path, undisturbed):
    names = ["arrays", "library", "core", "functions", "modules"]
    store = spoiled(tmp_path, names, "spoiler,nearest,svm")
    assert same(store, undisturbed)
    specs = {
        (r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"]): r for r in store.each()
    }
    assert specs["smote", "spoiler"]["error"]["stage"] == "sample"
    assert specs["smote", "nearest"]["status"] == "ok"


def test_a_worker_that_speaks_no_more_costs_its_own_trial(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    names = ["clock", "closed", "odd"]
    store = spoiled(tmp_path, names, jobs=2)
    assert same(store, undisturbed)
    assert all("left with exit code 1, 2 times" in said for said in errors(store, "closed"))
    assert all("sent no valid message, 2 times" in said for said in errors(store, "odd"))


def test_the_number_of_threads_in_the_environment_changes_no_prediction(tmp_path, env, expected):
    words = ["--generator", "dummy", "--classifier", "nearest", "--jobs", "1"]
    run = hsiaug(*arguments(tmp_path / "4"), *words, env=env | {"OMP_NUM_THREADS": "4"})
    assert run.returncode == 0, run.stderr
    records = list(Store(tmp_path / "4").each())
    assert {r["device"]["threads"] for r in records} == {1}
    assert results(tmp_path / "4") == expected
