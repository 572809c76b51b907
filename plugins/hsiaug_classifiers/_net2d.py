"""The network of ``cnn2d`` and its training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hsiaug.api import Progress
from hsiaug_classifiers.cnn2d import Cnn2dParams

__all__ = ["Lesson", "Net2d", "probabilities", "train"]

SYMMETRIES = 8
PREDICT_BATCH = 512


class Net2d(nn.Module):
    """Class scores of a patch of principal components; any patch side, 1 included."""

    def __init__(self, components: int, width: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(components, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)  # (n, components, p, p) → (n, width, p, p)
        x = x.mean(dim=(2, 3))  # (n, width)
        scores: Tensor = self.head(x)  # (n, classes)
        return scores


@dataclass(frozen=True, eq=False)
class Lesson:
    """x: (n, k, p, p) float32 components; target: (n,) int64 output index; weight: (n,) float32."""

    x: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    classes: int


def train(lesson: Lesson, params: Cnn2dParams, seed: int, device: str, progress: Progress) -> Net2d:
    """A trained network, in evaluation mode. Batches are drawn on the CPU: alike on every device."""
    net = fresh_net(lesson.x.shape[1], params.width, lesson.classes, seed).to(device)
    x, target, weight = (torch.tensor(a, device=device) for a in (lesson.x, lesson.target, lesson.weight))
    optimiser = torch.optim.AdamW(net.parameters(), lr=params.rate, weight_decay=params.decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, params.steps)
    order = torch.Generator().manual_seed(seed)
    net.train()
    for step in range(params.steps):
        rows = torch.randint(len(x), (params.batch,), generator=order).to(device)
        loss = cross_entropy(net(turned(x[rows], step)), target[rows], reduction="none")
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward((loss * weight[rows]).mean())
        optimiser.step()
        schedule.step()
        progress(step + 1, params.steps)
    return net.eval()


def fresh_net(components: int, width: int, classes: int, seed: int) -> Net2d:
    """A network whose initial weights depend on ``seed`` alone; torch's global state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would reseed the GPUs as well, and these are not restored here.
        torch.default_generator.manual_seed(seed)
        return Net2d(components, width, classes)


def turned(x: Tensor, step: int) -> Tensor:
    """A batch (n, k, p, p) in eight parts, each under another symmetry of the square.

    Rows of a batch are drawn at random already, so which part gets which symmetry need not be.
    """
    parts = []
    for j, part in enumerate(x.chunk(SYMMETRIES)):
        symmetry = (j + step) % SYMMETRIES
        part = torch.rot90(part, symmetry % 4, (2, 3))
        parts.append(part.flip(3) if symmetry >= 4 else part)
    return torch.cat(parts)


@torch.inference_mode()
def probabilities(
    net: Net2d,
    project: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    x: NDArray[np.float32],
    classes: int,
    device: str,
) -> NDArray[np.float32]:
    """(n, classes) softmax of patches x (n, B, p, p) in scene units."""
    found = [np.empty((0, classes), dtype=np.float32)]
    for start in range(0, len(x), PREDICT_BATCH):
        components = torch.from_numpy(project(x[start : start + PREDICT_BATCH])).to(device)
        found.append(net(components).softmax(dim=1).cpu().numpy())
    return np.concatenate(found)
