"""The training loop: AdamW, warm-up and cosine decay, gradient clipping, EMA, bfloat16, a guard against divergence,
and checkpoints, so that a killed training goes on where it was and ends the same."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from hsiaug.api import PluginError, Progress, derive_seed
from hsiaug_nets.state import under

__all__ = ["Run", "bf16_is_faster", "randomness", "train"]

Net = TypeVar("Net", bound=nn.Module)

CHECKPOINT_EVERY = 30.0
"""Seconds of training that a kill may cost."""

CHECK_EVERY = 20
"""Steps between two looks at the loss on a GPU, which has to finish all it was given before it can tell."""


@dataclass(frozen=True, eq=False)
class Run:
    """What every stage of a training shares. checkpoint: the folder that stages are saved to, or None."""

    seed: int
    device: str
    progress: Progress
    checkpoint: Path | None

    def file(self, stage: str) -> Path | None:
        """Where a stage saves its checkpoint."""
        return None if self.checkpoint is None else self.checkpoint / f"{stage}.safetensors"


def randomness(seed: int, step: int) -> torch.Generator:
    """All randomness of one step of a training: it depends on no step before, so a resumed training draws the same."""
    return torch.Generator().manual_seed(derive_seed("step", seed, step))


def bf16_is_faster(device: str) -> bool:
    """Whether bfloat16 is faster than float32 there. On a CPU it is only where the CPU has instructions for it, and
    then by less than a third for networks of this size: never, so that results do not depend on the CPU."""
    return device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)


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
    half: bool = False,
    checkpoint: Path | None = None,
) -> Net:
    """The model after ``steps`` steps on ``loss(step)``, in evaluation mode; with ``ema`` > 0 its moving average.

    The rate warms up over the first 5 % and decays to 0 along a cosine. half: compute the loss in bfloat16 where torch
    thinks it safe; weights stay float32. checkpoint: a file that the training is saved to now and then; where it is
    there already, the training goes on from it, and ends the same bit for bit where ``loss`` draws from
    :func:`randomness`.
    Raises PluginError when the loss is not finite.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    average = copy.deepcopy(model) if ema else model
    begin = _resumed(checkpoint, model, average, optimiser) if checkpoint and checkpoint.is_file() else 0
    device = next(model.parameters()).device.type
    every = CHECK_EVERY if device == "cuda" else 1
    saved = time.monotonic()
    model.train()
    for step in range(begin, steps):
        with torch.autocast(device, torch.bfloat16, enabled=half):
            value = loss(step)
        looked = step % every == 0 or step + 1 == steps
        if looked:
            _finite(value.detach(), step, note)
        for group in optimiser.param_groups:
            group["lr"] = rate * _share(step, steps)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        if ema:
            _blend(average, model, min(ema, (step + 1) / (step + 10)))
        if checkpoint and looked and time.monotonic() - saved > CHECKPOINT_EVERY:
            _save(checkpoint, step + 1, model, average, optimiser)
            saved = time.monotonic()
        progress(step + 1, steps, note)
    if checkpoint and begin < steps:
        _save(checkpoint, steps, model, average, optimiser)
    return average.eval().requires_grad_(False)


def _finite(value: Tensor, step: int, note: str) -> None:
    """Raise PluginError for a loss that is not finite."""
    if not torch.isfinite(value):
        raise PluginError(
            f"the training of the {note} must stay finite",
            value=f"a loss of {value.item()} at step {step}",
            hint="Lower the learning rate (--set NAME.rate=…), or look for bands with extreme values.",
        )


def _share(step: int, steps: int) -> float:
    """Share of the peak rate."""
    return min(1.0, (step + 1) / max(1, steps // 20)) * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.no_grad()
def _blend(average: nn.Module, model: nn.Module, keep: float) -> None:
    """Move the average towards the model's weights; nothing here has buffers that training changes."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - keep)


def _save(file: Path, step: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Weights, their average and the optimiser's moments, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {"step": torch.tensor(step)}
    for name, net in (("model", model), ("average", average)):
        tensors |= {f"{name}.{key}": value for key, value in net.state_dict().items()}
    for i, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{key}": value for key, value in moments.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh_file = file.with_name(f"{file.name}.new")
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(tensors, fresh_file, {"sha256": _checksum(tensors)})
    fresh_file.replace(file)


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Of names and values: a flipped bit would change what the training ends with, and nobody would see it."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].cpu().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _resumed(file: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Load what :func:`_save` wrote, and return the step to go on with."""
    from safetensors import safe_open

    try:
        with safe_open(file, "pt") as opened:
            stated = (opened.metadata() or {}).get("sha256")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  it is no mapping
        if stated != _checksum(tensors):
            raise ValueError("values that are not as they were written")
        for name, net in (("average", average), ("model", model)):
            net.load_state_dict(under(name, tensors))
    except Exception as error:
        raise PluginError(
            f"{file}: expected the checkpoint of a training that was stopped",
            value=f"{type(error).__name__}: {error}",
            hint="Delete the file; the training then begins anew.",
        ) from error
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, i, moment = key.split(".")
            state.setdefault(int(i), {})[moment] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return int(tensors["step"])
