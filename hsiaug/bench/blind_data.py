"""The data of a scene as its workers have it: without a label, and one copy for all of them."""

import pickle
from multiprocessing import reduction
from typing import Any, Self, cast

from hsiaug.core.scene import HasCube
from hsiaug.data.windows import FileCube
from hsiaug.registry.isolation.shared_arrays import SENDS_FILES, SharedArrays
from hsiaug.tasks.types import TaskData


class BlindData:
    """A scene or pairs without labels, as workers have them: their arrays are shared
    (:class:`hsiaug.registry.isolation.shared_arrays.SharedArrays`). Of a large cube a process that
    is being started is given its own file, opened, where that holds nothing else.

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
        self._shared = SharedArrays(data)
        cube = getattr(self.data, "pixels", None)
        self._cube = cube if isinstance(cube, FileCube) and cube.whole else None

    def _load_cube(self) -> None:
        if isinstance(self.data, HasCube) and self._cube is None:
            # What the file holds beside the cube might be labels: an array is made of it.
            _ = self.data.cube

    def __getstate__(self) -> tuple[Any, ...]:
        self._load_cube()
        sent = self._cube if SENDS_FILES else None
        return self._shared, sent and reduction.DupFd(sent.file.fileno())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shared, cube = state
        self.data = shared.value
        if cube is not None:
            cast(Any, self.data).pixels.file = open(cube.detach(), "rb")  # noqa: PTH123, SIM115
