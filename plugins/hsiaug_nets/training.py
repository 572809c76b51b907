"""Training by a budget of steps: batches drawn by weight, cross-entropy, AdamW along a cosine; and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hsiaug.api import PluginError, Progress, derive_seed
from hsiaug_nets.recipe import Budget, Recipe
from hsiaug_nets.seeded import seeded
from hsiaug_nets.views import view_of

__all__ = ["Draw", "Error", "TrainingPatches", "batches", "criterion", "descend", "over", "train"]

Net = TypeVar("Net", bound=nn.Module)
Draw = Callable[[int], tuple[Tensor, Tensor]]
"""``draw(step)``: what a network reads at a step, and its targets, both on the device."""
Error = Callable[[Tensor, Tensor], Tensor]
"""``error(scores, target)``."""


@dataclass(frozen=True, eq=False)
class TrainingPatches:
    """x: (n, k, p, p) float32, components or bands; target: (n,) int64 output index; weight: (n,) float32."""

    x: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    classes: int


def train(
    net: Net, draw: Draw, error: Error, budget: Budget, *, seed: int, device: str, progress: Progress
) -> Net:
    """The network after ``budget.steps`` steps down ``error`` on what ``draw`` draws, as :func:`descend` gives it.

    The same network and seed give the same weights on one CPU; on a GPU up to rounding.
    """
    net.to(device)

    def loss(step: int) -> Tensor:
        x, target = draw(step)
        return error(net(x), target)

    return descend(net, loss, budget, seed=seed, device=device, progress=progress)


def batches(data: TrainingPatches, recipe: Recipe, seed: int, device: str) -> Draw:
    """Patches (b, k, p, p), augmented, and their targets (b,). Drawn on the CPU: alike on every device.

    Samples are drawn in proportion to their weight, which has the same expected gradient as to weight their losses, but
    spends no step on samples that hardly count; with ``recipe.balanced`` every class is drawn equally often.
    """
    x, target = (torch.tensor(a, device=device) for a in (data.x, data.target))
    view = view_of(recipe.augment)
    order = torch.Generator().manual_seed(seed)
    noise = torch.Generator().manual_seed(derive_seed("views", seed))
    share = data.weight.astype(np.float64)
    if recipe.balanced:
        mass = np.bincount(data.target, share, data.classes)
        share /= np.maximum(mass, 1e-12)[data.target]
    alike = bool((share == share[0]).all())
    chances = torch.from_numpy(share)

    def draw(step: int) -> tuple[Tensor, Tensor]:
        if alike:
            rows = torch.randint(len(x), (recipe.batch,), generator=order)
        else:
            rows = torch.multinomial(chances, recipe.batch, replacement=True, generator=order)
        rows = rows.to(device)
        return view(x[rows], noise, step), target[rows]

    return draw


def criterion(data: TrainingPatches, recipe: Recipe, device: str) -> Error:
    """Mean cross-entropy.

    With τ = ``recipe.adjust`` > 0 it is the logit-adjusted one: τ·log π_c is added to the scores of class c
    (Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, equation 10), π the classes' shares of the
    drawn weights; predictions then read the scores as they are. Where the draw is balanced π is uniform, and the
    adjustment changes nothing.
    """
    shift = torch.zeros(data.classes, device=device)
    if recipe.adjust and not recipe.balanced:
        mass = np.bincount(data.target, data.weight, data.classes)
        prior = np.maximum(mass / max(mass.sum(), 1e-9), 1e-6)  # a class of no weight has no finite logarithm
        shift = torch.tensor(recipe.adjust * np.log(prior), dtype=torch.float32, device=device)

    def error(scores: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(scores + shift, target)

    return error


def descend(
    net: Net,
    loss: Callable[[int], Tensor],
    budget: Budget,
    *,
    seed: int,
    device: str,
    progress: Progress,
    after: Callable[[int], None] | None = None,
) -> Net:
    """The network after ``budget.steps`` steps of AdamW down ``loss(step)``, in evaluation mode.

    after: called with the step once the weights have moved, as for a moving average of them. Dropout draws by
    ``seed``. Raises PluginError where the loss ends up not finite.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=budget.rate, weight_decay=budget.decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, budget.steps)
    net.train()
    value = torch.zeros(())
    with seeded(seed, device):
        for step in range(budget.steps):
            value = loss(step)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            optimiser.step()
            schedule.step()
            if after is not None:
                after(step)
            progress(step + 1, budget.steps)
    # A loss that is once not finite stays so; looking at each would make a GPU wait at every step.
    if not torch.isfinite(value):
        raise PluginError(
            "the training of a network must stay finite",
            value=f"a last loss of {value.item()}",
            hint="Lower its learning rate (--set NAME.rate=…), or look for bands with extreme values.",
        )
    return net.eval()


@torch.inference_mode()
def over(
    net: nn.Module,
    read: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    x: NDArray[np.float32],
    size: int,
    device: str,
    reading: Callable[[Tensor], Tensor],
    none: NDArray[Any],
) -> NDArray[Any]:
    """``reading(net(read(x)))`` of samples x (n, …) in the data's units, ``size`` at a time; ``none`` for n = 0.

    net: in evaluation mode, on ``device``. read: to what the network reads.
    """
    found = [none]
    for start in range(0, len(x), size):
        part = torch.from_numpy(read(x[start : start + size])).to(device)
        found.append(reading(net(part)).cpu().numpy())
    return np.concatenate(found)
