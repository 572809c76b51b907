"""What the labels of a split add to a coded scene: codes, Gaussians and noise of each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import TrainView
from hsiaug_builtin.gaussian.codebook import Gaussians, add_classes
from hsiaug_builtin.gaussian.coded import CodedScene
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.naming import remainder_of
from hsiaug_builtin.txt2hsi.vae import Remainder


@dataclass(frozen=True, eq=False)
class Prior:
    """Which codes a class has.

    Attributes
    ----------
    ids : (C,) int64
        Classes.
    share : (C, K) float64
        Of the class's pixels; rows sum to 1.
    """

    ids: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def fit(cls, codes: Mapping[int, NDArray[np.int16]]) -> Prior:
        """Of the codes of each class's pixels."""
        number = max(int(of_class.max()) for of_class in codes.values()) + 1
        counts = np.stack([np.bincount(of_class, minlength=number) for of_class in codes.values()])
        return cls(np.array(list(codes)), counts / counts.sum(axis=1, keepdims=True))

    def row(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each class id."""
        return np.searchsorted(self.ids, y)

    def sample(self, y: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """(n,) a code for each class id of y (n,)."""
        edges = self.share.cumsum(axis=1)[self.row(y)]
        point = rng.random(len(y)) * edges[:, -1]
        code = (edges <= point[:, None]).sum(axis=1).clip(max=self.share.shape[1] - 1)
        return torch.from_numpy(code)


@dataclass(frozen=True, eq=False)
class ClassModel:
    """What the classes of a split are like: everything that sampling needs but a network.

    Attributes
    ----------
    prior : Prior
        Codes of each class.
    remainder : Remainder
        What the VAE leaves out of its pixels, in the order of the prior.
    gaussians : Gaussians
        Of codes and classes.
    """

    prior: Prior
    remainder: Remainder
    gaussians: Gaussians


def model_classes(
    view: TrainView,
    coded: CodedScene,
    field: Field,
    named: Mapping[int, NDArray[np.int32]],
    seed: int,
) -> ClassModel:
    """Codes, noise and Gaussians of the classes of ``named`` pixels, {class id: (m, 2)}."""
    prior = Prior.fit({class_id: coded.codes[at[:, 0], at[:, 1]] for class_id, at in named.items()})
    remainder = remainder_of(view, coded.vae, named, seed)
    with torch.inference_mode():
        gaussians = add_classes(
            coded.gaussians, field.cut, coded.codes, named, len(view.class_names)
        )
    return ClassModel(prior, remainder, gaussians)
