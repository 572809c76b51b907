"""Arrays of HDF5 files, read by another process: on a damaged file the C library can crash, or never return."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.bounds import check_array

__all__ = ["Hdf5", "is_hdf5"]

PROGRAM = Path(__file__).with_name("hdf5_child.py")

SIGNATURE = b"\x89HDF\r\n\x1a\n"

STALL_SECONDS = 20.0
"""A file of which nothing more could be read for so long is given up."""

PIECE = 2**22


def is_hdf5(path: Path) -> bool:
    """Whether the signature stands where the format allows it: at byte 0, 512, 1024, 2048, …"""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at + len(SIGNATURE) <= size:
            file.seek(at)
            if file.read(len(SIGNATURE)) == SIGNATURE:
                return True
            at = max(512, 2 * at)
    return False


class Hdf5:
    """An open file; a context manager.

    items: shape in MATLAB's order (HDF5 counts axes from the other end), and MATLAB's class, of each top-level item;
    of what is no array of this very file, why it cannot be read.
    Raises ValueError where the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Threads of a library for linear algebra would take address space for nothing.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._child = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), str(path.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert self._child.stdin and self._child.stdout
        self._to: IO[bytes] = self._child.stdin
        self._from: IO[bytes] = self._child.stdout
        try:
            self._listed = self._answer()["items"]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.items = {name: (tuple(reversed(item["shape"])), item["kind"]) for name, item in self._listed.items()}

    def read(self, name: str, *, labels: bool) -> NDArray[Any]:
        """An array, its axes in MATLAB's order. Raises SceneError for one too large, ValueError for a damaged one."""
        item = self._listed[name]
        shape, dtype = tuple(item["shape"]), np.dtype(item["dtype"])
        check_array(self._path, shape, dtype.itemsize, labels=labels)
        array = np.empty(shape, dtype=dtype)
        self._to.write(json.dumps(name).encode() + b"\n")
        self._to.flush()
        self._answer()
        buffer = memoryview(array.reshape(-1).data).cast("B") if array.size else memoryview(b"")
        done = 0
        while done < len(buffer):
            with self._patience():
                got = self._from.readinto(buffer[done : done + PIECE])  # type: ignore[attr-defined]
            if not got:
                raise self._death()
            done += got
        return array.T

    def _answer(self) -> dict[str, Any]:
        with self._patience():
            line = self._from.readline()
        if not line.endswith(b"\n"):
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """End the other process where it takes too long."""
        timer = threading.Timer(STALL_SECONDS, self._child.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _death(self) -> ValueError:
        return ValueError(f"the HDF5 library ended without an answer (code {self._child.wait()})")

    def __enter__(self) -> Hdf5:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._from.close()
        with suppress(OSError):  # what was not sent yet to a process that has ended
            self._to.close()
        self._child.wait()
