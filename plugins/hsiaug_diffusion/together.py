"""Training one model on several GPUs: a process each, with a share of the batch, and gradients averaged."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.multiprocessing.spawn import ProcessException, spawn

from hsiaug.api import PluginError, Progress
from hsiaug_diffusion.training import Rank, train

__all__ = ["SharedLoss", "check_together", "train_together"]

Net = TypeVar("Net", bound=nn.Module)


class SharedLoss(Protocol):
    """A loss that processes can share: it pickles, and with it the very model that it trains."""

    def __call__(self, step: int) -> Tensor: ...

    def share(self, rank: int, count: int) -> SharedLoss:
        """The loss on process ``rank``'s part of the batch, with randomness of its own."""
        ...


def check_together(devices: tuple[str, ...]) -> None:
    """Raise PluginError where several devices are asked for and what trains on them is not installed."""
    if len(devices) > 1 and find_spec("accelerate") is None:
        raise PluginError(
            "training on several GPUs needs accelerate",
            value=f"{len(devices)} devices, {', '.join(devices)}",
            hint="pip install 'hsiaug[multi-gpu]', or name one device.",
        )


def train_together(
    model: Net,
    loss: SharedLoss,
    devices: tuple[str, ...],
    *,
    progress: Progress,
    checkpoint: Path | None,
    **how: Any,
) -> Net:
    """:func:`hsiaug_diffusion.training.train` on one device or several; ``how`` is the rest of its arguments.

    On several, each step is one of ``loss.share(rank, n)`` in n processes, whose gradients are averaged (PyTorch's
    DistributedDataParallel through Hugging Face's accelerate), so all keep the same weights. The weights come back
    through the checkpoint, to where ``model`` is. A script that calls this needs Python's usual
    ``if __name__ == "__main__"``. Raises PluginError where a loss is not finite or accelerate is missing.
    """
    if len(devices) == 1:
        return train(model, loss, progress=progress, checkpoint=checkpoint, **how)
    check_together(devices)
    with TemporaryDirectory() as folder:
        file = checkpoint or Path(folder) / "weights.safetensors"
        shipped = Path(folder) / "task.pt"
        torch.save((model, loss), shipped)
        _run(_Task(devices, _free_port(), shipped, file, how), progress)
        # Every step is done: this only reads the weights.
        return train(model, loss, progress=progress, checkpoint=file, **how)


@dataclass(frozen=True)
class _Task:
    """What each process is told. shipped: a file, private to this run, with the model and its loss."""

    devices: tuple[str, ...]
    port: int
    shipped: Path
    checkpoint: Path
    how: dict[str, Any]


def _run(task: _Task, progress: Progress) -> None:
    """Start a process for each device and wait for all; whatever ends this ends them."""
    # Fresh processes, since a forked one cannot use a GPU that this one has used.
    messages = torch.multiprocessing.get_context("spawn").SimpleQueue()
    context = spawn(_process, (task, messages), nprocs=len(task.devices), join=False)  # type: ignore[no-untyped-call]
    try:
        while not context.join(timeout=0.2):
            _tell(messages, progress)
        _tell(messages, progress)
    except ProcessException:
        _tell(messages, progress)
        raise
    finally:
        for process in context.processes:
            process.kill()
            process.join()


def _tell(messages: Any, progress: Progress) -> None:
    """Pass on what the processes report, and raise what went wrong in them."""
    while not messages.empty():
        message = messages.get()
        if isinstance(message, PluginError):
            raise message
        progress(*message)


def _process(rank: int, task: _Task, messages: Any) -> None:
    """One process: its share of every step."""
    kind, _, index = task.devices[rank].partition(":")
    count = len(task.devices)
    os.environ.update(
        RANK=str(rank),
        WORLD_SIZE=str(count),
        # accelerate takes this for the number of the GPU.
        LOCAL_RANK=index if kind == "cuda" else str(rank),
        LOCAL_WORLD_SIZE=str(count),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(task.port),
    )
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=kind == "cpu", mixed_precision="no")
    # Not a file from outside: the process that started this one has just written it.
    where = accelerator.device if kind == "cuda" else "cpu"
    model, loss = torch.load(task.shipped, map_location=where, weights_only=False)
    shared = accelerator.prepare(_Objective(model, loss.share(rank, count)))

    def progress(done: int, total: int, note: str = "") -> None:
        if rank == 0:
            messages.put((done, total, note))

    def mean(value: Tensor) -> Tensor:
        averaged: Tensor = accelerator.reduce(value, reduction="mean")
        return averaged

    try:
        train(model, shared, progress=progress, checkpoint=task.checkpoint, rank=Rank(rank == 0, mean), **task.how)
    except PluginError as error:
        messages.put(error)
        raise
    accelerator.end_training()
    # The weights are in the checkpoint and the messages are sent. Python's own way out is not taken: a thread of the
    # process group that lets go of a tensor while the interpreter shuts down aborts the process (PyTorch PR 179291).
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class _Objective(nn.Module):
    """A loss as the forward pass of a module, which is what DistributedDataParallel averages gradients of."""

    def __init__(self, model: nn.Module, loss: SharedLoss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, step: int) -> Tensor:
        return self.loss(step)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
