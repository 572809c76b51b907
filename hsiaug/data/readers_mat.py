"""MATLAB files of every version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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
    one value, 0 for what is no numeric array; what reads it.
    """

    shape: tuple[int, ...]
    kind: str
    size: int
    load: Callable[[], AnyArray]


def read_mat(path: Path, key: str | None, *, ndim: int) -> AnyArray:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim``
    axes. Arrays that another program wrote as HDF5 have their axes as they are stored.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, too large, or
    not the only one.
    """
    with _items(path) as items:
        listing = [f"{name} {'×'.join(map(str, i.shape))} {i.kind}" for name, i in items.items()]
        overview = some_of(listing, MOST_SHOWN) or "no arrays"
        fitting = [name for name, item in items.items() if item.size and len(item.shape) == ndim]
        if key is None and len(fitting) != 1:
            option = "cube_key" if ndim == 3 else "labels_key"
            hint = f"Save one array with {ndim} axes, in MATLAB: save('plain.mat', 'NAME')."
            if fitting:
                hint = f"Name it: {setting(option, fitting[0])}, key in a card."
            raise SceneError(
                f"{path} must hold exactly one numeric array with {ndim} axes, unless you name one",
                value=f"{len(fitting)} among: {overview}",
                hint=hint,
            )
        name = fitting[0] if key is None else key
        if name not in items:
            hint = f"Correct the name. {did_you_mean(name, items)}"
            raise SceneError(f"{path} must hold an array '{name}'", value=overview, hint=hint)
        array = _read(path, items[name], labels=ndim == 2) if items[name].size else None
        if array is None or array.dtype.kind not in "iufb":
            kind = items[name].kind if array is None else "complex array"
            raise SceneError(
                f"{path}: '{name}' must be a numeric array",
                value=f"a MATLAB {kind}; the file holds {overview}",
                hint=f"Name a numeric array, or convert it in MATLAB, as uint8({name}) does.",
            )
        return array


def read_mat_maps(path: Path) -> dict[str, AnyArray]:
    """Every numeric array with two axes, by name. Raises SceneError where the file is damaged, or
    one is too large.
    """
    with _items(path) as items:
        return {
            name: _read(path, item, labels=True)
            for name, item in items.items()
            if item.size and len(item.shape) == 2
        }


def _read(path: Path, item: _Item, *, labels: bool) -> AnyArray:
    check_array(path, item.shape, item.size, labels=labels)
    array = item.load()
    if array.shape != item.shape:
        raise ValueError(f"an array of {array.shape} where {item.shape} was announced")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


@contextmanager
def _items(path: Path) -> Iterator[dict[str, _Item]]:
    """All that an open file holds, by name."""
    import h5py
    from scipy.io import loadmat, whosmat

    def load(name: str) -> AnyArray:
        """An array of version 4 to 7, possibly stored as sparse, as a dense one."""
        array = loadmat(str(path), variable_names=[name])[name]
        return np.asarray(array.toarray() if hasattr(array, "toarray") else array)

    with reading(path, ".mat"):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r", locking=False) as file:
                # "#…" is what MATLAB keeps for itself.
                yield {name: _describe(file, name) for name in file if not name.startswith("#")}
            return
        listed = whosmat(str(path))
        if any(min(shape, default=0) < 0 for _, shape, _ in listed):
            raise ValueError("an axis of negative length")
        yield {
            name: _Item(tuple(shape), kind, SIZES.get(kind, 0), partial(load, name))
            for name, shape, kind in listed
        }


def _describe(file: h5py.File, name: str) -> _Item:
    """What lies in another file, or is a link to it, is never opened."""
    import h5py

    def load() -> AnyArray:
        """The array: MATLAB, which names its class, stores axes in reverse."""
        array = np.asarray(item[()])
        return array if stated is None else array.T

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return _Item((), "link", 0, load)
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return _Item((), "struct" if isinstance(item, h5py.Group) else "empty", 0, load)
    stated = item.attrs.get("MATLAB_class")
    shape = tuple(map(int, item.shape if stated is None else reversed(item.shape)))
    if item.is_virtual or item.external:
        return _Item(shape, "array kept in another file", 0, load)
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return _Item(shape, str(item.dtype), 0, load)
    kind = stated.decode(errors="replace") if isinstance(stated, bytes) else str(stated or "double")
    return _Item(shape, kind, item.dtype.itemsize if kind in SIZES else 0, load)
