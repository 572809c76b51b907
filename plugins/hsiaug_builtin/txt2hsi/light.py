"""The light under which samples are shown: the physics of the generator ``relight`` behind the VAE's decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.light.relight import RelightParams, borne_strength, of_scene, relit, wavelengths_of

__all__ = ["Light"]


@dataclass(frozen=True, eq=False)
class Light:
    """wavelengths: (B,) float64 nm, empty where the scene has none. slope: of ``relight`` on this scene. strength: of all
    its effects together. tells: whether held-out training pixels told the strengths apart; the least where not."""

    wavelengths: NDArray[np.float64]
    slope: float
    strength: float
    tells: bool

    @classmethod
    def fitted(cls, view: TrainView) -> Light:
        """As strong as the classes of a view bear."""
        effects = of_scene(view, RelightParams())
        strength, _, tells = borne_strength(view, effects)
        return cls(wavelengths_of(view), effects.slope, strength, tells)

    def shown(self, x: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Patches x (n, B, p, p) in scene units, each under another light."""
        return relit(x, x, RelightParams(slope=self.slope), self.strength, self.wavelengths, rng) if len(x) else x
