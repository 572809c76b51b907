"""Whether a generator gave normalised samples, where the scene's own units are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.tasks.types import TaskSamples

ENOUGH = 8
"""Samples whose mean and spread tell."""
MOST = 4096
"""Spectra that are looked at."""
NEARER = 0.25
"""Samples are called normalised where they are so much nearer to normalised real ones than to real
ones as they are.
"""
Spread = tuple[NDArray[np.float64], NDArray[np.float64]]
"""(B,) means and (B,) standard deviations of bands."""


@dataclass(frozen=True)
class RealSpread:
    """How real samples are spread, as they are and after each usual normalisation: measured once
    for all samples that are held against it.

    Attributes
    ----------
    middle : float
        Their median; NaN of too few.
    as_is : Spread
        In the scene's units.
    normalised : mapping of str to Spread
        By what a normalisation is called; empty of too few spectra.
    """

    middle: float
    as_is: Spread
    normalised: Mapping[str, Spread]

    @classmethod
    def of(cls, real: TaskSamples) -> RealSpread:
        """That of real samples in the scene's units."""
        seen = _spectra(real)
        if len(seen) < ENOUGH:
            nothing = np.zeros(seen.shape[1])
            return cls(float("nan"), (nothing, nothing), {})
        mean, std = seen.mean(axis=0), seen.std(axis=0)
        lowest, highest = seen.min(axis=0), seen.max(axis=0)
        scale = np.ptp(seen, axis=0)
        ways = {
            "z-scores": (mean, std),
            "values scaled to 0..1": (lowest, scale),
            "values scaled to -1..1": ((lowest + highest) / 2, scale / 2),
        }
        normalised = {
            words: _spread((seen - middle) / np.where(spread > 0, spread, 1))
            for words, (middle, spread) in ways.items()
        }
        return cls(float(np.median(seen)), (mean, std), normalised)

    def notes_on(self, samples: TaskSamples, generator: str) -> Iterator[str]:
        """A sentence where samples are spread as real ones would be after normalisation, and not as
        real ones are.

        Parameters
        ----------
        samples : PatchSamples or DenseSamples
            In the scene's units, as they should be.
        generator : str
            Its name.
        """
        drawn = _spectra(samples)
        alike = drawn.shape[1] == len(self.as_is[0])
        if not self.normalised or len(drawn) < ENOUGH or not alike:
            return
        of_drawn = _spread(drawn)
        distances = {
            words: _distance(of_drawn, spread) for words, spread in self.normalised.items()
        }
        words = min(distances, key=distances.__getitem__)
        # Of data that are normalised already nothing is to be said.
        if distances[words] < NEARER * _distance(of_drawn, self.as_is):
            yield (
                f"samples of {generator} look like {words}, of {float(np.median(drawn)):.3g} in the"
                f" middle where real ones are of {self.middle:.3g}: bring them back to"
                " the scene's units"
            )


def _spread(spectra: NDArray[np.float64]) -> Spread:
    return spectra.mean(axis=0), spectra.std(axis=0)


def _distance(first: Spread, second: Spread) -> float:
    """How much two sets of spectra differ in mean and spread of their bands."""
    means, spreads = (np.abs(a - b).mean() for a, b in zip(first, second, strict=True))
    return float(means + spreads)


def _spectra(samples: TaskSamples) -> NDArray[np.float64]:
    """(n, B) of the centres of patches, or of pixels of tiles."""
    spectra = samples.pixel_spectra
    step = max(1, len(spectra) // MOST)
    return np.asarray(spectra[::step][:MOST], dtype=np.float64)
