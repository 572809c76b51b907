"""Fitted generators of pairs by latent diffusion: sampling and saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseView
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.nets import state
from hsiaug_builtin.specdm.codec import Codec
from hsiaug_builtin.specdm.drawing import Batch, JointPairs, PairDrawing, read_saved
from hsiaug_builtin.specdm.params import LatentParams, PaperParams
from hsiaug_builtin.specdm.quilting import Grounds
from hsiaug_builtin.specdm.sampler import sample_latents
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.unet import UNet


@dataclass(frozen=True, eq=False)
class FittedLatentPairs(PairDrawing):
    """What the denoiser knows are the shares of classes of training tiles. With ``strength`` < 1
    each pair starts from the very tile that its shares are of, noised so far, and keeps the more of
    it the less that is (an extension).

    Attributes
    ----------
    latents : (n, d, h, w) float32
        Normalised, of the training pairs, which sampling may start from.
    """

    params: LatentParams
    format: TileFormat
    codec: Codec
    denoiser: UNet
    norm: LatentNorm
    shares: NDArray[np.float32]
    latents: NDArray[np.float32]
    facts: Mapping[str, Any]
    device: str

    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        decoded, shares = self.codec.decode(self._sample_latents(rows, omega, torch_rng))
        drawn, confidence = self.format.masks_back(shares)
        image, mask = self._pairs(decoded, drawn, rows, c, rng)
        return image, mask, np.where(mask == drawn, confidence, np.float32(1))

    def _pairs(
        self,
        decoded: Tensor,
        masks: NDArray[np.int64],
        rows: NDArray[np.int64],
        c: int | None,
        rng: np.random.Generator,
    ) -> Grounds:
        """Images (n, T, B, H, H) in the data's units, and masks (n, H, H), of what was drawn.

        Parameters
        ----------
        decoded : Tensor
            What the codec gives as images.
        masks : array of int64
            As drawn.
        rows : (n,) int64
            Training tiles that they were begun with, to show class c, where one is named.
        """
        return self.format.images_back(decoded), masks

    @torch.inference_mode()
    def _sample_latents(
        self, rows: NDArray[np.int64], omega: float, rng: torch.Generator
    ) -> Tensor:
        """Fresh latents (n, d, h, w), as the codec reads them, like those of training tiles
        (n,).
        """
        n = len(rows)
        params = self.params
        shares = np.concatenate([self.shares[rows], np.ones((n, 1), np.float32)], axis=1)
        conditions = torch.from_numpy(shares).to(self.device)
        side = self.format.padded // params.factor_of(self.format.side)
        noise = torch.randn((n, len(self.norm.mean), side, side), generator=rng).to(self.device)
        begin = torch.from_numpy(self.latents[rows]).to(self.device)
        return self.norm.back(
            sample_latents(self.denoiser, noise, conditions, begin, params, omega)
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        weights = state.weights(codec=self.codec, denoiser=self.denoiser)
        return {**super().arrays(), **self.norm.arrays(), **weights}

    @classmethod
    def of(cls, learnt: Mapping[str, Any], view: DenseView) -> Self:
        """Make a fit from the result of :func:`hsiaug_builtin.specdm.fit.learn` and the training
        tiles.
        """
        return cls(**learnt)

    @classmethod
    def restore(cls, folder: Path, current: LatentParams, codec: type[Codec], device: str) -> Self:
        """Read a saved fit, with a codec of a kind and, for what only sampling reads, ``current``
        params.
        """
        arrays, saved = read_saved(folder, current)
        params, form = saved["params"], saved["format"]
        side = form.padded // params.factor_of(form.side)
        built = state.restore("codec", arrays, lambda: codec(form, params), device)
        norm = LatentNorm.restore(arrays, device)
        denoiser = state.restore(
            "denoiser",
            arrays,
            lambda: UNet(params.network, len(norm.mean), side, len(form.ids)),
            device,
        )
        own_arrays = {f.name: arrays[f.name] for f in fields(cls) if f.name in arrays}
        return cls(**saved, codec=built, denoiser=denoiser, norm=norm, device=device, **own_arrays)


class FittedJointPairs(JointPairs, FittedLatentPairs):
    """A :class:`FittedLatentPairs` whose latents are of images and masks."""

    params: PaperParams
    codec: Codec
