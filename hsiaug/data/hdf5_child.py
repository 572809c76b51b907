"""Reads an HDF5 file for :mod:`hsiaug.data.hdf5`, as a program of its own: a damaged file can crash the C library.

Called with the file's path. Writes one line of JSON that lists the top-level items, or says what is wrong. Then, for
each line of standard input (the name of an item), a line of JSON and the bytes of that array as it is stored.
Imports nothing of hsiaug, so that it starts quickly.
"""

from __future__ import annotations

import json
import sys
from typing import Any

START_BYTES = 2**31
"""Of address space, until the size of an array that may be read is known."""

SLAB_BYTES = 2**25


def main() -> None:
    """Serve one file until standard input ends."""
    _allow(START_BYTES)
    import h5py

    try:
        with h5py.File(sys.argv[1], "r", locking=False) as file:
            _say({"items": {name: _describe(file, name) for name in file}})
            for line in sys.stdin:
                _send(file[json.loads(line)])
    except Exception as cause:  # h5py wraps the errors of the C library in many types
        _say({"error": f"{type(cause).__name__}: {cause}"})


def _describe(file: Any, name: str) -> dict[str, Any]:
    """kind: why an item cannot be read, or MATLAB's class. dtype: "" for what cannot be read.

    What lies in another file, or is a link to it, is never opened.
    """
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return {"shape": (), "kind": "link", "dtype": ""}
    item = file[name]
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return {"shape": (), "kind": "struct" if isinstance(item, h5py.Group) else "empty", "dtype": ""}
    if item.is_virtual or item.external:
        return {"shape": item.shape, "kind": "array kept in another file", "dtype": ""}
    if item.dtype.kind not in "iufb" or "MATLAB_empty" in item.attrs:
        return {"shape": item.shape, "kind": str(item.dtype), "dtype": ""}
    kind = item.attrs.get("MATLAB_class", b"double")
    text = kind.decode(errors="replace") if isinstance(kind, bytes) else str(kind)
    return {"shape": item.shape, "kind": text, "dtype": item.dtype.str}


def _send(item: Any) -> None:
    """In slabs along the first axis, each of whole chunks where there are chunks."""
    import numpy as np

    _allow(START_BYTES + 3 * item.size * item.dtype.itemsize)
    _say({"array": True})
    if not item.size:
        return
    if not item.shape:
        sys.stdout.buffer.write(np.asarray(item[()]).tobytes())
    step = item.chunks[0] if item.chunks else 1
    row = item.dtype.itemsize * max(1, item.size // item.shape[0]) if item.shape else 1
    step *= max(1, SLAB_BYTES // (row * step))
    for top in range(0, item.shape[0] if item.shape else 0, step):
        sys.stdout.buffer.write(np.ascontiguousarray(item[top : top + step]).data)
    sys.stdout.buffer.flush()


def _say(what: dict[str, Any]) -> None:
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
