"""The prompts of a view's classes, encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from hsiaug.api import TrainView
from hsiaug_builtin.text import encode, prompts_of

WORDS = 16
"""Places for words come in multiples of this: torch's attention over 31 of them takes a CPU twice
as long as over 32.
"""


@dataclass(frozen=True, eq=False)
class Texts:
    """The embedded prompts of all classes.

    Attributes
    ----------
    tokens : (P, L, E) float32 Tensor
        Embeddings.
    mask : (P, L) bool Tensor
        True at words.
    pooled : (P, E) Tensor
        Of length 1, what tells each prompt from the others.
    rows : mapping of int to tuple of int
        {class id: rows of its prompts}.
    words : tuple of tuple of str
        The words of each prompt.
    word : (P, L) Tensor
        Which of them, from 0, a token is a piece of, -1 = of none.
    """

    tokens: Tensor
    mask: Tensor
    pooled: Tensor
    rows: Mapping[int, tuple[int, ...]]
    prompts: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    word: Tensor

    def to(self, device: str) -> Texts:
        """Return the texts with their arrays on another device."""
        tokens, mask, pooled = (array.to(device) for array in (self.tokens, self.mask, self.pooled))
        return replace(self, tokens=tokens, mask=mask, pooled=pooled)

    def choose(self, classes: Tensor, rng: torch.Generator) -> Tensor:
        """(n,) a prompt row for each class id of ``classes`` (n,), uniformly among the class's
        own.
        """
        pick = torch.rand(len(classes), generator=rng)
        rows = [self.rows[c] for c in classes.tolist()]
        return torch.tensor([r[int(p * len(r))] for r, p in zip(rows, pick.tolist(), strict=True)])


def encode_prompts(view: TrainView, mode: str, encoder: str) -> Texts:
    """Prompts of every class of the view, embedded.

    Parameters
    ----------
    encoder : str
        Of all modes but number, which has no words.
    """
    prompts = prompts_of(view, mode)
    by_id = {c: prompts[c] for c in sorted(prompts)}
    listed = tuple(text for of_class in by_id.values() for text in of_class)
    return _embedded(
        listed, _rows(by_id, 0), "one-hot" if mode == "number" else encoder, len(listed)
    )


def with_prompts(texts: Texts, prompts: Mapping[int, Sequence[str]], encoder: str) -> Texts:
    """The texts with other prompts for some classes, embedded as they were for training.

    Parameters
    ----------
    prompts : mapping of int to sequence of str
        {class id: prompts}.
    encoder : str
        That of the texts.
    """
    trained = len(texts.prompts)
    added = [text for of_class in prompts.values() for text in of_class]
    rows = {**texts.rows, **_rows(prompts, trained)}
    return _embedded((*texts.prompts, *added), rows, encoder, trained)


def _rows(prompts: Mapping[int, Sequence[str]], start: int) -> dict[int, tuple[int, ...]]:
    """{class id: rows of its prompts}, one after the other from row ``start``."""
    rows = {}
    for c, of_class in prompts.items():
        rows[c] = tuple(range(start, start + len(of_class)))
        start += len(of_class)
    return rows


def _embedded(
    prompts: tuple[str, ...], rows: Mapping[int, tuple[int, ...]], encoder: str, trained: int
) -> Texts:
    """Prompts, embedded.

    Parameters
    ----------
    trained : int
        How many of them, from the first on, are those of training.
    """
    answer = encode(prompts, encoder)
    # All of training say "a hyperspectral image of"; what they share tells no class, and typed ones
    # do not change what that is.
    pooled = torch.from_numpy(answer.pooled - answer.pooled[:trained].mean(axis=0))
    pooled = pooled / pooled.norm(dim=1, keepdim=True).clamp(min=1e-6)
    padding = -answer.mask.shape[1] % WORDS
    return Texts(
        tokens=pad(torch.from_numpy(answer.tokens), (0, 0, 0, padding)),
        mask=pad(torch.from_numpy(answer.mask), (0, padding)),
        pooled=pooled,
        rows=rows,
        prompts=prompts,
        words=answer.words,
        word=pad(torch.from_numpy(answer.word), (0, padding), value=-1),
    )
