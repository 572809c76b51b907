"""Fitted generators of pairs by latent diffusion: sampling and saving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import DenseSamples, DenseView, PairCounts, PluginError, load_state, resampled, save_state
from hsiaug_builtin.diffusion.latents import LatentNorm
from hsiaug_builtin.nets import state
from hsiaug_builtin.specdm.codec import Codec
from hsiaug_builtin.specdm.params import LatentParams
from hsiaug_builtin.specdm.quilting import Grounds
from hsiaug_builtin.specdm.sampler import sample_latents
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.unet import UNet

BATCH = 64
AGAIN = 8
"""Most times that pairs are drawn again which do not show the class that they were asked for."""


@dataclass(frozen=True, eq=False)
class FittedPairs:
    """shares: (n, K) float32, each id's share of each training tile; what the denoiser is told comes from them.

    latents: (n, d, h, w) float32, normalised, of the training pairs, which sampling may start from.
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

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs of any kind, and of ``counts.by_class[c]`` those that shall show class c.

        The denoiser is told the shares of classes of training tiles: of any, or, for a class, of tiles drawn in
        proportion to their share of it, with guidance ω. Pairs that do not show it all the same are drawn again, up to
        ``AGAIN`` times, each time with ω larger by a half. With ``strength`` < 1 each starts from the very tile that its
        shares are of, noised so far, and keeps the more of it the less that is (an extension).
        Raises PluginError for a class without training pixels.
        """
        omega = guidance or 0.0
        rng, draw = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        form = self.format
        for c in counts.by_class:
            if c not in form.ids:
                raise PluginError(
                    "only classes with training pixels can be made",
                    value=f"class {c}; known are {', '.join(str(i) for i in form.ids if i)}",
                    hint="Give the class training pixels, or do not ask for it.",
                )
        provenance = {**self.facts, "omega": omega}
        empty = np.empty((0, form.dates, form.bands, form.side, form.side), dtype=np.float32)
        parts = [DenseSamples.made(empty, empty[:, 0, 0], confidence=empty[:, 0, 0])]
        parts += [self._made(c, n, omega, rng, draw) for c, n in counts.parts()]
        made = DenseSamples.made(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.masks for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts if part.confidence is not None]),
            provenance=provenance,
        )
        return replace(made, weight=np.full(len(made), self.params.weight, dtype=np.float32))

    def _made(
        self, c: int | None, n: int, omega: float, rng: np.random.Generator, draw: torch.Generator
    ) -> DenseSamples:
        """n pairs that shall show class c, or any where it is None."""
        images, masks, sure = [], [], []
        for rows in np.array_split(self._rows(c, n, rng), range(BATCH, n, BATCH)):
            image, mask, confidence = self._batch(rows, c, omega, rng, draw)
            for more in range(1, AGAIN + 1):
                lacks = np.flatnonzero(~(mask == c).any(axis=(1, 2))) if c is not None else ()
                if not len(lacks):
                    break
                again = self._batch(self._rows(c, len(lacks), rng), c, omega + more / 2, rng, draw)
                image[lacks], mask[lacks], confidence[lacks] = again
            images.append(image)
            masks.append(mask)
            sure.append(confidence)
        return DenseSamples.made(np.concatenate(images), np.concatenate(masks), confidence=np.concatenate(sure))

    def _batch(
        self, rows: NDArray[np.int64], c: int | None, omega: float, rng: np.random.Generator, draw: torch.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Images, masks and confidence of pairs like training tiles (n,)."""
        decoded, shares = self.codec.decode(self._draw(rows, omega, draw))
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

        decoded: what the codec gives as images; masks: as drawn. rows: (n,) training tiles that they were begun with, to
        show class c, where one is named.
        """
        return self.format.images_back(decoded), masks

    def _rows(self, c: int | None, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) training tiles that pairs shall be like which show class c, or any where c is None."""
        weight = self.shares[:, self.format.ids.index(c)].astype(float) if c is not None else np.ones(len(self.shares))
        return rng.choice(len(self.shares), size=n, p=weight / weight.sum())

    @torch.inference_mode()
    def _draw(self, rows: NDArray[np.int64], omega: float, draw: torch.Generator) -> Tensor:
        """Fresh latents (n, d, h, w), as the codec reads them, like those of training tiles (n,)."""
        n, params = len(rows), self.params
        shown = np.concatenate([self.shares[rows], np.ones((n, 1), np.float32)], axis=1)
        told = torch.from_numpy(shown).to(self.device)
        side = self.format.padded // params.factor_of(self.format.side)
        noise = torch.randn((n, len(self.norm.mean), side, side), generator=draw).to(self.device)
        begin = torch.from_numpy(self.latents[rows]).to(self.device)
        return self.norm.back(sample_latents(self.denoiser, noise, told, begin, params, omega))

    def save(self, folder: Path) -> None:
        """All state as safetensors and JSON."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        arrays |= {**self.norm.arrays(), **state.weights(codec=self.codec, denoiser=self.denoiser)}
        facts = {"params": asdict(self.params), "format": asdict(self.format), "facts": dict(self.facts)}
        save_state(folder, arrays, facts)

    @classmethod
    def of(cls, learnt: Mapping[str, Any], view: DenseView) -> Self:
        """Make a fit from the result of :func:`hsiaug_builtin.specdm.fit.learn` and the training tiles."""
        return cls(**learnt)

    @classmethod
    def restore(cls, folder: Path, own: LatentParams, codec: type[Codec], device: str) -> Self:
        """Read a saved fit, with a codec of a kind and, for what only sampling reads, ``own`` params."""
        arrays, facts = load_state(folder)
        params = resampled(type(own)(**facts["params"]), own)
        form = TileFormat.of_json(facts["format"])
        side = form.padded // params.factor_of(form.side)
        built = state.restore("codec", arrays, lambda: codec(form, params), device)
        norm = LatentNorm.restore(arrays, device)
        denoiser = state.restore(
            "denoiser", arrays, lambda: UNet(params.network, len(norm.mean), side, len(form.ids)), device
        )
        own_arrays = {f.name: arrays[f.name] for f in fields(cls) if f.name in arrays}
        return cls(
            params=params,
            format=form,
            codec=built,
            denoiser=denoiser,
            norm=norm,
            facts=facts["facts"],
            device=device,
            **own_arrays,
        )
