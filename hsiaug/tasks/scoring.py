"""Scores of a task: the only place where predictions are compared with test labels, in the process
that runs no plugin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import (
    Counts,
    confusion,
    dense_score,
    grouped_confusion,
    score,
)
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.tasks.types import Prediction


class Scorer(Protocol):
    """What compares predictions with labels."""

    @property
    def added(self) -> tuple[str, ...]:
        """Names of the metrics of its records beside those of every task."""

    def score(self, data: Any, split: Any, prediction: Prediction, /) -> dict[str, object]:
        """The metrics of a record.

        Parameters
        ----------
        data : Scene or PairSet
            With all labels.
        split : Split or TileSplit
            With all labels.
        prediction : Prediction
            Of every test pixel that is labelled.
        """
        ...

    def metrics(
        self,
        matrix: Counts,
        subsets: Mapping[str, tuple[int, ...]],
        of_new_fields: Counts | None = None,
        hidden: Counts | None = None,
        /,
    ) -> dict[str, object]:
        """The same from counts.

        Parameters
        ----------
        matrix : ndarray of int64, shape (C, C)
            Confusion matrix: true class by predicted class.
        subsets : mapping
            Class ids of each named subset of a scene's classes.
        of_new_fields : ndarray of int64, shape (C, C), optional
            Of pixels in fields without a training pixel.
        hidden : ndarray of int64, shape (C, C), optional
            Of pixels that no plugin saw.
        """
        ...


class PixelScorer:
    """Overall and average accuracy, κ, and the accuracy of each class."""

    added = ()
    metrics = staticmethod(score)

    def score(self, scene: Scene, split: Split, prediction: Prediction) -> dict[str, object]:
        index, label = prediction
        is_new = (~split.seen.ravel()[index]).astype(np.int64)
        hidden = (
            is_new * 0 if split.hidden is None else split.hidden.ravel()[index].astype(np.int64)
        )
        true, classes = split.labels.ravel()[index], len(scene.class_names)
        counts = grouped_confusion(is_new + 2 * hidden, 4, true, label, classes)
        unseen = None if split.hidden is None else counts[2:].sum(axis=0)
        return score(counts.sum(axis=0), scene.subsets, counts[1::2].sum(axis=0), unseen)


@dataclass(frozen=True)
class MaskScorer:
    """mIoU, macro-F1, and overall accuracy of labelled pixels. change: also F1 of "changed"."""

    change: bool

    @property
    def added(self) -> tuple[str, ...]:
        means = ("f1_change", "iou_change", "recall_change", "precision_change")
        return ("miou", "iou", "f1", *(means if self.change else ()))

    def score(self, data: PairSet, split: TileSplit, prediction: Prediction) -> dict[str, object]:
        index, label = prediction
        classes = len(data.class_names)
        matrix = np.zeros((classes, classes), dtype=np.int64)
        # Place by place: the pixels of a large set take gigabytes at once.
        ends = np.searchsorted(index, [*data.offsets[1:], np.iinfo(np.int32).max])
        begin = 0
        for place, first, end in zip(data.places, data.offsets, ends.tolist(), strict=True):
            if end > begin:
                true = place.mask.ravel()[index[begin:end] - first]
                matrix += confusion(true, label[begin:end], classes)
            begin = end
        return self.metrics(matrix, {})

    def metrics(
        self,
        matrix: Counts,
        subsets: Mapping[str, tuple[int, ...]],
        of_new_fields: Counts | None = None,
        hidden: Counts | None = None,
    ) -> dict[str, object]:
        return dense_score(matrix, change=self.change)
