"""Tasks: which samples, which split, which metrics. The runner knows none of them by name.

A task is an object with the functions of :class:`Task`; the runner, the cache, the planner and the store call
these and nothing else, so a new task is a new class here and no change elsewhere:

============  ===============================  ==========================================================
function      pixel classification             segmentation and change detection (dense tasks)
============  ===============================  ==========================================================
``load``      a scene                          image–mask pairs, or a scene as one pair
``split``     labelled pixels, by protocol     tiles by place or block, with a guard band
``view``      cube with hidden test pixels     the train tiles and their masks
``wanted``    samples per class, by λ          pairs in all: round(λ · real pairs), as {0: n}
``asked``     samples: real, and wanted        pairs: real, and wanted; of a split, without a view
``blocks``    wanted(¼), wanted(½) − …         the same
``check``     shapes, classes, counts          shapes, classes, counts
``join``      real + prefixes of the pool      real + the first pairs of the pool
``shown``     patch, spectrum or location      unchanged
``predict``   batches of test patches          batches of test tiles
``located``   every test pixel                 the labelled pixels of test tiles
``score``     OA, AA, κ, per class             mIoU and macro-F1 without ignore; F1 and IoU of the change class
``counts``    samples per class                pixels per class
============  ===============================  ==========================================================

Plugins run in processes that hold no test label: there ``view`` and ``predict`` are given ``data.unlabelled`` and
``split.blind``. ``located``, which gives (index, label) over flat test positions, and ``score`` are for the process that
runs no plugin. ``usual`` says what a benchmark runs where the user leaves it open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, did_you_mean
from hsiaug.plugins.card import Card
from hsiaug.plugins.contracts import FittedClassifier
from hsiaug.protocol.protocols import Protocol as SplitProtocol
from hsiaug.protocol.view import Scope
from hsiaug.trial.defaults import TaskDefaults
from hsiaug.trial.dense import ChangeDetection, Segmentation
from hsiaug.trial.pixels import PixelClassification, Prediction

__all__ = ["Prediction", "Task", "get_task", "task_names"]


class Task(Protocol):
    """What the runner asks of a task; see the module's docstring for what each function means.

    Data, splits, views and samples are the task's own types, which nothing but the task and the plugins look into.
    control: the classifier that every benchmark runs beside those asked for.
    """

    name: str
    control: str

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> Any: ...
    def defaults(self, data: Any, /) -> TaskDefaults: ...
    def split(self, data: Any, protocol: SplitProtocol, seed: int, patch: int, /) -> Any: ...
    def view(self, data: Any, split: Any, scope: Scope, /) -> Any: ...
    def wanted(self, view: Any, lam: float, /) -> dict[int, int]: ...
    def asked(self, split: Any, lam: float, /) -> tuple[int, int]: ...
    def blocks(self, view: Any, lam: float, /) -> list[dict[int, int]]: ...
    def check(self, samples: Any, wanted: Mapping[int, int], view: Any, /) -> None: ...
    def join(self, view: Any, pool: Sequence[Any], wanted: Mapping[int, int], /) -> Any: ...
    def shown(self, samples: Any, card: Card, /) -> Any: ...
    def predict(self, fitted: FittedClassifier, card: Card, data: Any, split: Any, /) -> NDArray[np.int16]: ...
    def located(self, data: Any, split: Any, labels: NDArray[np.int16], /) -> Prediction: ...
    def score(self, data: Any, prediction: Prediction, /) -> dict[str, Any]: ...
    def counts(self, samples: Any, data: Any, /) -> dict[str, list[int]]: ...


_TASKS: dict[str, Task] = {task.name: task for task in (PixelClassification(), Segmentation(), ChangeDetection())}


def task_names() -> tuple[str, ...]:
    """Every task there is."""
    return tuple(_TASKS)


def get_task(name: str) -> Task:
    """The task of that name. Raises InputError where there is none."""
    if name not in _TASKS:
        raise InputError("the task must be known", value=repr(name), hint=did_you_mean(name, _TASKS))
    return _TASKS[name]
