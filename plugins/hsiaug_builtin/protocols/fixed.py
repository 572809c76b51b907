"""Protocol ``fixed``: train and test masks from a file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Buffer,
    Card,
    Draw,
    InputError,
    Scene,
    SplitError,
    SplitProtocol,
    check_whole,
    read_maps,
    user_file,
)

TRAIN_NAME = re.compile(r"(^|_)(tr|train)")
TEST_NAME = re.compile(r"(^|_)(te|ts|test)")
MOST_DISAGREEMENT = 0.10


@dataclass(frozen=True)
class Fixed(SplitProtocol):
    """The masks of a file that holds train and test, of two files, or of one file of training
    pixels alone.

    The argument is "file names#checksum", so that moving the files does not change what a trial is.

    Attributes
    ----------
    paths : tuple of Path
        Where the files lie; not part of the identity.
    """

    card = Card("fixed", "1", "Training and test pixels from a file, to compare with other work")
    usage = (
        "fixed:FILE, a .mat, .npz or .npy with a train mask and a test mask, or fixed:TRAIN+TEST,"
        " two files"
    )
    usual_buffer = "none"

    paths: tuple[Path, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        files = [user_file(name, folder) for name in argument.split("+")]
        paths = tuple(path for path in files if path is not None)
        if not 0 < len(paths) == len(files) < 3:
            raise InputError(
                "protocol fixed needs a file of masks, or one of training and one of test pixels",
                value=repr(argument),
                hint=f"Write {cls.usage}.",
            )
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
        names = "+".join(path.name for path in paths)
        return cls(f"{names}#{digest}", buffer, tuple(path.resolve() for path in paths))

    @property
    def text(self) -> str:
        return f"{self.name}:{'+'.join(map(str, self.paths))}"

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        """Positions come from the file, labels always from the scene.

        Pixels that the scene does not label, and pixels whose label in the file is not the scene's
        (after the best renaming of class ids: well-known masks come with permuted ids), are
        dropped, counted and noted.

        Raises SplitError where no mask fits the scene, the file labels another scene, or the masks
        share a pixel.
        """
        train_map, test_map = _maps(self.paths, scene)
        train, notes = _consistent(scene, train_map, "train")
        if test_map is None:
            return Draw(train, (train_map > 0) & (scene.labels > 0) & ~train, notes)
        test, test_notes = _consistent(scene, test_map, "test")
        if (train & test).any():
            raise SplitError(
                "train and test masks must not share a pixel",
                value=f"{int((train & test).sum())} shared",
                hint="Correct the masks: a pixel of both would be learnt by heart.",
            )
        return Draw(train, (scene.labels > 0) & ~train & ~test, notes + test_notes)


def _maps(
    paths: tuple[Path, ...], scene: Scene
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """The map of training pixels and, where there is one, that of test pixels."""
    if len(paths) == 2:
        return _only_map(paths[0], scene), _only_map(paths[1], scene)
    maps = _fitting(paths[0], scene)
    train = [a for name, a in maps.items() if TRAIN_NAME.search(name.lower())]
    test = [a for name, a in maps.items() if TEST_NAME.search(name.lower())]
    if len(train) == len(test) == 1:
        return train[0], test[0]
    return _only_map(paths[0], scene), None


def _only_map(path: Path, scene: Scene) -> NDArray[np.int64]:
    maps = _fitting(path, scene)
    if len(maps) != 1:
        shapes = ", ".join(
            f"{name} {a.shape[0]}×{a.shape[1]}" for name, a in read_maps(path).items()
        )
        raise SplitError(
            f"{path.name}: expected one mask of shape {scene.shape}, or two named train and test",
            value=shapes or "no map",
            hint=(
                "Save the masks under these names, for example with numpy.savez(file, train=…,"
                " test=…)."
            ),
        )
    return next(iter(maps.values()))


def _fitting(path: Path, scene: Scene) -> dict[str, NDArray[np.int64]]:
    fitting = {name: a for name, a in read_maps(path).items() if a.shape == scene.shape}
    for name, mask in fitting.items():
        check_whole(mask, f"{path.name}: the values of mask '{name}'")
    return {name: mask.astype(np.int64) for name, mask in fitting.items()}


def _consistent(
    scene: Scene, mask: NDArray[np.int64], role: str
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Pixels of a map that agree with the scene, and what was dropped."""
    listed = mask > 0
    background = listed & (scene.labels == 0)
    wrong = np.zeros_like(listed)
    if len(np.unique(mask[listed])) > 1:
        inside = listed & ~background
        renamed = _rename(mask[inside], scene.labels[inside], len(scene.class_names))
        wrong[inside] = renamed != scene.labels[inside]
    notes = []
    if background.any():
        notes.append(
            f"{int(background.sum())} {role} pixels of the mask are unlabelled in the scene:"
            " dropped"
        )
    if wrong.any():
        notes.append(
            f"{int(wrong.sum())} {role} pixels of the mask have another label in the scene: dropped"
        )
    if wrong.sum() > MOST_DISAGREEMENT * max(1, int(listed.sum())):
        raise SplitError(
            f"the {role} mask must agree with the labels of scene {scene.name}",
            value=(
                f"{int(wrong.sum())} of {int(listed.sum())} pixels that disagree, however ids are"
                " renamed"
            ),
            hint=(
                "Check that the mask belongs to this scene; a mask of zeros and ones names no"
                " classes."
            ),
        )
    return listed & ~background & ~wrong, tuple(notes)


def _rename(mask: NDArray[np.int64], true: NDArray[np.int16], classes: int) -> NDArray[np.int64]:
    """``mask`` with its ids replaced by the one-to-one renaming that agrees best with ``true``."""
    from scipy.optimize import linear_sum_assignment

    codes, places = np.unique(mask, return_inverse=True)
    together = np.zeros((len(codes), classes + 1), dtype=np.int64)
    np.add.at(together, (places, true.astype(np.int64)), 1)
    rows, columns = linear_sum_assignment(-together)
    names = np.zeros(len(codes), dtype=np.int64)
    names[rows] = columns
    return names[places]
