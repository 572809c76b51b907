"""The middle of a patch."""

from __future__ import annotations

from torch import Tensor

__all__ = ["cropped"]


def cropped(x: Tensor, side: int) -> Tensor:
    """The central ``side``×``side`` pixels of patches x (n, k, p, p), both sides odd; x itself where p ≤ side."""
    margin = (x.shape[-1] - side) // 2
    return x[..., margin:-margin, margin:-margin] if margin > 0 else x
