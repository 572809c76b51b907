"""``relight`` for masks: tiles under another light, and pairs of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.api import DenseSamples, DenseView, PairCounts, PluginError
from hsiaug_builtin.light.pairs import of_dates
from hsiaug_builtin.light.params import RelightParams, scaled
from hsiaug_builtin.light.relight import Relight
from hsiaug_builtin.light.tiles import relit_tiles, segment_numbers, shadow_covers

NM = np.linspace(400, 2400, 12)
NO_NM = np.empty(0)
NOTHING = RelightParams(slope=0, colour=0, segment=0, shadow=0)


def tiles(n: int = 8, dates: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, dates, 12, 16, 16), and masks of two classes in four squares, with a row that is ignored."""
    rng = np.random.default_rng(0)
    masks = np.kron([[1, 2], [2, 1]], np.ones((8, 8), dtype=np.int64))
    masks[0] = 0
    return rng.uniform(0.1, 0.9, (n, dates, len(NM), 16, 16)).astype(np.float32), np.tile(masks, (n, 1, 1))


def light(effects: RelightParams, wavelengths: np.ndarray = NM, dates: int = 1, seed: int = 0) -> np.ndarray:
    """What each value was multiplied by, (n, dates, B, H, W)."""
    images, masks = tiles(dates=dates)
    return relit_tiles(images, masks, effects, wavelengths, np.random.default_rng(seed)) / images


def view(dates: int = 1, wavelengths: np.ndarray | None = NM) -> DenseView:
    images, masks = tiles(dates=dates)
    real = replace(DenseSamples.made(images, masks), synthetic=np.zeros(len(images), dtype=bool))
    return DenseView(real, ("low", "high"), wavelengths)


def fitted(data: DenseView, **params: float):
    return Relight(RelightParams(**params)).fit(data, seed=0, device="cpu", progress=lambda *_: None)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([NM, NO_NM]), st.sampled_from([1, 2]), st.integers(0, 1000))
def test_without_effects_or_at_strength_zero_tiles_stay_and_equal_seeds_give_equal_light(wavelengths, dates, seed):
    for effects in (NOTHING, scaled(RelightParams(shadow=1), 0)):
        assert np.allclose(light(effects, wavelengths, dates, seed), 1, atol=1e-5)
    one, other = (light(RelightParams(shadow=1), wavelengths, dates, seed) for _ in range(2))
    assert np.array_equal(one, other) and (one > 0).all()


def test_the_light_of_a_tile_is_one_factor_per_band_and_another_at_each_date():
    factor = light(replace(NOTHING, slope=0.3, colour=0.05), dates=2)
    assert np.allclose(factor, factor[..., :1, :1], rtol=1e-4)
    assert (np.abs(np.log(factor[:, 0] / factor[:, 1])).max(axis=(1, 2, 3)) > 0.01).all()


def test_a_segment_has_a_gain_of_its_own_at_both_dates_and_ignored_pixels_keep_their_light():
    _, masks = tiles(n=2)
    assert len(np.unique(segment_numbers(masks))) == 1 + 2 * 4 and not segment_numbers(masks)[:, 0].any()
    factor = light(replace(NOTHING, segment=0.5), NO_NM, dates=2)
    assert np.allclose(factor[:, 0], factor[:, 1], rtol=1e-4) and np.abs(np.log(factor[..., 3, 3])).mean() > 0.1
    assert np.allclose(factor[..., 4:6, 3], factor[..., 4:5, 3], rtol=1e-2)


def test_shadow_takes_more_of_the_red_than_of_the_blue_and_without_wavelengths_of_all_alike():
    effects = replace(NOTHING, shadow=1, depth=0.9)
    for wavelengths in (NM, NO_NM):
        factor = light(effects, wavelengths)
        dark = factor.mean(axis=2) < 0.8
        assert dark.any() and (factor <= 1 + 1e-5).all() and not dark.all()
        blue, red = (factor[:, :, band][dark] for band in (0, 3))
        assert (blue > red).all() if len(wavelengths) else np.allclose(blue, red, rtol=1e-4)


def test_shadows_have_straight_edges_a_pixel_wide():
    cover = shadow_covers(200, (24, 24), np.random.default_rng(0))
    assert 0.1 < cover.mean() < 0.5 and ((cover > 0) & (cover < 1)).mean() < 0.15
    assert np.isin(cover, (0, 1)).mean() > 0.85


@pytest.mark.parametrize("dates", [1, 2])
def test_pairs_are_real_ones_with_their_masks_and_what_shows_a_class_is_drawn_for_it(dates):
    data = view(dates)
    masks = np.array(data.real.masks)
    masks[2:] = np.where(masks[2:] == 2, 1, masks[2:])
    data = replace(data, real=replace(data.real, masks=masks))
    made = fitted(data, weight=0.5).sample(PairCounts(12, {2: 4}), guidance=None, seed=0)
    assert (
        (made.weight == 0.5).all() and made.masks.shape == (12, 16, 16) and (made.masks[8:] == 2).any((1, 2)).all()
    )
    of = np.array([np.corrcoef(x.ravel(), data.real.images.reshape(8, -1))[0, 1:].argmax() for x in made.images])
    assert sorted(of[:8]) == list(range(8)) and sorted(of[8:]) == [0, 0, 1, 1]
    assert np.array_equal(made.masks, masks[of])
    with pytest.raises(PluginError, match="only classes with training pixels"):
        fitted(data).sample(PairCounts(1, {7: 1}), guidance=None, seed=0)


def test_a_saved_fit_gives_the_same_pairs_and_a_set_without_wavelengths_says_so(tmp_path):
    one = fitted(view(wavelengths=None))
    one.save(tmp_path)
    again = Relight(RelightParams(weight=0.9)).load(tmp_path, device="cpu")
    made, other = (each.sample(PairCounts(5), guidance=None, seed=3) for each in (one, again))
    assert np.array_equal(made.images, other.images) and (other.weight == np.float32(0.9)).all()
    assert made.provenance["no_wavelengths"] and not np.array_equal(made.images, view().real.images[:5])


def test_dates_are_told_apart_by_as_much_light_as_those_of_the_training_pairs():
    images, masks = tiles(n=200)
    rng, masks = np.random.default_rng(1), np.ones_like(masks)
    lit = [relit_tiles(images, masks, replace(NOTHING, slope=0.2), NO_NM, rng)[:, 0] for _ in range(2)]
    found = of_dates(np.stack(lit, axis=1), masks, RelightParams())
    assert 0.17 < found.slope < 0.23 and found.colour < 1e-4
    assert of_dates(np.stack(lit, axis=1), masks + 1, RelightParams()) == RelightParams()
