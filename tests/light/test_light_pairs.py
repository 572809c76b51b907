"""Tiles under another light."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug_builtin.light.tiles import of_dates, relight_tiles, shadow_covers

NM = np.linspace(400, 2400, 12)
NO_NM = np.empty(0)


def tiles(n: int = 8, dates: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, dates, 12, 16, 16), and masks of two classes in four squares, with a row that is
    ignored.
    """
    rng = np.random.default_rng(0)
    masks = np.kron([[1, 2], [2, 1]], np.ones((8, 8), dtype=np.int64))
    masks[0] = 0
    return rng.uniform(0.1, 0.9, (n, dates, len(NM), 16, 16)).astype(np.float32), np.tile(
        masks, (n, 1, 1)
    )


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([NM, NO_NM]), st.sampled_from([1, 2]), st.integers(0, 1000))
def test_at_strength_zero_tiles_stay_and_equal_seeds_give_equal_light(wavelengths, dates, seed):
    images, masks = tiles(dates=dates)
    still, one, other = (
        relight_tiles(
            images, masks, (0.3, 0.02), strength, wavelengths, np.random.default_rng(seed)
        )
        for strength in (0, 1, 1)
    )
    assert np.allclose(still, images, atol=1e-5)
    assert (
        np.array_equal(one, other) and (one > 0).all() and not np.allclose(one, images, atol=1e-3)
    )


def test_a_segment_has_a_gain_of_its_own_at_both_dates_and_ignored_pixels_keep_their_light(
    monkeypatch,
):
    monkeypatch.setattr("hsiaug_builtin.light.tiles.SHADOW", 0.0)
    images, masks = tiles(dates=2)
    factor = relight_tiles(images, masks, (0.0, 0.0), 4.0, NO_NM, np.random.default_rng(0)) / images
    assert (
        np.allclose(factor[:, 0], factor[:, 1], rtol=1e-4)
        and np.abs(np.log(factor[..., 3, 3])).mean() > 0.1
    )
    assert np.allclose(factor[..., 4:6, 3], factor[..., 4:5, 3], rtol=1e-2)


@pytest.mark.parametrize("wavelengths", [NM, NO_NM])
def test_shadow_takes_more_of_the_red_than_of_the_blue_and_without_wavelengths_of_all_alike(
    wavelengths, monkeypatch
):
    monkeypatch.setattr("hsiaug_builtin.light.tiles.SHADOW", 1.0)
    monkeypatch.setattr("hsiaug_builtin.light.tiles.SEGMENT", 0.0)
    images, masks = tiles()
    factor = (
        relight_tiles(images, masks, (0.0, 0.0), 1.0, wavelengths, np.random.default_rng(0))
        / images
    )
    dark = factor.mean(axis=2) < 0.8
    assert dark.any() and (factor <= 1 + 1e-5).all() and not dark.all()
    blue, red = (factor[:, :, band][dark] for band in (0, 3))
    assert (blue > red).all() if len(wavelengths) else np.allclose(blue, red, rtol=1e-4)


def test_shadows_have_straight_edges_a_pixel_wide():
    cover = shadow_covers(200, (24, 24), np.random.default_rng(0))
    assert 0.1 < cover.mean() < 0.5 and ((cover > 0) & (cover < 1)).mean() < 0.15
    assert np.isin(cover, (0, 1)).mean() > 0.85


def test_dates_are_told_apart_by_as_much_light_as_those_of_the_training_pairs():
    images, _ = tiles(n=200)
    rng, usual = np.random.default_rng(1), (0.3, 0.02)
    pairs = images * np.exp(0.2 * rng.standard_normal((200, 2, 1, 1, 1))).astype(np.float32)
    unchanged = np.ones((200, 16, 16), dtype=np.int64)
    slope, colour = of_dates(pairs, unchanged, usual)
    assert 0.17 < slope < 0.23 and colour < 1e-4
    assert of_dates(pairs, unchanged + 1, usual) == usual
