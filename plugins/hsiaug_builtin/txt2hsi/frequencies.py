"""Patches of latents under an orthonormal cosine transform over the whole patch.

The pixels of a patch are strongly correlated, the coefficients of its cosine transform hardly are:
for a stationary process the transform is close to the principal components of the pixels. A
Gaussian with a variance for each coefficient therefore has the second-order layout of real patches,
smooth areas and the right correlation of neighbours, and costs no matrix larger than the patch's
side.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

MIRRORS = 4
"""Symmetries under which the two axes keep their direction: none, up-down, left-right, both."""


def cosines(side: int) -> Tensor:
    """Orthonormal cosine transform (DCT-II), (side, side) float32; row 0 is the mean times
    √side.
    """
    frequency = torch.arange(side)[:, None]
    place = torch.arange(side)[None]
    table = torch.cos(math.pi * frequency * (2 * place + 1) / (2 * side)) * math.sqrt(2 / side)
    table[0] /= math.sqrt(2)
    return table


def to_frequencies(patches: Tensor, basis: Tensor | None = None) -> Tensor:
    """Cosine coefficients of patches.

    Parameters
    ----------
    patches : Tensor (n, p, p, d)
        Pixels.
    basis : Tensor (p, p), optional
        `cosines` on the device of the patches; by default a copy that is kept. A network that is
        compiled gives its own.

    Returns
    -------
    Tensor (n, p, p, d)
        Coefficients; frequency (0, 0) comes first.
    """
    basis = _basis(patches.shape[1], patches.device) if basis is None else basis
    return torch.einsum("fi,gj,nijd->nfgd", basis, basis, patches)


def to_pixels(coefficients: Tensor, basis: Tensor | None = None) -> Tensor:
    """Patches (n, p, p, d) of cosine coefficients (n, p, p, d), the inverse of `to_frequencies`."""
    basis = _basis(coefficients.shape[1], coefficients.device) if basis is None else basis
    return torch.einsum("fi,gj,nfgd->nijd", basis, basis, coefficients)


def even_frequencies(side: int) -> Tensor:
    """(p, p) bool: the coefficients that mirroring a patch along either axis leaves as they are."""
    even = torch.arange(side) % 2 == 0
    return even[:, None] & even[None]


def mirror(patches: Tensor, number: Tensor) -> Tensor:
    """Mirror patches (n, p, p, d), each along the axes that ``number`` (n,) in 0..3 names.

    Turns by a right angle are left out on purpose: scanners leave stripes along one axis, and
    fields follow the flight line, so that rows and columns of real patches differ.
    """
    down = (number % 2 == 1)[:, None, None, None].to(patches.device)
    across = (number >= 2)[:, None, None, None].to(patches.device)
    patches = torch.where(down, patches.flip(1), patches)
    return torch.where(across, patches.flip(2), patches)


@cache
@torch.inference_mode(False)
def _basis(side: int, device: torch.device) -> Tensor:
    """The transform on a device; kept, as a GPU would be waited for at each copy."""
    return cosines(side).to(device)
