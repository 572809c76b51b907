"""Classification of pixels as the checks see it."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.plugins.hookspecs import Kind
from hsiaug.protocol.view import TrainView
from hsiaug.samples import NOWHERE, Patches, PatchSamples, concatenate
from hsiaug.tasks.pixels import PixelClassification
from hsiaug.testing.core import require
from hsiaug.testing.reference_plugins import Nearest, Repeats, repeated
from hsiaug.testing.scenes import hardest_case, make_case, scrambled
from hsiaug.testing.task_kit import Case, Trouble

__all__ = ["LEARNT", "PixelKit"]

LEARNT = 0.5
"""Least mean recall of a classifier on its own training pixels; naming the largest class alone gives 0.25."""


class PixelKit:
    """The functions of :class:`hsiaug.testing.task_kit.TaskKit` for scenes and patches."""

    task = "pixels"
    reference_plugins: Mapping[Kind, Any] = {"generator": Nearest, "classifier": Repeats}

    def easy(self) -> Case:
        return make_case()

    def troubled(self, trouble: Trouble) -> Case:
        if trouble == "ignored-pixels":
            raise unittest.SkipTest("every patch has a label")
        cases: dict[str, dict[str, Any]] = {
            "tiny-classes": {"sizes": (12, 2, 1)},
            "class-missing": {"sizes": (12, 0, 6, 4)},
            "constant-bands": {"constant": True},
            "bare-scene": {"bare": True},
            "patch-of-one": {"patch": 1},
        }
        return make_case(**cases[trouble])

    def hardest(self) -> tuple[Case, ...]:
        return (hardest_case(),)

    def scrambled(self, case: Case, card: Card) -> Case:
        return scrambled(case, spectra=card.scope != "scene")

    def asked(self, trained: Sequence[int]) -> dict[int, int]:
        return {c: (6, 0, 9, 4)[(c - 1) % 4] for c in trained}

    def of_classes(self, counts: Mapping[int, int]) -> Mapping[int, int]:
        return counts

    def miscounted(self, made: PatchSamples, asked: Mapping[int, int]) -> str:
        ids, numbers = np.unique(made.y, return_counts=True)
        got = dict(zip(ids.tolist(), numbers.tolist(), strict=True))
        return "" if got == {c: n for c, n in asked.items() if n} else f"{got} in place of {dict(asked)}"

    def inspect(self, made: PatchSamples, view: TrainView) -> None:
        require(isinstance(made, PatchSamples), f"a {type(made).__name__}")
        shape = (view.bands, view.patch, view.patch)
        require(made.x.shape[1:] == shape and made.x.dtype == np.float32, f"x {made.x.dtype} {made.x.shape}")
        require(made.y.dtype == np.int64, f"y {made.y.dtype}")
        require((made.coords == NOWHERE).all(), "samples with a location")

    def values(self, samples: PatchSamples) -> NDArray[Any]:
        return samples.x

    def of_class(self, samples: PatchSamples, c: int) -> NDArray[Any]:
        return np.asarray(samples.x[samples.y == c])

    def seen(self, view: TrainView) -> NDArray[Any]:
        return np.asarray(view.cube[view.visible])

    def arrays(self, samples: PatchSamples) -> dict[str, NDArray[Any]]:
        return {"x": samples.x, "y": samples.y, "weight": samples.weight}

    def labels(self, samples: PatchSamples) -> NDArray[Any]:
        return samples.y

    def items(self, samples: PatchSamples) -> Patches:
        return Patches(samples.x, samples.coords)

    def part(self, items: Patches, index: Any) -> Patches:
        return Patches(items.x[index], items.coords[index])

    def moved(self, items: Patches) -> Patches:
        return Patches(items.x, np.zeros_like(items.coords))

    def probes(self, case: Case, card: Card) -> tuple[Patches, NDArray[Any]]:
        """Every second test pixel; sorted by class."""
        scene, split = case.data, case.split
        coords = np.argwhere(split.test)[::2].astype(np.int32)
        patch = split.patch
        r = patch // 2
        padded = np.pad(scene.cube, ((r, r), (r, r), (0, 0)), mode="reflect") if r else scene.cube
        x = np.stack([padded[i : i + patch, j : j + patch].transpose(2, 0, 1) for i, j in coords])
        y = scene.labels[coords[:, 0], coords[:, 1]].astype(np.int64)
        whole = PatchSamples(x, coords, y, np.zeros(len(y), bool), np.ones(len(y), np.float32))
        return self.items(PixelClassification().shown(whole, card)), y

    def judged(self, labels: NDArray[Any]) -> list[int]:
        return [int(c) for c in np.unique(labels)]

    def least(self, classes: int) -> float:
        return LEARNT

    def joined(self, parts: Sequence[PatchSamples]) -> PatchSamples:
        return concatenate(parts)

    def repeated(self, real: PatchSamples) -> PatchSamples:
        return repeated(real)

    def mislabelled(self, real: PatchSamples, classes: int) -> PatchSamples:
        """As many as the classes hold when balanced."""
        wrong = repeated(real)
        return replace(wrong, y=wrong.y % classes + 1, weight=np.zeros_like(wrong.weight))

    def single(self, real: PatchSamples, c: int) -> PatchSamples:
        return real.take(real.y == c)
