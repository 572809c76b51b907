"""Data of a task as they lie on this machine: for reports, which never download."""

from __future__ import annotations

import numpy as np

from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data import load_pairs, load_scene
from hsiaug.data.catalogue import find_entry, status
from hsiaug.data.pair_sets import find_pairs, pairs_status


class NoGroundTruthError(Exception):
    """Why pixels cannot be placed, as the end of a sentence."""


def local_scene(ref: str, most: int | None = None) -> Scene:
    """A scene of at most so many values (None: any). Raises NoGroundTruthError where it is not here, or larger."""
    entry = find_entry(ref)
    if status(entry) not in ("embedded", "here"):
        raise NoGroundTruthError(f"the files of the scene {ref} are not here")
    shape = entry.card.cube.shape
    if most is not None and shape is not None and np.prod(shape) > most:
        raise NoGroundTruthError(f"the scene {ref} is too large to be read for a page")
    return load_scene(ref, progress=False)


def local_pairs(ref: str, task: str, most: int | None = None) -> PairSet:
    """The masks of a set of pairs, without its images, or a scene as one pair. Raises NoGroundTruthError likewise."""
    entry = find_pairs(ref)
    if entry is None:
        return PairSet.of(local_scene(ref, most))
    if pairs_status(entry) != "here":
        raise NoGroundTruthError(f"the files of the scene {ref} are not here")
    return load_pairs(ref, task, progress=False, masks_only=True)
