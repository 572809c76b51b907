"""The training loop: AdamW, warm-up and cosine decay, gradient clipping, EMA, and a guard against divergence."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from hsiaug.api import PluginError, Progress

__all__ = ["fresh", "train"]

Net = TypeVar("Net", bound=nn.Module)


def fresh(build: Callable[[], Net], seed: int) -> Net:
    """A module whose initial weights depend on ``seed`` alone; torch's global state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would reseed the GPUs as well, and these are not restored here.
        torch.default_generator.manual_seed(seed)
        return build()


def train(
    model: Net,
    loss: Callable[[int], Tensor],
    *,
    steps: int,
    rate: float,
    progress: Progress,
    note: str,
    ema: float = 0.0,
    clip: float = 1.0,
) -> Net:
    """The model after ``steps`` steps on ``loss(step)``, in evaluation mode; with ``ema`` > 0 its moving average.

    The rate warms up over the first 5 % and decays to 0 along a cosine. Raises PluginError when the loss is not finite.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda k: min(1.0, (k + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1.0, k / steps)))
    )
    average = copy.deepcopy(model) if ema else model
    model.train()
    for step in range(steps):
        value = loss(step)
        if not torch.isfinite(value):
            raise PluginError(
                f"the training of the {note} must stay finite",
                value=f"a loss of {value.item()} at step {step}",
                mend="Lower the learning rate (--set NAME.rate=…), or look for bands with extreme values.",
            )
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        schedule.step()
        if ema:
            _blend(average, model, min(ema, (step + 1) / (step + 10)))
        progress(step + 1, steps, note)
    return average.eval().requires_grad_(False)


@torch.no_grad()
def _blend(average: nn.Module, model: nn.Module, keep: float) -> None:
    """Move the average towards the model's weights; nothing here has buffers that training changes."""
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - keep)
