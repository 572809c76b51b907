"""What the training pixels of a train view show of each class: brightness, indices, texture, shape, neighbours.

Nothing else is read: no test pixel, no unlabelled pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_text.class_layout import Place, places

__all__ = ["ClassFacts", "class_facts", "indices", "rounded"]

WINDOWS = {
    "blue": (450, 510),
    "green": (530, 590),
    "red": (630, 690),
    "near": (780, 900),
    "short": (1550, 1750),
    "far": (2080, 2350),
}
"""Wavelengths in nm over which the mean spectrum is averaged for the indices."""

INDICES = {
    "ndvi": ("near", "red"),  # Rouse et al. 1974: green plants
    "ndwi_plants": ("near", "short"),  # Gao 1996: water in leaves
    "ndwi_open": ("green", "near"),  # McFeeters 1996: open water
    "swir_vnir": ("short", "red"),  # dry matter and soil are high
    "swir_slope": ("far", "short"),
    "redness": ("red", "green"),
    "blueness": ("blue", "green"),
}
"""(a - b) / (a + b) of the windows a and b."""

INNER = 5
"""Side of the middle of a patch that texture is measured on, so that neighbouring fields count less."""


@dataclass(frozen=True)
class ClassFacts:
    """name: the class in words. pixels: training pixels; with 0, nothing else is known and all is 0 or empty.

    brightness: mean over pixels and bands, in scene units. texture: mean standard deviation within the middle of
    training patches, relative to brightness; 0 for patches of one pixel. peak: where the mean spectrum is
    highest, 0 = first band, 1 = last. tilt: (late - early) / (late + early) half of the bands. indices: by name
    as in INDICES, as far as the wavelengths permit. place: where the pixels lie.
    """

    class_id: int
    name: str
    pixels: int
    brightness: float
    texture: float
    peak: float
    tilt: float
    indices: Mapping[str, float]
    place: Place


def class_facts(view: TrainView, words: Sequence[str]) -> tuple[ClassFacts, ...]:
    """The facts of class ids 1..C, in that order. words: C class names in words."""
    found = places(view.coords, view.y, words, (view.cube.shape[0], view.cube.shape[1]), view.patch)
    spectra = view.cube[view.coords[:, 0], view.coords[:, 1]].astype(np.float64)  # (n, B)
    rough = _roughness(view.real.x)
    facts = []
    for c, word in enumerate(words, start=1):
        mine = view.y == c
        if not mine.any():
            facts.append(ClassFacts(c, word, 0, 0.0, 0.0, 0.0, 0.0, {}, found[c]))
            continue
        mean = spectra[mine].mean(axis=0)
        level = float(mean.mean())
        half = len(mean) // 2
        facts.append(
            ClassFacts(
                class_id=c,
                name=word,
                pixels=int(mine.sum()),
                brightness=level,
                texture=float(rough[mine].mean()) / abs(level) if level else 0.0,
                peak=float(np.argmax(mean)) / max(len(mean) - 1, 1),
                tilt=_contrast(mean[half:].mean(), mean[:half].mean()) if half else 0.0,
                indices=indices(mean, view.wavelengths),
                place=found[c],
            )
        )
    return tuple(facts)


def indices(spectrum: NDArray[np.float64], wavelengths: NDArray[np.float64] | None) -> dict[str, float]:
    """Those of INDICES whose two windows hold a band. spectrum: (B,); wavelengths: (B,) nm or None."""
    if wavelengths is None:
        return {}
    level = {}
    for name, (low, high) in WINDOWS.items():
        inside = (wavelengths >= low) & (wavelengths <= high)
        if inside.any():
            level[name] = spectrum[inside].mean()
    return {name: _contrast(level[a], level[b]) for name, (a, b) in INDICES.items() if a in level and b in level}


def rounded(facts: ClassFacts) -> dict[str, Any]:
    """Facts as JSON-able values of three significant digits."""

    def short(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.3g}")
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        return list(value) if isinstance(value, tuple) else value

    return {key: short(value) for key, value in asdict(facts).items()}


def _roughness(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) standard deviation over the middle pixels of patches x (n, B, p, p), averaged over bands."""
    p = x.shape[2]
    margin = max(p - INNER, 0) // 2
    middle = x[:, :, margin : p - margin, margin : p - margin].astype(np.float64)
    return np.asarray(middle.std(axis=(2, 3)).mean(axis=1))


def _contrast(a: float, b: float) -> float:
    """(a - b) / (a + b), and 0 where the sum is nearly 0."""
    total = float(a + b)
    return float(a - b) / total if abs(total) > 1e-9 else 0.0
