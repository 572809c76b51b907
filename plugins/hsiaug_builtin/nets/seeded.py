"""Randomness inside torch that a seed determines, with torch's global generators left as they were;
and how what is drawn on the CPU reaches the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Within the block the CPU's generator, and that of ``device`` if it is a CUDA one, start from
    ``seed``.

    Dropout and initial weights read these; no generator of another device is touched.
    """
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        # Not torch.manual_seed, which would reseed the other GPUs as well, and these are not
        # restored here.
        torch.default_generator.manual_seed(seed)
        for gpu in cuda:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield


def fresh(build: Callable[[], Net], seed: int) -> Net:
    """A module, on the CPU, whose initial weights depend on ``seed`` alone."""
    with seeded(seed):
        return build()


def to_device(x: Tensor, device: str | torch.device) -> Tensor:
    """A tensor of the CPU on ``device``. A plain ``.to`` waits for all that a GPU was given before;
    this does not.
    """
    if torch.device(device).type != "cuda":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


def draws_itself(device: str | torch.device) -> bool:
    """Whether noise is drawn on the device: that of a large batch takes the CPU longer than a step
    takes the GPU.
    """
    return torch.device(device).type == "cuda"


def normal(shape: Sequence[int], rng: torch.Generator, device: str | torch.device) -> Tensor:
    """Standard normal numbers on ``device``, which the CPU's generator ``rng`` determines, on
    every device others.
    """
    if not draws_itself(device):
        return torch.randn(*shape, generator=rng).to(device)
    device_rng = torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=rng)))
    return torch.randn(*shape, generator=device_rng, device=device)
