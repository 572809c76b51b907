"""Plugins that no package registers, handed to a benchmark as classes and objects."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hsiaug
import hsiaug.registry.lookup as registry_module
from hsiaug.base.errors import InputError, PluginError
from hsiaug.bench.engine import WorkerSettings
from hsiaug.bench.worker import BlindData, WorkerStart
from hsiaug.data import toy_scene
from hsiaug.registry.lookup import registry
from hsiaug.registry.session_plugins import name_and_overrides, parcels, unpack
from hsiaug.registry.sources import source_digest
from tests.in_process import run_trials_here

CELL = """
from dataclasses import dataclass
import numpy as np
from hsiaug.api import Card, PatchSamples, load_state, param, save_state

FACTOR = {factor}
{data}

@dataclass(frozen=True)
class Params:
    gain: float = param(0.1, "gain", low=0)

def moved(x, gain):
    return x * (1 + FACTOR * gain)

class Fitted:
    def __init__(self, x, y, gain):
        self.x, self.y, self.gain = x, y, gain
    def sample(self, counts, *, guidance, seed):
        rng = np.random.default_rng(seed)
        rows = [rng.choice(np.flatnonzero(self.y == c), size=n) for c, n in counts.items()]
        rows = np.concatenate(rows)
        return PatchSamples.made(moved(self.x[rows], self.gain), self.y[rows])
    def save(self, folder):
        save_state(folder, {{"x": self.x, "y": self.y}}, {{"gain": self.gain}})

class Bright:
    card = Card(name="{name}", version="1", summary="Brighter", params=Params)
    def __init__(self, params):
        self.params = params
    def fit(self, view, *, seed, device, progress):
        {peek}
        return Fitted(view.real.x, view.real.y, self.params.gain)
    def load(self, folder, *, device):
        arrays, facts = load_state(folder)
        return Fitted(**arrays, **facts)
"""
ASKED: dict[str, Any] = {
    "lambdas": 3,
    "seeds": 1,
    "views": "raw",
    "patch": 5,
    "protocol": "kshot:5",
}


def cell(name: str = "bright", factor: float = 1.0, data: str = "", peek: str = "pass") -> Any:
    """The names that a cell of a notebook leaves in ``__main__``, which other processes cannot
    import.
    """
    code = CELL.format(name=name, factor=factor, data=data, peek=peek)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, "<cell>", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    registry_module._handed.clear()


def test_a_class_of_a_notebook_is_benchmarked_in_worker_processes(tmp_path: Path) -> None:
    made = cell()
    strong = made["Bright"](made["Params"](gain=0.5))
    asked = [made["Bright"], strong]
    run = hsiaug.benchmark("toy", asked, ["svm"], store=tmp_path, jobs=1, progress=False, **ASKED)
    frame = run.frame()
    assert (frame.status == "ok").all() and (frame.generator == "bright").sum() == 2
    versions = set(frame[frame.generator == "bright"].generator_version)
    assert versions == {f"1+{source_digest(made['Bright'])}"}


def test_a_changed_cell_gives_other_trials_and_the_same_cell_the_same(tmp_path, monkeypatch):
    run_trials_here(monkeypatch)
    asked: dict[str, Any] = {"store": tmp_path, "jobs": 1, "progress": False, **ASKED}
    runs = [
        hsiaug.benchmark("toy", cell(**changed)["Bright"], "svm", **asked)
        for changed in ({}, {}, {"factor": 2.0})
    ]
    first, again, changed = (set(run.hashes) for run in runs)
    assert first == again and len(first ^ changed) == 2


def test_data_of_the_notebook_do_not_travel_with_a_plugin() -> None:
    data = "scene = __import__('hsiaug').load_scene('toy')"
    assert name_and_overrides("generator", cell(data=data)["Bright"]) == ("bright", {"gain": "0.1"})
    with pytest.raises(PluginError, match="scene, a Scene"):
        name_and_overrides("generator", cell(data=data, peek="scene.labels")["Bright"])


KEPT: dict[str, Any] = {
    "array": np.copy,
    "bytes": np.ndarray.tobytes,
    "text": lambda labels: str(labels.tolist()),
    "tuple": lambda labels: tuple(map(tuple, labels.tolist())),
}


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("where", ["class", "default", "keyword", "function", "closure"])
def test_labels_do_not_travel_with_a_plugin_in_any_constant(kept: str, where: str) -> None:
    value, bright = KEPT[kept](hsiaug.load_scene("toy").labels), cell()["Bright"]

    def positional(self: Any, folder: Any, known: Any = value) -> None: ...
    def keyword(self: Any, *, known: Any = value) -> None: ...
    def plain(self: Any) -> None: ...
    def closed(self: Any) -> Any:
        return value

    plain.__dict__["known"] = value if where == "function" else None
    method = {
        "class": value,
        "default": positional,
        "keyword": keyword,
        "function": plain,
        "closure": closed,
    }[where]
    if callable(method):
        method.__module__ = "__main__"
    bright.more = method
    with pytest.raises(PluginError, match="small constants alone"):
        name_and_overrides("generator", bright)


def test_names_of_packages_are_not_taken_and_plugins_of_packages_stay_theirs() -> None:
    with pytest.raises(PluginError, match="the generator 'smote' must have a name that no other"):
        name_and_overrides("generator", cell(name="smote")["Bright"])
    with pytest.raises(PluginError, match="carries a Card"):
        name_and_overrides("generator", 3)
    assert name_and_overrides("generator", hsiaug.generator("noise", level=0.3)) == (
        "noise",
        {"level": "0.3"},
    )
    assert not parcels()


def test_what_is_sent_is_known_there_with_the_same_version() -> None:
    made = cell()
    name_and_overrides("generator", made["Bright"])
    start = WorkerStart(WorkerSettings("cpu"), "pixels", "", Path(), BlindData(toy_scene()))
    sent, params = pickle.dumps(start), pickle.dumps(made["Params"](gain=0.7))
    version = registry().find("generator", "bright").load().card.version
    registry_module._handed.clear()
    with pytest.raises(InputError, match="bright"):
        registry().find("generator", "bright")
    unpack(pickle.loads(sent).plugins)
    there = registry().find("generator", "bright").load()
    assert there.card.version == version and there(pickle.loads(params)).params.gain == 0.7
