"""All the maps of a file of masks, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.raw import damaged
from hsiaug.errors import SceneError

__all__ = ["read_maps"]


def read_maps(path: Path) -> dict[str, NDArray[Any]]:
    """Every numeric array with two axes of a .mat, .npz or .npy file; that of an .npy is named "mask".

    Raises SceneError where the file is damaged, holds Python objects, or is of another kind.
    """
    readers = {".mat": _read_mat, ".npz": _read_npz, ".npy": _read_npy}
    if path.suffix.lower() not in readers:
        raise SceneError(
            f"{path} must be a .mat, .npz or .npy file of masks",
            value=path.suffix or "no extension",
            mend="Convert it.",
        )
    try:
        arrays = readers[path.suffix.lower()](path)
    except Exception as cause:  # the formats' parsers raise whatever the damaged bytes lead them to
        raise damaged(path, path.suffix.lower(), cause) from cause
    return {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"}


def _read_mat(path: Path) -> dict[str, NDArray[Any]]:
    import h5py
    from scipy.io import loadmat

    if not h5py.is_hdf5(path):
        return {name: a for name, a in loadmat(path).items() if isinstance(a, np.ndarray)}
    with h5py.File(path, "r") as file:
        # MATLAB writes its axes in reverse.
        return {name: np.asarray(item[()]).T for name, item in file.items() if isinstance(item, h5py.Dataset)}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_npy(path: Path) -> dict[str, NDArray[Any]]:
    return {"mask": np.load(path, allow_pickle=False)}
