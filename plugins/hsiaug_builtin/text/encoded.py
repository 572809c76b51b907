"""Embedded texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoded"]


@dataclass(frozen=True, eq=False)
class Encoded:
    """n texts of up to L tokens each.

    tokens: (n, L, D) float32 embedding of each token, 0 where there is none.
    mask: (n, L) bool, True = a real token, the marks of beginning and end among them.
    words: surface form of each real token. Marks stand in square brackets ("[BOS]"); a piece that continues the
        word before it begins with "##".
    pooled: (n, D') float32 of length 1: one embedding a text, pooled as the encoder was trained.
    """

    tokens: NDArray[np.float32]
    mask: NDArray[np.bool_]
    words: tuple[tuple[str, ...], ...]
    pooled: NDArray[np.float32]

    def whole_words(self, row: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each word of a text with the positions of its pieces; marks and punctuation are left out."""
        groups: list[tuple[str, tuple[int, ...]]] = []
        for position, piece in enumerate(self.words[row]):
            if piece.startswith("##") and groups and position - 1 in groups[-1][1]:
                word, positions = groups.pop()
                groups.append((word + piece[2:], (*positions, position)))
            elif any(letter.isalnum() for letter in piece) and not piece.startswith("["):
                groups.append((piece, (position,)))
        return tuple(groups)
