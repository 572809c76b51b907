"""MATLAB files of every version, read by another process: on a damaged file scipy's and HDF5's compiled code can crash,
or never return.
"""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import HsiaugError, SceneError, did_you_mean
from hsiaug.data.bounds import check_array
from hsiaug.data.raw import damaged

if TYPE_CHECKING:
    import h5py

__all__ = ["read_mat", "read_mat_maps"]

PROGRAM = "from hsiaug.data.readers_mat import read_for_parent; read_for_parent()"
"""What the other process runs."""

PATIENCE, SLOWEST = 60.0, 2**20
"""Seconds after which a file is given up, and one more for so many bytes of it."""

START_BYTES = 2**31
"""Bytes of address space of the other process, beside those of the array that it reads."""

MOST_SHOWN = 8
"""Arrays of a file that a message lists."""

SIZES = {"double": 8, "single": 4, "logical": 1} | {
    f"{u}int{b}": b // 8 for u in ("", "u") for b in (8, 16, 32, 64)
}
"""Bytes of a value of MATLAB's numeric classes."""


class _Item(NamedTuple):
    """A top-level item: shape in MATLAB's order; MATLAB's class, or why it cannot be read; bytes of one value, 0 for what
    is no numeric array.
    """

    shape: tuple[int, ...]
    kind: str
    size: int


def read_mat(path: Path, key: str | None, *, ndim: int) -> NDArray[Any]:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim`` axes.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, too large, or not the only one.
    """
    (array,) = _ask({"path": str(path), "key": key, "ndim": ndim, "every": False}).values()
    return array


def read_mat_maps(path: Path) -> dict[str, NDArray[Any]]:
    """Every numeric array with two axes, by name. Raises SceneError where the file is damaged, or one is too large."""
    return _ask({"path": str(path), "key": None, "ndim": 2, "every": True})


def _ask(job: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """What :func:`read_for_parent` reads in a process of its own."""
    path = Path(job["path"])
    # Threads of a library for linear algebra would take address space for nothing.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command, seconds = [sys.executable, "-P", "-c", PROGRAM, json.dumps(job)], PATIENCE
    try:
        seconds += path.stat().st_size / SLOWEST
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
        if done.returncode:
            raise ValueError(f"the library that reads it ended without an answer (code {done.returncode})")
    except subprocess.TimeoutExpired as cause:
        raise damaged(path, ".mat", ValueError(f"the library that reads it took over {seconds:.3g} s")) from cause
    except (OSError, ValueError) as cause:
        raise damaged(path, ".mat", cause) from cause
    said = io.BytesIO(done.stdout)
    answer = json.loads(said.readline())
    if isinstance(answer, dict):
        raise SceneError(answer["rule"], value=answer["value"], hint=answer["hint"])
    return {name: np.lib.format.read_array(said, allow_pickle=False) for name in answer}


def read_for_parent() -> None:
    """Write a line of JSON to standard output, the names of the arrays or an error, and then the arrays, as .npy."""
    job = json.loads(sys.argv[1])
    path, ndim = Path(job["path"]), job["ndim"]
    _allow(START_BYTES)
    try:
        items, read = _open_hdf5(path) if _is_hdf5(path) else _open_classic(path)
        names = [n for n, item in items.items() if item.size and len(item.shape) == ndim]
        names = names if job["every"] else [_choose(path, job["key"], ndim, names, items)]
        arrays = {name: _read(path, name, items[name], read, labels=ndim == 2) for name in names}
    except Exception as cause:  # whatever the damaged bytes lead to
        error = cause if isinstance(cause, HsiaugError) else damaged(path, ".mat", cause)
        said = {"rule": error.rule, "value": str(error.value), "hint": error.hint}
        sys.stdout.write(json.dumps(said) + "\n")
        return
    sys.stdout.buffer.write(json.dumps(list(arrays)).encode() + b"\n")
    for array in arrays.values():
        np.lib.format.write_array(sys.stdout.buffer, array, allow_pickle=False)
    sys.stdout.buffer.flush()


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        starts = file.read(2056)
    return any(starts[at : at + 8] == b"\x89HDF\r\n\x1a\n" for at in (0, 512, 1024, 2048))


def _open_classic(path: Path) -> tuple[dict[str, _Item], Callable[[str], NDArray[Any]]]:
    """The items of a file of version 4 to 7, and the reader of one."""
    from scipy.io import loadmat, whosmat

    items = {name: _Item(shape, kind, SIZES.get(kind, 0)) for name, shape, kind in whosmat(str(path))}
    if any(min(item.shape, default=0) < 0 for item in items.values()):
        raise ValueError("an axis of negative length")
    return items, lambda name: loadmat(str(path), variable_names=[name])[name]


def _open_hdf5(path: Path) -> tuple[dict[str, _Item], Callable[[str], NDArray[Any]]]:
    """The same of version 7.3. "#…" is what MATLAB keeps for itself."""
    import h5py

    file = h5py.File(path, "r", locking=False)
    items = {name: _describe(file, name) for name in file if not name.startswith("#")}
    return items, lambda name: np.asarray(file[name][()]).T


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
    kind = item.attrs.get("MATLAB_class", b"double")
    text = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
    return _Item(shape, text, int(item.dtype.itemsize) if text in SIZES else 0)


def _read(
    path: Path, name: str, item: _Item, read: Callable[[str], NDArray[Any]], *, labels: bool
) -> NDArray[Any]:
    check_array(path, item.shape, item.size, labels=labels)
    _allow(START_BYTES + 3 * math.prod(item.shape) * item.size)
    array = read(name)
    if array.shape != tuple(item.shape):
        raise ValueError(f"an array of {array.shape} where {item.shape} was announced")
    if array.dtype.kind not in "iufb":
        raise _not_numeric(path, name, "complex array", "")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _choose(path: Path, key: str | None, ndim: int, fitting: list[str], items: Mapping[str, _Item]) -> str:
    """The array to read. fitting: the numeric arrays with so many axes."""
    shown = list(items.items())[:MOST_SHOWN]
    texts = [f"{name} {'×'.join(map(str, item.shape))} {item.kind}" for name, item in shown]
    overview = ", ".join((*texts, "…") if len(items) > MOST_SHOWN else texts) or "no arrays"
    if key is None:
        if len(fitting) == 1:
            return fitting[0]
        raise SceneError(
            f"{path} must hold exactly one numeric array with {ndim} axes, or the card must name one",
            value=f"{len(fitting)} among: {overview}",
            hint="Name the array with 'key' in the card.",
        )
    if key not in items:
        raise SceneError(
            f"{path} must hold an array '{key}'",
            value=overview,
            hint=f"Correct 'key' in the card. {did_you_mean(key, items)}",
        )
    if not items[key].size:
        raise _not_numeric(path, key, f"MATLAB {items[key].kind}", f"; the file holds {overview}")
    return key


def _not_numeric(path: Path, key: str, found: str, others: str) -> SceneError:
    return SceneError(
        f"{path}: '{key}' must be a numeric array",
        value=f"a {found}",
        hint=f"Name a numeric array with 'key'{others}.",
    )


def _allow(size: int) -> None:
    """Address space of this process."""
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
    except (ImportError, ValueError, OSError):  # no such limits on this system
        pass
