"""Reads a .mat file for :mod:`hsiaug.data.readers_mat`, as a program of its own: a damaged file can crash a library.

Called with the file's path. Writes one line of JSON that lists the top-level items, or says what is wrong. Then, for
each line of standard input (the name of an item), a line of JSON and the bytes of that array, in the order of its axes
in HDF5, which counts them from the other end than MATLAB. Imports nothing of hsiaug, so that it starts quickly.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

    Described = dict[str, object]

START_BYTES = 2**31
"""Bytes of address space, until the size of an array that may be read is known."""

SLAB_BYTES = 2**25
SIZES = {
    "double": 8,
    "single": 4,
    "logical": 1,
    **{f"{u}int{b}": b // 8 for u in ("", "u") for b in (8, 16, 32, 64)},
}
"""Bytes of a value of MATLAB's numeric classes."""


def main() -> None:
    """Serve one file until standard input ends."""
    _allow(START_BYTES)
    import h5py

    path = sys.argv[1]
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r", locking=False) as file:
                # "#…" is what MATLAB keeps for itself.
                _say({"items": {name: _describe(file, name) for name in file if not name.startswith("#")}})
                for line in sys.stdin:
                    item = file[json.loads(line)]
                    _allow(START_BYTES + 3 * item.size * item.dtype.itemsize)
                    _send(item)
        else:
            _serve_classic(path)
    except Exception as cause:  # whatever the damaged bytes lead to
        _say({"error": f"{type(cause).__name__}: {cause}"})


def _serve_classic(path: str) -> None:
    """A file of version 4 to 7."""
    import math

    from scipy.io import loadmat, whosmat

    sizes = {name: (shape, kind, SIZES.get(kind, 0)) for name, shape, kind in whosmat(path)}
    if any(min(shape, default=0) < 0 for shape, _, _ in sizes.values()):
        raise ValueError("an axis of negative length")
    _say({"items": {name: {"shape": s[::-1], "kind": kind, "size": n} for name, (s, kind, n) in sizes.items()}})
    for line in sys.stdin:
        name = json.loads(line)
        shape, _, size = sizes[name]
        _allow(START_BYTES + 3 * math.prod(shape) * size)
        array = loadmat(path, variable_names=[name])[name]
        if array.shape != tuple(shape):
            raise ValueError(f"an array of {array.shape} where {shape} was announced")
        _send(array.T)


def _describe(file: h5py.File, name: str) -> Described:
    """kind: why an item cannot be read, or MATLAB's class. size: bytes of one value, 0 for what cannot be read.

    What lies in another file, or is a link to it, is never opened.
    """
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return {"shape": (), "kind": "link", "size": 0}
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return {"shape": (), "kind": "struct" if isinstance(item, h5py.Group) else "empty", "size": 0}
    if item.is_virtual or item.external:
        return {"shape": item.shape, "kind": "array kept in another file", "size": 0}
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return {"shape": item.shape, "kind": str(item.dtype), "size": 0}
    kind = item.attrs.get("MATLAB_class", b"double")
    text = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
    return {"shape": item.shape, "kind": text, "size": item.dtype.itemsize if text in SIZES else 0}


def _send(item: h5py.Dataset | NDArray[np.generic]) -> None:
    """Send an array in slabs along the first axis, each of whole chunks where there are chunks."""
    import numpy as np

    _say({"shape": item.shape, "dtype": item.dtype.newbyteorder("=").str})
    if not item.size:
        return
    rows = (getattr(item, "chunks", None) or (1,))[0]
    rows *= max(1, SLAB_BYTES * len(item) // (item.dtype.itemsize * item.size * rows)) if item.shape else 1
    for top in range(0, item.shape[0] if item.shape else 1, rows):
        slab = np.asarray(item[top : top + rows] if item.shape else item[()])
        sys.stdout.buffer.write(np.ascontiguousarray(slab, dtype=slab.dtype.newbyteorder("=")).data)
    sys.stdout.buffer.flush()


def _say(what: Described) -> None:
    sys.stdout.buffer.write(json.dumps(what, default=int).encode() + b"\n")
    sys.stdout.buffer.flush()


def _allow(size: int) -> None:
    """Address space of this process."""
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    except (ImportError, ValueError, OSError):  # no such limits on this system
        pass


if __name__ == "__main__":
    main()
