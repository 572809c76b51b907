"""How generators by diffusion are trained: randomness that depends on the step alone, so that a
killed training goes on where it was and ends the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from hsiaug.api import Progress, derive_seed
from hsiaug_builtin.nets.recipe import Budget
from hsiaug_builtin.nets.training import descend

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """Shared by all stages of a training.

    Attributes
    ----------
    checkpoint : Path or None
        The folder that stages are saved to, or None.
    """

    seed: int
    device: str
    progress: Progress
    checkpoint: Path | None

    def file(self, stage: str) -> Path | None:
        """Return the file of a stage's checkpoint; None without a folder."""
        return None if self.checkpoint is None else self.checkpoint / f"{stage}.safetensors"


def randomness(seed: int, step: int) -> torch.Generator:
    """All randomness of one step of a training: it depends on no step before, so a resumed training
    draws the same.
    """
    return torch.Generator().manual_seed(derive_seed("step", seed, step))


def bf16_is_faster(device: str) -> bool:
    """Whether bfloat16 is faster than float32 there. On a CPU it is only where the CPU has
    instructions for it, and then by less than a third for networks of this size: never, so that
    results do not depend on the CPU.
    """
    return device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)


class _Call(nn.Module):
    """Calls a network."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Tensor:
        out: Tensor = self.net(*inputs)
        return out


def replayed(net: nn.Module, device: str) -> Callable[..., Tensor]:
    """A network that is trained on inputs of one shape: on a GPU as CUDA graphs, one launch each
    way in place of hundreds of small ones, which take the CPU longer than the GPU; elsewhere as it
    is.
    """
    if not device.startswith("cuda"):
        return net
    # Capturing changes the module that it is given, and copies of that would go on calling it.
    graphs: list[Callable[..., Tensor]] = []

    def call(*inputs: Tensor) -> Tensor:
        if not graphs:
            # Of a capture's own stream, which replays wait for: torch would warn of it once in
            # every process.
            if quieten := getattr(
                torch.autograd.graph, "set_warn_on_accumulate_grad_stream_mismatch", None
            ):
                quieten(False)
            with torch.autocast(
                "cuda", torch.bfloat16, enabled=bf16_is_faster(device), cache_enabled=False
            ):
                captured: Any = torch.cuda.make_graphed_callables(_Call(net), inputs)
            graphs.append(captured)
        return graphs[0](*inputs)

    return call


def train(
    model: Net,
    loss: Callable[[int], Tensor],
    *,
    steps: int,
    rate: float,
    progress: Progress,
    note: str,
    ema: float = 0.0,
    half: bool = False,
    fused: bool = False,
    checkpoint: Path | None = None,
) -> Net:
    """:func:`hsiaug_builtin.nets.training.descend` with a warm-up, clipped gradients and no weight
    decay.

    Afterwards the whole model is frozen.
    """
    trained = descend(
        model,
        loss,
        Budget(steps=steps, rate=rate, decay=0.0),
        progress=progress,
        note=note,
        warm_up=True,
        clip=1.0,
        ema=ema,
        half=half,
        fused=fused,
        checkpoint=checkpoint,
    )
    return trained.requires_grad_(False)
