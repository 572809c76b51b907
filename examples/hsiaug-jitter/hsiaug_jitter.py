"""Spectral jitter: real patches with a gain and an offset that vary smoothly along the wavelength.

It changes what varies between acquisitions (light, air, calibration) and leaves what tells classes
apart: narrow absorption bands and the texture of the patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    Entry,
    PatchSamples,
    PluginError,
    Progress,
    TrainView,
    hookimpl,
    load_state,
    param,
    save_state,
)

__all__ = ["FittedJitter", "Jitter", "JitterParams", "smooth_curves"]


@dataclass(frozen=True)
class JitterParams:
    """How strong the jitter is, and how smooth."""

    gain: float = param(0.03, "standard deviation of the relative gain", low=0, high=1)
    offset: float = param(
        0.05,
        "standard deviation of the offset",
        unit="mean band standard deviations",
        low=0,
        high=1,
    )
    waves: int = param(
        4, "half waves over the spectrum; 0 is the same factor for all bands", low=0, high=50
    )


@dataclass(frozen=True, eq=False)
class FittedJitter:
    """x: (n, B, p, p) float32 real patches in scene units; y: (n,) int64 class ids; waves: (K, B)
    float32 cosines of :func:`cosines`; gain: relative; offset: in scene units.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    waves: NDArray[np.float32]
    gain: float
    offset: float

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Real patches of each class, drawn with replacement, each with a gain and an offset of its
        own.

        Raises PluginError for a class without a training pixel.
        """
        rng = np.random.default_rng(seed)
        rows = [np.empty(0, dtype=np.int64)]
        for c, count in counts.items():
            own = np.flatnonzero(self.y == c)
            if count and not len(own):
                raise PluginError(
                    "jitter needs a training pixel of each class that it is asked for",
                    value=f"{count} samples of class {c}, which has none",
                    hint=f"Ask for classes among {np.unique(self.y).tolist()}.",
                )
            rows.append(rng.choice(own, size=count))
        chosen = np.concatenate(rows)
        gain, offset = (
            smooth_curves(self.waves, len(chosen), rng)[:, :, None, None] for _ in range(2)
        )
        x = self.x[chosen] * (1 + self.gain * gain) + self.offset * offset
        return PatchSamples.made(x, self.y[chosen])

    def save(self, folder: Path) -> None:
        """Everything that sampling needs."""
        facts = {"gain": self.gain, "offset": self.offset}
        save_state(folder, {"x": self.x, "y": self.y, "waves": self.waves}, facts)


class Jitter:
    """A smooth random gain and offset along the wavelength; without wavelengths, along the number
    of the band.
    """

    card = Card(
        name="jitter",
        version="1",
        summary="Real patches with a gain and an offset that vary smoothly along the wavelength",
        seconds=0.05,
        params=JitterParams,
    )

    def __init__(self, params: JitterParams) -> None:
        self.params = params

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedJitter:
        """Measure the spread of the visible pixels, which sets the scale of the offset."""
        spread = float(view.cube[view.visible].std(axis=0, dtype=np.float64).mean())
        at = np.arange(view.bands) if view.wavelengths is None else view.wavelengths
        waves = cosines(at, self.params.waves)
        return FittedJitter(
            view.real.x, view.real.y, waves, self.params.gain, self.params.offset * spread
        )

    def load(self, folder: Path, *, device: str) -> FittedJitter:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        return FittedJitter(
            arrays["x"], arrays["y"], arrays["waves"], facts["gain"], facts["offset"]
        )


def cosines(at: NDArray[Any], waves: int) -> NDArray[np.float32]:
    """(waves + 1, B) float32: cosines of 0, 1, ... half waves over the positions ``at`` (B,), whose
    squares add to 1 on average over the bands.
    """
    span = np.ptp(at)
    t = (at - at.min()) / span if span else np.zeros(len(at))
    basis = np.cos(np.pi * np.arange(waves + 1)[:, None] * t)
    return np.asarray(basis / np.sqrt((basis**2).sum(axis=0).mean()), dtype=np.float32)


def smooth_curves(
    waves: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(count, B) float32 random curves of mean 0 and, on average over the bands, variance 1."""
    weights = rng.standard_normal((count, len(waves)), dtype=np.float32)
    # Not a matrix product, whose rounding depends on how many curves are asked for.
    return np.asarray(np.einsum("nk,kb->nb", weights, waves))


@hookimpl
def hsiaug_plugins() -> list[Entry]:
    """What this package registers."""
    return [Entry("generator", "jitter", "hsiaug_jitter:Jitter")]
