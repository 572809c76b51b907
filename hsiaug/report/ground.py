"""The ground under a record's pixels: its scene, where that lies here, and what a trial called each pixel of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import HsiaugError
from hsiaug.report.records import Trial
from hsiaug.scene import Scene
from hsiaug.trial.store import Store

__all__ = ["NoGroundError", "PixelMap", "local_scene", "predicted_map"]


class NoGroundError(Exception):
    """Why pixels cannot be placed, as the end of a sentence."""


@dataclass(frozen=True)
class PixelMap:
    """What one trial called the pixels. label (H, W) int16: predicted class id, 0 where not tested.

    right (H, W) bool: tested and called by its true class.
    """

    label: NDArray[np.int16]
    right: NDArray[np.bool_]


def local_scene(trials: Iterable[Trial], read: dict[str, Scene], most: int | None = None) -> Scene:
    """The scene that the first of these trials names; read: those that are read already, which this one joins.

    most: values of the largest cube that is read; None for any. Raises NoGroundError where the scene cannot be had
    without a download, or is larger.
    """
    ref = next((str(t.record["scene_ref"]) for t in trials if t.record.get("scene_ref")), "")
    if ref not in read:
        try:
            read[ref] = _load(ref, most)
        except (HsiaugError, OSError) as error:
            raise NoGroundError(f"the scene {ref or 'of the records'} cannot be read here") from error
    return read[ref]


def _load(ref: str, most: int | None) -> Scene:
    from hsiaug.data import load_scene
    from hsiaug.data.catalogue import find_entry
    from hsiaug.data.files import status

    entry = find_entry(ref)
    if status(entry) not in ("embedded", "here"):
        raise NoGroundError(f"the files of the scene {ref} are not here")
    shape = entry.card.cube.shape
    if most is not None and shape is not None and np.prod(shape) > most:
        raise NoGroundError(f"the scene {ref} is too large to be read for a page")
    return load_scene(ref, progress=False)


def predicted_map(store: Store, trial: Trial, scene: Scene) -> PixelMap:
    """The map of a trial. Raises NoGroundError unless scene and predictions give the very confusion of the record."""
    from hsiaug.metrics.accuracy import confusion

    try:
        index, called = store.predictions(trial.hash)
    except (HsiaugError, BadZipFile) as error:
        raise NoGroundError(f"record {trial.hash} has no predictions beside it") from error
    true = scene.labels.ravel()
    classes = len(scene.class_names)
    fits = index.size and index.min() >= 0 and index.max() < true.size and true[index].min() > 0
    fits = fits and called.shape == index.shape and called.min() > 0 and called.max() <= classes
    if not fits or confusion(true[index], called, classes).tolist() != trial.record["metrics"].get("confusion"):
        raise NoGroundError(f"the scene {scene.name} here is not the one of record {trial.hash}")
    label = np.zeros(true.size, dtype=np.int16)
    label[index] = called
    right = np.zeros(true.size, dtype=np.bool_)
    right[index] = called == true[index]
    return PixelMap(label.reshape(scene.shape), right.reshape(scene.shape))
