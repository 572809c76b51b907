"""The training loop (AdamW along a cosine, moving average, bfloat16, checkpoints, a guard against
divergence), batches drawn by weight, and cross-entropy.
"""

from __future__ import annotations

import copy
import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hsiaug.api import PluginError, Progress, derive_seed, give_back_files
from hsiaug_builtin.nets.checkpoint import resume, save
from hsiaug_builtin.nets.recipe import Budget, Recipe
from hsiaug_builtin.nets.seeded import seeded
from hsiaug_builtin.nets.views import view_of

__all__ = [
    "Error",
    "NextBatch",
    "TrainingPatches",
    "batches",
    "check_finite",
    "criterion",
    "descend",
    "train",
]

Net = TypeVar("Net", bound=nn.Module)
NextBatch = Callable[[int], tuple[Tensor, Tensor]]
"""``next_batch(step)``: what a network reads at a step, and its targets, both on the device."""
Error = Callable[[Tensor, Tensor], Tensor]
"""``error(scores, target)``."""

CHECKPOINT_EVERY = 30.0
"""Seconds of training that a kill may cost."""
CHECK_EVERY = 20
"""Steps between two looks at the loss on a GPU, which has to finish all it was given before it can
tell.
"""


class AdamW(torch.optim.AdamW):
    """As torch's own, whose wrappers import the compiler at the first call: 1.5 s and 100 MB for
    nothing.
    """

    add_param_group, zero_grad, state_dict, load_state_dict, _step = (
        inspect.unwrap(getattr(torch.optim.AdamW, name))
        for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict", "step")
    )
    step = torch.no_grad()(_step)


@dataclass(frozen=True, eq=False)
class TrainingPatches:
    """What a network of patches learns from.

    Attributes
    ----------
    x : (n, k, p, p) float32
        Components or bands.
    target : (n,) int64
        Output index.
    weight : (n,) float32
    """

    x: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    classes: int


def train(
    net: Net,
    next_batch: NextBatch,
    error: Error,
    budget: Budget,
    *,
    seed: int,
    device: str,
    progress: Progress,
) -> Net:
    """The network after ``budget.steps`` steps down ``error`` on what ``next_batch`` gives, as
    :func:`descend` gives it.

    The same network and seed give the same weights on one CPU; on a GPU up to rounding.
    """
    net.to(device)

    def loss(step: int) -> Tensor:
        x, target = next_batch(step)
        return error(net(x), target)

    return descend(net, loss, budget, seed=seed, progress=progress)


def batches(data: TrainingPatches, recipe: Recipe, seed: int, device: str) -> NextBatch:
    """Patches (b, k, p, p), augmented, and their targets (b,). Drawn on the CPU: alike on every
    device.

    Samples are drawn in proportion to their weight, which has the same expected gradient as to
    weight their losses, but spends no step on samples that hardly count; with ``recipe.balanced``
    every class is drawn equally often.
    """
    x, target = (torch.as_tensor(a, device=device) for a in (data.x, data.target))
    view = view_of(recipe.augment)
    order = torch.Generator().manual_seed(seed)
    noise = torch.Generator().manual_seed(derive_seed("views", seed))
    share = data.weight.astype(np.float64)
    if recipe.balanced:
        mass = np.bincount(data.target, share, data.classes)
        share /= np.maximum(mass, 1e-12)[data.target]
    alike = bool((share == share[0]).all())
    chances = torch.from_numpy(share)

    def next_batch(step: int) -> tuple[Tensor, Tensor]:
        if alike:
            rows = torch.randint(len(x), (recipe.batch,), generator=order)
        else:
            rows = torch.multinomial(chances, recipe.batch, replacement=True, generator=order)
        rows = rows.to(device)
        return view(x[rows], noise, step), target[rows]

    return next_batch


def criterion(data: TrainingPatches, recipe: Recipe, device: str) -> Error:
    """Mean cross-entropy.

    With τ = ``recipe.adjust`` > 0 it is the logit-adjusted one: τ·log π_c is added to the scores of
    class c (Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, equation 10), π the
    classes' shares of the drawn weights; predictions then read the scores as they are. Where the
    split is balanced π is uniform, and the adjustment changes nothing.
    """
    shift = torch.zeros(data.classes, device=device)
    if recipe.adjust and not recipe.balanced:
        mass = np.bincount(data.target, data.weight, data.classes)
        prior = np.maximum(
            mass / max(mass.sum(), 1e-9), 1e-6
        )  # a class of no weight has no finite logarithm
        shift = torch.tensor(recipe.adjust * np.log(prior), dtype=torch.float32, device=device)

    def error(scores: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(scores + shift, target)

    return error


def descend(
    net: Net,
    loss: Callable[[int], Tensor],
    budget: Budget,
    *,
    progress: Progress,
    seed: int = 0,
    note: str = "",
    warm_up: bool = False,
    clip: float | None = None,
    ema: float = 0.0,
    half: bool = False,
    fused: bool = False,
    checkpoint: Path | None = None,
) -> Net:
    """The network after ``budget.steps`` steps of AdamW down ``loss(step)``, in evaluation mode;
    with ``ema`` > 0 the moving average of its weights.

    The rate decays to 0 along a cosine, after a warm-up over the first 5 % where asked for.

    Dropout draws by ``seed``.

    Parameters
    ----------
    clip : float or None
        Largest norm of the gradient.
    half : bool
        Compute the loss in bfloat16 where torch thinks it safe; weights stay float32.
    fused : bool
        One kernel for all weights, several times as fast where they are few; it rounds
        otherwise.
    note : str
        What is trained, for progress and errors.
    checkpoint : Path or None
        A file that the training is saved to now and then; where it is there already, the
        training goes on from it, and ends the same bit for bit where ``loss`` depends on its
        step alone.

    Raises
    ------
    PluginError
        When the loss is not finite.
    """
    # What is learnt from was read of views and samples before.
    give_back_files()
    steps = budget.steps
    device = next(net.parameters()).device
    weights: list[Tensor] = list(net.parameters())
    optimiser = AdamW(weights, lr=budget.rate, weight_decay=budget.decay, fused=fused)
    average = copy.deepcopy(net) if ema else net
    blended: list[Tensor] = list(average.parameters())
    begin = (
        resume(checkpoint, net, average, optimiser) if checkpoint and checkpoint.is_file() else 0
    )
    every = CHECK_EVERY if device.type == "cuda" else 1
    saved = time.monotonic()
    net.train()
    with seeded(seed, str(device)):
        for step in range(begin, steps):
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                value = loss(step)
            looked = step % every == 0 or step + 1 == steps
            if looked:
                check_finite(value.detach(), step, note)
            for group in optimiser.param_groups:
                group["lr"] = budget.rate * _share(step, steps, steps // 20 if warm_up else 1)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(weights, clip)
            optimiser.step()
            if ema:
                # Buffers are not averaged.
                with torch.no_grad():
                    torch._foreach_lerp_(blended, weights, 1 - min(ema, (step + 1) / (step + 10)))
            if checkpoint and looked and time.monotonic() - saved > CHECKPOINT_EVERY:
                save(checkpoint, step + 1, net, average, optimiser)
                saved = time.monotonic()
            progress(step + 1, steps, note)
    if checkpoint and begin < steps:
        save(checkpoint, steps, net, average, optimiser)
    return average.eval()


def check_finite(value: Tensor, step: int, note: str) -> None:
    """Raise PluginError for a loss that is not finite.

    Parameters
    ----------
    note : str
        What is trained.
    """
    if not torch.isfinite(value):
        raise PluginError(
            f"the training of the {note or 'network'} must stay finite",
            value=f"a loss of {value.item()} at step {step}",
            hint="Lower the learning rate (`NAME.rate=…`), or look for bands with extreme values.",
        )


def _share(step: int, steps: int, rise: int) -> float:
    """Share of the peak rate, which is reached after ``rise`` steps."""
    return min(1.0, (step + 1) / max(1, rise)) * 0.5 * (1 + math.cos(math.pi * step / steps))
