"""The generator as a whole, at its tiny size."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.api import InputError, PluginError
from hsiaug.plugins.card import build_params
from hsiaug.plugins.registry import registry
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.scene import Scene

COUNTS = {1: 3, 2: 0, 4: 7}


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


def fit(view: TrainView, seed: int = 0, **settings: Any) -> Any:
    plugin = registry().find("generator", "txt2hsi").load()
    params = build_params(plugin.card, "tiny", {name: str(value) for name, value in settings.items()})
    return plugin(params).fit(view, seed=seed, device="cpu", progress=lambda *_: None)


@pytest.fixture(scope="module")
def fitted(view: TrainView) -> Any:
    return fit(view)


def test_the_tiny_preset_fits_in_seconds(view: TrainView, fitted: Any) -> None:
    start = time.perf_counter()
    fit(view, seed=1)
    assert time.perf_counter() - start < 5


def test_it_makes_what_is_asked_for(view: TrainView, fitted: Any) -> None:
    made = fitted.sample(COUNTS, guidance=1.5, seed=0)

    assert dict(zip(*np.unique(made.y, return_counts=True), strict=True)) == {1: 3, 4: 7}
    assert made.x.shape[1:] == view.real.x.shape[1:] and np.isfinite(made.x).all()
    assert made.synthetic.all() and len(fitted.sample({1: 0}, guidance=0, seed=0)) == 0
    assert made.provenance["text_sources"] == ["automatic"]


def test_the_same_seeds_give_the_same_samples_and_others_do_not(view: TrainView, fitted: Any) -> None:
    first = fitted.sample(COUNTS, guidance=1.0, seed=0).x

    assert (fitted.sample(COUNTS, guidance=1.0, seed=0).x == first).all()
    assert (fit(view).sample(COUNTS, guidance=1.0, seed=0).x == first).all()
    assert (fitted.sample(COUNTS, guidance=1.0, seed=1).x != first).any()
    assert (fitted.sample(COUNTS, guidance=0.0, seed=0).x != first).any()


def test_it_samples_the_same_after_saving_and_loading(view: TrainView, fitted: Any, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    plugin = registry().find("generator", "txt2hsi").load()
    again = plugin(fitted.params).load(tmp_path, device="cpu")

    assert (again.sample(COUNTS, guidance=1.5, seed=3).x == fitted.sample(COUNTS, guidance=1.5, seed=3).x).all()
    assert {p.suffix for p in tmp_path.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize(
    "settings",
    [
        {"text": "coarse"},
        {"text": "fine"},
        {"text": "class-id"},
        {"rpsc": "keep", "lfue": "batch"},
        {"rpsc": "erase", "lfue": "off"},
        {"rpsc": "off", "pseudo": "false"},
        {"unlabelled": 0},
        {"strength": 1.0},
        {"reach": 3},
        {"surplus": 1.0, "weight": 0.5, "class_weight": 0.0},
    ],
)
def test_every_part_can_be_switched(view: TrainView, settings: dict[str, Any]) -> None:
    made = fit(view, vae_steps=5, steps=3, **settings).sample(COUNTS, guidance=1.0, seed=0)

    assert len(made) == 10 and np.isfinite(made.x).all()
    assert (made.weight == settings.get("weight", 0.5)).all()


@pytest.mark.parametrize("scope", ["none", "train-region"])
def test_it_works_with_less_to_see(toy: Scene, scope: Any) -> None:
    view = train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), scope)

    assert len(fit(view, vae_steps=5, steps=3).sample(COUNTS, guidance=1.0, seed=0)) == 10


def test_words_share_the_attention_of_every_pixel(view: TrainView, fitted: Any) -> None:
    answer = fitted.attention(view.real.take(np.arange(4)))

    for words, maps in zip(answer.words, answer.maps, strict=True):
        assert maps.shape == (len(words), 5, 5)
        assert maps.sum(axis=0) == pytest.approx(np.ones((5, 5)), abs=1e-4)


def test_a_vae_that_reconstructs_badly_is_refused_with_the_mend(view: TrainView) -> None:
    with pytest.raises(PluginError, match="spectral angle"):
        fit(view, vae_steps=1, gate=0.1)


def test_a_wrong_word_for_a_part_is_refused(view: TrainView) -> None:
    for settings in ({"text": "poem"}, {"encoder": "minlm"}, {"rpsc": "cut"}, {"lfue": "all"}):
        with pytest.raises(InputError):
            fit(view, **settings)
