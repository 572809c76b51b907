"""Patches of latents as tokens: squares of q × q pixels under a cosine transform.

The transform is orthonormal and loses nothing: a token holds the mean of every latent channel over its square, and the
differences inside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import block_side


def cosines(side: int) -> Tensor:
    """(q, q) orthonormal cosine transform, DCT-II; row 0 is the mean times √q."""
    k, x = torch.arange(side)[:, None], torch.arange(side)[None]
    table = torch.cos(math.pi * k * (2 * x + 1) / (2 * side)) * math.sqrt(2 / side)
    table[0] /= math.sqrt(2)
    return table


def orbits(grid: int) -> Tensor:
    """(grid²,) kind of each token: those that a symmetry of the square maps onto each other are of one kind."""
    middle = (grid - 1) / 2
    apart = [sorted((abs(i - middle), abs(j - middle))) for i in range(grid) for j in range(grid)]
    known = sorted({tuple(each) for each in apart})
    return torch.tensor([known.index(tuple(each)) for each in apart])


@dataclass(frozen=True, eq=False)
class Tokens:
    """Between patches of latents (n, p, p, d) and tokens (n, N, k), k = q²·d, the d means first.

    mean: (k,), taken off.
    """

    patch: int
    channels: int
    mean: Tensor

    @classmethod
    def fit(cls, patches: Tensor) -> Tokens:
        """Tokens for such patches (n, p, p, d)."""
        plain = cls(patches.shape[1], patches.shape[3], torch.zeros(()))
        return cls(plain.patch, plain.channels, plain.take(patches).mean(dim=(0, 1)))

    @property
    def side(self) -> int:
        """Pixels on a token's side."""
        return block_side(self.patch)

    @property
    def grid(self) -> int:
        """Tokens on a patch's side."""
        return self.patch // self.side

    @property
    def size(self) -> int:
        """Coefficients of a token."""
        return self.side**2 * self.channels

    def take(self, patches: Tensor) -> Tensor:
        """(n, p, p, d) → (n, N, k) tokens of mean 0."""
        n, q, g = len(patches), self.side, self.grid
        squares = patches.reshape(n, g, q, g, q, self.channels).permute(0, 1, 3, 2, 4, 5).reshape(n, g * g, q * q, -1)
        return torch.einsum("fs,ntsd->ntfd", self._basis(patches), squares).reshape(n, g * g, -1) - self.mean

    def patches(self, tokens: Tensor) -> Tensor:
        """(n, N, k) tokens → (n, p, p, d), the inverse of :meth:`take`."""
        n, q, g = len(tokens), self.side, self.grid
        every = (tokens + self.mean).reshape(n, g * g, q * q, -1)
        squares = torch.einsum("fs,ntfd->ntsd", self._basis(tokens), every)
        return squares.reshape(n, g, g, q, q, -1).permute(0, 1, 3, 2, 4, 5).reshape(n, self.patch, self.patch, -1)

    def _basis(self, like: Tensor) -> Tensor:
        return _basis_on(self.side, like.device)


@cache
@torch.inference_mode(False)
def _basis_on(side: int, device: torch.device) -> Tensor:
    """Kept: a GPU would be waited for at each copy."""
    one = cosines(side)
    return torch.kron(one, one).to(device)


def sample_rows(rows: NDArray[np.integer], most: int, rng: np.random.Generator) -> NDArray[np.integer]:
    """At most so many of the rows (n, ...), drawn without replacement."""
    return rows[rng.choice(len(rows), size=min(most, len(rows)), replace=False)]
