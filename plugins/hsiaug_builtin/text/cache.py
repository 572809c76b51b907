"""Embeddings kept by the hash of what determines them: in memory, and on disk for the next run.

The folder is ``text`` in $HSIAUG_CACHE_DIR, or in the user's cache folder for hsiaug; it may be deleted at any
time. A file appears whole or not at all, and one that is damaged is made again. Where the folder cannot be
written to, nothing is kept on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug_builtin.text.encoded import Encoded

__all__ = ["cache_dir", "forget", "key_of", "remembered"]

LAYOUT = "1"
"""Raise it whenever what is stored, or how it is computed, changes."""

_memory: dict[str, Encoded] = {}


def cache_dir() -> Path:
    """Where files are kept."""
    import platformdirs

    chosen = os.environ.get("HSIAUG_CACHE_DIR")
    root = Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("hsiaug", appauthor=False))
    return root / "text"


def key_of(*parts: str) -> str:
    """A hash of all parts, in their order."""
    return hashlib.sha256(json.dumps([LAYOUT, *parts]).encode()).hexdigest()[:32]


def remembered(key: str, make: Callable[[], Encoded]) -> Encoded:
    """What is kept under ``key``, else what ``make`` makes, which is kept. The arrays are the caller's own."""
    if key not in _memory:
        found = _read(cache_dir() / f"{key}.safetensors")
        if found is None:
            found = make()
            _write(cache_dir() / f"{key}.safetensors", found)
        _memory[key] = found
    kept = _memory[key]
    copies = {name: array.copy() for name, array in _arrays(kept).items()}
    return replace(kept, **copies)


def forget() -> None:
    """Drop what is kept in memory; files stay."""
    _memory.clear()


def _arrays(encoded: Encoded) -> dict[str, NDArray[Any]]:
    named = {"tokens": encoded.tokens, "mask": encoded.mask, "pooled": encoded.pooled}
    return {name: array for name, array in named.items() if array is not None}


def _digest(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(repr((name, arrays[name].shape)).encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _write(path: Path, encoded: Encoded) -> None:
    from safetensors.numpy import save

    arrays = _arrays(encoded)
    facts = {"sha256": _digest(arrays)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    content = save(contiguous, metadata={"facts": json.dumps(facts)})
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with contextlib.suppress(OSError):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(content)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _read(path: Path) -> Encoded | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
            facts = json.loads(file.metadata()["facts"])
        if facts["sha256"] != _digest(arrays):
            return None
        return Encoded(
            tokens=arrays["tokens"],
            mask=arrays["mask"],
            pooled=arrays["pooled"],
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
