"""Cutting patches on the device that computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Normaliser, TrainView
from hsiaug_builtin.nets.seeded import to_device


@dataclass(frozen=True, eq=False)
class Field:
    """The visible part of a scene, z-scored and mirrored at its edges by half a patch.

    values: (H + p − 1, W + p − 1, B) float32, NaN where hidden. Patches round the pixels of ``TrainView.coords`` and
    ``TrainView.unlabelled`` never hold a hidden pixel.
    """

    values: Tensor
    patch: int
    normaliser: Normaliser

    @classmethod
    def of(cls, view: TrainView, device: str) -> Field:
        """The scene as a view shows it, on ``device``."""
        r = view.patch // 2
        values = np.pad(view.normaliser.spectra(view.cube), ((r, r), (r, r), (0, 0)), mode="reflect")
        return cls(torch.tensor(values, device=device), view.patch, view.normaliser)

    @property
    def bands(self) -> int:
        """Number of bands B."""
        return int(self.values.shape[2])

    def cut(self, coords: NDArray[np.integer]) -> Tensor:
        """(n, B, p, p) z-scored patches round the pixels ``coords`` (n, 2) of the scene."""
        at = to_device(torch.from_numpy(np.asarray(coords, dtype=np.int64)), self.values.device)
        step = torch.arange(self.patch, device=self.values.device)
        rows, columns = at[:, 0, None, None] + step[:, None], at[:, 1, None, None] + step
        return self.values[rows, columns].movedim(3, 1)

    @torch.inference_mode()
    def mapped(self, encode: Callable[[Tensor], Tensor]) -> Field:
        """The field of what ``encode``, from (n, B, 1, 1) to (n, d, 1, 1), gives of each pixel."""
        found = [encode(row[:, :, None, None])[:, :, 0, 0] for row in self.values]
        return replace(self, values=torch.stack(found))

    def scene_units(self, x: Tensor) -> NDArray[np.float32]:
        """Patches (n, B, p, p) back in the scene's units, on the CPU."""
        return self.normaliser.patches_back(x.float().cpu().numpy()).astype(np.float32)
