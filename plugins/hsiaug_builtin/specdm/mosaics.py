"""A fitted ``mosaic``, whose denoiser is the posterior mean over patches of training pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from hsiaug.api import DenseView, Progress
from hsiaug_builtin.nets.views import SYMMETRIES, symmetry
from hsiaug_builtin.specdm.drawing import Batch, PairDrawing, read_saved
from hsiaug_builtin.specdm.params import MosaicParams
from hsiaug_builtin.specdm.patch_denoiser import PatchDiffusion, favour_of, stages_of
from hsiaug_builtin.specdm.pixel_components import SpectralComponents
from hsiaug_builtin.specdm.tileformat import TileFormat
from hsiaug_builtin.specdm.training_pairs import draw_weights

GROUP = 4
"""Pairs that are drawn of the same source tiles, each from noise of its own."""
ASKED = 2.0
"""What is added to the log-probability of patches that show the class asked for, times 1 + ω."""


@dataclass(frozen=True, eq=False)
class FittedMosaics(PairDrawing):
    """The training pairs, of whose patches mosaics are made.

    Attributes
    ----------
    images : (n, T, B, H, H) float32
        And masks: (n, H, H) int64, the training pairs.
    """

    params: MosaicParams
    format: TileFormat
    spectra: SpectralComponents
    images: NDArray[np.float32]
    masks: NDArray[np.int64]
    facts: Mapping[str, Any]
    device: str

    @cached_property
    def shares(self) -> NDArray[np.float32]:  # type: ignore[override]
        """(n, K) each id's share of each training tile."""
        return self.format.shares(self.masks).astype(np.float32)

    @cached_property
    def _tiles(self) -> tuple[Tensor, Tensor]:
        """Images (n, T·B, P, P) in the data's units, and one-hot masks (n, K, P, P)."""
        form = self.format
        margin = form.padded - form.side
        images = torch.from_numpy(np.ascontiguousarray(self.images)).flatten(1, 2)
        if margin:
            images = pad(images, (0, margin, 0, margin), mode="reflect")
        return images.to(self.device), form.one_hot(form.masks(self.masks)).to(self.device)

    @cached_property
    def _diffusion(self) -> PatchDiffusion:
        form = self.format
        images, masks = self._tiles
        z = torch.from_numpy(self.spectra.latents(form.apart(images).cpu().numpy())).to(self.device)
        favour = favour_of(masks.mean(dim=(0, 2, 3)))
        joint = torch.cat([z, self.params.mask_unit * masks], dim=1)
        return PatchDiffusion(joint, len(form.ids), favour, stages_of(form.side))

    @cached_property
    def _looks(self) -> NDArray[np.float32]:
        """(n, D) standardised means and deviations of the latents of each training tile."""
        z = self.spectra.latents(self.images)
        looks = np.concatenate([z.mean(axis=(2, 3)), z.std(axis=(2, 3))], axis=1)
        return np.asarray((looks - looks.mean(axis=0)) / np.maximum(looks.std(axis=0), 1e-6))

    def _sources(self, row: int, rng: np.random.Generator) -> Tensor:
        """A training tile and those of a random half of the others that look most like it: one
        place, one light.
        """
        others = rng.permutation(len(self.masks))
        others = others[others != row][: max(self.params.sources - 1, len(others) // 2)]
        apart = np.square(self._looks[others] - self._looks[row]).sum(axis=1)
        near = others[np.argsort(apart, kind="stable")[: self.params.sources - 1]]
        return torch.tensor([row, *near.tolist()], device=self.device)

    def _rows(self, c: int | None, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) training tiles, each a few times in a row: those of a class by their share of it, of
        any, rare classes more often.
        """
        if c is None:
            weight = draw_weights(
                torch.from_numpy(self.shares.astype(np.float64)), self.format.ids
            ).numpy()
        else:
            weight = self.shares[:, self.format.ids.index(c)].astype(np.float64)
        drawn = rng.choice(len(weight), size=-(-n // GROUP), p=weight / weight.sum())
        return np.repeat(drawn, GROUP)[:n]

    def _batch(
        self,
        rows: NDArray[np.int64],
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> Batch:
        images = []
        shares = []
        firsts = np.flatnonzero(np.diff(rows, prepend=-1))
        for group in np.split(rows, firsts[1:]):
            image, share = self._group(int(group[0]), len(group), c, omega, rng, torch_rng)
            images.append(image)
            shares.append(share)
        masks, confidence = self.format.masks_back(torch.cat(shares))
        drawn = self.format.apart(torch.cat(images)).cpu().numpy()
        return np.asarray(drawn, dtype=np.float32), masks, confidence

    def _group(
        self,
        row: int,
        count: int,
        c: int | None,
        omega: float,
        rng: np.random.Generator,
        torch_rng: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Images (count, T·B, P, P) and shares of classes (count, K, P, P), each in a turn of its
        own.
        """
        params = self.params
        diffusion = self._diffusion
        sources = self._sources(row, rng)
        favoured = None if c is None else (self.format.ids.index(c), ASKED * (1 + omega))
        weights, numbers = diffusion.sample(
            sources, count, params.sample_steps, params.strength, torch_rng, favoured
        )
        image, shares = (
            diffusion.assemble(tiles, sources, weights, numbers) for tiles in self._tiles
        )
        side = self.format.side
        turns = rng.integers(SYMMETRIES if params.turns else 1, size=count).tolist()
        image, shares = (
            torch.stack([symmetry(tile, turn) for tile, turn in zip(tiles, turns, strict=True)])
            for tiles in (image[..., :side, :side], shares[..., :side, :side])
        )
        return image, shares.clamp(min=0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"images": self.images, "masks": self.masks, **self.spectra.arrays()}

    @classmethod
    def restore(cls, folder: Path, current: MosaicParams, device: str) -> FittedMosaics:
        """Read a saved fit; ``current`` has the params that only sampling reads."""
        arrays, saved = read_saved(folder, current)
        return cls(
            **saved,
            spectra=SpectralComponents.restore(arrays),
            images=arrays["images"],
            masks=arrays["masks"],
            device=device,
        )


def fit_mosaics(
    view: DenseView,
    params: MosaicParams,
    spectra: SpectralComponents,
    device: str,
    progress: Progress,
) -> FittedMosaics:
    """Nothing is trained: the pairs are kept, in the units that were learnt of all tiles."""
    real = view.real
    multiple = max(stage.cell for stage in stages_of(view.patch))
    form = TileFormat.of(real, len(view.class_names), multiple)
    facts = {
        "denoiser": "patches",
        "tiles": len(real),
        "components": spectra.basis.shape[1],
        "made_of_training_pixels": True,
    }
    progress(1, 1, "patches")
    return FittedMosaics(
        params=params,
        format=form,
        spectra=spectra,
        images=np.array(real.images, dtype=np.float32),
        masks=np.array(real.masks, dtype=np.int64),
        facts=facts,
        device=device,
    )
