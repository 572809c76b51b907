"""Latents of a whole scene, and cutting patches of them on the device that computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import TrainView
from hsiaug_builtin.nets.seeded import to_device
from hsiaug_builtin.txt2hsi.frequencies import even_frequencies, to_frequencies
from hsiaug_builtin.txt2hsi.vae import Vae

ROWS = 16
"""Rows of a scene that are encoded at once."""
BATCH = 256
"""Patches whose coefficients are summed at a time."""
LEAST_VARIANCE = 1e-4
"""Of a coefficient over patches."""

Cut = Callable[[NDArray[np.integer]], Tensor]
"""(n, p, p, d) patches round pixels (n, 2)."""


def spectra_at(view: TrainView, pixels: NDArray[np.integer]) -> NDArray[np.float32]:
    """(n, B) spectra of pixels (n, 2), z-scored."""
    return view.normaliser.spectra(view.cube[pixels[:, 0], pixels[:, 1]])


@dataclass(frozen=True, eq=False)
class Field:
    """The latents of a whole scene, from which patches are cut.

    Patches round the pixels of ``TrainView.coords`` and ``TrainView.unlabelled`` never hold a
    hidden pixel.

    Attributes
    ----------
    values : (H + p − 1, W + p − 1, d) float32 Tensor
        Latents of a scene mirrored at its edges, NaN where hidden.
    """

    values: Tensor
    patch: int

    @classmethod
    @torch.inference_mode()
    def of(cls, view: TrainView, vae: Vae, device: str) -> Field:
        """The scene as a view shows it, encoded in stripes of rows: of a large one only the latents
        are in memory.
        """
        r = view.patch // 2
        height, width = view.visible.shape
        stripes = []
        for top in range(0, height, ROWS):
            stripe = np.asarray(view.cube[top : top + ROWS])
            stripes.append(vae.encode(torch.tensor(view.normaliser.spectra(stripe), device=device)))
        down, across = (
            torch.from_numpy(np.pad(np.arange(length), r, mode="reflect")).to(device)
            for length in (height, width)
        )
        return cls(torch.cat(stripes)[down][:, across], view.patch)

    @property
    def latents(self) -> Tensor:
        """(H, W, d) without the mirrored edges."""
        r = self.patch // 2
        return self.values[r : self.values.shape[0] - r, r : self.values.shape[1] - r]

    def cut(self, coords: NDArray[np.integer]) -> Tensor:
        """(n, p, p, d) patches round the pixels ``coords`` (n, 2) of the scene."""
        at = to_device(torch.from_numpy(np.asarray(coords, dtype=np.int64)), self.values.device)
        step = torch.arange(self.patch, device=self.values.device)
        return self.values[at[:, 0, None, None] + step[:, None], at[:, 1, None, None] + step]


@dataclass(frozen=True, eq=False)
class CoefficientSums:
    """Of the cosine coefficients of patches, by group.

    Attributes
    ----------
    total, square : (G, p, p, d) Tensor
        Sums of the coefficients and of their squares.
    count : (G,) float32 Tensor
        Patches.
    """

    total: Tensor
    square: Tensor
    count: Tensor

    @classmethod
    def of(
        cls, cut: Cut, pixels: NDArray[np.integer], group: Tensor, groups: int
    ) -> CoefficientSums:
        """Of the patches round ``pixels`` (m, 2), each of a ``group`` (m,)."""
        some = to_frequencies(cut(pixels[:1])).cpu()
        total = torch.zeros(groups, *some.shape[1:])
        square = torch.zeros_like(total)
        for start in range(0, len(pixels), BATCH):
            batch = slice(start, start + BATCH)
            coefficients = to_frequencies(cut(pixels[batch])).cpu()
            total.index_add_(0, group[batch], coefficients)
            square.index_add_(0, group[batch], coefficients.square())
        return cls(total, square, torch.bincount(group, minlength=groups).float())

    @property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance (p, p, d) over all patches, the same under mirrors of a patch."""
        patches = self.count.sum()
        even = even_frequencies(self.total.shape[1])[:, :, None]
        mean = self.total.sum(dim=0) / patches * even
        return mean, self.square.sum(dim=0) / patches - mean.square()
