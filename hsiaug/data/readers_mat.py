"""MATLAB files of every version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.base.text import setting, some_of
from hsiaug.data.bounds import check_array
from hsiaug.data.raw import reading

if TYPE_CHECKING:
    import h5py

MOST_SHOWN = 8
"""Arrays of a file that a message lists."""

SIZES = {"double": 8, "single": 4, "logical": 1, "sparse": 8} | {
    f"{u}int{b}": b // 8 for u in ("", "u") for b in (8, 16, 32, 64)
}
"""Bytes of a value of MATLAB's numeric classes."""


class _Item(NamedTuple):
    """A top-level item: shape in MATLAB's order; MATLAB's class, or why it cannot be read; bytes of
    one value, 0 for what is no numeric array.
    """

    shape: tuple[int, ...]
    kind: str
    size: int


class _MatFile(NamedTuple):
    """An open file: all that it holds, by name, and what gives an array by its name."""

    path: Path
    items: dict[str, _Item]
    load: Callable[[str], AnyArray]

    def numeric(self, ndim: int) -> list[str]:
        """The numeric arrays with a given number of axes."""
        return [name for name, item in self.items.items() if item.size and len(item.shape) == ndim]


def read_mat(path: Path, key: str | None, *, ndim: int) -> AnyArray:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim``
    axes. Arrays that another program wrote as HDF5 have their axes as they are stored.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, too large, or
    not the only one.
    """
    with _open(path) as file:
        return _read(file, _choose(file, key, ndim), labels=ndim == 2)


def read_mat_maps(path: Path) -> dict[str, AnyArray]:
    """Every numeric array with two axes, by name. Raises SceneError where the file is damaged, or
    one is too large.
    """
    with _open(path) as file:
        return {name: _read(file, name, labels=True) for name in file.numeric(2)}


@contextmanager
def _open(path: Path) -> Iterator[_MatFile]:
    import h5py
    from scipy.io import loadmat, whosmat

    with reading(path, ".mat"):
        if not h5py.is_hdf5(path):
            # Of version 4 to 7.
            items = {
                name: _Item(shape, kind, SIZES.get(kind, 0))
                for name, shape, kind in whosmat(str(path))
            }
            if any(min(item.shape, default=0) < 0 for item in items.values()):
                raise ValueError("an axis of negative length")
            yield _MatFile(
                path,
                items,
                lambda name: _dense(loadmat(str(path), variable_names=[name])[name]),
            )
            return
        with h5py.File(path, "r", locking=False) as file:
            # "#…" is what MATLAB keeps for itself.
            items = {name: _describe(file, name) for name in file if not name.startswith("#")}
            yield _MatFile(path, items, lambda name: _in_order(file[name]))


def _dense(array: Any) -> AnyArray:
    """An array of MATLAB, possibly stored as sparse, as a dense array."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array)


def _in_order(item: h5py.Dataset) -> AnyArray:
    """An array of HDF5: MATLAB, which names its class, stores axes in reverse."""
    array = np.asarray(item[()])
    return array.T if "MATLAB_class" in item.attrs else array


def _describe(file: h5py.File, name: str) -> _Item:
    """What lies in another file, or is a link to it, is never opened."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return _Item((), "link", 0)
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return _Item((), "struct" if isinstance(item, h5py.Group) else "empty", 0)
    stated = item.attrs.get("MATLAB_class")
    shape = tuple(map(int, item.shape if stated is None else reversed(item.shape)))
    if item.is_virtual or item.external:
        return _Item(shape, "array kept in another file", 0)
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return _Item(shape, str(item.dtype), 0)
    kind = stated.decode(errors="replace") if isinstance(stated, bytes) else str(stated or "double")
    return _Item(shape, kind, int(item.dtype.itemsize) if kind in SIZES else 0)


def _read(file: _MatFile, name: str, *, labels: bool) -> AnyArray:
    item = file.items[name]
    check_array(file.path, item.shape, item.size, labels=labels)
    array = file.load(name)
    if array.shape != tuple(item.shape):
        raise ValueError(f"an array of {array.shape} where {item.shape} was announced")
    if array.dtype.kind not in "iufb":
        raise _not_numeric(file, name, "complex array")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _choose(file: _MatFile, key: str | None, ndim: int) -> str:
    """The name of the array to read."""
    if key is None:
        fitting = file.numeric(ndim)
        if len(fitting) == 1:
            return fitting[0]
        option = "cube_key" if ndim == 3 else "labels_key"
        hint = f"Save one array with {ndim} axes, in MATLAB: save('plain.mat', 'NAME')."
        if fitting:
            hint = f"Name it: {setting(option, fitting[0])}, key in a card."
        raise SceneError(
            f"{file.path} must hold exactly one numeric array with {ndim} axes, or be told which",
            value=f"{len(fitting)} among: {_overview(file)}",
            hint=hint,
        )
    if key not in file.items:
        raise SceneError(
            f"{file.path} must hold an array '{key}'",
            value=_overview(file),
            hint=f"Correct the name. {did_you_mean(key, file.items)}",
        )
    if not file.items[key].size:
        raise _not_numeric(file, key, f"MATLAB {file.items[key].kind}")
    return key


def _overview(file: _MatFile) -> str:
    """The items of a file, in words."""
    texts = [f"{name} {'×'.join(map(str, i.shape))} {i.kind}" for name, i in file.items.items()]
    return some_of(texts, MOST_SHOWN) or "no arrays"


def _not_numeric(file: _MatFile, key: str, kind: str) -> SceneError:
    return SceneError(
        f"{file.path}: '{key}' must be a numeric array",
        value=f"a {kind}; the file holds {_overview(file)}",
        hint=f"Name a numeric array, or convert it in MATLAB, as uint8({key}) does.",
    )
