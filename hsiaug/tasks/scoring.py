"""Scores of a task: the only place where predictions are compared with test labels, in the process
that runs no plugin.
"""

from typing import Any

import numpy as np
from pydantic import BaseModel

from hsiaug.base.arrays import AnyArray
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import confusion, dense_score, grouped_confusion, score
from hsiaug.protocol.split import Split
from hsiaug.protocol.tiling import TileSplit
from hsiaug.tasks.class_metrics import ClassMetrics, Metrics, fault_of_lists
from hsiaug.tasks.types import Prediction


class ClassScorer:
    """What compares predicted class ids with labels, and knows the metrics of its records.

    A task without classes has a scorer with the same functions and ``model``.

    Attributes
    ----------
    model : type of BaseModel
        The form of the metrics of a record.
    added : tuple of str
        Names of the metrics of its records beside those of every task.
    """

    model: type[BaseModel] = ClassMetrics
    added: tuple[str, ...] = ()

    def fault_of_values(self, values: AnyArray, number: int, classes: int) -> str:
        """What is wrong with the predictions of a trial, in words; "" where nothing is.

        Parameters
        ----------
        values : ndarray, shape (n,) or (n, K)
            What the predictor of the task gave, as it came from another process.
        number : int
            Pixels that are predicted.
        classes : int
            C of the data.
        """
        if values.dtype != np.int16 or values.shape != (number,):
            return f"{number} class ids must come back; found {len(values)}"
        wrong = values[(values < 1) | (values > classes)]
        return f"class ids must lie in 1..{classes}; found {wrong[0]}" if len(wrong) else ""

    def fault_of_lists(self, metrics: Metrics, classes: int) -> str | None:
        """What of metrics of that form does not fit so many classes, in words."""
        return fault_of_lists(metrics, classes, self.added)

    def score(self, data: Any, split: Any, prediction: Prediction) -> dict[str, object]:
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
        raise NotImplementedError


class PixelScorer(ClassScorer):
    """Overall and average accuracy, κ, and the accuracy of each class."""

    def score(self, data: Scene, split: Split, prediction: Prediction) -> dict[str, object]:
        index, label = prediction
        is_new = (~split.seen.ravel()[index]).astype(np.int64)
        hidden = (
            is_new * 0 if split.hidden is None else split.hidden.ravel()[index].astype(np.int64)
        )
        true, classes = split.labels.ravel()[index], len(data.class_names)
        counts = grouped_confusion(is_new + 2 * hidden, 4, true, label, classes)
        unseen = None if split.hidden is None else counts[2:].sum(axis=0)
        return score(counts.sum(axis=0), data.subsets, counts[1::2].sum(axis=0), unseen)


class MaskScorer(ClassScorer):
    """mIoU, macro-F1, and overall accuracy of labelled pixels. change: also F1 of "changed"."""

    def __init__(self, *, change: bool) -> None:
        self.change = change
        means = ("f1_change", "iou_change", "recall_change", "precision_change")
        self.added = ("miou", "iou", "f1", *(means if change else ()))

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
        return dense_score(matrix, change=self.change)
