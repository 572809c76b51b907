"""The ground under a table's maps: the scene of its records, where it lies here and is the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import HsiaugError
from hsiaug.report.html.place import Place
from hsiaug.report.records import Trial
from hsiaug.scene import Scene
from hsiaug.trial.store import Store

__all__ = ["NoMapError", "PixelMap", "predicted_map", "scene_of", "split_roles"]

MOST_VALUES = 60_000_000
"""Values of the largest cube that is read for a map: a larger one takes longer than the whole page."""


class NoMapError(Exception):
    """Why there is no map, as the end of the sentence ``No maps: …``."""


@dataclass(frozen=True)
class PixelMap:
    """What one trial called the pixels. label (H, W) int16: predicted class id, 0 where not tested.

    right (H, W) bool: tested and called by its true class.
    """

    label: NDArray[np.int16]
    right: NDArray[np.bool_]


def scene_of(place: Place, read: dict[str, Scene]) -> Scene:
    """The scene of a table's records; read: those that are read already, which this one joins.

    Raises NoMapError where it cannot be had without a download, or is too large.
    """
    if place.table.condition.task != "pixels":
        raise NoMapError("the predictions of masks lie in several images, and only maps of one scene are drawn")
    ref = next((str(t.record["scene_ref"]) for t in place.table.trials if t.record.get("scene_ref")), "")
    if ref not in read:
        try:
            read[ref] = _load(ref)
        except (HsiaugError, OSError) as error:
            raise NoMapError(f"the scene {ref or 'of the records'} cannot be read here") from error
    return read[ref]


def _load(ref: str) -> Scene:
    from hsiaug.data import load_scene
    from hsiaug.data.catalogue import find_entry
    from hsiaug.data.files import status

    entry = find_entry(ref)
    if status(entry) not in ("embedded", "here"):
        raise NoMapError(f"the files of the scene {ref} are not here")
    shape = entry.card.cube.shape
    if shape is not None and np.prod(shape) > MOST_VALUES:
        raise NoMapError(f"the scene {ref} is too large to be read for a page")
    return load_scene(ref, progress=False)


def predicted_map(store: Store, trial: Trial, scene: Scene) -> PixelMap:
    """The map of a trial. Raises NoMapError unless scene and predictions give the very confusion of the record."""
    from hsiaug.metrics.accuracy import confusion

    try:
        index, called = store.predictions(trial.hash)
    except HsiaugError as error:
        raise NoMapError(f"record {trial.hash} has no predictions beside it") from error
    true = scene.labels.ravel()
    classes = len(scene.class_names)
    fits = index.size and index.min() >= 0 and index.max() < true.size and true[index].min() > 0
    if not fits or confusion(true[index], called, classes).tolist() != trial.record["metrics"].get("confusion"):
        raise NoMapError(f"the scene {scene.name} here is not the one of record {trial.hash}")
    label = np.zeros(true.size, dtype=np.int16)
    label[index] = called
    right = np.zeros(true.size, dtype=np.bool_)
    right[index] = called == true[index]
    return PixelMap(label.reshape(scene.shape), right.reshape(scene.shape))


def split_roles(place: Place, trial: Trial, scene: Scene) -> NDArray[np.uint8] | None:
    """(H, W): 0 unlabelled, 1 left out, 2 test, 3 train, of the trial's draw made anew.

    None where the draw cannot be made here, or its checksum is not the record's: then it is another draw.
    """
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.split import draw_split

    condition = place.table.condition
    try:
        protocol = parse_protocol(f"{condition.protocol}:{condition.argument}".removesuffix(":"), condition.buffer)
        split = draw_split(scene, protocol, trial.seed, condition.patch)
    except HsiaugError:
        return None
    if split.audit.sha256 != (trial.audit or {}).get("sha256"):
        return None
    roles = np.zeros(scene.shape, dtype=np.uint8)
    roles[split.buffered], roles[split.test], roles[split.train] = 1, 2, 3
    return roles
