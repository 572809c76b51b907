"""Tasks: which samples, which split, which metrics. The runner knows none of them by name.

A task is an object with the functions of :class:`Task`; the runner, the cache, the planner and the store call
these and nothing else, so a new task is a new class in this room and no change elsewhere:

================  ===============================  ==========================================================
function          pixel classification             segmentation and change detection (dense tasks)
================  ===============================  ==========================================================
``load``          a scene                          image–mask pairs, or a scene as one pair
``load_labels``   the same                         the masks alone
``split``         labelled pixels, by protocol     tiles by place or block, with a guard band
``view``          cube with hidden test pixels     the train tiles and their masks
``seen``          the same in a spectral view      the same in a spectral view
``view_scores``   spectral views, cross-validated  none: views of masks are named
``counts``        samples per class, by λ          pairs in all: round(λ · real pairs)
``total``         synthetic samples in all         synthetic pairs in all
``sizes``         samples: real, and synthetic     pairs: real, and synthetic; of a split, without a view
``blocks``        counts(¼), counts(½) − …         the same
``check``         shapes, classes, counts          shapes, classes, counts
``join``          real + prefixes of the pool      real + the first pairs of the pool
``shown``         patch, spectrum or location      all of it; both in a spectral view
``predict``       batches of test patches          batches of test tiles
``mapped``        every pixel, in stripes          every pixel of every place, tile by tile
``score``         OA, AA, κ, per class             mIoU and macro-F1 without ignore; F1 and IoU of the change class
``metrics``       the same, of a confusion matrix  the same
``class_counts``  samples per class                pixels per class
``truth``         labels of the scene              masks of every place
``cube``          the cube                         none: only masks are read for a report
================  ===============================  ==========================================================

Plugins run in processes that hold no test label: there ``view`` and ``predict`` are given ``data.unlabelled`` and
``split.blind``. ``load_local``, ``truth`` and ``cube`` are for reports, which compare predictions pixel by pixel and
download nothing. ``truth`` and ``score`` are for the process that runs no plugin. ``georeferences`` says where the maps
lie on Earth, ``nearly_all`` which protocol trains on most labels, ``defaults`` what a benchmark runs where the user
leaves it open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.contracts import FittedClassifier, Progress
from hsiaug.core.spectral_views import SpectralView
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.protocols import SplitProtocol
from hsiaug.protocol.split import Audit, Places
from hsiaug.protocol.view import Scope
from hsiaug.registry.card import Card
from hsiaug.tasks.defaults import TaskDefaults
from hsiaug.tasks.masks import ChangeDetection, Segmentation
from hsiaug.tasks.pixels import PixelClassification, Prediction

__all__ = [
    "AnyTask",
    "Prediction",
    "Task",
    "TaskData",
    "TaskSamples",
    "TaskSplit",
    "TaskView",
    "get_task",
    "located",
    "task_names",
    "tested",
]


class TaskData(Protocol):
    """The data of any task, as far as it is read. unlabelled: of a type of the task's own, with fewer fields."""

    @property
    def name(self) -> str: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...
    @property
    def descriptions(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def wavelengths(self) -> NDArray[np.float64] | None: ...
    @property
    def units(self) -> str: ...
    @property
    def bands(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def drawn_as(self) -> str: ...
    @property
    def plots_sha256(self) -> str | None: ...
    @property
    def unlabelled(self) -> Any: ...


class TaskSplit(Protocol):
    """The split of any task, as far as the runner reads it."""

    @property
    def protocol(self) -> SplitProtocol: ...
    @property
    def patch(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def sides(self) -> Places: ...
    @property
    def tiles_by_place(self) -> list[tuple[str, str, int, int]]: ...
    @property
    def overlap(self) -> str: ...
    @property
    def blind(self) -> object: ...


class TaskView(Protocol):
    """The view of any task, as far as the runner and the checks of plugins read it."""

    @property
    def real(self) -> TaskSamples: ...
    @property
    def counts(self) -> Mapping[int, int]: ...
    @property
    def changed(self) -> list[str]: ...


class TaskSamples(Protocol):
    """The samples of any task, as far as the runner reads them."""

    @property
    def synthetic(self) -> NDArray[np.bool_]: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...
    def __len__(self) -> int: ...
    def take(self, index: NDArray[Any]) -> Self: ...


Data = TypeVar("Data", bound=TaskData)
Split = TypeVar("Split", bound=TaskSplit)
View = TypeVar("View", bound=TaskView)
Samples = TypeVar("Samples", bound=TaskSamples)
Counts = TypeVar("Counts")


class Task(Protocol[Data, Split, View, Samples, Counts]):
    """The interface of a task for the runner; the module's docstring explains each function.

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


def tested(split: TaskSplit) -> NDArray[np.bool_]:
    """Flat over all places: which pixels are predicted in a trial."""
    return np.concatenate([mask.ravel() for _, mask, _ in split.sides])


def located(split: TaskSplit, labels: NDArray[np.int16]) -> Prediction:
    """Flat index and predicted class id of every tested pixel that is labelled. labels: (n,) of all that are tested."""
    index = np.flatnonzero(tested(split))
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
