"""Classification of pixels as the checks see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.protocol.split import Split
from hsiaug.protocol.view import TrainView, pad, patches_at
from hsiaug.samples import NOWHERE, Patches, PatchSamples, concatenate
from hsiaug.scene import Scene
from hsiaug.tasks.pixels import PixelClassification
from hsiaug.testing.core import require
from hsiaug.testing.reference_plugins import balanced
from hsiaug.testing.scenes import SPAN, make_case
from hsiaug.testing.task_kit import Case, TaskKit, Trouble, wrong_labels

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
"""What makes a scene hard to learn from."""


class PixelKit(TaskKit[Scene, Split, TrainView, PatchSamples, Patches, Mapping[int, int]]):
    """:class:`hsiaug.testing.task_kit.TaskKit` for scenes and patches."""

    task = "pixels"
    spectra, class_ids, items_type = "x", "y", Patches
    troubles = TROUBLES
    others = "every patch has a label"

    def case(self, **trouble: Any) -> Case[Scene, Split]:
        return make_case(**trouble)

    def hardest(self) -> tuple[Case[Scene, Split], ...]:
        return (make_case((12, 2, 1, 0), constant=True, bare=True),)

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
        x = patches_at(pad(scene.cube, patch), coords, patch)
        y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        return self.items(PixelClassification().shown(whole, card)), y

    def least(self, classes: int) -> float:
        return LEARNT

    def joined(self, parts: Sequence[PatchSamples]) -> PatchSamples:
        return concatenate(parts)

    def repeated(self, real: PatchSamples) -> PatchSamples:
        return balanced(real)

    def single(self, real: PatchSamples, c: int) -> PatchSamples:
        return real.take(real.y == c)
