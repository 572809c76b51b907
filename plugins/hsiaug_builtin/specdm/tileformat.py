"""Conversion of tiles in the data's units to tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot, pad

from hsiaug.api import DenseSamples, PluginError

NEGATIVE = 0.01
"""Share of negative values that is still taken for noise around a reflectance of 0."""


@dataclass(frozen=True)
class TileFormat:
    """The format of all tiles, from the training tiles.

    Attributes
    ----------
    ids : tuple of int
        The mask values that training tiles have, 0 (ignore) among them if it is there: a class
        of its own, so that masks need no gaps.
    scale, shift : float
        x = (value − shift) / scale, the same for every band, pixel and tile, so that class
        spectra keep their heights; scale is the 99.9th percentile, shift 0 but for data that
        are no reflectance.
    low, high : float
        Of the training values.
    side : int
        Pixels.
    multiple : int
        Padded sides are multiples of it.
    """

    ids: tuple[int, ...]
    scale: float
    shift: float
    low: float
    high: float
    dates: int
    bands: int
    side: int
    multiple: int

    @classmethod
    def of(cls, real: DenseSamples, classes: int, multiple: int) -> TileFormat:
        """Raises PluginError for tiles that cannot be learnt from."""
        ids = tuple(int(c) for c in np.unique(real.masks))
        if not ids or ids[0] < 0 or ids[-1] > classes:
            raise PluginError(
                f"masks must hold class ids 1..{classes}, or 0 where a pixel is to be ignored",
                value=f"ids {', '.join(map(str, ids)) or 'none, there is no tile'}",
                hint="Name every class, and give at least one tile.",
            )
        if len(ids) < 2:
            raise PluginError(
                "masks must differ somewhere: there is nothing to learn from one value alone",
                value=f"id {ids[0]} everywhere",
                hint="Add tiles that show other classes.",
            )
        return replace(cls.of_images(real, multiple), ids=ids)

    @classmethod
    def of_images(cls, real: DenseSamples, multiple: int) -> TileFormat:
        """The same without ids, of tiles without masks."""
        if not np.isfinite(real.images).all():
            raise PluginError(
                "tiles must be finite",
                value="NaN or infinity",
                hint="Replace or cut out what has no data.",
            )
        few = real.images.reshape(-1)[:: max(1, real.images.size // 5_000_000)]
        shift = float(np.percentile(few, 0.1)) if (few < 0).mean() > NEGATIVE else 0.0
        scale = float(np.percentile(few, 99.9)) - shift
        if scale <= 0:
            raise PluginError(
                "tiles must hold more than one value",
                value=f"a 99.9th percentile of {scale + shift:g}",
                hint="Check the units of the images.",
            )
        return cls(
            ids=(),
            scale=scale,
            shift=shift,
            low=float(real.images.min()),
            high=float(real.images.max()),
            dates=real.dates,
            bands=real.bands,
            side=real.side[0],
            multiple=multiple,
        )

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> TileFormat:
        """As it was saved."""
        return cls(**{**fields, "ids": tuple(fields["ids"])})

    @property
    def channels(self) -> int:
        """Channels of an image tensor: bands of all dates."""
        return self.dates * self.bands

    @property
    def padded(self) -> int:
        """Side of a tensor."""
        return -(-self.side // self.multiple) * self.multiple

    def images(self, images: NDArray[np.float32]) -> Tensor:
        """(n, T, B, H, H) → (n, T·B, P, P), scaled and padded by reflection."""
        self._check(
            images.shape[1:] == (self.dates, self.bands, self.side, self.side), str(images.shape)
        )
        x = torch.tensor(np.ascontiguousarray(images, dtype=np.float32)).flatten(1, 2)
        return self._pad((x - self.shift) / self.scale)

    def masks(self, masks: NDArray[np.int64]) -> Tensor:
        """(n, H, H) ids → (n, P, P) int64 indices into ``ids``. Raises PluginError for another
        id.
        """
        self._check(
            bool(np.isin(masks, self.ids).all()), f"ids {sorted(map(int, np.unique(masks)))}"
        )
        y = torch.from_numpy(np.searchsorted(self.ids, masks))
        return self._pad(y[:, None].float())[:, 0].long()

    def one_hot(self, y: Tensor) -> Tensor:
        """(n, P, P) indices → (n, K, P, P) float32."""
        return one_hot(y, len(self.ids)).movedim(-1, 1).float()

    def images_back(self, x: Tensor) -> NDArray[np.float32]:
        """(n, T·B, P, P) → (n, T, B, H, H) in the data's units, within the range of the training
        values.
        """
        x = (x * self.scale + self.shift).clamp(self.low, self.high)[..., : self.side, : self.side]
        return np.asarray(self.apart(x).cpu().numpy(), dtype=np.float32)

    def shares(self, masks: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) each id's share of masks (n, H, W)."""
        return np.stack([(masks == c).mean(axis=(1, 2)) for c in self.ids], axis=1)

    def masks_back(self, shares: Tensor) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(n, K, P, P) shares of classes → the likeliest ids (n, H, H) and their shares."""
        best, index = shares[..., : self.side, : self.side].max(dim=1)
        # Shares that were blended add up to 1 but for rounding.
        confidence = best.clamp(max=1).cpu().numpy().astype(np.float32)
        return np.array(self.ids)[index.cpu().numpy()], confidence

    def apart(self, x: Tensor) -> Tensor:
        """(n, T·B, …) → (n, T, B, …)."""
        return x.reshape(len(x), self.dates, self.bands, *x.shape[2:])

    def _pad(self, x: Tensor) -> Tensor:
        margin = self.padded - self.side
        if margin >= self.side:
            raise PluginError(
                f"tiles must be larger than {self.padded // 2} pixels for this network",
                value=f"{self.side} pixels",
                hint="Use larger tiles, or `NAME.factor=2`.",
            )
        return pad(x, (0, margin, 0, margin), mode="reflect") if margin else x

    def _check(self, fine: bool, value: str) -> None:
        if not fine:
            raise PluginError(
                f"tiles must be like those learnt from: {self.dates} × {self.bands} bands,"
                f" {self.side} × {self.side} pixels, mask ids {', '.join(map(str, self.ids))}",
                value=value,
                hint="Fit the generator on tiles like these.",
            )
