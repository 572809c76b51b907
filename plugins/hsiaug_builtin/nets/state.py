"""Networks and dataclasses among the arrays that a fitted plugin saves, each under a name of its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsiaug_builtin.nets.seeded import fresh

Net = TypeVar("Net", bound=nn.Module)
Value = TypeVar("Value")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The ``state_dict`` in a file, of safetensors or of torch. Raises what these raise."""
    if path.suffix.lower() == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    # Pickled objects could run code, and are never loaded.
    stored = torch.load(path, map_location="cpu", weights_only=True)
    state: dict[str, Tensor] = stored.get("state_dict", stored)
    return state


def weights(**nets: nn.Module) -> dict[str, NDArray[Any]]:
    """``NAME.KEY`` → array, of everything in the networks' state."""
    return {
        f"{name}.{key}": value.cpu().numpy()
        for name, net in nets.items()
        for key, value in net.state_dict().items()
    }


def fields(**values: Any) -> dict[str, NDArray[Any]]:
    """``NAME.FIELD`` → array, of the fields of dataclasses that are arrays."""
    named = (
        (f"{name}.{key}", field)
        for name, value in values.items()
        for key, field in vars(value).items()
    )
    return {key: field for key, field in named if isinstance(field, np.ndarray)}


def under(name: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values of ``NAME.KEY``, by key."""
    return {
        key.removeprefix(f"{name}."): value
        for key, value in values.items()
        if key.startswith(f"{name}.")
    }


def restore(
    name: str, arrays: Mapping[str, NDArray[Any]], build: Callable[[], Net], device: str
) -> Net:
    """The network that ``build`` makes, with the weights of that name: on ``device``, and no longer
    to be trained.
    """
    # The weights are replaced at once; drawing them must only leave torch's global state as it was.
    net = fresh(build, 0)
    net.load_state_dict({key: torch.tensor(value) for key, value in under(name, arrays).items()})
    return net.to(device).eval().requires_grad_(False)
