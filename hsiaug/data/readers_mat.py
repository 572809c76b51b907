"""MATLAB files of every version, read by another process: on a damaged file scipy's and HDF5's compiled code can crash,
or never return.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError, did_you_mean
from hsiaug.data.bounds import check_array
from hsiaug.data.raw import damaged

__all__ = ["read_mat", "read_mat_maps"]

PROGRAM = Path(__file__).with_name("mat_child.py")

STALL_SECONDS = 20.0
"""Seconds without any progress in reading after which a file is given up."""

SLOWEST = 2**24
"""Bytes per second that an array is unpacked with at least."""

PIECE = 2**22
MOST_SHOWN = 8
"""Arrays of a file that a message lists."""


def read_mat(path: Path, key: str | None, *, ndim: int) -> NDArray[Any]:
    """The array ``key``, its axes in MATLAB's order; without a key, the only one with ``ndim`` axes.

    Raises SceneError where the file is damaged, or the array is absent, not numeric, or not the only one.
    """
    try:
        with _open_mat(path) as file:
            return file.read(_choose(path, key, ndim, file), labels=ndim == 2)
    except SceneError:
        raise
    except Exception as cause:  # whatever the damaged bytes lead to
        raise damaged(path, ".mat", cause) from cause


def read_mat_maps(path: Path) -> dict[str, NDArray[Any]]:
    """Every numeric array with two axes, by name. Raises SceneError for one too large, else what the bytes lead to."""
    with _open_mat(path) as file:
        return {name: file.read(name, labels=True) for name in file.numeric(2)}


@contextmanager
def _open_mat(path: Path) -> Iterator[_MatFile]:
    # Threads of a library for linear algebra would take address space for nothing.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), str(path.absolute())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as child:
        try:
            yield _MatFile(path, child)
        finally:
            child.kill()
            with suppress(OSError):  # what was not sent yet to a process that has ended
                child.communicate()


class _MatFile:
    """An open file. items: of each top-level item ``shape``, the axes from MATLAB's last to its first; ``kind``,
    MATLAB's class or why it cannot be read; ``size``, bytes of one value, 0 for what is no numeric array.

    Raises ValueError where the file is damaged.
    """

    def __init__(self, path: Path, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin and child.stdout
        self._path, self._child, self._to, self._from = path, child, child.stdin, child.stdout
        self.items: dict[str, dict[str, Any]] = self._answer()["items"]

    def numeric(self, ndim: int) -> list[str]:
        """The numeric arrays with so many axes."""
        return [name for name, item in self.items.items() if item["size"] and len(item["shape"]) == ndim]

    def read(self, name: str, *, labels: bool) -> NDArray[Any]:
        """An array, its axes in MATLAB's order. Raises SceneError for one that is too large or not numeric."""
        item = self.items[name]
        check_array(self._path, tuple(item["shape"]), item["size"], labels=labels)
        self._to.write(json.dumps(name).encode() + b"\n")
        self._to.flush()
        stored = self._answer(STALL_SECONDS + math.prod(item["shape"]) * item["size"] / SLOWEST)
        dtype = np.dtype(stored["dtype"])
        if dtype.kind not in "iufb":
            raise _not_numeric(self._path, name, "complex array", "")
        array = np.empty(tuple(stored["shape"]), dtype=dtype)
        buffer = memoryview(array.reshape(-1).data).cast("B") if array.size else memoryview(b"")
        done = 0
        while done < len(buffer):
            with self._patience(STALL_SECONDS):
                piece = self._from.read(min(PIECE, len(buffer) - done))
            if not piece:
                raise self._death()
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        return array.T

    def _answer(self, seconds: float | None = None) -> dict[str, Any]:
        with self._patience(seconds or STALL_SECONDS):
            line = self._from.readline()
        if not line.endswith(b"\n"):
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        """End the other process where it takes too long."""
        timer = threading.Timer(seconds, self._child.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _death(self) -> ValueError:
        return ValueError(f"the library that reads it ended without an answer (code {self._child.wait()})")


def _choose(path: Path, key: str | None, ndim: int, file: _MatFile) -> str:
    """The key to read."""
    texts = [
        f"{name} {'×'.join(map(str, reversed(item['shape'])))} {item['kind']}"
        for name, item in list(file.items.items())[:MOST_SHOWN]
    ]
    overview = ", ".join((*texts, "…") if len(file.items) > MOST_SHOWN else texts) or "no arrays"
    if key is None:
        fitting = file.numeric(ndim)
        if len(fitting) == 1:
            return fitting[0]
        raise SceneError(
            f"{path} must hold exactly one numeric array with {ndim} axes, or the card must name one",
            value=f"{len(fitting)} among: {overview}",
            hint="Name the array with 'key' in the card.",
        )
    if key not in file.items:
        raise SceneError(
            f"{path} must hold an array '{key}'",
            value=overview,
            hint=f"Correct 'key' in the card. {did_you_mean(key, file.items)}",
        )
    if not file.items[key]["size"]:
        raise _not_numeric(path, key, f"MATLAB {file.items[key]['kind']}", f"; the file holds {overview}")
    return key


def _not_numeric(path: Path, key: str, found: str, others: str) -> SceneError:
    return SceneError(
        f"{path}: '{key}' must be a numeric array",
        value=f"a {found}",
        hint=f"Name a numeric array with 'key'{others}.",
    )
