"""The hyper-parameters of ``relight``: how strong each effect of light is at strength 1."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import param

__all__ = ["PAIR_EFFECTS", "RelightParams", "bounded", "scaled"]

PAIR_EFFECTS = ("slope", "colour", "segment", "shadow", "depth")
"""What the light on pairs is made of, and what a record says of it."""


@dataclass(frozen=True)
class RelightParams:
    """How strong each effect is at strength 1. Chosen on draws 100 to 107 of Indian Pines and of crops of Houston, Pavia
    and Jasper Ridge under ``issd``, where ``shade``, ``mix`` and ``adjacency`` gained nothing or harmed.

    Fields whose text begins with "pairs:" serve masks only, and ``shade``, ``mix`` and ``adjacency`` single pixels only.
    """

    slope: float = param(
        0.3,
        "standard deviation of the logarithm of the sun's light on a slope, at most twice the scene's; change: measured",
        low=0,
    )
    colour: float = param(
        0.02, "standard deviation of the logarithm of the light's colour at a wavelength; change: measured", low=0
    )
    smooth: float = param(300.0, "wavelength over which that colour changes", unit="nm", low=1)
    shade: float = param(0.0, "share of patches in partial shadow", low=0, high=1)
    mix: float = param(0.0, "most of another training pixel in a spectrum", low=0, high=0.5)
    adjacency: float = param(
        0.0, "most light of other surroundings that the air scatters into a pixel", low=0, high=0.5
    )
    segment: float = param(
        0.1, "pairs: standard deviation of the logarithm of the sun's light on a segment of the mask", low=0
    )
    shadow: float = param(0.3, "pairs: share of tiles, at each date, on which a shadow is cast", low=0, high=1)
    depth: float = param(0.8, "pairs: most of the sun's light that such a shadow takes", low=0, high=1)
    zenith: float = param(40.0, "zenith angle of the sun", unit="degrees", low=0, high=85)
    turbidity: float = param(0.1, "optical depth of the aerosol at 1 µm", low=0, high=1)
    strength: float = param(
        0.0, "of all effects together; 0 = chosen inside the training pixels (pairs: 1)", low=0, high=4
    )
    weight: float = param(0.3, "sample weight of a patch or a pair; a real sample has 1", low=0, sampling=True)


def bounded(effects: RelightParams, spectra: NDArray[np.float32]) -> RelightParams:
    """The effects, with a ``slope`` of at most twice the spread of log brightness over spectra (n, B)."""
    norm = np.linalg.norm(spectra, axis=1)
    spread = float(np.log(np.maximum(norm, 1e-3 * np.median(norm))).std())
    return replace(effects, slope=min(effects.slope, 2 * spread))


def scaled(effects: RelightParams, strength: float) -> RelightParams:
    """The effects on pairs, all ``strength`` times as strong; a shadow takes all of the sun's light at most."""
    return replace(
        effects,
        slope=strength * effects.slope,
        colour=strength * effects.colour,
        segment=strength * effects.segment,
        depth=min(1.0, strength * effects.depth),
    )
