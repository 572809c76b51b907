"""The generators of this package that train networks as a whole, at their tiny size."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.api import DenseSamples, DenseView, PairCounts
from hsiaug.registry.card import build_params
from hsiaug_builtin.specdm.drawing import asked_by_class
from hsiaug_builtin.specdm.params import SIZES
from hsiaug_builtin.specdm.plugin import Quilting, SpecDmPaper
from tests.specdm.conftest import learn

Make = Callable[..., DenseView]
SHORT = {"vae_steps": 4, "steps": 3, "sample_steps": 2}
LONG = {"vae_steps": 60, "steps": 120, "sample_steps": 10}
"""What it takes to learn something."""


def fit(
    view: DenseView, plugin: Any = SpecDmPaper, seed: int = 0, preset: Any = "tiny", **settings: Any
) -> Any:
    params = build_params(
        plugin.card, preset, {name: str(value) for name, value in settings.items()}
    )
    return learn(plugin(params), view, seed)


@pytest.fixture(scope="module")
def fitted(view: DenseView) -> Any:
    return fit(view, image_steps=30, **LONG)


@pytest.fixture(scope="module")
def quilted(view: DenseView) -> Any:
    return fit(view, Quilting, **LONG)


def test_pairs_are_encoded_and_decoded_with_the_probability_of_their_classes(
    fitted: Any, view: DenseView
) -> None:
    real = view.real
    foreign = real.masks.copy()
    foreign[0, 0, 0] = 99
    back = fitted.reconstruct(replace(real, masks=foreign))
    back.check(real.images)

    error = np.abs(back.images - real.images).mean()
    assert error < 0.5 * np.abs(real.images - real.images.mean()).mean()
    probability = back.probability
    assert np.isnan(probability[0, 0, 0]) and np.isnan(probability).sum() == 1
    assert np.nanmean(probability) > 0.5


def test_pairs_look_like_the_real_ones(view: DenseView, fitted: Any) -> None:
    made = fitted.sample(PairCounts(24), guidance=0, seed=0)
    shares = [np.bincount(s.masks.ravel(), minlength=5) / s.masks.size for s in (made, view.real)]
    assert np.abs(shares[0] - shares[1]).sum() / 2 < 0.35
    assert made.images.mean() == pytest.approx(view.real.images.mean(), rel=0.15)


@pytest.mark.parametrize("name", ["fitted", "quilted"])
def test_a_class_that_is_asked_for_shows_more(name: str, request: pytest.FixtureRequest) -> None:
    drawn = request.getfixturevalue(name)
    if name == "quilted":
        drawn = replace(drawn, params=replace(drawn.params, pasted=0))
    rare, common = (
        drawn.sample(PairCounts(24, {c: 24}), guidance=2.0, seed=0).masks for c in (4, 2)
    )
    assert (rare == 4).mean() > 1.7 * (common == 4).mean()
    assert (common == 2).mean() > 1.3 * (rare == 2).mean()


def test_pairs_that_do_not_show_the_class_they_were_asked_for_are_drawn_again(fitted: Any) -> None:
    shown = fitted.sample(PairCounts(20, {4: 20}), guidance=0, seed=0).masks == 4
    assert shown.any(axis=(1, 2)).mean() >= 0.9


def test_every_class_is_asked_for_equally_often_where_that_is_set(fitted: Any) -> None:
    any_class = fitted.sample(PairCounts(40), guidance=1.0, seed=0).masks
    evenly = replace(fitted, params=replace(fitted.params, by_class=1.0))
    each_class = evenly.sample(PairCounts(40), guidance=1.0, seed=0).masks
    assert len(each_class) == 40
    assert (each_class == 4).mean() > 1.1 * (any_class == 4).mean()


@given(total=st.integers(0, 200), share=st.floats(0, 1), classes=st.integers(1, 15), data=st.data())
def test_asking_by_class_changes_no_number_of_pairs(
    total: int, share: float, classes: int, data: st.DataObject
) -> None:
    wanted = data.draw(st.integers(0, total))
    counts = PairCounts(total, {3: wanted})
    asked = asked_by_class(counts, share, range(1, classes + 1))
    added = [asked.by_class.get(c, 0) - counts.by_class.get(c, 0) for c in range(1, classes + 1)]
    assert asked.total == total
    assert sum(added) == round(share * (total - wanted))
    assert max(added) - min(added) <= 1


@pytest.mark.parametrize(
    "settings",
    [
        {"size": "small", "factor": 4, "strength": 0.5},
        {"start": "random", "target": "noise", "condition": "nothing", "tiles": "split"},
        {"units": "plain", "mask_share": 0, "sad": 0, "turns": False, "balanced": False},
        {"streams": "one"},
        {"preset": "paper"},
    ],
)
def test_every_part_can_be_switched(
    make: Make, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shrunk = {"vae_width": 8, "mask_width": 8, "unet_width": 8, "levels": (1, 2), "batch": 2}
    monkeypatch.setitem(SIZES, "paper", replace(SIZES["paper"], **shrunk))
    # Half the bands are enough for two dates to need a stem.
    fitted = fit(make(4, 18, 20, dates=2), **SHORT, image_steps=3, **settings)
    made = fitted.sample(PairCounts(2), guidance=0, seed=0)
    assert made.images.shape == (2, 2, 20, 18, 18) and np.isfinite(made.images).all()


@pytest.mark.parametrize("strength", [0.05, 1.0])
def test_components_of_rare_classes_are_set_into_finished_pairs(
    quilted: Any, strength: float
) -> None:
    def sampled(pasted: int) -> DenseSamples:
        params = replace(quilted.params, strength=strength, light=0, pasted=pasted)
        return replace(quilted, params=params).sample(PairCounts(24), guidance=0, seed=0)

    drawn, made = sampled(0), sampled(6)
    moved = made.masks != drawn.masks
    assert (made.masks == 4).mean() > 1.3 * (drawn.masks == 4).mean()
    assert made.confidence is not None and (made.confidence[moved] == 1).all()
    changed = (made.images != drawn.images).any(axis=(1, 2))
    assert (
        moved <= changed
    ).mean() > 0.99 and not changed.all()  # the image moves with its mask, and only there


def test_what_a_fit_was_like_is_on_record(fitted: Any) -> None:
    facts = fitted.sample(PairCounts(1), guidance=0.5, seed=0).provenance
    assert facts["reconstruction_accuracy"] > 0.9 and 0 < facts["reconstruction_angle"] < 10
    assert {"scale", "shift"} <= set(facts)
    assert facts["denoiser_weights_per_tile"] == round(facts["denoiser_weights"] / 60)
    assert facts["may_memorise"] and facts["omega"] == 0.5
