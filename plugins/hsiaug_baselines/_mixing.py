"""What ``mixup`` and ``cutmix`` share: real patches, and how evenly two of them are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Progress, TrainView, load_state, save_state

__all__ = ["FittedMixing", "Mixing"]


@dataclass(frozen=True, eq=False)
class FittedMixing:
    """x: (n, B, p, p) float32 real patches in scene units; y: (n,) int64 their class ids. alpha: of Beta(α, α)."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    alpha: float

    def save(self, folder: Path) -> None:
        """The real patches and α."""
        save_state(folder, {"x": self.x, "y": self.y}, {"alpha": self.alpha})


class Mixing:
    """A generator whose fit remembers the real samples. params: a dataclass with a field ``alpha``."""

    card: ClassVar[Card]
    fitted: ClassVar[type[Any]]

    def __init__(self, params: Any) -> None:
        self.params = params

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> Any:
        """Remember the real samples."""
        return self.fitted(view.real.x, view.real.y, self.params.alpha)

    def load(self, folder: Path, *, device: str) -> Any:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        return self.fitted(arrays["x"], arrays["y"], facts["alpha"])
