"""Tasks: which samples, which split, which metrics. The runner knows none of them by name.

A task is an object with the functions of :class:`Task`; the runner, the cache, the planner and the
store call these and nothing else, so a new task is a new class in this room and no change
elsewhere. The functions of :class:`PixelClassification` and :class:`Segmentation` say what each
does.

Plugins run in processes that hold no test label: there ``view`` and ``predict`` are given
``data.unlabelled`` and ``split.blind``. ``load_local``, ``truth`` and ``cube`` are for reports,
which compare predictions pixel by pixel and download nothing. ``truth`` and ``score`` are for the
process that runs no plugin. ``georeferences`` says where the maps lie on Earth.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import check_known
from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.balance import Block, Rate
from hsiaug.protocol.split import Split as PixelSplit
from hsiaug.protocol.tiling import TileSplit
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card, Scope
from hsiaug.registry.split_protocol import SplitProtocol
from hsiaug.tasks.masks import ChangeDetection, Segmentation
from hsiaug.tasks.pixels import PixelClassification, Prediction

TaskData = Scene | PairSet
TaskSplit = PixelSplit | TileSplit
TaskView = TrainView | DenseView
TaskSamples = PatchSamples | DenseSamples
AnyBlock = Block[Any]


class Task(Protocol):
    """The interface of a task for the runner.

    scores: key in a record and name of what advice is told by, and of what stands beside it;
    neither is ever undefined. views:
    spectral views that classifiers may be shown. single_pixels: whether single pixels are
    classified: λ then evens out the classes, and a view may show pixels without a label.
    of_scenes: whether a single scene has the task. What a generator is asked for, a mapping of
    class ids or :class:`hsiaug.core.tiles.PairCounts`. ``view`` and ``predict`` also take data
    without labels and a blind split, which have no common type with those that hold them.
    ``unlabelled`` is what a generator prepares from, ``checksum`` that of what it shows.
    """

    name: str
    scores: tuple[tuple[str, str], tuple[str, str]]
    views: tuple[str, ...]
    single_pixels: bool
    of_scenes: bool

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> TaskData: ...
    def load_labels(self, ref: str, /) -> TaskData: ...
    def split(
        self, data: TaskData, protocol: SplitProtocol, seed: int, patch: int, /
    ) -> TaskSplit: ...
    def view(self, data: TaskData, split: TaskSplit, scope: Scope, /) -> TaskView: ...
    def unlabelled(self, data: TaskData, split: TaskSplit, view: TaskView, /) -> TaskView: ...
    def checksum(self, data: TaskData, split: TaskSplit, view: TaskView, /) -> str: ...
    def seen(self, view: TaskView, spectra: SpectralView, /) -> TaskView: ...
    def sizes(self, split: TaskSplit, rate: Rate, /) -> tuple[int, int]: ...
    def blocks(self, view: TaskView, rate: Rate, /) -> list[AnyBlock]: ...
    def check(self, samples: TaskSamples, counts: object, view: TaskView, /) -> None: ...
    def first(self, samples: TaskSamples, counts: Any, /) -> TaskSamples: ...
    def join(
        self,
        view: TaskView,
        pool: Sequence[TaskSamples],
        card: Card | None = None,
        spectra: SpectralView = ...,
        /,
    ) -> TaskSamples: ...
    def measured(
        self, view: TaskView, pool: Sequence[TaskSamples], /
    ) -> Mapping[str, Mapping[str, float]]: ...
    def shown(
        self, samples: TaskSamples, card: Card, spectra: SpectralView = ..., /
    ) -> TaskSamples: ...
    def predict(
        self,
        fitted: FittedClassifier,
        card: Card,
        data: TaskData,
        split: TaskSplit,
        spectra: SpectralView = ...,
        /,
    ) -> NDArray[np.int16]: ...
    def mapped(
        self,
        fitted: FittedClassifier,
        card: Card,
        data: TaskData,
        split: TaskSplit,
        progress: Progress,
        spectra: SpectralView = ...,
        /,
    ) -> dict[str, NDArray[np.int16]]: ...
    def georeferences(
        self, ref: str | os.PathLike[str], data: TaskData, /
    ) -> dict[str, Georeference | None]: ...
    def score(
        self, data: TaskData, split: TaskSplit, prediction: Prediction, /
    ) -> dict[str, object]: ...
    def metrics(
        self,
        matrix: NDArray[np.int64],
        subsets: Mapping[str, tuple[int, ...]],
        new: NDArray[np.int64] | None = None,
        hidden: NDArray[np.int64] | None = None,
        /,
    ) -> dict[str, object]: ...
    def load_local(self, ref: str, most: int | None = None, /) -> TaskData: ...
    def truth(self, data: TaskData, /) -> dict[str, NDArray[np.int16]]: ...
    def cube(self, data: TaskData, /) -> NDArray[np.float32] | None: ...


def predicted_mask(split: TaskSplit) -> NDArray[np.bool_]:
    """Flat over all places: which pixels are predicted in a trial."""
    return np.concatenate([mask.ravel() for _, mask, _ in split.sides])


def locate_labels(split: TaskSplit, labels: NDArray[np.int16]) -> Prediction:
    """Flat index and predicted class id of every tested pixel that is labelled. labels: (n,) of all
    that are tested.
    """
    index = np.flatnonzero(predicted_mask(split))
    scored = np.concatenate([truth.ravel() for truth, _, _ in split.sides])[index] > 0
    return index[scored].astype(np.int32), labels[scored]


_TASKS = {
    task.name: cast(Task, task)
    for task in (PixelClassification(), Segmentation(), ChangeDetection())
}
USUAL = PixelClassification.name
"""The task where none is named."""


def task_names(*, of_scenes: bool = False) -> tuple[str, ...]:
    """Every task there is, or those that a single scene has."""
    return tuple(name for name, task in _TASKS.items() if task.of_scenes or not of_scenes)


def get_task(name: str) -> Task:
    """The task of that name. Raises InputError where there is none."""
    check_known("the task must be known", name, _TASKS)
    return _TASKS[name]
