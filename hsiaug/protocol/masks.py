"""Protocol ``fixed``: train and test masks from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hsiaug.data.arrays import read_arrays
from hsiaug.errors import SplitError
from hsiaug.protocol.compact import Draw
from hsiaug.protocol.protocols import Protocol
from hsiaug.scene import Scene

__all__ = ["fixed_draw"]

TRAIN_NAMES = ("train", "tr", "trlabels", "train_gt", "train_mask")
TEST_NAMES = ("test", "ts", "te", "tslabels", "test_gt", "test_mask")
MOST_DISAGREEMENT = 0.10


def fixed_draw(scene: Scene, protocol: Protocol) -> Draw:
    """The masks of a file: arrays named train and (optionally) test, or one map of training pixels.

    Positions come from the file, labels always from the scene. Pixels that the scene does not label, and
    pixels whose label in the file is not the scene's (after the best renaming of class ids: well-known masks
    come with permuted ids), are dropped, counted and noted.

    Raises SplitError where no mask fits the scene, or the file labels another scene.
    """
    assert protocol.path is not None
    train_map, test_map = _maps(protocol.path, scene)
    train, train_notes = _consistent(scene, train_map, protocol.path, "train")
    labelled = scene.labels > 0
    if test_map is None:
        return Draw(train, (train_map > 0) & labelled & ~train, train_notes)
    test, test_notes = _consistent(scene, test_map, protocol.path, "test")
    return Draw(train, labelled & ~train & ~test, train_notes + test_notes)


def _maps(path: Path, scene: Scene) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    arrays = {
        name.lower(): array
        for name, array in read_arrays(path).items()
        if array.shape == scene.shape and array.dtype.kind in "biuf"
    }
    train = next((arrays[name] for name in TRAIN_NAMES if name in arrays), None)
    test = next((arrays[name] for name in TEST_NAMES if name in arrays), None)
    if train is None and len(arrays) == 1:
        (train,) = arrays.values()
    if train is None:
        found = ", ".join(f"{name} {a.shape}" for name, a in read_arrays(path).items()) or "no array"
        raise SplitError(
            f"{path.name}: expected a mask of shape {scene.shape} named train (and one named test)",
            value=found,
            mend="Save the masks under these names, for example with numpy.savez(file, train=…, test=…).",
        )
    return train.astype(np.int64), None if test is None else test.astype(np.int64)


def _consistent(
    scene: Scene, given: NDArray[np.int64], path: Path, role: str
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Pixels of a map that agree with the scene, and what was dropped."""
    listed = given > 0
    background = listed & (scene.labels == 0)
    wrong = np.zeros_like(listed)
    if len(np.unique(given[listed])) > 1:
        inside = listed & ~background
        renamed = _rename(given[inside], scene.labels[inside], len(scene.class_names))
        wrong[inside] = renamed != scene.labels[inside]
    notes = []
    if background.any():
        notes.append(f"{int(background.sum())} {role} pixels of {path.name} are unlabelled in the scene: dropped")
    if wrong.any():
        notes.append(f"{int(wrong.sum())} {role} pixels of {path.name} have another label in the scene: dropped")
    if wrong.sum() > MOST_DISAGREEMENT * max(1, int(listed.sum())):
        raise SplitError(
            f"{path.name}: the {role} mask must agree with the labels of scene {scene.name}",
            value=f"{int(wrong.sum())} of {int(listed.sum())} pixels that disagree, however ids are renamed",
            mend="Check that the mask belongs to this scene; a mask of zeros and ones names no classes.",
        )
    return listed & ~background & ~wrong, tuple(notes)


def _rename(given: NDArray[np.int64], true: NDArray[np.int16], classes: int) -> NDArray[np.int64]:
    """``given`` with its ids replaced by the one-to-one renaming that agrees best with ``true``."""
    size = max(int(given.max()), classes) + 1
    together = np.zeros((size, size), dtype=np.int64)
    np.add.at(together, (given, true.astype(np.int64)), 1)
    rows, columns = linear_sum_assignment(-together)
    names = np.zeros(size, dtype=np.int64)
    names[rows] = columns
    return names[given]
