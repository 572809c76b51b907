"""Segmentation and change detection as the checks see them."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.plugins.hookspecs import Kind
from hsiaug.protocol.tiling import real_samples
from hsiaug.samples import concatenate
from hsiaug.testing.core import require
from hsiaug.testing.mask_scenes import make_places, scrambled_places
from hsiaug.testing.reference_plugins import NearestMasks, RepeatsPairs, repeated_pairs
from hsiaug.testing.task_kit import Case, Trouble
from hsiaug.tiles import IGNORE, DenseSamples, DenseView, PairCounts, Tiles

__all__ = ["MaskKit"]

FEW = 2
"""Training pixels of a class that a network may lose, as nothing was asked of it but to go on."""

SHOWN = 0.6
"""Least share of the pairs which a class was asked for that must show it; 0.3 of the training tiles show class 4."""

MANY = 20
"""Pairs of a class of which that share is taken."""

CORNERS = (0, 1, 2)
"""Training tiles that keep a few labels where most pixels are ignored; together they show every class."""


class MaskKit:
    """The functions of :class:`hsiaug.testing.task_kit.TaskKit` for pairs of tiles and masks.

    task: "segmentation", with four classes, or "change".
    """

    reference_plugins: Mapping[Kind, Any] = {"generator": NearestMasks, "classifier": RepeatsPairs}

    def __init__(self, task: str) -> None:
        self.task = task
        self.dates = 2 if task == "change" else 1
        self._tiny = {2: 2} if self.dates == 2 else {3: 2, 4: 1}

    def easy(self) -> Case:
        return make_places(self.dates)

    def troubled(self, trouble: Trouble) -> Case:
        cases: dict[Trouble, dict[str, Any]] = {
            "tiny-classes": {"sizes": self._tiny},
            "class-missing": {"sizes": {2: 0}},
            "constant-bands": {"constant": True},
            "bare-scene": {"bare": True},
            "ignored-pixels": {"labelled": CORNERS},
        }
        if trouble not in cases:
            raise unittest.SkipTest("tiles are of many pixels")
        return make_places(self.dates, **cases[trouble])

    def hardest(self) -> tuple[Case, ...]:
        # Of two classes, one must be whole for a recall to tell anything.
        sizes = ({}, {2: 2}, {2: 0}) if self.dates == 2 else ({2: 0, 4: 1},)
        return tuple(make_places(self.dates, s, constant=True, bare=True, labelled=CORNERS) for s in sizes)

    def scrambled(self, case: Case, card: Card) -> Case:
        """Both labels and images: views of masks show no test tile, whatever the scope."""
        return scrambled_places(case)

    def asked(self, trained: Sequence[int]) -> PairCounts:
        return PairCounts(8, {trained[0]: 0, trained[-1]: 3})

    def of_classes(self, counts: Mapping[int, int]) -> PairCounts:
        return PairCounts(sum(counts.values()), counts)

    def miscounted(self, made: DenseSamples, asked: PairCounts) -> str:
        """Pairs are counted whatever they show; of one class alone, most of them must show it."""
        if len(made) != asked.total:
            return f"{len(made)} pairs in place of {asked.total}"
        parts = [c for c, _ in asked.parts()]
        if len(parts) == 1 and parts[0] is not None and len(made) >= MANY:
            share = float((made.masks == parts[0]).any(axis=(1, 2)).mean())
            return "" if share >= SHOWN else f"{share:.0%} of {len(made)} pairs show class {parts[0]}, asked for"
        return ""

    def inspect(self, made: DenseSamples, view: DenseView) -> None:
        require(isinstance(made, DenseSamples), f"a {type(made).__name__}")
        shape, found = view.real.images.shape[1:], made.images
        require(found.shape[1:] == shape and found.dtype == np.float32, f"images {found.dtype} {found.shape}")
        require(made.masks.dtype == np.int64, f"masks {made.masks.dtype}")
        known = np.arange(IGNORE, len(view.class_names) + 1)
        require(np.isin(made.masks, known).all(), f"masks with ids {made.masks.min()}..{made.masks.max()}")
        sure = made.confidence
        if sure is not None:
            require(sure.dtype == np.float32, f"confidence {sure.dtype}")
            # The shape is for the samples themselves to check.
            require(((sure >= 0) & (sure <= 1)).all(), f"a confidence of {sure.min():.3g}..{sure.max():.3g}")

    def values(self, samples: DenseSamples) -> NDArray[Any]:
        return samples.images

    def of_class(self, samples: DenseSamples, c: int) -> NDArray[Any]:
        return np.asarray(samples.images.transpose(0, 3, 4, 1, 2)[samples.masks == c])

    def seen(self, view: DenseView) -> NDArray[Any]:
        return view.real.images

    def arrays(self, samples: DenseSamples) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {
            "images": samples.images,
            "masks": samples.masks,
            "weight": samples.weight,
        }
        return found if samples.confidence is None else {**found, "confidence": samples.confidence}

    def labels(self, samples: DenseSamples) -> NDArray[Any]:
        return samples.masks

    def items(self, samples: DenseSamples) -> Tiles:
        return Tiles(samples.images)

    def part(self, items: Tiles, index: Any) -> Tiles:
        return Tiles(items.images[index])

    def moved(self, items: Tiles) -> Tiles:
        raise unittest.SkipTest("tiles have no location")

    def probes(self, case: Case, card: Card) -> tuple[Tiles, NDArray[Any]]:
        test = real_samples(case.split, case.split.test)
        return self.items(test), test.masks

    def judged(self, labels: NDArray[Any]) -> list[int]:
        ids, pixels = np.unique(labels, return_counts=True)
        return [int(c) for c, n in zip(ids, pixels, strict=True) if c != IGNORE and n > FEW]

    def least(self, classes: int) -> float:
        """A quarter above what naming one class everywhere gives, unless there is one only."""
        return 1 / classes + 0.25 if classes > 1 else 0.0

    def joined(self, parts: Sequence[DenseSamples]) -> DenseSamples:
        return concatenate(parts)

    def repeated(self, real: DenseSamples) -> DenseSamples:
        return repeated_pairs(real)

    def mislabelled(self, real: DenseSamples, classes: int) -> DenseSamples:
        """Twice as many as the real ones."""
        wrong = repeated_pairs(real)
        masks = np.where(wrong.masks == IGNORE, IGNORE, wrong.masks % classes + 1)
        wrong = replace(wrong, masks=masks, weight=np.zeros_like(wrong.weight))
        return concatenate([wrong, wrong])

    def single(self, real: DenseSamples, c: int) -> DenseSamples:
        """Tiles that show the class; what else they show is ignored."""
        masks = np.where(real.masks == c, c, IGNORE)
        return replace(real, masks=masks).take((masks == c).any(axis=(1, 2)))
