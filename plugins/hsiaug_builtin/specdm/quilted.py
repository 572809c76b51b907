"""A fitted ``quilt``: masks are drawn first, then images of real pixels for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseView
from hsiaug_builtin.light.tiles import light_of, relight_tiles
from hsiaug_builtin.pairs.paste import FittedPaste, PasteParams
from hsiaug_builtin.specdm.fitted_pairs import FittedLatentPairs
from hsiaug_builtin.specdm.params import QuiltParams
from hsiaug_builtin.specdm.quilting import Grounds, Quilt


@dataclass(frozen=True, eq=False)
class FittedQuilt(FittedLatentPairs):
    """A :class:`FittedLatentPairs` whose latents are of masks; an image is quilted for every mask,
    under its own light.

    Attributes
    ----------
    tiles, tile_masks : array of float32 or array of int64
        The training pairs.
    wavelengths : (B,) float64
        In nm; empty where they are unknown. facts["light"]: see :func:`light_of`.
    """

    tiles: NDArray[np.float32]
    tile_masks: NDArray[np.int64]
    wavelengths: NDArray[np.float64]

    @classmethod
    def of(cls, learnt: Mapping[str, Any], view: DenseView) -> Self:
        light = dict(zip(("slope", "colour"), light_of(view), strict=True))
        wavelengths = np.empty(0) if view.wavelengths is None else np.asarray(view.wavelengths)
        learnt = {**learnt, "facts": {**learnt["facts"], "light": light}}
        return cls(
            **learnt, tiles=view.real.images, tile_masks=view.real.masks, wavelengths=wavelengths
        )

    @cached_property
    def _quilt(self) -> Quilt:
        return Quilt(self.tiles, self.tile_masks)

    @property
    def _quilt_params(self) -> QuiltParams:
        assert isinstance(self.params, QuiltParams)
        return self.params

    @cached_property
    def _paste(self) -> FittedPaste:
        params = PasteParams(
            most=self._quilt_params.pasted, light=PasteParams.light * self._quilt_params.light
        )
        return FittedPaste(self.tiles, self.tile_masks, params)

    def _pairs(
        self,
        decoded: Tensor,
        masks: NDArray[np.int64],
        rows: NDArray[np.int64],
        c: int | None,
        rng: np.random.Generator,
    ) -> Grounds:
        """Images are quilted, then lit; of one date, components are set into both (``pasted``)."""
        tiles = (
            (self.tiles[rows], self.tile_masks[rows]) if self._quilt_params.strength < 1 else None
        )
        images = self._quilt.paint(masks, tiles, rng)
        if self._quilt_params.light:
            light = self.facts["light"]["slope"], self.facts["light"]["colour"]
            images = relight_tiles(
                images, masks, light, self._quilt_params.light, self.wavelengths, rng
            )
        if self._quilt_params.pasted and self.format.dates == 1:
            masks = masks.copy()
            for row, image, mask in zip(rows, images, masks, strict=True):
                self._paste.set_into(image, mask, int(row), c, rng)
        return images, masks
