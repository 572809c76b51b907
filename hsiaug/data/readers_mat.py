"""MATLAB files: up to version 7 by :mod:`hsiaug.data.mat_classic`, version 7.3 by :mod:`hsiaug.data.hdf5`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.data.hdf5 import Hdf5, is_hdf5
from hsiaug.data.mat_classic import list_variables, read_variable
from hsiaug.data.raw import damaged

__all__ = ["read_mat", "read_mat_maps"]

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NUMERIC = frozenset(["double", "single", "logical", *INTEGERS])  # MATLAB's own names
MOST_SHOWN = 8
"""Arrays of a file that a message lists."""

Listed = Mapping[str, tuple[tuple[int, ...], str]]
"""Shape and MATLAB class of each array of a file."""


def read_mat(path: Path, key: str | None, *, ndim: int) -> NDArray[Any]:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim`` axes.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, or not the only one.
    """
    kind = ".mat (version 7.3)" if is_hdf5(path) else ".mat"
    try:
        with _opened(path) as (listed, read):
            return read(_choose(path, key, ndim, listed), labels=ndim == 2)
    except SceneError:
        raise
    except Exception as cause:  # whatever the damaged bytes lead to
        raise damaged(path, kind, cause) from cause


def read_mat_maps(path: Path) -> dict[str, NDArray[Any]]:
    """Every numeric array with two axes, by name. Raises SceneError for one too large, else what the bytes lead to."""
    with _opened(path) as (listed, read):
        maps = [name for name, (shape, kind) in listed.items() if len(shape) == 2 and kind in NUMERIC]
        return {name: read(name, labels=True) for name in maps}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Listed, Callable[..., NDArray[Any]]]]:
    """What the file holds, and a function that reads an array by its name."""
    if is_hdf5(path):
        with Hdf5(path) as file:
            # "#…" is what MATLAB keeps for itself.
            yield {name: item for name, item in file.items.items() if not name.startswith("#")}, file.read
        return
    found = {variable.name: variable for variable in list_variables(path)}
    yield (
        {v.name: (v.shape, v.kind) for v in found.values()},
        lambda name, labels: read_variable(path, found[name], labels=labels),
    )


def _choose(path: Path, key: str | None, ndim: int, listed: Listed) -> str:
    """The key to read, of those listed with shape and MATLAB class."""
    shown = [f"{name} {'×'.join(map(str, shape))} {kind}" for name, (shape, kind) in listed.items()]
    overview = ", ".join((*shown[:MOST_SHOWN], "…") if len(shown) > MOST_SHOWN else shown)
    if key is None:
        fitting = [name for name, (shape, kind) in listed.items() if len(shape) == ndim and kind in NUMERIC]
        if len(fitting) == 1:
            return fitting[0]
        raise SceneError(
            f"{path} must hold exactly one numeric array with {ndim} axes, or the card must name one",
            value=f"{len(fitting)} among: {overview or 'no arrays'}",
            hint="Name the array with 'key' in the card.",
        )
    if key not in listed:
        raise SceneError(
            f"{path} must hold an array '{key}'",
            value=overview or "no arrays",
            hint=f"Correct 'key' in the card. {did_you_mean(key, listed)}",
        )
    if listed[key][1] not in NUMERIC:
        raise SceneError(
            f"{path}: '{key}' must be a numeric array",
            value=f"a MATLAB {listed[key][1]}",
            hint=f"Name a numeric array with 'key'; the file holds {overview}.",
        )
    return key
