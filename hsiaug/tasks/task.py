"""Tasks: which samples, which split, which metrics. The runner knows none of them by name.

A task is an object with the functions of :class:`Task`; the runner, the cache, the planner and the store call
these and nothing else, so a new task is a new class in this room and no change elsewhere. The functions of
:class:`PixelClassification` and :class:`Segmentation` say what each does.

Plugins run in processes that hold no test label: there ``view`` and ``predict`` are given ``data.unlabelled`` and
``split.blind``. ``load_local``, ``truth`` and ``cube`` are for reports, which compare predictions pixel by pixel and
download nothing. ``truth`` and ``score`` are for the process that runs no plugin. ``georeferences`` says where the maps
lie on Earth, ``nearly_all`` which protocol trains on most labels, ``defaults`` what a benchmark runs where the user
leaves it open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.protocols import SplitProtocol
from hsiaug.protocol.split import Split as PixelSplit
from hsiaug.protocol.tiling import TileSplit
from hsiaug.protocol.view import Scope, TrainView
from hsiaug.registry.card import Card
from hsiaug.tasks.masks import ChangeDetection, Segmentation
from hsiaug.tasks.pixels import PixelClassification, Prediction, TaskDefaults

__all__ = [
    "AnyTask",
    "Prediction",
    "Task",
    "TaskData",
    "TaskSamples",
    "TaskSplit",
    "TaskView",
    "get_task",
    "locate_labels",
    "predicted_mask",
    "task_names",
]


TaskData = Scene | PairSet
TaskSplit = PixelSplit | TileSplit
TaskView = TrainView | DenseView
TaskSamples = PatchSamples | DenseSamples

Data = TypeVar("Data", bound=TaskData)
Split = TypeVar("Split", bound=TaskSplit)
View = TypeVar("View", bound=TaskView)
Samples = TypeVar("Samples", bound=TaskSamples)
Counts = TypeVar("Counts")


class Task(Protocol[Data, Split, View, Samples, Counts]):
    """The interface of a task for the runner.

    control: the classifier that every benchmark runs beside those asked for. scores: key in a record and name of what
    advice is told by, and of what stands beside it; neither is ever undefined. generator: that of samples outside a
    benchmark, where the user names none. views: spectral views that classifiers may be shown. adapts: tasks whose
    generators serve this one as well, through :mod:`hsiaug.tasks.adapter`. single_pixels: whether single pixels are
    classified: λ then evens out the classes, a view may show pixels without a label, and there are ceilings.
    of_scenes: whether a single scene has the task. Counts: what a generator is asked for, a mapping of class ids or
    :class:`hsiaug.core.tiles.PairCounts`. ``view``, ``predict`` and ``class_counts`` also take
    data without labels and a blind split, which have no common type with those that hold them.
    """

    name: str
    control: str
    scores: tuple[tuple[str, str], tuple[str, str]]
    generator: str
    views: tuple[str, ...]
    adapts: tuple[str, ...]
    single_pixels: bool
    of_scenes: bool

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> Data: ...
    def load_labels(self, ref: str, /) -> Data: ...
    def defaults(self, data: Data, /) -> TaskDefaults: ...
    def nearly_all(self, data: Data, /) -> SplitProtocol: ...
    def split(self, data: Data, protocol: SplitProtocol, seed: int, patch: int, /) -> Split: ...
    def view(self, data: Data, split: Split, scope: Scope, /) -> View: ...
    def seen(self, view: View, spectra: SpectralView, /) -> View: ...
    def view_scores(self, view: View, /) -> dict[str, float]: ...
    def counts(self, view: View, lam: float, /) -> Counts: ...
    def total(self, counts: Counts, /) -> int: ...
    def sizes(self, split: Split, lam: float, /) -> tuple[int, int]: ...
    def blocks(self, view: View, lam: float, /) -> list[Counts]: ...
    def check(self, samples: Samples, counts: Counts, view: View, /) -> None: ...
    def join(self, view: View, pool: Sequence[Samples], counts: Counts, /) -> Samples: ...
    def shown(self, samples: Samples, card: Card, spectra: SpectralView = ..., /) -> Samples: ...
    def predict(
        self, fitted: FittedClassifier, card: Card, data: Data, split: Split, spectra: SpectralView = ..., /
    ) -> NDArray[np.int16]: ...
    def mapped(
        self,
        fitted: FittedClassifier,
        card: Card,
        data: Data,
        split: Split,
        progress: Progress,
        spectra: SpectralView = ...,
        /,
    ) -> dict[str, NDArray[np.int16]]: ...
    def georeferences(self, ref: str | os.PathLike[str], data: Data, /) -> dict[str, Georeference | None]: ...
    def score(self, data: Data, split: Split, prediction: Prediction, /) -> dict[str, Any]: ...
    def metrics(
        self,
        matrix: NDArray[np.int64],
        subsets: Mapping[str, tuple[int, ...]],
        new: NDArray[np.int64] | None = None,
        hidden: NDArray[np.int64] | None = None,
        /,
    ) -> dict[str, Any]: ...
    def class_counts(self, samples: Samples, data: Data, /) -> dict[str, list[int]]: ...
    def load_local(self, ref: str, most: int | None = None, /) -> Data: ...
    def truth(self, data: Data, /) -> dict[str, NDArray[np.int16]]: ...
    def cube(self, data: Data, /) -> NDArray[np.float32] | None: ...


AnyTask = Task[TaskData, TaskSplit, TaskView, TaskSamples, object]
"""A task of which only the name is known. Its splits, views and samples came from it, and are given back to it alone."""


def predicted_mask(split: TaskSplit) -> NDArray[np.bool_]:
    """Flat over all places: which pixels are predicted in a trial."""
    return np.concatenate([mask.ravel() for _, mask, _ in split.sides])


def locate_labels(split: TaskSplit, labels: NDArray[np.int16]) -> Prediction:
    """Flat index and predicted class id of every tested pixel that is labelled. labels: (n,) of all that are tested."""
    index = np.flatnonzero(predicted_mask(split))
    scored = np.concatenate([truth.ravel() for truth, _, _ in split.sides])[index] > 0
    return index[scored].astype(np.int32), labels[scored]


_TASKS = {task.name: cast(AnyTask, task) for task in (PixelClassification(), Segmentation(), ChangeDetection())}


def task_names(*, of_scenes: bool = False) -> tuple[str, ...]:
    """Every task there is, or those that a single scene has."""
    return tuple(name for name, task in _TASKS.items() if task.of_scenes or not of_scenes)


def get_task(name: str) -> AnyTask:
    """The task of that name. Raises InputError where there is none."""
    if name not in _TASKS:
        raise InputError("the task must be known", value=repr(name), hint=did_you_mean(name, _TASKS))
    return _TASKS[name]
