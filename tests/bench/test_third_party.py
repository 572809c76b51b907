"""Plugins of other packages: those that are broken spoil their own plugins alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests.third_party import DUMMY, environment, hsiaug, install

TAKING = """
from hsiaug.api import Entry, hookimpl

@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "smote", "taking_plugin:Smote")]
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
    """A harmless package, one of a protocol, and three that are broken."""
    folder = tmp_path_factory.mktemp("third") / "site"
    install(folder, "dummy_plugin", DUMMY)
    install(folder, "taking_plugin", TAKING)
    install(folder, "leaving_plugin", "import sys; sys.exit(0)")
    install(folder, "late_plugin", LATE)
    (folder / "late_module.py").write_text("import sys; sys.exit(0)")
    install(folder, "left_plugin", PROTOCOL)
    return folder


def test_the_list_names_packages_that_are_broken_and_shows_all_others(site: Path) -> None:
    answer = hsiaug("plugins", "list", env=environment(site))
    listed = [line.split("\t") for line in answer.stdout.splitlines()[1:]]
    rows = {source if name == "–" else name: said for _, name, source, _, said in listed}

    assert answer.returncode == 0
    assert "SystemExit: 0" in rows["leaving-plugin"]
    assert "SystemExit: 0" in rows["late"]
    assert "taking-plugin:smote" in rows
    assert not any("broken" in rows[name] for name in ("dummy", "smote", "left"))
    assert hsiaug("plugins", "info", "smote", env=environment(site)).returncode == 0


@pytest.mark.parametrize(
    "words", [("benchmark", "toy", "--generator", "late"), ("plugins", "info", "late")]
)
def test_a_plugin_that_leaves_as_it_is_imported_is_one_clear_error(
    words: tuple[str, ...], site: Path, tmp_path: Path
) -> None:
    answer = hsiaug(*words, env=environment(site), cwd=tmp_path)

    assert answer.returncode == 2 and "SystemExit: 0" in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr and answer.stdout == ""
    assert not list(tmp_path.iterdir())


def test_a_protocol_draws_and_its_records_carry_its_own_name(site: Path, tmp_path: Path) -> None:
    env = environment(site)
    words = ("benchmark", "toy", *TRIALS, "--generator", "noise", "--store", "store")

    answer = hsiaug(*words, "--protocol", "left:0.4", env=env, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    records = list(Store(tmp_path / "store").each())
    assert {record["status"] for record in records} == {"ok"}
    assert {record["spec"]["protocol"]["name"] for record in records} == {"left"}
    refused = hsiaug(*words, "--protocol", "left:2", env=env, cwd=tmp_path)
    assert refused.returncode == 2 and "Write left:RATIO" in refused.stderr
    poses = hsiaug(*words, "--protocol", "posing", env=env, cwd=tmp_path)
    assert poses.returncode == 2 and "protocol posing must state its own name" in poses.stderr


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
