"""Embedded texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Encoded:
    """n texts of up to L tokens each.

    Attributes
    ----------
    tokens : (n, L, D) float32
        Embedding of each token, 0 where there is none.
    mask : (n, L) bool
        True = a real token, the marks of beginning and end among them.
    pooled : (n, D') float32
        Of length 1: one embedding a text, pooled as the encoder was trained.
    words : tuple of tuple of str
        The words of each text in their order, punctuation among them.
    word : (n, L) int16
        Number of the word, from 0, that each token is a piece of; -1 = of none: a mark, or no
        token.
    """

    tokens: NDArray[np.float32]
    mask: NDArray[np.bool_]
    pooled: NDArray[np.float32]
    words: tuple[tuple[str, ...], ...]
    word: NDArray[np.int16]
