"""Samples that were left normalised are noted; those in the scene's units never are."""

import numpy as np
import pytest

from hsiaug.core.samples import NOWHERE, PatchSamples
from hsiaug.trial.normalised import RealSpread

RNG = np.random.default_rng(0)


def samples(x: np.ndarray) -> PatchSamples:
    x = x[..., None, None].astype(np.float32)
    y = np.ones(len(x), np.int64)
    return PatchSamples(x, np.full((len(x), 2), NOWHERE), y, y > 1, np.ones(len(x), np.float32))


@pytest.mark.parametrize(("low", "spread"), [(0.3, 0.1), (6000.0, 900.0), (0.05, 0.02)])
def test_z_scores_and_scaled_values_are_noted_and_others_not(low: float, spread: float) -> None:
    real = low + spread * RNG.normal(size=(60, 12)).clip(-2, 2) + low * np.linspace(0, 1, 12)
    other = real[::-1] * RNG.normal(1, 0.02, (60, 1))
    z = (other - real.mean(axis=0)) / real.std(axis=0)
    unit = (other - real.min(axis=0)) / np.ptp(real, axis=0)

    def noted(x: np.ndarray) -> str:
        return " ".join(RealSpread.of(samples(real)).notes_on(samples(x), "mine"))

    assert "look like z-scores" in noted(z)
    assert "scaled to 0..1" in noted(unit) or low == 0.3
    assert "scaled to -1..1" in noted(2 * unit - 1)
    assert not noted(other) and not noted(real * 0.7)


def test_of_data_that_are_normalised_already_nothing_is_said() -> None:
    real = RNG.normal(size=(60, 12))
    spread = RealSpread.of(samples(real))
    assert not list(spread.notes_on(samples(real[::-1] * 1.1), "mine"))
