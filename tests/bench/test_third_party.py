"""Packages that misbehave where they are imported: no process of a command imports one, and it
spoils its own plugins.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hsiaug.advice.screening import ladder
from hsiaug.base.errors import PluginError, SplitError
from hsiaug.bench.request import read_request
from hsiaug.registry.card import Card
from hsiaug.registry.isolation import packages, processes
from hsiaug.registry.isolation.packages import (
    CardFields,
    Failure,
    Message,
    ParamFields,
    read_answer,
    read_packages,
)
from hsiaug.registry.lookup import build_registry
from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install, point, results

REPLACING = """
import builtins, json, os, sys
import numpy as np
real, dumps = np.random.default_rng, json.dumps
np.random.default_rng = lambda *seed: real(7)
json.dumps = lambda *a, **k: "null" if "mean" in str(a) else dumps(*a, **k)
print("a line of the package", flush=True)
print("imported by", os.getppid(), file=sys.stderr, flush=True)
from dummy_plugin import Generator
from hsiaug.api import Card, Entry, hookimpl


class Sly(Generator):
    card = Card(name="sly", version="1", summary="replaces functions of numpy", params=Generator.card.params)


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "sly", "replacing_plugin:Sly")]
"""
LATE = """
from hsiaug.api import Entry, hookimpl

@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "late", "late_module:Late")]
"""
PROTOCOL = """
import numpy as np
from hsiaug.api import Card, Draw, Entry, SplitProtocol, hookimpl


class Posing(SplitProtocol):
    '''Says that it is another.'''

    card = Card(name="posing", version="1", summary="poses", tasks=("pixels",))

    def as_json(self):
        return {"name": "issd", "argument": "", "buffer": "centre"}


class Left(SplitProtocol):
    '''Trains on the left part of the scene.'''

    card = Card(name="left", version="1", summary="left part", tasks=("pixels",))
    takes, usage, example = "ratio", "left:RATIO", "0.3"

    def draw(self, scene, seed, patch):
        columns = np.arange(scene.shape[1]) < float(self.argument) * scene.shape[1]
        train = (scene.labels > 0) & columns & (self.rng(scene, seed).random(scene.shape) < 0.5)
        return Draw(train, np.zeros(scene.shape, bool), ("half of the left part",))


@hookimpl
def hsiaug_plugins():
    return [Entry("protocol", "left", "left_plugin:Left"), Entry("protocol", "posing", "left_plugin:Posing")]
"""
TRIALS = ("--classifier", "nearest", "--seeds", "2", "--patch", "3", "--jobs", "1", "--view", "raw")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A harmless package, one that replaces functions where it is imported, and one that leaves
    when it is.
    """
    folder = tmp_path_factory.mktemp("third") / "site"
    install(folder, "dummy_plugin", DUMMY)
    install(folder, "replacing_plugin", REPLACING)
    install(folder, "leaving_plugin", "import os; os._exit(0)")
    install(folder, "late_plugin", LATE)
    (folder / "late_module.py").write_text("import os; os._exit(0)")
    install(folder, "left_plugin", PROTOCOL)
    return folder


def importers(said: str) -> list[str]:
    """The processes whose children imported the package that says so."""
    return re.findall(r"imported by (\d+)", said)


def test_a_package_that_replaces_functions_changes_no_other_trial(
    site: Path, tmp_path: Path
) -> None:
    env = environment(site)
    quiet, loud = tmp_path / "quiet", tmp_path / "loud"
    words = ("benchmark", "toy", *TRIALS)

    assert (
        hsiaug(*words, "--generator", "dummy,noise", "--store", str(quiet), env=env).returncode == 0
    )
    answer = hsiaug(*words, "--generator", "dummy,noise,sly", "--store", str(loud), env=env)

    assert answer.returncode == 0, answer.stderr
    alone, beside = results(quiet), results(loud)
    assert {key: beside[key] for key in alone} == alone and len(beside) > len(alone)
    assert {record["status"] for record in Store(loud).records()} == {"ok"}


def test_no_process_of_an_isolated_python_runs_a_sitecustomize(tmp_path: Path) -> None:
    # Python runs it before hsiaug, in every process; that of an isolated one knows no PYTHONPATH.
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').close()")
    env = environment(tmp_path)
    for flags, runs in (([], True), (["-I"], False)):
        subprocess.run([sys.executable, *flags, "-c", ""], env=env, check=True, cwd=tmp_path)
        assert (tmp_path / "ran").exists() is runs
        (tmp_path / "ran").unlink(missing_ok=True)
    words = [
        "benchmark",
        "toy",
        "--generator",
        "none",
        "--classifier",
        "svm",
        "--seeds",
        "1",
        "--jobs",
        "1",
        *("--patch", "3", "--view", "raw"),
    ]
    done = [sys.executable, "-I", "-m", "hsiaug", *words, "--store", str(tmp_path / "store")]
    subprocess.run(done, env=env, check=True, capture_output=True, cwd=tmp_path)
    assert not (tmp_path / "ran").exists() and Store(tmp_path / "store").hashes()


def test_packages_are_imported_by_children_alone(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    install(site, "replacing_plugin", REPLACING)
    code = (
        "import os, sys; from hsiaug.registry.lookup import registry; r = registry();"
        "card = r.find('generator', 'sly').card;"
        "print(os.getpid(), 'replacing_plugin' in sys.modules, card.summary, card.params().gain)"
    )
    env = environment(site, HSIAUG_CACHE_DIR=str(tmp_path / "cache"))

    def ask() -> list[str]:
        """The processes whose children imported the package, and that which asks."""
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, env=env, capture_output=True, text=True)
        pid, here, told = answer.stdout.split(maxsplit=2)
        assert (here, told) == ("False", "replaces functions of numpy 1.0\n")
        assert set(importers(answer.stderr)) <= {pid}
        return importers(answer.stderr)

    assert ask()
    # Until a file of it changes, or another package is installed, it is not imported again.
    assert not ask()
    module = site / "replacing_plugin.py"
    module.write_text(module.read_text() + "\n")
    assert ask()
    env["PYTHONPATH"] += os.pathsep + str(install(tmp_path / "more", "other_plugin", "x = 1"))
    assert ask()


def test_a_package_is_read_anew_alone_where_another_may_have_spoilt_its_import(
    tmp_path: Path,
) -> None:
    site = install(tmp_path / "site", "dummy_plugin", DUMMY)
    install(
        site,
        "a_plugin",
        "import numpy; del numpy.bincount; import sys, dataclasses;"
        " sys.modules['dataclasses'] = None",
    )
    code = "from hsiaug.registry.lookup import registry; print(*registry().names('generator'))"
    env = environment(site, HSIAUG_CACHE_DIR=str(tmp_path / "cache"))
    answer = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "dummy" in answer.stdout.split(), answer.stderr


def test_the_list_names_a_package_that_ends_its_process_and_shows_all_others(
    site: Path, tmp_path: Path
) -> None:
    answer = hsiaug("plugins", "list", "--json", env=environment(site))
    rows = {row["name"] or row["from"]: row for row in json.loads(answer.stdout)}

    assert answer.returncode == 0
    assert "ended with exit code 0" in rows["leaving-plugin"]["error"]
    assert "ended with exit code 0" in rows["late-plugin"]["error"]
    assert (
        rows["dummy"]["error"] is None
        and rows["smote"]["error"] is None
        and rows["left"]["error"] is None
    )


@pytest.mark.parametrize(
    "words",
    [
        ("benchmark", "toy", "--generator", "late"),
        ("generate", "toy", "--generator", "late", "--out", "made.npz"),
        ("inspect", "toy", "--generator", "late", "--out", "look"),
        ("plugins", "info", "late"),
        ("plugins", "check", "late"),
        ("advise", "toy", "--generator", "late"),
    ],
)
def test_a_plugin_that_ends_its_process_is_one_clear_error(
    words: tuple[str, ...], site: Path, tmp_path: Path
) -> None:
    answer = hsiaug(*words, env=environment(site), cwd=tmp_path)

    assert answer.returncode == 2 and "exit code 0" in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr and answer.stdout == ""
    assert not list(tmp_path.iterdir())


def test_an_import_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install(tmp_path / "site", "endless_plugin", "import time; time.sleep(3600)")
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(packages, "ANSWERS_WITHIN", 0.5)

    (answer,) = read_packages({"endless-plugin": [point("endless_plugin")]})[
        "endless-plugin"
    ].points
    assert re.search(r"endless-plugin must load.* no answer within 0.5 s", answer.error)


@pytest.mark.parametrize("said", [b"x" * 40, b"\0\0\0\x10", b"\0\0\0\4null"])
def test_a_package_that_writes_into_its_connection_is_one_error(
    said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os\n"
        "for number in range(3, 60):\n"
        f"    try: os.write(number, {said!r})\n"
        "    except OSError: pass\n"
        "import time; time.sleep(5)\n"
    )
    monkeypatch.syspath_prepend(install(tmp_path / "site", "noisy_plugin", code))
    monkeypatch.setattr(processes, "WHOLE_WITHIN", 0.5)
    (answer,) = read_packages({"noisy-plugin": [point("noisy_plugin")]})["noisy-plugin"].points
    assert answer.plugins == () and "noisy-plugin must" in answer.error


def test_a_package_that_answers_what_nobody_asked_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import json; json.dumps = lambda *_, **__: '{\"points\": []}'"
    monkeypatch.syspath_prepend(install(tmp_path / "site", "lying_plugin", code))
    (answer,) = read_packages({"lying-plugin": [point("lying_plugin")]})["lying-plugin"].points
    assert "lying-plugin must answer what it is asked" in answer.error


def test_advise_tries_generators_of_packages_by_their_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "site", "dummy_plugin", DUMMY))
    plugins = build_registry([point("dummy_plugin")])
    assert ladder(plugins, read_request(lambdas=[1.0])) == (["dummy", "guided"], [])


THREADS = """
import threading
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import registry

start, drawn, scenes = threading.Barrier(6), {}, [toy_scene(0), toy_scene(1)]

def draw(number):
    return parse_protocol("left:0.4").draw(scenes[number % 2], 0, 3).train.tobytes()

def ask(number):
    start.wait()
    registry().find("generator", "sly").card
    drawn[number] = draw(number)

threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(drawn.values())), all(drawn[number] == draw(number) for number in range(6)))
"""


def test_threads_that_ask_at_the_same_time_share_one_process(site: Path, tmp_path: Path) -> None:
    env = environment(site, HSIAUG_CACHE_DIR=str(tmp_path / "cache"))
    answer = subprocess.run(
        [sys.executable, "-c", THREADS], env=env, capture_output=True, text=True
    )

    assert answer.stdout == "2 True\n", answer.stderr
    # To list its plugins and, unless the same process still runs, to describe one.
    assert len(importers(answer.stderr)) <= 2


def test_values_are_checked_by_the_class_of_the_package(site: Path, tmp_path: Path) -> None:
    env = environment(site)
    answer = hsiaug(
        "benchmark", "toy", "--generator", "dummy", "--set", "dummy.gain=3", env=env, cwd=tmp_path
    )

    assert answer.returncode == 2 and "`dummy.gain`" not in answer.stderr
    assert "dummy.gain must lie in [0.0, 2.0]; found 3.0" in answer.stderr


def test_a_protocol_draws_and_its_records_carry_its_own_name(site: Path, tmp_path: Path) -> None:
    env = environment(site)
    words = ("benchmark", "toy", *TRIALS, "--generator", "noise", "--store", "store")

    answer = hsiaug(*words, "--protocol", "left:0.4", env=env, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    records = list(Store(tmp_path / "store").records())
    assert {record["status"] for record in records} == {"ok"} and "left:0.4" in answer.stdout
    split = hsiaug(
        "split", "toy", "--protocol", "within:left:0.4", "--out", "s.npz", env=env, cwd=tmp_path
    )
    assert split.returncode == 0, split.stderr
    with np.load(tmp_path / "s.npz") as masks:
        assert not masks["train"][:, 20:].any()

    refused = hsiaug(*words, "--protocol", "left:2", env=env, cwd=tmp_path)
    assert refused.returncode == 2 and "Write left:RATIO" in refused.stderr
    poses = hsiaug(*words, "--protocol", "posing", env=env, cwd=tmp_path)
    assert poses.returncode == 2 and "protocol posing must state its own name" in poses.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [("guidance", float("nan")), ("guidance", float("inf")), ("seconds", float("inf"))],
)
def test_a_card_with_a_number_that_no_record_can_hold_is_refused(field: str, value: float) -> None:
    card = Card(name="odd", version="1", summary="a card")
    stated = {name: getattr(card, name) for name in CardFields.model_fields}
    assert read_answer(CardFields, json.dumps(stated), "odd-plugin").name == "odd"

    with pytest.raises(PluginError, match=f"odd-plugin must have a valid card; found {field}"):
        read_answer(CardFields, json.dumps({**stated, field: value}), "odd-plugin")


def test_a_failure_in_place_of_an_answer_is_raised_also_where_the_answer_has_no_fields() -> None:
    error = SplitError("a rule", value="3", hint="A hint.")
    for model in (Message, CardFields):
        with pytest.raises(SplitError, match="a rule; found 3"):
            read_answer(model, packages._as_json(Failure.of(error, "odd-plugin")), "odd-plugin")


@pytest.mark.parametrize("bound", [None, float("inf"), 3.0])
def test_bounds_of_a_parameter_may_be_infinite_and_its_default_may_not(bound: float | None) -> None:
    stated = {"name": "a", "help": "", "unit": "", "low": None, "high": bound, "choices": []}
    stated |= {"default": 1.0, "preparing": False, "sampling": False}
    assert read_answer(ParamFields, json.dumps(stated), "odd-plugin").high == bound
    with pytest.raises(PluginError, match="valid card; found default"):
        read_answer(ParamFields, json.dumps({**stated, "default": float("nan")}), "odd-plugin")


def test_the_process_of_a_package_starts_no_server_of_workers(site: Path) -> None:
    # It would begin without the modules that workers share, and not adopt what they leave behind.
    code = (
        "from multiprocessing import forkserver; from hsiaug.registry.lookup import registry;"
        "registry(); print(forkserver._forkserver._forkserver_pid)"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, env=environment(site), capture_output=True, text=True)
    assert answer.stdout == "None\n", answer.stderr


def test_functions_of_python_import_the_package_in_the_process_that_calls_them(
    site: Path, tmp_path: Path
) -> None:
    code = (
        "import numpy as np, hsiaug; from hsiaug.sklearn import Augmenter;"
        "x = np.random.RandomState(0).rand(30, 5); y = np.repeat([0, 1], [20, 10]);"
        "print(len(Augmenter('dummy', times=0, random_state=0).fit_resample(x, y)[1]),"
        "len(hsiaug.augment_scene('toy', 'dummy', patch=3).synthetic) > 0)"
    )
    clean = install(tmp_path / "clean", "dummy_plugin", DUMMY)
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment(clean), capture_output=True, text=True
    )
    assert answer.stdout == "40 True\n", answer.stderr
