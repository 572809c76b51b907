"""Spatial–spectral classics: ``emp``; and smoothed shares of a classifier, ``filtered:NAME`` and
``superpixel:NAME``.
"""

import gc
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest

from hsiaug.api import InputError, Patches, load_plugin
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.nets.choice import mean_logarithms, strongest
from hsiaug_builtin.spatial.component_images import component_image, fit_components, guide_image
from hsiaug_builtin.spatial.filtered import Filtered
from hsiaug_builtin.spatial.profiles import opened, profiles
from hsiaug_builtin.spatial.smoothing import guided_filter, superpixel_means, walk_at_random

SMOOTHED = ("filtered:svm", "superpixel:svm", "random-walk:svm")
CLASSICS = ("emp", *SMOOTHED)
WAYS = {
    "filter": lambda image: guided_filter(image, 2),
    "superpixels": lambda image: superpixel_means(image, (4, 6)),
    "random walks": lambda image: walk_at_random(image, 10),
}


@pytest.fixture(scope="module")
def crops(toy: Scene) -> TrainView:
    """The toy scene under ``issd`` with 5 × 5 patches, seen whole."""
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


def fitted(view: TrainView, name: str, samples=None):
    plugin = load_plugin("classifier", name)
    given = view.real if samples is None else samples
    return plugin.fit(given, view, seed=0, device="cpu", progress=lambda *_: None)


def patches(view: TrainView, pixels: np.ndarray) -> Patches:
    return Patches(view.patches(pixels), pixels)


def halves(side: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """An image (side, side, 1) of two halves, 0 and 1, and all its pixels as known."""
    image = np.zeros((side, side, 1), dtype=np.float32)
    image[:, side // 2 :] = 1
    return image, np.ones((side, side), dtype=bool)


def noisy(image: np.ndarray, seed: int = 0) -> np.ndarray:
    """Shares (H, W, 2) of the classes 'dark' and 'bright' of an image, one pixel in five of them
    wrong.
    """
    wrong = np.random.default_rng(seed).random(image.shape[:2]) < 0.2
    bright = np.where(wrong, 1 - image[:, :, 0], image[:, :, 0]) * 0.8 + 0.1
    return np.stack([1 - bright, bright], axis=2).astype(np.float32)


@pytest.mark.parametrize("way", WAYS)
def test_smoothing_mends_noise_and_keeps_the_edge(way: str) -> None:
    image, known = halves()
    made = WAYS[way](image)(noisy(image), known)
    assert np.allclose(made.sum(axis=2), 1, atol=1e-5)
    assert ((made.argmax(axis=2) == image[:, :, 0]).mean()) > 0.95


@pytest.mark.parametrize("way", WAYS)
def test_a_pixel_without_shares_reaches_no_other(way: str) -> None:
    image, known = halves()
    smooth = WAYS[way](image)
    shares, known[5, 3] = noisy(image), False
    other = shares.copy()
    other[5, 3] = 1000
    assert np.allclose(smooth(shares, known)[known], smooth(other, known)[known], atol=1e-4)


def test_a_filter_gives_the_same_in_stripes(monkeypatch: pytest.MonkeyPatch) -> None:
    image, known = halves(30)
    whole = guided_filter(image, 2)(noisy(image), known)
    monkeypatch.setattr("hsiaug_builtin.spatial.smoothing.STRIPE", 200)
    assert np.allclose(guided_filter(image, 2)(noisy(image), known), whole, atol=1e-5)


def test_the_strongest_smoothing_with_two_thirds_of_the_best_gain_is_taken_and_none_where_none_gains() -> (
    None
):
    assert strongest(np.array([-1.0, -0.2, -0.4, -0.6])) == 2
    assert strongest(np.array([-1.0, -1.1, -1.2])) == 0
    assert strongest(np.array([-1.0, -1.0])) == 0


def test_where_nothing_is_left_out_smoothing_is_the_weakest() -> None:
    told = np.full((3, 4), np.nan)
    assert strongest(mean_logarithms(told, np.arange(4))) == 1


def test_every_class_counts_alike_in_the_choice() -> None:
    told = np.array([[-1.0] * 9 + [-3.0]])
    assert mean_logarithms(told, np.array([1] * 9 + [2])) == pytest.approx([-2.0])


def test_an_opening_takes_off_small_bright_structures_and_leaves_large_ones_as_they_are() -> None:
    layer = np.zeros((1, 1, 20, 20), dtype=np.float32)
    layer[0, 0, 2, 2], layer[0, 0, 8:18, 8:18] = 1, 1
    made = opened(layer, 2)[0, 0]
    assert made[2, 2] == 0 and (made[8:18, 8:18] == 1).all()


def test_a_profile_holds_each_layer_its_openings_and_its_closings() -> None:
    layers = np.random.default_rng(0).normal(size=(2, 1, 15, 15)).astype(np.float32)
    made = profiles(layers).reshape(7, 2, 15, 15)
    assert np.array_equal(made[0], layers[:, 0])
    assert (made[1::2] <= layers[:, 0]).all() and (made[2::2] >= layers[:, 0]).all()


def test_components_are_read_without_the_pixels_that_are_hidden(crops: TrainView) -> None:
    visible = crops.visible.copy()
    visible[:4] = False
    cube = np.where(visible[:, :, None], crops.cube, np.nan)
    hidden = replace(crops, cube=cube, visible=visible)
    image = component_image(hidden, fit_components(hidden, 3))
    assert np.isfinite(image).all() and (image[:4] == 0).all()
    assert image[visible].std(axis=0) == pytest.approx(1, abs=0.05)
    assert np.isfinite(guide_image(hidden, 3)).all()


@pytest.mark.parametrize("name", CLASSICS)
def test_it_learns_the_scene(toy: Scene, crops: TrainView, name: str) -> None:
    true = toy.labels[tuple(crops.unlabelled.T)]
    named = fitted(crops, name).predict(patches(crops, crops.unlabelled))
    assert (named == true)[true > 0].mean() > 0.6


@pytest.mark.parametrize("name", CLASSICS)
def test_synthetic_samples_are_learnt(crops: TrainView, name: str) -> None:
    made = replace(
        crops.real,
        synthetic=np.ones(len(crops.y), dtype=bool),
        coords=np.full_like(crops.coords, -1),
    )
    made = replace(made, x=made.x * 1.2)
    both = fitted(crops, name, concatenate([crops.real, made]))
    shown = patches(crops, crops.unlabelled)
    assert not np.array_equal(fitted(crops, name).predict_proba(shown), both.predict_proba(shown))


def test_the_choice_of_a_filter_does_not_depend_on_synthetic_samples(crops: TrainView) -> None:
    made = replace(
        crops.real,
        synthetic=np.ones(len(crops.y), dtype=bool),
        coords=np.full_like(crops.coords, -1),
    )
    # Of views of their own, for which nothing is known yet.
    without, with_ = (
        fitted(replace(crops), "filtered:svm", samples)
        for samples in (crops.real, concatenate([crops.real, made]))
    )
    assert without.facts == with_.facts


@pytest.mark.parametrize("name", [*SMOOTHED, "filtered:emp"])
def test_a_second_arm_of_a_draw_is_fitted_as_if_it_were_the_first(
    crops: TrainView, name: str
) -> None:
    made = replace(
        crops.real,
        synthetic=np.ones(len(crops.y), dtype=bool),
        coords=np.full_like(crops.coords, -1),
    )
    view, both = replace(crops), concatenate([crops.real, replace(made, x=made.x * 1.2)])
    fitted(view, name)
    second, alone = fitted(view, name, both), fitted(replace(crops), name, both)
    assert np.array_equal(second.shares, alone.shares) and second.facts == alone.facts
    kept = ref(view)
    del view, second
    gc.collect()
    assert kept() is None, "what is kept for a view holds it"


@pytest.mark.parametrize("name", CLASSICS)
def test_a_pixel_that_the_view_hid_is_named_from_its_patch(
    toy: Scene, crops: TrainView, name: str
) -> None:
    hidden = crops.unlabelled[1::2]
    true = toy.labels[tuple(hidden.T)]
    nowhere = Patches(crops.patches(hidden), np.full_like(hidden, -1))
    assert ((fitted(crops, name).predict(nowhere) == true)[true > 0]).mean() > 0.4


@pytest.mark.parametrize("name", ["teacher", "coords", "unet"])
def test_a_partner_that_learns_from_no_sample_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="filtered:NAME must name"):
        Filtered.card.params(name)
