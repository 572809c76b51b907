"""The prompts of a view's classes, encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hsiaug.api import TrainView
from hsiaug_builtin.text import class_prompts, encode


@dataclass(frozen=True, eq=False)
class Texts:
    """tokens: (P, L, E) float32 embeddings. mask: (P, L) bool, True at words; rows: {class id: rows of its prompts}.
    words: the words of each prompt with the token positions of each.
    """

    tokens: Tensor
    mask: Tensor
    rows: Mapping[int, tuple[int, ...]]
    prompts: tuple[str, ...]

    def to(self, device: str) -> Texts:
        """Return the texts with tokens and mask on another device."""
        return replace(self, tokens=self.tokens.to(device), mask=self.mask.to(device))

    def choose(self, classes: Tensor, draw: torch.Generator) -> Tensor:
        """(n,) a prompt row for each class id of ``classes`` (n,), uniformly among the class's own."""
        pick = torch.rand(len(classes), generator=draw)
        rows = [self.rows[c] for c in classes.tolist()]
        return torch.tensor([r[int(p * len(r))] for r, p in zip(rows, pick.tolist(), strict=True)])


def encode_prompts(view: TrainView, mode: str, encoder: str) -> Texts:
    """Prompts of every class of the view, embedded."""
    prompts = class_prompts(view, mode)
    listed = [text for c in sorted(prompts) for text in prompts[c]]
    answer = encode(listed, encoder)
    rows, start = {}, 0
    for c in sorted(prompts):
        rows[c] = tuple(range(start, start + len(prompts[c])))
        start += len(prompts[c])
    return Texts(torch.from_numpy(answer.tokens), torch.from_numpy(answer.mask), rows, tuple(listed))
