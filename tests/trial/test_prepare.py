"""What a generator learns once for a scene, without labels, and shares among the draws that show
the same pixels.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.bench.groups import Costs
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.plans_of_runs import join_plans, trials_of
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import checksum_of_pixels, train_view, view_without_labels
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.saved_fits import only_one
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext
from tests.processes import Process
from tests.third_party import install

Spec = Callable[..., TrialSpec]
Run = Callable[..., Any]

AXES = '''
"""Learns the axes of a scene once, and counts in a file how often."""
import os
from dataclasses import dataclass
import numpy as np
from hsiaug.api import Card, Entry, PatchSamples, hookimpl, load_state, param, save_state


@dataclass(frozen=True)
class Params:
    number: int = param(2, "axes", low=1, preparing=True)
    gain: float = param(1.0, "of the fit", low=0)


class Axes:
    def __init__(self, axes):
        self.axes = axes

    def save(self, folder):
        save_state(folder, {"axes": self.axes})


class Fitted:
    def __init__(self, x, y, axes):
        self.x, self.y, self.axes = x, y, axes

    def sample(self, counts, *, guidance, seed):
        index = np.concatenate([np.resize(np.flatnonzero(self.y == c), n) for c, n in counts.items()])
        moved = np.random.default_rng(seed).normal(size=(len(index), len(self.axes))) @ self.axes
        return PatchSamples.made(self.x[index] + moved[:, :, None, None].astype(np.float32), self.y[index])

    def save(self, folder):
        save_state(folder, {"x": self.x, "y": self.y, "axes": self.axes})


class Generator:
    card = Card(name="axes", version="1", summary="axes", scope="scene", prepares=True, prepare_seconds=5, params=Params)

    def __init__(self, params):
        self.params = params

    def prepare(self, view, *, seed, device, progress):
        assert not len(view.y) and not len(view.coords) and not view.class_names and not view.descriptions
        assert self.params.gain == 1.0, "a parameter that is not its own"
        with open(os.environ["PREPARED"], "a") as file:
            file.write("once\\n")
        spectra = view.cube[view.visible]
        return Axes(np.linalg.svd(spectra - spectra.mean(axis=0), full_matrices=False)[2][: self.params.number])

    def load_prepared(self, folder, *, device):
        return Axes(load_state(folder)[0]["axes"])

    def fit(self, view, *, seed, device, progress, prepared):
        return Fitted(view.real.x * np.float32(self.params.gain), view.real.y, prepared.axes)

    def load(self, folder, *, device):
        return Fitted(**load_state(folder)[0])


@hookimpl
def hsiaug_plugins():
    return [Entry("generator", "axes", "axes_plugin:Generator")]
'''


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for every time that the generator ``axes`` prepared a scene."""
    install(tmp_path / "axes", "axes_plugin", AXES)
    monkeypatch.syspath_prepend(tmp_path / "axes")
    monkeypatch.setenv("PREPARED", str(tmp_path / "prepared"))
    (tmp_path / "prepared").touch()
    return tmp_path / "prepared"


@pytest.fixture
def plugins(plugins: Registry, prepared: Path) -> Registry:
    """The built-ins, the dummies and ``axes``."""
    from importlib.metadata import EntryPoint

    from hsiaug.registry.lookup import build_registry

    names = (
        "hsiaug_builtin.baselines",
        "hsiaug_builtin.classifiers",
        "dummy_plugin",
        "axes_plugin",
    )
    return build_registry([EntryPoint(name, name, "hsiaug") for name in names])


def count(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())


def fitting(trial: TrialSpec, **changes: Any) -> TrialSpec:
    generator = trial.generator
    return replace(trial, generator=replace(generator, params=replace(generator.params, **changes)))


def test_it_is_learnt_once_for_all_draws_rates_and_classifiers(
    spec: Spec, run: Run, prepared: Path
) -> None:
    trials = [
        spec("axes", classifier, lam=lam, seed=seed)
        for seed in (0, 1)
        for lam in (1.0, 2.0)
        for classifier in ("nearest", "commonest")
    ]
    records = [run(trial)[0] for trial in trials]

    assert {record["status"] for record in records} == {"ok"} and count(prepared) == 1
    first, again = (next(r for r in records if r["spec"]["seed"] == seed) for seed in (0, 1))
    assert first["prepared"] == again["prepared"] and first["timings"]["prepare"] > 0
    assert (
        run(fitting(trials[0], gain=0.5))[0]["prepared"] == first["prepared"]
        and count(prepared) == 1
    )
    assert (
        run(fitting(trials[0], number=3))[0]["prepared"] != first["prepared"]
        and count(prepared) == 2
    )


def test_another_process_takes_it_from_the_disk_and_a_damaged_one_is_learnt_again(
    toy: Scene, spec: Spec, run: Run, prepared: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"

    def samples() -> Any:
        record, _ = run(spec("axes", "nearest"), SceneContext(toy, get_task("pixels"), folder))
        return record["predictions_sha256"], record["notes"]

    first = samples()
    assert samples() == first and count(prepared) == 1 and len(list(folder.rglob("fit.json"))) == 1
    (saved,) = folder.rglob("state.safetensors")
    saved.write_bytes(saved.read_bytes()[:-4] + b"oops")
    checksum, notes = samples()
    assert checksum == first[0] and count(prepared) == 2
    assert notes and "learnt again" in notes[0] and "state.safetensors" in notes[0]


def planned(scene: Scene, plugins: Registry, **asked: Any) -> Plan:
    usual = {
        "generators": ["axes"],
        "classifiers": ["nearest", "commonest"],
        "lambdas": [1.0],
        "patch": 5,
    }
    return build_plan(scene, read_request(**{**usual, "seeds": [0, 1], **asked}), plugins)


def test_it_is_expected_once_a_scene_over_all_plans(toy: Scene, plugins: Registry) -> None:
    plans = [planned(toy, plugins, lambdas=[lam]) for lam in (1.0, 2.0)]
    costs, trials = Costs(join_plans(plans)), trials_of(plans)
    own = costs.beyond_fit(trials) + sum(
        costs.of_fit(trial) for trial in {trial.fit_hash: trial for trial in trials}.values()
    )
    assert sum(costs.each(trials).values()) - own == pytest.approx(5), "as its card says"


def test_a_record_says_why_what_is_saved_of_a_scene_is_not_used(toy, plugins, run, tmp_path):
    cache = tmp_path / "cache"

    def notes(scene: Scene = toy, **asked: Any) -> list[str]:
        plan = planned(scene, plugins, **asked)
        trial = next(t for t in plan.trials if t.generator.name == "axes")
        record, _ = run(trial, SceneContext(scene, get_task("pixels"), cache))
        return [note for note in record["notes"] if "saved" in note]

    changed = replace(toy, cube=toy.cube + np.float32(1e-3))
    begin = "axes uses no saved state of toy: what is saved differs in "
    assert not notes() and not notes(seeds=[5])
    assert notes(changed) == [begin + "pixels."] and not notes(changed)
    assert notes(overrides={"axes": {"number": "3"}}) == [begin + "params."]
    assert not notes(replace(changed, name="other")), "of another scene"


def test_it_sees_the_visible_pixels_and_no_label(toy: Scene) -> None:
    def shown(protocol: str, seed: int) -> str:
        split = draw_split(toy, parse_protocol(protocol), seed, 5)
        return checksum_of_pixels(view_without_labels(train_view(toy, split, "scene")))

    assert shown("issd", 0) == shown("issd", 1) == shown("kshot:5", 3)
    assert len({shown("issd", 0), shown("hidden:0.5:issd", 0), shown("hidden:0.5:issd", 1)}) == 3
    changed = replace(toy, cube=toy.cube + np.float32(1e-3))
    split = draw_split(toy, parse_protocol("issd"), 0, 5)
    assert checksum_of_pixels(train_view(changed, split, "scene")) != shown("issd", 0)
    view = view_without_labels(train_view(toy, split, "scene"))
    height, width = toy.shape
    assert len(view.unlabelled) == height * width and not view.counts, (
        "no hole where a training pixel lies"
    )


HOLDS = """
import sys
from pathlib import Path
from hsiaug.trial.saved_fits import only_one

with only_one(Path(sys.argv[1]), lambda *_: print("waits", flush=True)):
    print("is alone", flush=True)
    sys.stdin.read()
"""


def holding(folder: Path) -> Process:
    """A process that is alone with a folder until its standard input is closed, and tells when it
    waits for that and when it is.
    """
    words = [sys.executable, "-c", HOLDS, str(folder)]
    return Process(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_one_process_learns_while_another_waits(tmp_path: Path) -> None:
    with holding(tmp_path / "state") as one:
        assert one.stdout.readline() == "is alone\n"
        with holding(tmp_path / "state") as other:
            assert other.stdout.readline() == "waits\n"
            one.communicate()
            assert set(other.communicate()[0].splitlines()) - {"waits"} == {"is alone"}
    assert [path.name for path in tmp_path.iterdir()] == ["state.lock"]


def test_what_a_killed_process_locked_is_free(tmp_path: Path) -> None:
    with holding(tmp_path / "state") as other:
        assert other.stdout.readline()
        other.kill()
        other.communicate()
    with only_one(tmp_path / "state", lambda *_: pytest.fail("it waits")):
        pass
