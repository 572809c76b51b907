"""What the generators of this package share: real pairs as ground, and classes that are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    DenseSamples,
    DenseView,
    PairCounts,
    Plugin,
    Progress,
    derive_seed,
    load_state,
    param,
    resampled,
    save_state,
)
from hsiaug_builtin.nets.pairs import showing
from hsiaug_builtin.nets.patches import cycled

__all__ = ["FittedPairs", "MixingParams", "Pair", "PairMaker", "PastingParams"]

Pair = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Image (T, B, H, W) and mask (H, W)."""

AGAIN = 4
"""How often a pair is made again that does not show the class which it was asked for."""


@dataclass(frozen=True)
class MixingParams:
    """How borders are mixed, and what a pair counts."""

    blend: float = param(
        0.0, "width of the mixed border to either side of it", unit="pixels", low=0, high=8, sampling=True
    )
    weight: float = param(0.3, "sample weight of a pair; a real one has 1", low=0, sampling=True)


@dataclass(frozen=True)
class PastingParams(MixingParams):
    """How many objects are set into a pair, and where."""

    most: int = param(30, "objects that are set into a pair, 1 to this many", low=1, sampling=True)
    tries: int = param(16, "random positions of which the best is taken", low=1, high=1000, sampling=True)


@dataclass(frozen=True, eq=False)
class FittedPairs:
    """images: (n, T, B, H, W) float32 real tiles; masks: (n, H, W) int64; params: of the plugin.

    A subclass says in :meth:`make` what is made of one tile. Its further fields are arrays.
    """

    images: NDArray[np.float32]
    masks: NDArray[np.int64]
    params: Any
    name: ClassVar[str]

    def make(self, ground: int, c: int | None, rng: np.random.Generator, told: Counter[str]) -> Pair:
        """A pair made of the tile ``ground``, if it can be one that shows class c; ``told`` counts what was done."""
        raise NotImplementedError

    @property
    def notes(self) -> dict[str, Any]:
        """What had to give way in this train view: part of the provenance."""
        return {}

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs of any classes, and of each class that is asked for; each tile is the ground of equally many ±1.

        Raises PluginError for a class that no tile shows.
        """
        told: Counter[str] = Counter()
        made: list[Pair] = []
        for c, n in counts.parts():
            rng = np.random.default_rng(derive_seed(self.name, -1 if c is None else c, seed))
            showing(self.masks, c)
            grounds = cycled(np.arange(len(self.masks)), n, rng)
            made += [self._shown(int(ground), c, rng, told) for ground in grounds]
        return self._samples(made, told)

    def _shown(self, ground: int, c: int | None, rng: np.random.Generator, told: Counter[str]) -> Pair:
        """A pair that shows class c: made again where it does not, and in the end a real one."""
        for _ in range(AGAIN):
            counted: Counter[str] = Counter()
            image, mask = self.make(ground, c, rng, counted)
            if c is None or (mask == c).any():
                told.update(counted)
                return image, mask
            ground = int(rng.choice(showing(self.masks, c)))
        told["repeated"] += 1
        return self.images[ground], self.masks[ground]

    def _samples(self, made: Sequence[Pair], told: Counter[str]) -> DenseSamples:
        images = np.empty((len(made), *self.images.shape[1:]), dtype=np.float32)
        masks = np.empty((len(made), *self.masks.shape[1:]), dtype=np.int64)
        for i, (image, mask) in enumerate(made):
            images[i], masks[i] = image, mask
        samples = DenseSamples.made(images, masks, provenance={**self.notes, **dict(sorted(told.items()))})
        return replace(samples, weight=np.full(len(samples), self.params.weight, dtype=np.float32))

    def save(self, folder: Path) -> None:
        """All fields."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "params"}
        save_state(folder, arrays, vars(self.params))


class PairMaker(Plugin[Any]):
    """A generator whose fit remembers the real pairs, and what :meth:`learn` finds; a subclass has a card."""

    fitted: ClassVar[type[FittedPairs]]

    def learn(self, view: DenseView, seed: int) -> dict[str, NDArray[Any]]:
        """The fields of ``fitted`` beside the real pairs and the params."""
        return {}

    def fit(self, view: DenseView, *, seed: int, device: str, progress: Progress) -> Any:
        """Remember the real pairs, and what is learnt of them."""
        return self.fitted(view.real.images, view.real.masks, self.params, **self.learn(view, seed))

    def load(self, folder: Path, *, device: str) -> Any:
        """What ``save`` wrote."""
        arrays, facts = load_state(folder)
        return self.fitted(**arrays, params=resampled(self.card.params(**facts), self.params))
