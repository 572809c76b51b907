"""What the labels of a split add to a scene: pixels of each class, and their noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.teacher.choice import choose_trusted
from hsiaug_builtin.teacher.teacher import teach
from hsiaug_builtin.txt2hsi.params import PSEUDO_MOST, PSEUDO_SHARE, CodecParams
from hsiaug_builtin.txt2hsi.vae import MAX_REMAINDER_PATCHES, Remainder, Vae


@dataclass(frozen=True, eq=False)
class NamedPixels:
    """Pixels by class id: ``labelled`` in the split, and ``pseudo``-labelled by the teacher; (m,
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
    """The labelled pixels of a split, and those that the teacher is believed to name rightly."""
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
