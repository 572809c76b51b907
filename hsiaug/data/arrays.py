"""All the maps of a file of masks, by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.bounds import check_array
from hsiaug.data.raw import damaged
from hsiaug.data.readers import read_npy
from hsiaug.data.readers_mat import read_mat_maps
from hsiaug.errors import SceneError

__all__ = ["read_maps"]


def read_maps(path: Path) -> dict[str, NDArray[Any]]:
    """Every numeric array with two axes of a .mat, .npz or .npy file; that of an .npy is named "mask".

    Raises SceneError where the file is damaged, holds Python objects, or is of another kind.
    """
    readers = {".mat": read_mat_maps, ".npz": _read_npz, ".npy": _read_npy}
    if path.suffix.lower() not in readers:
        raise SceneError(
            f"{path} must be a .mat, .npz or .npy file of masks",
            value=path.suffix or "no extension",
            hint="Convert it.",
        )
    try:
        arrays = readers[path.suffix.lower()](path)
    except SceneError:
        raise
    except Exception as cause:  # the formats' parsers raise whatever the damaged bytes lead them to
        raise damaged(path, path.suffix.lower(), cause) from cause
    return {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            check_array(path, (member.file_size,), 1, labels=False, stored=member.compress_size)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def _read_npy(path: Path) -> dict[str, NDArray[Any]]:
    return {"mask": read_npy(path)}
