"""Arrays that are given to processes as they are started: one copy for all of them, in a file."""

import mmap
import os
import pickle
import tempfile
import weakref
from functools import cached_property
from multiprocessing import reduction
from typing import Any, Generic, TypeVar

from hsiaug.base.arrays import give_back_files, remember_mapped

T = TypeVar("T")

SENDS_FILES = hasattr(reduction, "DupFd")
"""Whether a process can be given open files as it is started: not on Windows."""
ALIGNED = 64
"""Bytes that an array begins at a multiple of."""


class SharedArrays(Generic[T]):
    """What holds arrays. Sent to a process that is being started, it maps them, read-only, from one
    temporary file that has no name: all of these processes share one copy, and the file is gone
    once the last of them has ended.

    Attributes
    ----------
    value : object
        That can be pickled.
    """

    def __init__(self, value: T) -> None:
        self.value = value

    @cached_property
    def _stored(self) -> tuple[Any, bytes, list[tuple[int, int]]]:
        """The file, the pickle of all but the arrays, and where the bytes of each array begin and
        end.
        """
        arrays: list[pickle.PickleBuffer] = []
        head = pickle.dumps(self.value, protocol=5, buffer_callback=arrays.append)
        spans = []
        descriptor, name = tempfile.mkstemp(prefix="hsiaug-")
        with open(descriptor, "wb") as written:  # noqa: PTH123
            # Opened anew: through what a worker is sent it could change the data of all others.
            file = open(name, "rb")  # noqa: PTH123, SIM115
            weakref.finalize(self, file.close)
            os.unlink(name)  # noqa: PTH108
            for array in arrays:
                written.write(b"\0" * (-written.tell() % ALIGNED))
                begin = written.tell()
                written.write(array.raw())
                spans.append((begin, written.tell()))
            # An empty file cannot be mapped.
            written.write(b"\0")
        # This process need not hold what it sends.
        give_back_files()
        return file, head, spans

    def __getstate__(self) -> tuple[Any, ...]:
        if not SENDS_FILES:
            return (self.value,)
        file, head, spans = self._stored
        return reduction.DupFd(file.fileno()), head, spans

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if len(state) == 1:
            (self.value,) = state
            return
        descriptor, head, spans = state
        with open(descriptor.detach(), "rb") as file:  # noqa: PTH123
            shared = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        remember_mapped(shared)
        mapped = memoryview(shared)
        self.value = pickle.loads(head, buffers=[mapped[begin:end] for begin, end in spans])
