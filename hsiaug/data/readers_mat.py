"""MATLAB files: up to version 7 through scipy, version 7.3 (which is HDF5) through h5py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.raw import damaged
from hsiaug.errors import SceneError, did_you_mean

__all__ = ["read_mat"]

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NUMERIC = frozenset(["double", "single", "logical", *INTEGERS])  # MATLAB's own names


def read_mat(path: Path, key: str | None, *, ndim: int) -> NDArray[Any]:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim`` axes.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, or not the only one.
    """
    import h5py

    if h5py.is_hdf5(path):
        return _read_hdf5(path, key, ndim)
    return _read_classic(path, key, ndim)


def _read_classic(path: Path, key: str | None, ndim: int) -> NDArray[Any]:
    from scipy.io import loadmat, whosmat

    try:
        listed = {name: (tuple(shape), kind) for name, shape, kind in whosmat(path)}
    except Exception as cause:  # scipy's parser raises whatever the damaged bytes lead it to
        raise damaged(path, ".mat", cause) from cause
    chosen = _choose(path, key, ndim, listed)
    try:
        return np.asarray(loadmat(path, variable_names=[chosen])[chosen])
    except Exception as cause:
        raise damaged(path, ".mat", cause) from cause


def _read_hdf5(path: Path, key: str | None, ndim: int) -> NDArray[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            listed = {name: _describe(item) for name, item in file.items() if not name.startswith("#")}
            chosen = _choose(path, key, ndim, listed)
            # MATLAB writes its axes in reverse, because HDF5 counts them from the other end.
            return np.asarray(file[chosen][()]).T
    except SceneError:
        raise
    except Exception as cause:  # h5py wraps the errors of the C library in many types
        raise damaged(path, ".mat (version 7.3)", cause) from cause


def _describe(item: Any) -> tuple[tuple[int, ...], str]:
    """Shape in MATLAB's order and MATLAB's class of a top-level item."""
    dtype = getattr(item, "dtype", None)
    shape = tuple(reversed(getattr(item, "shape", ())))
    if dtype is None or dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return shape, "struct" if dtype is None else str(dtype)
    kind = item.attrs.get("MATLAB_class", b"double")
    return shape, kind.decode() if isinstance(kind, bytes) else str(kind)


def _choose(path: Path, key: str | None, ndim: int, listed: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    """The key to read, of those listed with shape and MATLAB class."""
    overview = ", ".join(f"{name} {'×'.join(map(str, shape))} {kind}" for name, (shape, kind) in listed.items())
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
