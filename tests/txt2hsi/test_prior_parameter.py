"""``txt2hsi`` with what other scenes showed: its parameter ``prior``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.api import InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.registry.card import build_params
from hsiaug_builtin.txt2hsi.params import Params
from hsiaug_builtin.txt2hsi.plugin import Txt2Hsi

COUNTS = {1: 3, 2: 0, 4: 7}


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


@pytest.fixture(scope="module")
def prior(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learnt from another scene."""
    return learnt(toy_scene(seed=1), tmp_path_factory.mktemp("learnt") / "prior")


def learnt(scene: Scene, folder: Path) -> Path:
    plugin = Txt2Hsi(Params())
    plugin.pretrain([scene], seed=0, device="cpu", progress=lambda *_: None).save(folder)
    return folder


def fit(view: TrainView, **settings: Any) -> Any:
    settings = {"vae_steps": 5, "steps": 3, **settings}
    params = build_params(Txt2Hsi.card, "tiny", {name: str(value) for name, value in settings.items()})
    return Txt2Hsi(params).fit(view, seed=0, device="cpu", progress=lambda *_: None)


def test_the_card_names_the_parameter_that_takes_what_was_learnt() -> None:
    assert Txt2Hsi.card.pretrains == "prior" and Params().prior == ""


def test_samples_are_the_same_samples_each_times_a_factor_per_band(view: TrainView, prior: Path) -> None:
    plain, moved = (
        fit(view, pseudo=False, **more).sample(COUNTS, guidance=0.0, seed=0) for more in ({}, {"prior": prior})
    )
    ratio = moved.x / plain.x

    assert np.array_equal(moved.y, plain.y) and np.isfinite(moved.x).all()
    assert np.abs(ratio / ratio[:, :, :1, :1] - 1).max() < 1e-3 and np.ptp(np.log(np.abs(ratio))) > 0.05
    assert np.isfinite(moved.provenance["prior"]["words_log_evidence"]) and "prior" not in plain.provenance


def test_samples_start_from_training_pixels_alone(view: TrainView, prior: Path) -> None:
    """Pseudo-labelled pixels serve training, but how far these lie from what is expected nobody knows."""
    starts = fit(view, prior=prior).starts
    for c, coords in starts.items():
        assert {tuple(at) for at in coords} == {tuple(at) for at in view.coords[view.y == c]}


def test_a_saved_fit_samples_the_same_without_what_was_learnt(
    view: TrainView, prior: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "prior"
    copy.mkdir()
    for file in prior.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    fitted = fit(view, prior=copy)
    fitted.save(tmp_path / "fit")
    for file in copy.iterdir():
        file.unlink()
    again = Txt2Hsi(Params()).load(tmp_path / "fit", device="cpu")

    one, other = (each.sample(COUNTS, guidance=1.0, seed=2) for each in (fitted, again))
    assert np.array_equal(one.x, other.x) and dict(one.provenance) == dict(other.provenance)


def test_what_was_learnt_from_the_scene_itself_is_refused_before_anything_is_trained(
    view: TrainView, toy: Scene, tmp_path: Path
) -> None:
    leak = learnt(toy, tmp_path / "leak")
    told: list[str] = []
    params = build_params(Txt2Hsi.card, "tiny", {"prior": str(leak)})
    with pytest.raises(PluginError, match="must not be learnt from the scene that it is used on"):
        Txt2Hsi(params).fit(view, seed=0, device="cpu", progress=lambda *args: told.append(args[-1]))
    assert told == []


def test_a_folder_of_something_else_is_refused(view: TrainView, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a folder that hsiaug pretrain wrote"):
        fit(view, prior=tmp_path)
