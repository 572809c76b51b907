"""Spectral jitter: the contract, and that it is smooth along the wavelength and as strong as it
says.
"""

import numpy as np
import pytest
from hsiaug_jitter import FittedJitter, cosines, smooth_curves

from hsiaug.testing import check_generator


def test_it_keeps_the_contract():
    check_generator("jitter")


def fitted(gain=0.0, offset=0.0, bands=40):
    x = np.full((2, bands, 3, 3), 100, np.float32) + np.arange(9, dtype=np.float32).reshape(3, 3)
    return FittedJitter(
        x, np.array([1, 2]), cosines(np.linspace(400, 2400, bands), 4), gain, offset
    )


def test_curves_are_smooth_and_of_variance_one():
    curves = smooth_curves(cosines(np.linspace(400, 2400, 200), 4), 4000, np.random.default_rng(0))

    assert (curves**2).mean() == pytest.approx(1, rel=0.05)
    assert abs(np.diff(curves, axis=1)).max() < 0.02 * np.ptp(curves)


def test_curves_run_along_the_wavelength_and_not_along_the_bands():
    # Two bands at nearly the same wavelength, then a gap.
    pair = smooth_curves(
        cosines(np.array([400.0, 401.0, 2400.0]), 4), 500, np.random.default_rng(0)
    )

    assert abs(pair[:, 0] - pair[:, 1]).max() < 0.01 < abs(pair[:, 0] - pair[:, 2]).mean()


def test_gain_scales_with_the_value_and_offset_does_not():
    counts, one = {1: 3000}, fitted(gain=0.05).sample({1: 3000}, guidance=None, seed=0)
    ratio = one.x / fitted().x[0]
    assert ratio.std() == pytest.approx(0.05, rel=0.1)
    # One gain for the whole patch.
    assert np.ptp(ratio, axis=(2, 3)).max() < 1e-5

    moved = fitted(offset=2.0).sample(counts, guidance=None, seed=0).x - fitted().x[0]
    assert moved.std() == pytest.approx(2, rel=0.1)
    assert np.ptp(moved, axis=(2, 3)).max() < 1e-3


def test_without_gain_and_offset_samples_are_the_real_patches():
    made = fitted().sample({2: 4}, guidance=None, seed=3)

    assert (made.x == fitted().x[1]).all() and made.y.tolist() == [2] * 4
