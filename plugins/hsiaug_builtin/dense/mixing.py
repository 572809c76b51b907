"""How a network for tiles uses synthetic ones: with real ones or before them, and which of their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from hsiaug.api import Progress
from hsiaug_builtin.dense.inputs import IGNORED, BandScale, TrainingTiles
from hsiaug_builtin.dense.recipe import DenseRecipe
from hsiaug_builtin.dense.training import batches, criterion, settle
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.nets.training import descend

__all__ = ["Trainer", "judge_steps", "likely", "told"]

TOLERANCE = 1.25
"""Of the mean loss of its class: what a synthetic pixel may have (Yang et al., FreeMask, NeurIPS 2023,
arXiv:2310.15160, section 3.3)."""
JUDGE = 1 / 3
"""Steps of the network that judges synthetic pixels, as part of those of the network itself."""
TILES = 32
"""Tiles that are judged at a time."""


@dataclass(frozen=True)
class Trainer:
    """All that trains a network beside the tiles. build: makes it, on the CPU."""

    build: Callable[[], Any]
    scale: BandScale
    recipe: DenseRecipe
    seed: int
    device: str

    def trained(self, data: TrainingTiles, progress: Progress) -> Any:
        """A network after the steps of the recipe, in evaluation mode.

        With ``mix=pretrain`` a part of them is taken on the synthetic tiles alone, the others on the real ones alone,
        along one cosine: fine-tuning starts at the rate that the cosine has come to, so that it corrects what was
        learnt and does not begin anew. Where all tiles are of one kind, that is the same as ``joint``.
        """
        phases = [
            (start, batches(part, self.scale, self.recipe.batch, self.seed, self.device), self._error(part))
            for start, part in _phases(data, self.recipe)
        ]
        net = fresh(self.build, self.seed).to(self.device)

        def loss(step: int) -> Tensor:
            _, draw, error = next(phase for phase in reversed(phases) if phase[0] <= step)
            x, target = draw(step)
            return error(net(x), target)

        return descend(net, loss, self.recipe, seed=self.seed, progress=progress)

    def _error(self, data: TrainingTiles) -> Callable[[Tensor, Tensor], Tensor]:
        return criterion(data, self.recipe, self.device)


def _phases(data: TrainingTiles, recipe: DenseRecipe) -> list[tuple[int, TrainingTiles]]:
    """From which step on which tiles are drawn."""
    made = data.synthetic
    if recipe.mix == "joint" or made.all() or not made.any():
        return [(0, data)]
    return [(0, data.part(made)), (round(recipe.steps * recipe.pretrain_share), data.part(~made))]


def likely(
    data: TrainingTiles, real: NDArray[np.float32], trainer: Trainer, progress: Progress
) -> tuple[TrainingTiles, dict[str, Any]]:
    """The tiles without the labels of synthetic pixels that a judge finds unlikely, and what it did, for the record.

    The judge is a network of the same kind, trained on the real tiles alone. A synthetic pixel is ignored whose
    cross-entropy exceeds ``TOLERANCE`` times the mean of its class over the pixels of these real tiles, as in the paper;
    a class that they lack cannot be judged, and is kept. real: (n, T, B, H, W), which the judge's batch normalisation
    is settled on. progress: of the judge's steps.
    """
    recipe = replace(trainer.recipe, steps=judge_steps(trainer.recipe), mix="joint")
    known = data.part(~data.synthetic)
    net = replace(trainer, recipe=recipe).trained(known, progress)
    settle(net, real, trainer.scale, trainer.seed, trainer.device)
    allowed = TOLERANCE * _class_means(_losses(net, known, trainer), known.target, len(data.classes))
    made = data.part(data.synthetic)
    found = _losses(net, made, trainer)
    labelled = made.target != IGNORED
    unlikely = labelled & (found > allowed[np.where(labelled, made.target, 0)])
    target = data.target.copy()
    target[data.synthetic] = np.where(unlikely, IGNORED, made.target)
    facts = {
        "aside_steps": recipe.steps,
        "synthetic_pixels": int(labelled.sum()),
        "ignored_pixels": int(unlikely.sum()),
    }
    return data.labelled(target), facts


def told(progress: Progress, before: int, whole: int) -> Progress:
    """The progress of one of two trainings: ``before`` steps were taken earlier, of ``whole`` in both."""

    def tell(done: int, total: int, note: str = "") -> None:
        progress(before + done, whole, note)

    return tell


def judge_steps(recipe: DenseRecipe) -> int:
    """How long the judge is trained."""
    return max(1, round(JUDGE * recipe.steps))


def _class_means(losses: NDArray[np.float32], target: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """(classes,) mean loss of each class's pixels; infinite for a class without any."""
    labelled = target != IGNORED
    pixels = np.bincount(target[labelled], minlength=classes)
    total = np.bincount(target[labelled], losses[labelled], minlength=classes)
    return np.where(pixels > 0, total / np.maximum(pixels, 1), np.inf)


@torch.inference_mode()
def _losses(net: Any, data: TrainingTiles, trainer: Trainer) -> NDArray[np.float32]:
    """(n, H, W) cross-entropy of each pixel; 0 where there is no label."""
    parts = []
    for start in range(0, len(data.images), TILES):
        rows = slice(start, start + TILES)
        x = torch.from_numpy(trainer.scale(data.images[rows])).to(trainer.device)
        target = torch.from_numpy(data.target[rows]).to(trainer.device)
        parts.append(cross_entropy(net(x), target, ignore_index=IGNORED, reduction="none").cpu().numpy())
    return np.concatenate(parts)
