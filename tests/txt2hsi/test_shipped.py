"""States that come with hsiaug, and the control without a network."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view, view_without_labels
from hsiaug.registry.card import build_params, preparing_params
from hsiaug.registry.lookup import registry
from hsiaug_builtin.txt2hsi import shipped
from hsiaug_builtin.txt2hsi.params import Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import PreparedScene
from tests.in_process import run_trials_here


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    split = draw_split(toy, parse_protocol("issd"), 0, 5)
    return view_without_labels(train_view(toy, split, "scene"))


def plugin_of(**settings: str) -> Any:
    plugin = registry().find("generator", "txt2hsi").load()
    few = {"vae_steps": "5", "scene_steps": "5"}
    return plugin(preparing_params(build_params(plugin.card, "tiny", {**few, **settings})))


def prepare(plugin: Any, view: TrainView) -> PreparedScene:
    prepared: PreparedScene = plugin.prepare(view, seed=0, device="cpu", progress=silent)
    return prepared


@pytest.fixture(scope="module")
def states(view: TrainView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shipped states that holds one of the toy scene."""
    folder = tmp_path_factory.mktemp("states")
    plugin = plugin_of()
    shipped.save_shipped(prepare(plugin, view), view, plugin.params, folder)
    return folder


@pytest.fixture
def folder(states: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is where states are looked for."""
    folder = shutil.copytree(states, tmp_path / "states")
    load = shipped.load_shipped
    monkeypatch.setattr(
        shipped, "load_shipped", lambda view, params, device: load(view, params, device, folder)
    )
    return folder


def weights_of(prepared: PreparedScene) -> list[np.ndarray]:
    return [value.numpy() for value in prepared.denoiser.state_dict().values()]


def test_a_shipped_state_is_what_would_be_learnt(view: TrainView, folder: Path) -> None:
    taken = prepare(plugin_of(), view)
    learnt = prepare(plugin_of(shipped="false"), view)

    assert taken.origin == "shipped" and learnt.origin == "learnt"
    assert all(map(np.array_equal, weights_of(taken), weights_of(learnt)))


@pytest.mark.parametrize("change", [{"latent": "5"}, {"scene_steps": "31"}])
def test_other_parameters_are_learnt(view: TrainView, folder: Path, change: Any) -> None:
    assert prepare(plugin_of(**change), view).origin == "learnt"


def test_other_pixels_and_another_version_are_learnt(toy, view, folder, monkeypatch) -> None:
    split = draw_split(toy, parse_protocol("hidden:0.5:issd"), 0, 5)
    hidden = view_without_labels(train_view(toy, split, "scene"))
    assert prepare(plugin_of(), hidden).origin == "learnt"

    monkeypatch.setattr(shipped, "PREPARE_VERSION", "13")
    assert prepare(plugin_of(), view).origin == "learnt"


def test_a_damaged_state_is_learnt_anew_with_a_line_that_says_so(view, folder) -> None:
    (place,) = folder.iterdir()
    data = bytearray((place / "state.safetensors").read_bytes())
    data[-7] ^= 1
    (place / "state.safetensors").write_bytes(data)

    prepared = prepare(plugin_of(), view)
    assert prepared.origin == "learnt"
    (note,) = prepared.notes
    assert "cannot be used (its checksum differs): it was learnt anew" in note


@pytest.mark.parametrize("name", ["state.json", "state.safetensors", shipped.CHECKSUM])
def test_a_state_that_lacks_a_file_is_learnt_anew(view, folder, name: str) -> None:
    (place,) = folder.iterdir()
    (place / name).unlink()

    prepared = prepare(plugin_of(), view)
    assert prepared.origin == "learnt" and len(prepared.notes) == 1


@pytest.mark.indian_pines
def test_the_state_of_indian_pines_is_for_its_pixels_and_the_default_parameters() -> None:
    from hsiaug.data.loading import load_scene

    scene = load_scene("indian_pines")
    split = draw_split(scene, parse_protocol("issd"), 0, 9)
    shown = view_without_labels(train_view(scene, split, "scene"))
    prepared = shipped.load_shipped(shown, preparing_params(Txt2HsiParams()), "cpu").prepared

    assert isinstance(prepared, PreparedScene) and prepared.origin == "shipped"
    assert scene.sha256 in plugin_of().card.prepared_scenes
    size = sum(path.stat().st_size for path in shipped.FOLDER.rglob("*") if path.is_file())
    assert size <= 20e6


@pytest.mark.usefixtures("few_rounds", "few_prompts")
def test_gaussian_runs_unasked_beside_txt2hsi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hsiaug

    run_trials_here(monkeypatch)

    run = hsiaug.benchmark(
        "toy",
        ["txt2hsi"],
        ["svm"],
        lambdas=[1],
        seeds=1,
        patch=5,
        preset="tiny",
        store=tmp_path / "store",
    )
    frame = run.frame()

    assert {"txt2hsi", "gaussian", "pseudo"} <= set(frame.generator)
    records = [json.loads(p.read_text()) for p in (tmp_path / "store").rglob("record.json")]
    baselines = {r["spec"]["generator"]["name"]: r.get("baseline") for r in records}
    assert baselines["txt2hsi"] == "gaussian" and baselines["gaussian"] is None
