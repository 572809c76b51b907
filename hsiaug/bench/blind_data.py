"""The data of a scene as its workers have it: without a label, and one copy for all of them."""

import mmap
import os
import pickle
import tempfile
import weakref
from functools import cached_property
from multiprocessing import reduction
from typing import Any, Self, cast

from hsiaug.core.scene import HasCube
from hsiaug.data.windows import FileCube
from hsiaug.tasks.types import TaskData

SENDS_FILES = hasattr(reduction, "DupFd")
"""Whether a process can be given open files as it is started: not on Windows."""
ALIGNED = 64
"""Bytes that an array begins at a multiple of."""


class BlindData:
    """A scene or pairs without labels, as workers have them. Sent to a process that is being
    started, it maps the arrays from one temporary file that has no name: all of these processes
    share one copy, and the file is gone once the last of them has ended. Of a large cube they are
    given its own file, opened, where that holds nothing else.

    data: the data; arrays are read-only where they are mapped.
    """

    def __init__(self, data: TaskData) -> None:
        self._take(cast(TaskData, data.unlabelled))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The data of :meth:`packed`, on another machine."""
        blind = cls.__new__(cls)
        blind._take(pickle.loads(packed))
        return blind

    def packed(self) -> bytes:
        """The data for another machine, as a pickle. A cube that is read in windows is opened there
        under the same name.
        """
        self._load_cube()
        return pickle.dumps(self.data, protocol=5)

    def _take(self, data: TaskData) -> None:
        self.data = data
        cube = getattr(self.data, "pixels", None)
        self._cube = cube if isinstance(cube, FileCube) and cube.whole else None

    @cached_property
    def _stored(self) -> tuple[Any, bytes, list[tuple[int, int]]]:
        """The file, the pickle of all but the arrays, and where the bytes of each array begin and
        end.
        """
        self._load_cube()
        arrays: list[pickle.PickleBuffer] = []
        head = pickle.dumps(self.data, protocol=5, buffer_callback=arrays.append)
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
        return file, head, spans

    def _load_cube(self) -> None:
        if isinstance(self.data, HasCube) and self._cube is None:
            # What the file holds beside the cube might be labels: an array is made of it.
            _ = self.data.cube

    def __getstate__(self) -> tuple[Any, ...]:
        if not SENDS_FILES:
            self._load_cube()
            return (self.data,)
        file, head, spans = self._stored
        cube = self._cube and reduction.DupFd(self._cube.file.fileno())
        return reduction.DupFd(file.fileno()), head, spans, cube

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if len(state) == 1:
            self._take(*state)
            return
        descriptor, head, spans, cube = state
        with open(descriptor.detach(), "rb") as file:  # noqa: PTH123
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.data = pickle.loads(head, buffers=[mapped[begin:end] for begin, end in spans])
        if cube is not None:
            cast(Any, self.data).pixels.file = open(cube.detach(), "rb")  # noqa: PTH123, SIM115
