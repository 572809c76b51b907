"""MATLAB files of every version."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.base.text import some_of
from hsiaug.data.bounds import MOST_CELLS, check_array
from hsiaug.data.raw import reading
from hsiaug.data.remedies import array_file, saving, setting

if TYPE_CHECKING:
    import h5py

MOST_SHOWN = 8
"""Arrays of a file that a message lists."""

SIZES = {"double": 8, "single": 4, "logical": 1} | {
    f"{u}int{b}": b // 8 for u in ("", "u") for b in (8, 16, 32, 64)
}
"""Bytes of a value of MATLAB's numeric classes."""

OBJECTS = ("categorical", "nominal", "ordinal", "opaque", "object", "table", "string")
"""Kinds of MATLAB that are numbers once they are converted there."""

MOST_LOOKED_AT = 2**26
"""Bytes of a file whose structs and cells are looked into."""


class _Item(NamedTuple):
    """A top-level item: shape in MATLAB's order; MATLAB's class, or why it cannot be read; bytes of
    one value, 0 for what is no numeric array.
    """

    shape: tuple[int, ...]
    kind: str
    size: int


@dataclass(frozen=True, eq=False)
class _MatFile:
    """An open file.

    Attributes
    ----------
    items : dict of str to _Item
        All that it holds, by name.
    load : callable
        Gives an array by its name.
    hdf : h5py.File or None
        The file of version 7.3; None of an older one.
    """

    path: Path
    items: dict[str, _Item]
    load: Callable[[str], AnyArray]
    hdf: h5py.File | None = None

    def numeric(self, ndim: int) -> list[str]:
        """The numeric arrays with a given number of axes."""
        return [name for name, item in self.items.items() if item.size and len(item.shape) == ndim]

    @property
    def library(self) -> str:
        """The module that reads it."""
        return "scipy.io" if self.hdf is None else "h5py"

    def loaded(self, name: str, place: str = "") -> str:
        """Python for one of its arrays, perhaps inside a struct or a cell."""
        if self.hdf is not None:
            return f"h5py.File({str(self.path)!r})[{name!r}][()].T"
        simple = ", simplify_cells=True" if place else ""
        return f"scipy.io.loadmat({str(self.path)!r}{simple})[{name!r}]{place}"


def read_mat(path: Path, key: str | None, *, ndim: int) -> AnyArray:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim``
    axes.

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
            # Of version 4 to 7. Sparse ones are of doubles.
            sizes = {**SIZES, "sparse": 8}
            items = {
                name: _Item(shape, kind, sizes.get(kind, 0))
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
            yield _MatFile(path, items, lambda name: np.asarray(file[name][()]).T, file)


def _dense(array: Any) -> AnyArray:
    """An array of MATLAB, possibly stored as sparse, as a dense array."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array)


def _describe(file: h5py.File, name: str) -> _Item:
    """What lies in another file, or is a link to it, is never opened."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return _Item((), "link", 0)
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return _Item((), "struct" if isinstance(item, h5py.Group) else "empty", 0)
    shape = tuple(int(length) for length in reversed(item.shape))
    if item.is_virtual or item.external:
        return _Item(shape, "array kept in another file", 0)
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return _Item(shape, str(item.dtype), 0)
    kind = _kind_of(item)
    return _Item(shape, kind, int(item.dtype.itemsize) if kind in SIZES else 0)


def _kind_of(item: h5py.Dataset) -> str:
    """MATLAB's class of an array of version 7.3."""
    kind = item.attrs.get("MATLAB_class", b"double")
    return kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)


def _read(file: _MatFile, name: str, *, labels: bool) -> AnyArray:
    item = file.items[name]
    check_array(file.path, item.shape, item.size, labels=labels)
    array = file.load(name)
    if array.shape != tuple(item.shape):
        raise ValueError(f"an array of {array.shape} where {item.shape} was announced")
    if array.dtype.kind not in "iufb":
        raise _not_numeric(file, name, "complex array", "")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _choose(file: _MatFile, key: str | None, ndim: int) -> str:
    """The name of the array to read."""
    path, items = file.path, file.items
    texts = [f"{name} {'×'.join(map(str, item.shape))} {item.kind}" for name, item in items.items()]
    overview = some_of(texts, MOST_SHOWN) or "no arrays"
    if key is None:
        fitting = file.numeric(ndim)
        if len(fitting) == 1:
            return fitting[0]
        rule = f"{path} must hold exactly one numeric array with {ndim} axes, or be told which"
        value = f"{len(fitting)} among: {overview}"
        raise SceneError(rule, value=value, hint=_remedy(file, ndim, fitting))
    if key not in items:
        hint = f"Correct the name. {did_you_mean(key, items)}"
        raise SceneError(f"{path} must hold an array '{key}'", value=overview, hint=hint)
    if not items[key].size:
        raise _not_numeric(file, key, f"MATLAB {items[key].kind}", f"; the file holds {overview}")
    return key


def _remedy(file: _MatFile, ndim: int, fitting: Sequence[str]) -> str:
    """What to type for a file whose array is not plain: a setting, or a line of Python that writes
    another file.
    """
    path, items = file.path, file.items
    if ndim == 2 and _are_masks(file, fitting):
        return _one_class_each(file, fitting)
    if fitting:
        option = "cube_key" if ndim == 3 else "labels_key"
        # A picture beside the cube is larger at times, but has three bands.
        likeliest = max(
            fitting, key=lambda name: (min(items[name].shape), math.prod(items[name].shape))
        )
        return f"Name it: {setting(option, likeliest)}, key in a card."
    if ndim == 2 and (cubes := file.numeric(3)):
        code = "(a.argmax(2) + 1) * a.any(2)"
        load = f"a = {file.loaded(cubes[0])}"
        command = saving(file.library, load, code, array_file(path, cubes[0]))
        return f"If it has a layer for each class: {command}"
    for name in items:
        if (inside := _within(file, name, ndim)) is not None:
            code, what = inside
            command = saving(file.library, "", code, array_file(path, what))
            return f"Save the array in it: {command}"
    if unreadable := next((name for name, item in items.items() if item.kind in OBJECTS), None):
        return (
            f"Save numbers in place of it, in MATLAB: {unreadable} = uint8({unreadable});"
            f" save('{path.stem}_plain.mat', '{unreadable}'), and name {path.stem}_plain.mat."
        )
    flat = file.numeric(2)
    by_name = {name.lower(): name for name in items}
    if ndim == 3 and flat and {"nrow", "ncol"} <= by_name.keys():
        rows, columns = (f"int({file.loaded(by_name[key])}.item())" for key in ("nrow", "ncol"))
        name = max(flat, key=lambda name: math.prod(items[name].shape))
        code = f"{file.loaded(name)}.T.reshape({rows}, {columns}, -1, order='F')"
        command = saving(file.library, "", code, array_file(path, name))
        return f"If it holds a column for each pixel: {command}"
    return f"Save one array with {ndim} axes, in MATLAB: save('{path.stem}_plain.mat', 'NAME')."


def _are_masks(file: _MatFile, names: Sequence[str]) -> bool:
    """Whether several arrays of one shape hold nothing but 0 and 1."""
    shapes = {file.items[name].shape for name in names}
    if len(names) < 2 or len(shapes) > 1 or math.prod(shapes.pop()) > MOST_CELLS:
        return False
    return all(np.isin(file.load(name), (0, 1)).all() for name in names)


def _one_class_each(file: _MatFile, names: Sequence[str]) -> str:
    """What to type where each array is the mask of one class; pixels of several have none."""
    opened, array = f"scipy.io.loadmat({str(file.path)!r})", "f[k]"
    if file.hdf is not None:
        opened, array = f"h5py.File({str(file.path)!r})", "f[k][()].T"
    before = f"f = {opened}; d = [{array} > 0 for k in {list(names)}]"
    code = "sum(n * m for n, m in enumerate(d, 1)) * (sum(m.astype(int) for m in d) == 1)"
    further = "" if any("," in name for name in names) else setting("classes", ",".join(names))
    command = saving(file.library, before, code, array_file(file.path, "classes"), further)
    return f"If each is the mask of one class, write their codes into one file: {command}"


def _within(file: _MatFile, name: str, ndim: int) -> tuple[str, str] | None:
    """Python for the first array with so many axes inside a struct or a cell, and what it is
    called; None where there is none.
    """
    if file.hdf is not None:
        address = _address(file.hdf, file.hdf[name], ndim)
        return None if address is None else (file.loaded(address), address.rpartition("/")[2])
    if file.path.stat().st_size > MOST_LOOKED_AT:
        return None
    from scipy.io import loadmat

    value = loadmat(str(file.path), variable_names=[name], simplify_cells=True).get(name)
    place = _place(value, ndim)
    if not place:
        return None
    return file.loaded(name, place), place.rstrip("]'\"").rpartition("[")[2].strip("'\"")


def _address(file: h5py.File, item: Any, ndim: int) -> str | None:
    """Where in a file of version 7.3 the first array of numbers with so many axes lies, within a
    struct or a cell.
    """
    import h5py

    inner = []
    if isinstance(item, h5py.Group):
        inner = list(item.values())
    elif item.dtype == h5py.ref_dtype:
        inner = [file[reference] for reference in np.ravel(item[()])]
    elif item.dtype.kind in "iufb" and item.ndim == ndim:
        return str(item.name).lstrip("/") if _kind_of(item) in SIZES else None
    found = (_address(file, one, ndim) for one in inner)
    return next((address for address in found if address is not None), None)


def _place(value: object, ndim: int) -> str | None:
    """Where inside a struct or a cell the first array of numbers with so many axes lies, as Python
    writes it.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.ndim == ndim:
        return ""
    inner: list[tuple[object, object]] = list(value.items()) if isinstance(value, dict) else []
    if (
        isinstance(value, list | np.ndarray)
        and getattr(value, "dtype", np.dtype(object)).kind == "O"
    ):
        inner = list(enumerate(value))
    for key, item in inner:
        if (place := _place(item, ndim)) is not None:
            return f"[{key!r}]{place}"
    return None


def _not_numeric(file: _MatFile, key: str, kind: str, others: str) -> SceneError:
    hint = f"Name a numeric array{others}."
    return SceneError(f"{file.path}: '{key}' must be a numeric array", value=f"a {kind}", hint=hint)
