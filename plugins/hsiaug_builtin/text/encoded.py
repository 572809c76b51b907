"""What an encoder is, and what it makes of texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoded", "Tower"]


@dataclass(frozen=True, eq=False)
class Encoded:
    """n texts of up to L tokens each.

    tokens: (n, L, D) float32 embedding of each token, 0 where there is none; for ``scratch`` (n, L) int64 index into a
        vocabulary that the denoiser learns, 0 where there is none.
    mask: (n, L) bool, True = a real token, the marks of beginning and end among them.
    pooled: (n, D') float32 of length 1: one embedding a text, pooled as the encoder was trained; None for
        ``scratch``.
    """

    tokens: NDArray[Any]
    mask: NDArray[np.bool_]
    pooled: NDArray[np.float32] | None


@dataclass(frozen=True)
class Tower:
    """A text encoder that is on this machine.

    identity: all that its answers depend on, with the checksum of its weights; no path.
    run: texts to Encoded; loads the weights anew, since a run encodes its few prompts once.
    """

    identity: tuple[str, ...]
    run: Callable[[tuple[str, ...]], Encoded]
