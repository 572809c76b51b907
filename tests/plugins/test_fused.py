"""``fused:NAME``: the product of a classifier's shares and the teacher's, with weights from
left-out training pixels.
"""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.api import InputError, Patches, load_plugin
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.teacher.fused import Fused, FusedParams
from hsiaug_builtin.teacher.pool import pool_weights


@pytest.fixture(scope="module")
def crops(toy: Scene) -> TrainView:
    """The toy scene under ``issd`` with 5 × 5 patches, seen whole."""
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


def fitted(view: TrainView, partner: str = "svm", samples=None):
    plugin = Fused(FusedParams(partner))
    given = view.real if samples is None else samples
    return plugin.fit(given, view, seed=0, device="cpu", progress=lambda *_: None)


def patches(view: TrainView, pixels: np.ndarray) -> Patches:
    return Patches(view.patches(pixels), pixels)


def told(shares: list[list[float]]) -> np.ndarray:
    return np.log(np.array(shares))


def test_an_opinion_that_tells_left_out_pixels_gets_weight_and_one_that_guesses_loses_it() -> None:
    target = np.arange(200) % 2
    good = told([[0.9, 0.1] if c == 0 else [0.1, 0.9] for c in target])
    bad = told([[0.9, 0.1] if c == 1 else [0.1, 0.9] for c in target])
    first, second = pool_weights(np.stack([good, bad]), target, np.ones(2))
    assert first > 2 and second < 0.8


def test_without_a_left_out_pixel_weights_are_those_given() -> None:
    prior = np.array([0.5, 3.0])
    empty = np.empty((2, 0, 4))
    assert np.array_equal(pool_weights(empty, np.empty(0, dtype=np.int64), prior), prior)
    few = pool_weights(np.log(np.full((2, 3, 2), 0.5)), np.array([0, 1, 1]), prior)
    assert few == pytest.approx(prior), "opinions that say nothing change nothing"


def test_every_class_counts_alike_however_many_pixels_of_it_are_left_out() -> None:
    """The first opinion knows the rare class, the second the frequent one."""
    target = np.array([0] * 90 + [1] * 10)
    rare = told([[0.5, 0.5]] * 90 + [[0.1, 0.9]] * 10)
    frequent = told([[0.9, 0.1]] * 90 + [[0.5, 0.5]] * 10)
    first, second = pool_weights(np.stack([rare, frequent]), target, np.ones(2))
    assert first == pytest.approx(second, rel=1e-3)


@pytest.mark.parametrize("partner", ["svm", "emp"])
def test_its_map_is_at_least_about_as_good_as_that_of_its_partner(
    toy: Scene, crops: TrainView, partner: str
) -> None:
    true = toy.labels[tuple(crops.unlabelled.T)]
    both = fitted(crops, partner)
    named = both.predict(patches(crops, crops.unlabelled))
    alone = (
        both.partners[0]
        .logarithms(both.fitted[0], patches(crops, crops.unlabelled), both.classes)
        .argmax(axis=1)
    )
    right, by_partner = ((ids == true)[true > 0].mean() for ids in (named, both.classes[alone]))
    assert right > 0.6 and right > by_partner - 0.05


def test_its_partner_learns_what_it_would_alone(crops: TrainView) -> None:
    """In the view chosen for it, from training patches only; unlabelled spectra are the
    teacher's.
    """
    both = fitted(crops)
    bare = replace(crops, unlabelled=crops.unlabelled[:0], scope="none")
    spectra = both.partners[0].spectra
    assert both.partners[0].view.scope == "none" and not len(both.partners[0].view.unlabelled)
    assert both.partners[0].view.visible.sum() < bare.visible.sum()
    assert both.partners[0].view.bands == spectra.bands(crops.bands)
    assert both.facts["partner_view"] == spectra.name


def test_a_partner_that_reads_the_scene_is_shown_it_and_weighed_on_pixels_it_did_not_learn(
    crops: TrainView,
) -> None:
    both = fitted(crops, "emp")
    assert both.partners[0].view.scope == "scene" and len(both.partners[0].view.unlabelled)
    assert both.facts["partner_view"] == "raw", "it chooses the view of its spectra itself"
    assert both.facts["left_out_share"] < 1 and both.weights[-1] > 0


def test_synthetic_samples_reach_the_partner_and_leave_the_weights_as_they_were(
    crops: TrainView,
) -> None:
    made = replace(
        crops.real,
        synthetic=np.ones(len(crops.y), dtype=bool),
        coords=np.full_like(crops.coords, -1),
    )
    without, with_ = fitted(crops), fitted(crops, samples=concatenate([crops.real, made]))
    assert np.array_equal(without.weights, with_.weights)
    assert not np.array_equal(
        without.predict_proba(patches(crops, crops.unlabelled)),
        with_.predict_proba(patches(crops, crops.unlabelled)),
    )


def test_a_pixel_that_the_view_hid_is_named_from_its_patch(toy: Scene, crops: TrainView) -> None:
    hidden = crops.unlabelled[1::2]
    both = fitted(replace(crops, unlabelled=crops.unlabelled[::2]))
    true = toy.labels[tuple(hidden.T)]
    assert ((both.predict(patches(crops, hidden)) == true)[true > 0]).mean() > 0.5


def test_the_name_after_the_colon_and_its_version_are_part_of_the_parameters() -> None:
    plugin = load_plugin("classifier", "fused:rf")
    version = load_plugin("classifier", "rf").card.version
    assert plugin.card.name == "fused:rf" and plugin.params == FusedParams("rf", version)
    with pytest.raises(InputError, match="installed version of rf"):
        FusedParams("rf", "0.1")


@pytest.mark.parametrize("name", ["teacher", "coords", "unet", "svm+", "svm+coords", "nosuch"])
def test_a_partner_that_learns_from_no_patch_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        FusedParams(name)


def test_several_partners_are_weighed_each_and_share_the_weight_that_one_would_start_from(
    crops: TrainView,
) -> None:
    alone, both = fitted(crops), fitted(crops, "svm+emp")
    assert len(both.weights) == len(alone.weights) + 1 == len(both.voters) + 2
    assert [partner.plugin.card.name for partner in both.partners] == ["svm", "emp"]
    assert both.weights[-2] < alone.weights[-1]
    assert not np.array_equal(
        both.predict_proba(patches(crops, crops.unlabelled)),
        alone.predict_proba(patches(crops, crops.unlabelled)),
    )


def test_a_partner_without_shares_is_refused(crops: TrainView) -> None:
    with pytest.raises(InputError, match="predict_proba"):
        fitted(crops, "self-training")
