"""``relight`` for masks: real training pairs, drawn again under another light."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, DenseView, PairCounts, derive_seed, save_state
from hsiaug_builtin.light.params import PAIR_EFFECTS, RelightParams, bounded, scaled
from hsiaug_builtin.light.tiles import relit_tiles
from hsiaug_builtin.nets.pairs import drawn

__all__ = ["FittedRelightPairs", "fit_pairs", "of_dates", "suited"]

STRENGTH = 1.0
"""Of all effects where none is given."""
UNCHANGED = 1
"""Class id of change masks."""


@dataclass(frozen=True, eq=False)
class FittedRelightPairs:
    """images: (n, T, B, H, W) float32 real tiles; masks: (n, H, W) int64.

    wavelengths: (B,) float64 nm; empty where they are unknown. params: of :class:`RelightParams`, as this set has them.
    """

    images: NDArray[np.float32]
    masks: NDArray[np.int64]
    wavelengths: NDArray[np.float64]
    params: dict[str, float]
    strength: float

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Real pairs, each used equally often ±1, and for a class those that show it, each time under another light.

        Raises PluginError for a class that no pair shows.
        """
        rng = np.random.default_rng(derive_seed("relight", seed))
        index = drawn(self.masks, counts, rng)
        effects, masks = scaled(RelightParams(**self.params), self.strength), self.masks[index]
        lit = relit_tiles(self.images[index], masks, effects, self.wavelengths, rng)
        facts = {name: round(getattr(effects, name), 4) for name in PAIR_EFFECTS}
        lack = {} if len(self.wavelengths) else {"no_wavelengths": "the light changes in brightness alone"}
        made = DenseSamples.made(lit, masks, provenance={"strength": self.strength, **facts, **lack})
        return replace(made, weight=np.full(len(made), self.params["weight"], dtype=np.float32))

    def save(self, folder: Path) -> None:
        """The real pairs, and the effects."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        save_state(folder, arrays, {"params": self.params, "strength": self.strength})


def fit_pairs(view: DenseView, params: RelightParams) -> FittedRelightPairs:
    """The training pairs, and effects that suit them."""
    wavelengths = np.empty(0) if view.wavelengths is None else view.wavelengths
    effects = asdict(suited(view, params))
    return FittedRelightPairs(view.real.images, view.real.masks, wavelengths, effects, params.strength or STRENGTH)


def suited(view: DenseView, params: RelightParams) -> RelightParams:
    """The effects as the training pairs bear them: a ``slope`` of at most twice the spread of log brightness; for two
    dates also what they differ by, see :func:`of_dates`."""
    images = view.real.images
    spectra = np.moveaxis(images, 2, -1).reshape(-1, view.bands)
    return bounded(of_dates(images, view.real.masks, params) if view.dates == 2 else params, spectra)


def of_dates(images: NDArray[np.float32], masks: NDArray[np.int64], effects: RelightParams) -> RelightParams:
    """The effects, with the ``slope`` and the ``colour`` by which the two dates of pairs (n, 2, B, H, W) differ.

    Of the unchanged pixels of each tile and each band the mean log ratio of the dates is taken. Over the tiles, its mean
    over the bands has a spread, and what is left of a band has one; each date has 1/√2 of it. Of the bands' spreads the
    median counts, as bands with next to no light differ by noise. Without two tiles with unchanged pixels the effects
    stay as they are.
    """
    shown = (masks == UNCHANGED).any(axis=(1, 2))
    if shown.sum() < 2:
        return effects
    logs = np.log(np.maximum(images[shown], 1e-3 * np.median(images, axis=(0, 1, 3, 4))[:, None, None].clip(1e-9)))
    here = (masks[shown] == UNCHANGED)[:, None]
    ratio = ((logs[:, 1] - logs[:, 0]) * here).sum(axis=(2, 3)) / here.sum(axis=(2, 3))  # (tiles, B)
    gain = ratio.mean(axis=1, keepdims=True)
    colour = float(np.median((ratio - gain).std(axis=0)))
    return replace(effects, slope=float(gain.std()) / 2**0.5, colour=colour / 2**0.5)
