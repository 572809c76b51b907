"""The words of a split: how its classes are named, and what these names mean to the denoiser.

A class is named by several phrases. The denoiser has learnt, without labels, to read nouns that are
given by example pixels; a linear map from embedded phrases to such nouns makes a language of it. It
begins as the ridge regression of the nouns of the named pixels on the phrases, and is trained with
the denoiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug.api import TrainView
from hsiaug_builtin.text import class_words, encode, prompts_of

RIDGE = 1e-3
"""Of the regression, beside the mean squared length of the centred embeddings."""


@dataclass(frozen=True, eq=False)
class ClassWords:
    """The phrases that name the classes of a view, embedded.

    Attributes
    ----------
    phrases : tuple of str
        Of all classes.
    embedded : (P, E) float32
        One embedding a phrase.
    first, count : (C + 1,) int64
        The first phrase of each class id, and how many it has; class 0 has none.
    names : mapping of int to str
        {class id: its plain name}, for sentences that people read and type.
    """

    phrases: tuple[str, ...]
    embedded: NDArray[np.float32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    names: Mapping[int, str]

    @classmethod
    def of(cls, view: TrainView, mode: str, encoder: str) -> ClassWords:
        """Of a view.

        Parameters
        ----------
        mode : str
            As of :func:`hsiaug_builtin.text.prompts_of`.
        encoder : str
            Of all modes but number, which has no words.
        """
        prompts = prompts_of(view, mode)
        words = class_words(view.class_names)
        listed: list[str] = []
        first = np.zeros(len(words) + 1, dtype=np.int64)
        count = np.zeros(len(words) + 1, dtype=np.int64)
        for class_id in range(1, len(words) + 1):
            own = list(prompts[class_id])
            if mode in ("coarse", "both"):
                name = words[class_id - 1]
                own += [name, f"the {name}", f"a field of {name}"]
            first[class_id] = len(listed)
            count[class_id] = len(own)
            listed += own
        embedded = encode(listed, "one-hot" if mode == "number" else encoder).pooled
        names = dict(enumerate(words, start=1))
        return cls(tuple(listed), embedded, first, count, names)

    def choose(self, ids: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int64]:
        """A phrase of each class id, -1 for -1; of any shape."""
        known = np.where(ids > 0, ids, 0)
        row = self.first[known] + (rng.random(ids.shape) * self.count[known]).astype(np.int64)
        return np.where(ids > 0, row, -1)

    def class_of_phrase(self) -> NDArray[np.int64]:
        """(P,) the class id of each phrase."""
        return np.repeat(np.arange(len(self.count)), self.count)


def regress(embedded: Tensor, target: Tensor) -> nn.Linear:
    """The linear map from embeddings (n, E) that comes nearest to targets (n, D), by ridge
    regression on centred embeddings.
    """
    mean, level = embedded.mean(dim=0), target.mean(dim=0)
    centred = (embedded - mean).double()
    kernel = centred @ centred.T
    penalty = RIDGE * kernel.diagonal().mean().clamp(min=1e-12)
    eye = torch.eye(len(kernel), dtype=kernel.dtype, device=kernel.device)
    weight = centred.T @ torch.linalg.solve(kernel + penalty * eye, (target - level).double())
    layer = nn.Linear(embedded.shape[1], target.shape[1], device=embedded.device)
    with torch.no_grad():
        layer.weight.copy_(weight.T)
        layer.bias.copy_(level - mean @ layer.weight.T)
    return layer
