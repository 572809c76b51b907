"""Checkpoints of a training, so that one that was killed goes on where it was and ends the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from hsiaug.api import PluginError
from hsiaug_builtin.nets.state import under


def save(
    file: Path, step: int, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Weights, their average and the optimiser's moments, whole or not at all.

    On a disk that is full or fails the training goes on without: a checkpoint only saves time.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {"step": torch.tensor(step)}
    for name, net in (("model", model), ("average", average)):
        tensors |= {f"{name}.{key}": value for key, value in net.state_dict().items()}
    for i, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{key}": value for key, value in moments.items()}
    fresh_file = file.with_name(f"{file.name}.new")
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    with suppress(OSError, SafetensorError):
        file.parent.mkdir(exist_ok=True)
        save_file(tensors, fresh_file, {"sha256": _checksum(tensors)})
        fresh_file.replace(file)
    with suppress(OSError):
        fresh_file.unlink(missing_ok=True)


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """Checksum of names and values: nobody would see a flipped bit, which changes what the training
    ends with.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def resume(
    file: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """Load what :func:`save` wrote, and return the step to go on with."""
    from safetensors import safe_open

    try:
        with safe_open(file, "pt") as opened:
            stated = (opened.metadata() or {}).get("sha256")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if stated != _checksum(tensors):
            raise ValueError("values that are not as they were written")
        for name, net in (("average", average), ("model", model)):
            net.load_state_dict(under(name, tensors))
    except MemoryError:
        raise
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
