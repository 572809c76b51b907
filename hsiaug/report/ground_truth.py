"""The ground under a record's pixels: its masks, where they lie here, and what a trial called each
pixel of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, LEFT_OUT, NO_DATA, TRAIN, rgb_of, true_colours
from hsiaug.base.errors import HsiaugError
from hsiaug.report.trials import Trial
from hsiaug.tasks.data import NoGroundTruthError
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.store import Store

MOST_VALUES = 60_000_000
"""Values of the largest cube that is read for a picture: a larger one takes longer than all the
rest of a report.
"""
ROLES = ("unlabelled", "left out", "test", "train")
"""Roles of pixels in a split."""
TINTS = tuple(map(rgb_of, (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)))
"""Their colours."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The true classes of a scene, or of every place of a set of pairs, in the order in which
    predictions are kept.

    Attributes
    ----------
    places : tuple of str
        Names, "" for a scene.
    masks : (H, W) integer
        Class ids of each, 0 = none.
    data : TaskData
        What they were taken from; of a set of pairs without its images.
    cube : (H, W, B) float32 or None
        Of a scene; None for pairs.
    """

    places: tuple[str, ...]
    masks: tuple[NDArray[np.integer], ...]
    data: TaskData
    cube: NDArray[np.float32] | None

    @property
    def name(self) -> str:
        """Of the scene or set."""
        return self.data.name

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the class ids 1..C."""
        return self.data.class_names

    def photo(self, step: int) -> NDArray[np.uint8] | None:
        """(h, w, 3) colours of every ``step``-th row and column; None where there is no cube."""
        return None if self.cube is None else true_colours(self.cube, self.data.wavelengths, step)


@dataclass(frozen=True, eq=False)
class PredictedMaps:
    """What trials of one scene called each pixel, beside the truth.

    Attributes
    ----------
    trials : tuple of Trial
        The trials; the split of the first is the one that ``roles`` are of.
    called : tuple of (tuple of (H, W) int16)
        Predicted class ids of each trial, by place; 0 where not tested.
    """

    truth: GroundTruth
    trials: tuple[Trial, ...]
    called: tuple[tuple[NDArray[np.int16], ...], ...]

    @cached_property
    def roles(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Numbers of ROLES (H, W) of each place in the first trial's split, which is made anew.

        None where the split cannot be made here, or its checksum is not the record's: then it is
        another split.
        """
        return _redraw_roles(self.trials[0], self.truth)


def read_maps(
    store: Store,
    trials: Iterable[Trial],
    truths: dict[str, GroundTruth],
    most: int | None = None,
) -> PredictedMaps:
    """The predictions of trials of one scene, with its truth.

    Parameters
    ----------
    truths : dict of str to GroundTruth
        What is read already, which the truth of this scene joins.
    most : int or None
        Values of the largest scene that is read; None for any.

    Raises
    ------
    NoGroundTruthError
        Where the truth cannot be had without a download, or is larger; where predictions are
        missing, or are not of the scene that lies here.
    """
    shown = tuple(trials)
    truth = _local_ground_truth(shown, truths, most)
    called = tuple(_read_predictions(store, trial, truth) for trial in shown)
    return PredictedMaps(truth, shown, called)


def _local_ground_truth(
    trials: Iterable[Trial], read: dict[str, GroundTruth], most: int | None
) -> GroundTruth:
    """The truth that the first of these trials with a scene names."""
    trial = next((t for t in trials if t.scene_ref), None)
    ref, task = (str(trial.scene_ref), trial.condition.task) if trial else ("", "")
    key = f"{task} {ref}"
    if key not in read:
        try:
            source = get_task(task).data
            data = source.load_local(ref, most)
            masks = source.truth(data)
            places = ("",) if len(masks) == 1 else tuple(masks)
            read[key] = GroundTruth(places, tuple(masks.values()), data, source.cube(data))
        except (HsiaugError, OSError) as error:
            raise NoGroundTruthError(
                f"the scene {ref or 'of the records'} cannot be read here"
            ) from error
    return read[key]


def _read_predictions(
    store: Store, trial: Trial, truth: GroundTruth
) -> tuple[NDArray[np.int16], ...]:
    """Return the predicted class ids (H, W) of each place, 0 where not tested.

    Raises NoGroundTruthError unless truth and predictions give the very confusion of the record.
    """
    from hsiaug.metrics.accuracy import confusion

    try:
        index, called = store.predictions(trial.hash)
    except (HsiaugError, BadZipFile) as error:
        raise NoGroundTruthError(f"record {trial.hash} has no predictions") from error
    stated = ((store.sound(trial.hash) or {}).get("metrics") or {}).get("confusion") or ()
    true = np.concatenate([mask.ravel() for mask in truth.masks])
    classes = len(truth.class_names)
    fits = index.size and index.min() >= 0 and index.max() < true.size and true[index].min() > 0
    fits = fits and called.shape == index.shape and called.min() > 0 and called.max() <= classes
    if not fits or not np.array_equal(confusion(true[index], called, classes), stated):
        raise NoGroundTruthError(
            f"the scene {truth.name} here is not the one of record {trial.hash}"
        )
    label = np.zeros(true.size, dtype=np.int16)
    label[index] = called
    ends = np.cumsum([mask.size for mask in truth.masks])[:-1]
    return tuple(
        part.reshape(mask.shape)
        for part, mask in zip(np.split(label, ends), truth.masks, strict=True)
    )


def split_roles(split: TaskSplit) -> tuple[NDArray[np.uint8], ...]:
    """Return the numbers of ROLES (H, W) of a scene, or of each place."""
    return tuple(
        np.where(label > 0, np.where(trained, 3, np.where(tested, 2, 1)), 0).astype(np.uint8)
        for label, tested, trained in split.sides
    )


def _redraw_roles(trial: Trial, truth: GroundTruth) -> tuple[NDArray[np.uint8], ...] | None:
    from hsiaug.protocol.protocols import parse_protocol

    condition = trial.condition
    try:
        protocol = parse_protocol(condition.protocol_text, condition.buffer)
        split = get_task(condition.task).draws.split(
            truth.data, protocol, trial.seed, condition.patch
        )
    except HsiaugError:
        return None
    return split_roles(split) if split.audit.sha256 == (trial.audit or {}).get("sha256") else None
