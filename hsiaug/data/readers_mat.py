"""MATLAB files: up to version 7 by :mod:`hsiaug.data.mat_classic`, version 7.3 (which is HDF5) through h5py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.bounds import check_array
from hsiaug.data.raw import damaged
from hsiaug.errors import SceneError, did_you_mean

__all__ = ["describe", "read_dataset", "read_mat"]

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NUMERIC = frozenset(["double", "single", "logical", *INTEGERS])  # MATLAB's own names
MOST_SHOWN = 8
"""Arrays of a file that a message lists."""


def read_mat(path: Path, key: str | None, *, ndim: int) -> NDArray[Any]:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim`` axes.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, or not the only one.
    """
    import h5py

    return (_read_hdf5 if h5py.is_hdf5(path) else _read_classic)(path, key, ndim)


def _read_classic(path: Path, key: str | None, ndim: int) -> NDArray[Any]:
    from hsiaug.data.mat_classic import list_variables, read_variable

    try:
        found = {variable.name: variable for variable in list_variables(path)}
        chosen = _choose(path, key, ndim, {name: (v.shape, v.kind) for name, v in found.items()})
        return read_variable(path, found[chosen], labels=ndim == 2)
    except SceneError:
        raise
    except Exception as cause:  # whatever the damaged bytes lead to
        raise damaged(path, ".mat", cause) from cause


def _read_hdf5(path: Path, key: str | None, ndim: int) -> NDArray[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            listed = {name: describe(file, name) for name in file if not name.startswith("#")}
            return read_dataset(path, file, _choose(path, key, ndim, listed), labels=ndim == 2)
    except SceneError:
        raise
    except Exception as cause:  # h5py wraps the errors of the C library in many types
        raise damaged(path, ".mat (version 7.3)", cause) from cause


def describe(file: Any, name: str) -> tuple[tuple[int, ...], str]:
    """Shape in MATLAB's order and MATLAB's class of a top-level item of an HDF5 file.

    What lies in another file, or is a link to it, is of no class of MATLAB: it is never opened.
    """
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return (), "link"
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return (), "struct" if isinstance(item, h5py.Group) else "empty"
    shape = tuple(reversed(item.shape))
    if item.is_virtual or item.external:
        return shape, "array kept in another file"
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return shape, str(item.dtype)
    kind = item.attrs.get("MATLAB_class", b"double")
    return shape, kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)


def read_dataset(path: Path, file: Any, name: str, *, labels: bool) -> NDArray[Any]:
    """A dataset, its axes in MATLAB's order. Raises SceneError for one too large to be read."""
    item = file[name]
    check_array(path, item.shape, item.dtype.itemsize, labels=labels)
    # MATLAB writes its axes in reverse, because HDF5 counts them from the other end.
    return np.asarray(item[()]).T


def _choose(path: Path, key: str | None, ndim: int, listed: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
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
            mend="Name the array with 'key' in the card.",
        )
    if key not in listed:
        raise SceneError(
            f"{path} must hold an array '{key}'",
            value=overview or "no arrays",
            mend=f"Correct 'key' in the card. {did_you_mean(key, listed)}",
        )
    if listed[key][1] not in NUMERIC:
        raise SceneError(
            f"{path}: '{key}' must be a numeric array",
            value=f"a MATLAB {listed[key][1]}",
            mend=f"Name a numeric array with 'key'; the file holds {overview}.",
        )
    return key
