"""Whether samples are in the scene's units, or look as if they had been left normalised."""

from __future__ import annotations

from collections.abc import Iterator

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


def normalised_note(generator: str, samples: TaskSamples, real: TaskSamples) -> Iterator[str]:
    """A sentence where samples are spread as real ones would be after normalisation, and not as
    real ones are.

    Parameters
    ----------
    generator : str
        Its name.
    samples, real : PatchSamples or DenseSamples
        In the scene's units, as they should be.
    """
    drawn, seen = _spectra(samples), _spectra(real)
    if min(len(drawn), len(seen)) < ENOUGH or drawn.shape[1] != seen.shape[1]:
        return
    as_is = _distance(drawn, seen)
    ways = {
        "z-scores": (seen.mean(axis=0), seen.std(axis=0)),
        "values scaled to 0..1": (seen.min(axis=0), np.ptp(seen, axis=0)),
        "values scaled to -1..1": ((seen.min(axis=0) + seen.max(axis=0)) / 2, np.ptp(seen, 0) / 2),
    }
    distances = {
        words: _distance(drawn, (seen - middle) / np.where(spread > 0, spread, 1))
        for words, (middle, spread) in ways.items()
    }
    words = min(distances, key=distances.__getitem__)
    # Of data that are normalised already nothing is to be said.
    if distances[words] < NEARER * as_is:
        yield (
            f"samples of {generator} look like {words}, of {float(np.median(drawn)):.3g} in the"
            f" middle where real ones are of {float(np.median(seen)):.3g}: bring them back to"
            " the scene's units"
        )


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """How much two sets of spectra (n, B) differ in mean and spread of their bands."""
    means, spreads = (
        np.abs(measure(first, axis=0) - measure(second, axis=0)).mean()
        for measure in (np.mean, np.std)
    )
    return float(means + spreads)


def _spectra(samples: TaskSamples) -> NDArray[np.float64]:
    """(n, B) of the centres of patches, or of pixels of tiles."""
    spectra = samples.pixel_spectra
    step = max(1, len(spectra) // MOST)
    return np.asarray(spectra[::step][:MOST], dtype=np.float64)
