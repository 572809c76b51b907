"""What ``specdm`` has learnt that draws the mask first: layouts, masks like them, and images of real pixels for those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseSamples, DenseView
from hsiaug_light.pairs import suited
from hsiaug_light.params import PAIR_EFFECTS, RelightParams, scaled
from hsiaug_light.tiles import relit_tiles
from hsiaug_pairs.paste import FittedPaste, PasteParams
from hsiaug_specdm.fitted import FittedPairs, Start
from hsiaug_specdm.params import SpecDmParams
from hsiaug_specdm.quilting import Grounds, Quilt

__all__ = ["FittedMaskFirst"]


@dataclass(frozen=True, eq=False)
class FittedMaskFirst(FittedPairs):
    """:class:`FittedPairs` whose latents are of masks alone; an image is quilted for every mask, under its own light.

    wavelengths: (B,) float64 nm; empty where they are unknown. facts["light"]: the effects of light at strength 1.
    """

    quilt: Quilt
    wavelengths: NDArray[np.float64]

    @classmethod
    def of(cls, learnt: Mapping[str, Any], view: DenseView) -> Self:
        light = {name: getattr(suited(view, RelightParams()), name) for name in PAIR_EFFECTS}
        wavelengths = np.empty(0) if view.wavelengths is None else np.asarray(view.wavelengths)
        quilt = Quilt(view.real.images, view.real.masks)
        return cls(
            **{**learnt, "facts": {**learnt["facts"], "light": light}}, quilt=quilt, wavelengths=wavelengths
        )

    @property
    def _own(self) -> SpecDmParams:
        assert isinstance(self.params, SpecDmParams)
        return self.params

    def _start(self, rows: NDArray[np.int64], c: int | None, rng: np.random.Generator) -> Start:
        """Of one date: training tiles with components of rare classes pasted into them (``pasted``)."""
        start = super()._start(rows, c, rng)
        if self.params.strength == 1:
            return start
        images, masks = self.quilt.images[rows], self.quilt.masks[rows]
        if self._own.pasted and self.format.dates == 1:
            images, masks = self._composed(rows, c, rng)
            start = Start(self._latents(images, masks), self.format.shares(masks).astype(np.float32))
        return replace(start, pairs=(images, masks))

    @cached_property
    def _paste(self) -> FittedPaste:
        params = PasteParams(most=self._own.pasted, light=PasteParams.light * self._own.light)
        return FittedPaste(self.quilt.images, self.quilt.masks, params)

    def _composed(self, rows: NDArray[np.int64], c: int | None, rng: np.random.Generator) -> Grounds:
        """Training tiles with what ``paste`` sets into them: layouts that no training tile has."""
        made = [self._paste.make(int(row), c, rng, Counter()) for row in rows]
        return np.stack([image for image, _ in made]), np.stack([mask for _, mask in made])

    @torch.inference_mode()
    def _latents(self, images: NDArray[np.float32], masks: NDArray[np.int64]) -> NDArray[np.float32]:
        """Normalised latents (n, d, h, w) of pairs."""
        return self.encoded(DenseSamples.made(images, masks), slice(None)).cpu().numpy()

    def _images(
        self, decoded: Tensor, masks: NDArray[np.int64], start: Start, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        images = self.quilt.paint(masks, start.pairs, rng)
        effects = scaled(RelightParams(**self.facts["light"]), self._own.light)
        return relit_tiles(images, masks, effects, self.wavelengths, rng) if self._own.light else images

    def beside(self) -> dict[str, NDArray[Any]]:
        return {"tiles": self.quilt.images, "tile_masks": self.quilt.masks, "wavelengths": self.wavelengths}

    @classmethod
    def further(cls, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        return {"quilt": Quilt(arrays["tiles"], arrays["tile_masks"]), "wavelengths": arrays["wavelengths"]}
