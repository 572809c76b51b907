"""Distances between sets of spectra, against closed forms and other libraries."""

import numpy as np
import pytest

from hsiaug.metrics.spectra import frechet, spectral_angle


def test_the_spectral_angle_ignores_brightness_and_is_exact_for_small_angles() -> None:
    u = np.array([[1.0, 0.0], [1.0, 1.0], [2.0, 4.0], [0.0, 0.0], [0.0, 0.0]])
    v = np.array([[0.0, 3.0], [5.0, 0.0], [1.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    assert spectral_angle(u, v) == pytest.approx([90, 45, 0, 90, 0])

    tiny = 1e-9
    assert spectral_angle(np.array([1.0, 0.0]), np.array([1.0, tiny])) == pytest.approx(
        np.degrees(tiny)
    )


def test_the_frechet_distance_of_gaussians_has_a_closed_form(rng: np.random.Generator) -> None:
    mean, other = np.array([0.0, 1.0]), np.array([3.0, 5.0])
    # Diagonal covariances commute: |μ − μ'|² + Σ (σ − σ')².
    assert frechet(mean, np.diag([4.0, 9.0]), other, np.diag([1.0, 16.0])) == pytest.approx(
        25 + 1 + 1
    )

    half = rng.normal(size=(6, 6))
    covariance = half @ half.T
    assert frechet(half[0], covariance, half[0], covariance) == pytest.approx(0, abs=1e-5)
    # Rotating both changes nothing, though they no longer are diagonal.
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    turned = [turn @ np.diag(values) @ turn.T for values in ([4.0, 9.0], [1.0, 16.0])]
    assert frechet(turn @ mean, turned[0], turn @ other, turned[1]) == pytest.approx(27)
