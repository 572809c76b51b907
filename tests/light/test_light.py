"""``hsiaug_builtin.light``: sky light, the generator ``relight``, and how strong effects a view's
classes bear.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import SpectralView
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug_builtin.light.relight import Relight, RelightParams, relight
from hsiaug_builtin.light.sky import diffuse_share
from hsiaug_builtin.light.strength import TOLERANCE, strongest

NM = np.linspace(400, 2400, 40)
NOTHING = RelightParams(slope=0, colour=0)


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "none")


def patches(n: int = 50) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 0.9, size=(n, len(NM), 3, 3)).astype(np.float32)


def light_of(effects: RelightParams, strength: float = 1.0, seed: int = 0) -> np.ndarray:
    """(n, B) what each patch was multiplied by; every pixel of a patch by the same."""
    x = patches()
    ratio = relight(x, effects, strength, NM, np.random.default_rng(seed)) / x
    assert np.allclose(ratio, ratio[:, :, :1, :1], rtol=1e-4)
    return ratio[:, :, 0, 0]


@given(st.floats(0, 80), st.floats(0, 0.5))
def test_the_sky_gives_a_larger_share_of_blue_light_and_more_of_all_through_more_haze(
    zenith: float, haze: float
):
    share = diffuse_share(NM, zenith, haze)
    assert ((share > 0) & (share < 1)).all() and (np.diff(share) < 0).all()
    assert (diffuse_share(NM, zenith, haze + 0.1) > share).all()


def test_a_clear_sky_gives_about_what_is_measured_under_one():
    """Clear, sun high: some 10 to 30 % of visible and a few per cent of infrared light are
    diffuse.
    """
    blue, red, infrared = diffuse_share(np.array([450.0, 650.0, 1600.0]), 30, 0.05)
    assert 0.15 < blue < 0.3 and 0.07 < red < 0.15 and infrared < 0.04


def test_without_any_effect_patches_stay_as_they_are():
    assert np.allclose(light_of(NOTHING), 1, atol=1e-5)


def test_the_colour_of_light_is_smooth_over_wavelength_and_as_strong_as_asked_for():
    curves = np.log(light_of(replace(NOTHING, colour=0.05)))
    assert 0.03 < curves.std() < 0.07 and np.abs(np.diff(curves, axis=1)).max() < 0.05
    assert np.abs(np.log(light_of(replace(NOTHING, colour=0.05), strength=0.1))).max() < 0.03


def test_a_scene_without_wavelengths_gets_another_brightness_alone_and_it_is_said(
    view, fit_relight
):
    blind = replace(view, wavelengths=None)
    samples = fit_relight(blind).sample(dict.fromkeys(view.counts, 8), guidance=None, seed=0)
    assert samples.provenance["no_wavelengths"]
    unit = SpectralView("unit")
    real = unit(view.real.x, axis=1)
    for patch, c in zip(unit(samples.x, axis=1), samples.y, strict=True):
        assert np.abs(real[view.real.y == c] - patch).max(axis=(1, 2, 3)).min() < 1e-5


def test_slopes_are_no_stronger_than_the_brightness_of_the_scene_varies(view, fit_relight):
    flat = replace(
        view, cube=np.where(view.visible[:, :, None], np.float32(0.5) + view.cube / 1000, view.cube)
    )
    assert (
        fit_relight(flat).params["slope"]
        < 0.01
        < fit_relight(view, slope=0.02).params["slope"]
        == 0.02
    )


def test_strengths_that_mix_the_classes_up_are_not_borne(view):
    rng_free = view.real.x[:, :, 2, 2]

    def harmless(rows, rng):
        return rng_free[rows]

    def ruinous(rows, rng):
        return rng_free[rng.permutation(rows)]

    strength, recall, tells = strongest(view, {0.1: harmless, 0.5: harmless, 1.0: ruinous})
    assert strength == 0.5 and tells and recall["1"] < recall["0"] - TOLERANCE <= recall["0.5"]
    assert strongest(view, {0.5: ruinous, 1.0: ruinous})[0] == 0.5


def test_a_judge_that_tells_no_strength_from_plain_copies_takes_the_least_and_says_so(
    view, fit_relight
):
    """The classes of this scene differ so much that light mixes none of them up inside a clump."""
    cube, (rows, columns) = np.array(view.cube), view.coords.T
    cube[rows, columns] = np.eye(view.bands)[view.y] + 0.01 * cube[rows, columns]
    apart = replace(view, cube=cube)
    fitted = fit_relight(apart)

    assert set(fitted.recall.values()) == {1.0} and fitted.strength == 0.1
    assert (
        "tell no strength"
        in fitted.sample({1: 1}, guidance=None, seed=0).provenance["weakest_strength"]
    )
    assert "weakest_strength" not in fit_relight(apart, strength=0.5).notes


def test_the_strength_is_chosen_without_any_pixel_but_those_of_training(view, fit_relight):
    """Everything that is not a training pixel may be anything."""
    rows, columns = view.coords.T
    other = np.where(view.visible[:, :, None], np.float32(7), view.cube)
    other[rows, columns] = view.cube[rows, columns]
    assert fit_relight(replace(view, cube=other)).strength == fit_relight(view).strength


@pytest.fixture
def fit_relight():
    def fitted(view: TrainView, **params: float):
        plugin = Relight(RelightParams(**params))
        return plugin.fit(view, seed=0, device="cpu", progress=lambda *_: None)

    return fitted


def test_samples_weigh_what_is_asked_for_and_a_saved_fit_gives_the_same(
    view, fit_relight, tmp_path
):
    fitted, counts = fit_relight(view, weight=0.2), {1: 3, 2: 4}
    fitted.save(tmp_path)
    again = Relight(RelightParams(weight=0.5)).load(tmp_path, device="cpu")
    one, other = (each.sample(counts, guidance=None, seed=1) for each in (fitted, again))
    assert np.array_equal(one.x, other.x) and np.array_equal(one.y, [1] * 3 + [2] * 4)
    assert (one.weight == np.float32(0.2)).all() and (other.weight == np.float32(0.5)).all()
