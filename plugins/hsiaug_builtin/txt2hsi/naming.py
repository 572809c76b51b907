"""What a draw's labels add to a coded scene: pixels of each class, their codes, Gaussians and
noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import TrainView
from hsiaug_builtin.teacher.choice import choose_trusted
from hsiaug_builtin.teacher.teacher import teach
from hsiaug_builtin.txt2hsi.codebook import Gaussians, add_classes
from hsiaug_builtin.txt2hsi.field import Field
from hsiaug_builtin.txt2hsi.params import PSEUDO_MOST, PSEUDO_SHARE, CodecParams
from hsiaug_builtin.txt2hsi.prepare import CodedScene
from hsiaug_builtin.txt2hsi.vae import MAX_REMAINDER_PATCHES, Remainder, Vae


@dataclass(frozen=True, eq=False)
class NamedPixels:
    """Pixels by class id: ``labelled`` in the draw, and ``pseudo``-labelled by the teacher; (m,
    2).

    Attributes
    ----------
    map : (H, W) int16
        Class ids of these pixels and of all others whose name is believed where they lie beside
        them; -1 elsewhere.
    """

    labelled: Mapping[int, NDArray[np.int32]]
    pseudo: Mapping[int, NDArray[np.int32]]
    map: NDArray[np.int16]

    @property
    def every(self) -> dict[int, NDArray[np.int32]]:
        """Labelled and pseudo-labelled pixels of each class."""
        return {
            class_id: (
                np.concatenate([pixels, self.pseudo[class_id]])
                if class_id in self.pseudo
                else pixels
            )
            for class_id, pixels in self.labelled.items()
        }

    @property
    def facts(self) -> dict[str, int]:
        """How many pixels of each class were pseudo-labelled, for the record."""
        return {str(class_id): len(pixels) for class_id, pixels in self.pseudo.items()}


def name_pixels(view: TrainView, params: CodecParams) -> NamedPixels:
    """The labelled pixels of a draw, and those that the teacher is believed to name rightly."""
    labelled = {class_id: view.coords[view.y == class_id] for class_id in view.counts}
    pseudo: dict[int, NDArray[np.int32]] = {}
    names = np.full(view.visible.shape, -1, dtype=np.int16)
    if params.pseudo and len(view.unlabelled):
        votes = teach(view)
        trusted = choose_trusted(votes.shares, PSEUDO_SHARE, PSEUDO_MOST, among=votes.attached)
        for class_id, rows in zip(votes.classes.tolist(), trusted, strict=True):
            pseudo[class_id] = votes.pixels[rows]
        # Beside the centre of a patch too, only names that are believed are said.
        believed = choose_trusted(votes.shares, PSEUDO_SHARE, among=votes.attached)
        for class_id, rows in zip(votes.classes.tolist(), believed, strict=True):
            names[tuple(votes.pixels[rows].T)] = class_id
    for class_id, at in pseudo.items():
        names[tuple(at.T)] = class_id
    names[tuple(view.coords.T)] = view.y
    return NamedPixels(labelled, pseudo, names)


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
    """What the classes of a draw are like: everything that sampling needs but a network.

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
    # Made outside of inference mode, as a network with these is trained.
    return ClassModel(prior, remainder, gaussians.copy())


def remainder_of(
    view: TrainView, vae: Vae, named: Mapping[int, NDArray[np.int32]], seed: int
) -> Remainder:
    """What the VAE leaves out of the classes of ``named`` pixels, in their order."""
    rng = np.random.default_rng(seed)
    losses = [
        left_out_of(view, vae, rng.permutation(at)[:MAX_REMAINDER_PATCHES]) for at in named.values()
    ]
    return Remainder.of_classes(losses, seed)


def left_out_of(view: TrainView, vae: Vae, pixels: NDArray[np.int32]) -> NDArray[np.float32]:
    """What the VAE leaves out of the patches round pixels (m, 2), z-scored, (m, p, p, B)."""
    spectra = view.normaliser.patches(view.patches(pixels))
    on_device = torch.tensor(spectra, device=vae.log_variance.device).movedim(1, 3)
    return vae.left_out(on_device)
