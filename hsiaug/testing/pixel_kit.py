"""Classification of pixels as the checks see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import NOWHERE, Patches, PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.registry.card import Card
from hsiaug.tasks.pixels import PixelClassification
from hsiaug.testing.core import require
from hsiaug.testing.reference_plugins import balanced
from hsiaug.testing.task_kit import (
    LOW,
    NAMES,
    NOISE,
    SPAN,
    Case,
    TaskKit,
    Trouble,
    class_spectra,
    facts,
    wrong_labels,
)

__all__ = ["LEARNT", "PixelKit"]

LEARNT = 0.5
"""Least mean recall of a classifier on its own training pixels; naming the largest class alone gives 0.25."""

TROUBLES: Mapping[Trouble, Mapping[str, Any]] = {
    "tiny-classes": {"sizes": (12, 2, 1)},
    "class-missing": {"sizes": (12, 0, 6, 4)},
    "constant-bands": {"constant": True},
    "bare-scene": {"bare": True},
    "patch-of-one": {"patch": 1},
}
"""Difficulties of a scene."""

SIZES = (16, 8, 5, 3)
"""Training pixels of each class, unless a check asks for others."""

ROWS, WIDTH, BANDS = 6, 22, 16
"""Rows of a stripe (the last of them without label), columns, bands."""

TEST_FROM = 14
"""Test pixels start at this column: far from any training patch."""


class PixelKit(TaskKit[Scene, Split, TrainView, PatchSamples, Patches, Mapping[int, int]]):
    """:class:`hsiaug.testing.task_kit.TaskKit` for scenes and patches."""

    task = "pixels"
    spectra, class_ids, items_type = "x", "y", Patches
    troubles = TROUBLES
    others = "every patch has a label"

    def case(self, **trouble: Any) -> Case[Scene, Split]:
        return _striped(**trouble)

    def hardest(self) -> tuple[Case[Scene, Split], ...]:
        return (_striped((12, 2, 1, 0), constant=True, bare=True),)

    def scrambled(self, case: Case[Scene, Split], card: Card) -> Case[Scene, Split]:
        scene, test = case.data, case.split.test
        labels, cube = scene.labels.copy(), scene.cube.copy()
        labels[test] = wrong_labels(labels[test], len(scene.class_names))
        if card.scope != "scene":
            cube[test] = cube[test][::-1] + np.float32(SPAN)
        other = replace(scene, cube=cube, labels=labels)
        return Case(self.task, other, replace(case.split, labels=other.labels))

    def request(self, trained: Sequence[int]) -> dict[int, int]:
        return {c: (6, 0, 9, 4)[(c - 1) % 4] for c in trained}

    def of_classes(self, counts: Mapping[int, int]) -> Mapping[int, int]:
        return counts

    def miscounted(self, made: PatchSamples, request: Mapping[int, int]) -> str:
        ids, numbers = np.unique(made.y, return_counts=True)
        got = dict(zip(ids.tolist(), numbers.tolist(), strict=True))
        return "" if got == {c: n for c, n in request.items() if n} else f"{got} in place of {dict(request)}"

    def inspect(self, made: PatchSamples, view: TrainView) -> None:
        require(isinstance(made, PatchSamples), f"a {type(made).__name__}")
        shape = (view.bands, view.patch, view.patch)
        require(made.x.shape[1:] == shape and made.x.dtype == np.float32, f"x {made.x.dtype} {made.x.shape}")
        require(made.y.dtype == np.int64, f"y {made.y.dtype}")
        require((made.coords == NOWHERE).all(), "samples with a location")

    def of_class(self, samples: PatchSamples, c: int) -> NDArray[Any]:
        return np.asarray(samples.x[samples.y == c])

    def visible(self, view: TrainView) -> NDArray[Any]:
        return np.asarray(view.cube[view.visible])

    def moved(self, items: Patches) -> Patches:
        return Patches(items.x, np.zeros_like(items.coords))

    def probes(self, case: Case[Scene, Split], card: Card) -> tuple[Patches, NDArray[Any]]:
        """Every second test pixel; sorted by class."""
        scene, patch = case.data, case.split.patch
        coords = np.argwhere(case.split.test)[::2].astype(np.int32)
        x = patches_at(scene.cube, coords, patch)
        y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        return self.items(PixelClassification().shown(whole, card)), y

    def least(self, classes: int) -> float:
        return LEARNT

    def repeated(self, real: PatchSamples) -> PatchSamples:
        return balanced(real)

    def single(self, real: PatchSamples, c: int) -> PatchSamples:
        return real.take(real.y == c)


def _striped(
    sizes: Sequence[int] = SIZES, *, patch: int = 5, constant: bool = False, bare: bool = False
) -> Case[Scene, Split]:
    """A scene of one stripe of ROWS rows per class; training pixels at its left, test pixels at its right.

    sizes: training pixels of class ids 1..C. constant: the last two bands do not vary, the very last being 0.
    bare: no wavelengths, ground sampling distance or descriptions. The same arguments give the same case.
    """
    rng = np.random.default_rng(derive_seed("conformance", 0))
    labels = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int16), ROWS)[:, None].repeat(WIDTH, axis=1)
    cube = class_spectra(len(sizes), BANDS)[labels - 1]
    cube = LOW + SPAN * (cube + rng.normal(0, NOISE, cube.shape))
    if constant:
        cube[..., -2:] = LOW, 0.0
    labels[ROWS - 1 :: ROWS] = 0
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in enumerate(sizes):
        order = np.arange(size)
        train[c * ROWS + order % (ROWS - 1), order // (ROWS - 1)] = True
    test = labels > 0
    test[:, :TEST_FROM] = False
    known = facts(NAMES[: len(sizes)], BANDS, "A stripe of {} beside others.", bare=bare)
    scene = Scene("conformance", cube.astype(np.float32), labels, **known)
    return Case("pixels", scene, Split(scene.labels, len(sizes), train, test, parse_protocol("issd"), patch, 0))
