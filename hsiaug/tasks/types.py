"""The types of the tasks: those of pixels beside those of masks."""

from typing import Any

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Int32
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.protocol.balance import Block
from hsiaug.protocol.split import Split as PixelSplit
from hsiaug.protocol.tiling import TileSplit
from hsiaug.protocol.view import TrainView

TaskData = Scene | PairSet
TaskSplit = PixelSplit | TileSplit
TaskView = TrainView | DenseView
TaskSamples = PatchSamples | DenseSamples
AnyBlock = Block[Any]
Prediction = tuple[Int32, AnyArray]
"""Flat index (n,) of every test pixel, and its predicted class id (n,) int16; of a task without
classes its values (n, K) float32.
"""


def predicted_mask(split: TaskSplit) -> Bools:
    """Which pixels are predicted in a trial.

    Parameters
    ----------
    split : TaskSplit
        A split with all labels.

    Returns
    -------
    ndarray of bool, shape (n,)
        Flat over all places.
    """
    return np.concatenate([mask.ravel() for _, mask, _ in split.sides])


def locate_labels(split: TaskSplit, labels: AnyArray) -> Prediction:
    """Where predictions belong: of every tested pixel that is labelled.

    Parameters
    ----------
    split : TaskSplit
        A split with all labels.
    labels : ndarray, shape (n,) or (n, K)
        Predictions of all pixels that are tested.

    Returns
    -------
    index : ndarray of int32, shape (m,)
        Flat over all places.
    label : ndarray, shape (m,) or (m, K)
        Their predictions.
    """
    index: list[Int32] = []
    scored: list[Bools] = []
    first = 0
    for truth, tested, _ in split.sides:
        inside = np.flatnonzero(tested)
        known = truth.ravel()[inside] > 0
        index.append((first + inside[known]).astype(np.int32))
        scored.append(known)
        first += truth.size
    return np.concatenate(index), labels[np.concatenate(scored)]
