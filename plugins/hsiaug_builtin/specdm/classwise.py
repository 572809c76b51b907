"""Latents of an image in units of what is usual for the classes of its pixels: what a mask tells of
an image need not be learnt by steps (ours).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, one_hot, pixel_unshuffle

TIED = 2.0
"""Latent pixels of all classes that the covariance of each is taken over beside its own: a class
may have none.
"""
PURE = 0.999
"""Share of a latent pixel's pixels from which on it is one class's."""


class ClassUnits(nn.Module):
    """z = μ(mask) + L(mask)·ε of latents z (n, d, h, w) and masks (n, K, f·h, f·w), so that ε has
    zero mean and unit covariance whatever the mask shows.

    μ is linear in the f² pixels' classes, L the Cholesky factor of the covariances of the classes,
    mixed by their shares.

    Nothing is trained.

    Attributes
    ----------
    mean : (d,) Tensor
    by_pixel : (K·f², d) Tensor
    covariance : (K, d, d) Tensor
        All float64.
    """

    mean: Tensor
    by_pixel: Tensor
    covariance: Tensor

    def __init__(self, latent: int, classes: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.register_buffer("mean", torch.zeros(latent, dtype=torch.float64))
        self.register_buffer(
            "by_pixel", torch.zeros(classes * factor**2, latent, dtype=torch.float64)
        )
        self.register_buffer(
            "covariance", torch.eye(latent, dtype=torch.float64).repeat(classes, 1, 1)
        )

    def fit_input(
        self, parts: Sequence[tuple[Tensor, Tensor]], labelled: Tensor, views: int
    ) -> None:
        """Take the statistics of latents (n, d, h, w) and masks (n, f·h, f·w) of class indices,
        part by part.

        Each tile is there in ``views`` turns.

        Parameters
        ----------
        labelled : (K,) bool Tensor
            Which are classes; what else masks hold may be anything, and tells nothing of them.
        """

        def flat() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            for z, y in parts:
                masks = one_hot(y, len(self.covariance)).movedim(-1, 1).float()
                pixels, shares = self._read(masks)
                yield (
                    z.movedim(1, -1).flatten(0, 2).double(),
                    pixels.flatten(0, 2),
                    shares.flatten(0, 2),
                )

        def total(terms: Iterable[Tensor]) -> Tensor:
            return torch.stack(list(terms)).sum(dim=0)

        count = sum(z.numel() for z, _ in parts) // len(self.mean)
        self.mean.copy_(total(z.sum(dim=0) for z, _, _ in flat()) / count)
        products = [(pixels.T @ pixels, pixels.T @ (z - self.mean)) for z, pixels, _ in flat()]
        squared, aims = map(total, zip(*products, strict=True))
        ridge = torch.eye(len(self.by_pixel), dtype=torch.float64, device=aims.device)
        self.by_pixel.copy_(torch.linalg.solve(squared + ridge, aims))
        squares = torch.zeros_like(self.covariance)
        counts = torch.zeros_like(self.covariance[:, 0, 0])
        for z, pixels, shares in flat():
            residuals = z - self.mean - pixels @ self.by_pixel
            pure = (shares > PURE).double()
            squares += torch.einsum("nk,ni,nj->kij", pure, residuals, residuals)
            counts += pure.sum(dim=0)
        classes = labelled if counts[labelled].sum() else torch.ones_like(labelled)
        tied = squares[classes].sum(dim=0) / counts[classes].sum().clamp(min=1)
        by_class = squares / views
        weight = (counts / views)[:, None, None]
        small = (1e-6 * tied.diagonal().mean() + 1e-12) * torch.eye(
            len(tied), dtype=torch.float64, device=tied.device
        )
        self.covariance.copy_((by_class + TIED * tied) / (weight + TIED) + small)

    def forward(self, z: Tensor, masks: Tensor) -> Tensor:
        """ε (n, d, h, w) of latents z."""
        mean, factor = self._mean_and_factor(masks)
        apart = (z.movedim(1, -1).double() - mean)[..., None]
        e: Tensor = torch.linalg.solve_triangular(factor, apart, upper=False)[..., 0]
        return e.movedim(-1, 1).to(z.dtype)

    def back(self, e: Tensor, masks: Tensor) -> Tensor:
        """z (n, d, h, w) of ε."""
        mean, factor = self._mean_and_factor(masks)
        z = mean + (factor @ e.movedim(1, -1).double()[..., None])[..., 0]
        return z.movedim(-1, 1).to(e.dtype)

    def factors(self) -> Tensor:
        """(K, d, d): L where a mask shows one class alone."""
        lower: Tensor = torch.linalg.cholesky(self.covariance)
        return lower

    def _mean_and_factor(self, masks: Tensor) -> tuple[Tensor, Tensor]:
        """μ (n, h, w, d) and L (n, h, w, d, d)."""
        pixels, shares = self._read(masks)
        mixed = torch.einsum("nhwk,kij->nhwij", shares, self.covariance)
        return self.mean + pixels @ self.by_pixel, torch.linalg.cholesky(mixed)

    def _read(self, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Classes of the pixels (n, h, w, K·f²) and shares of the classes (n, h, w, K) of latent
        pixels.
        """
        pixels = pixel_unshuffle(masks, self.factor)
        shares = avg_pool2d(masks, self.factor)
        return pixels.movedim(1, -1).double(), shares.movedim(1, -1).double()
