"""Segmentation and change detection as the checks see them."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.pairs import PairSet
from hsiaug.plugins.card import Card
from hsiaug.protocol.tiling import TileSplit, real_samples
from hsiaug.testing.core import require
from hsiaug.testing.mask_scenes import make_places
from hsiaug.testing.reference_plugins import noisy_pairs
from hsiaug.testing.scenes import SPAN
from hsiaug.testing.task_kit import Case, TaskKit, wrong_labels
from hsiaug.tiles import IGNORE, DenseSamples, DenseView, PairCounts, Tiles, stacked

__all__ = ["MaskKit"]

SHOWN = 0.6
"""Least share of the pairs which a class was asked for that must show it; 0.3 of the training tiles show class 4."""

MANY = 20
"""Pairs of a class of which that share is taken."""

CORNERS = (0, 1, 2)
"""Training tiles that keep a few labels where most pixels are ignored; together they show every class."""


class MaskKit(TaskKit[PairSet, TileSplit, DenseView, DenseSamples, Tiles, PairCounts]):
    """:class:`hsiaug.testing.task_kit.TaskKit` for pairs of tiles and masks.

    task: "segmentation", with four classes, or "change".
    """

    spectra, class_ids, items_type = "images", "masks", Tiles
    others = "tiles are of many pixels"
    few = 2
    copies = 2

    def __init__(self, task: str) -> None:
        self.task = task
        self.dates = 2 if task == "change" else 1
        self.troubles = {
            "tiny-classes": {"sizes": {2: 2} if self.dates == 2 else {3: 2, 4: 1}},
            "class-missing": {"sizes": {2: 0}},
            "constant-bands": {"constant": True},
            "bare-scene": {"bare": True},
            "ignored-pixels": {"labelled": CORNERS},
        }

    def case(self, **trouble: Any) -> Case[PairSet, TileSplit]:
        return make_places(self.dates, **trouble)

    def hardest(self) -> tuple[Case[PairSet, TileSplit], ...]:
        # Of two classes, one must be whole for a recall to tell anything.
        sizes = ({}, {2: 2}, {2: 0}) if self.dates == 2 else ({2: 0, 4: 1},)
        return tuple(make_places(self.dates, s, constant=True, bare=True, labelled=CORNERS) for s in sizes)

    def scrambled(self, case: Case[PairSet, TileSplit], card: Card) -> Case[PairSet, TileSplit]:
        """Both labels and images of the place of test: views of masks show no test tile, whatever the scope."""
        pairs = case.data
        train, test = pairs.places
        images = test.images[..., ::-1] + np.float32(SPAN)
        other = replace(test, images=images, mask=wrong_labels(test.mask, len(pairs.class_names)))
        pairs = replace(pairs, places=(train, other))
        return Case(self.task, pairs, replace(case.split, pairs=pairs))

    def request(self, trained: Sequence[int]) -> PairCounts:
        return PairCounts(8, {trained[0]: 0, trained[-1]: 3})

    def of_classes(self, counts: Mapping[int, int]) -> PairCounts:
        return PairCounts(sum(counts.values()), counts)

    def miscounted(self, made: DenseSamples, request: PairCounts) -> str:
        """Pairs are counted whatever they show; of one class alone, most of them must show it."""
        if len(made) != request.total:
            return f"{len(made)} pairs in place of {request.total}"
        parts = [c for c, _ in request.parts()]
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

    def of_class(self, samples: DenseSamples, c: int) -> NDArray[Any]:
        return np.asarray(samples.images.transpose(0, 3, 4, 1, 2)[samples.masks == c])

    def visible(self, view: DenseView) -> NDArray[Any]:
        return view.real.images

    def moved(self, items: Tiles) -> Tiles:
        raise unittest.SkipTest("tiles have no location")

    def probes(self, case: Case[PairSet, TileSplit], card: Card) -> tuple[Tiles, NDArray[Any]]:
        test = real_samples(case.split, case.split.test)
        return self.items(test), test.masks

    def least(self, classes: int) -> float:
        """A quarter above what naming one class everywhere gives, unless there is one only."""
        return 1 / classes + 0.25 if classes > 1 else 0.0

    def joined(self, parts: Sequence[DenseSamples]) -> DenseSamples:
        return stacked(parts)

    def repeated(self, real: DenseSamples) -> DenseSamples:
        return noisy_pairs(real)

    def single(self, real: DenseSamples, c: int) -> DenseSamples:
        """Tiles that show the class; what else they show is ignored."""
        masks = np.where(real.masks == c, c, IGNORE)
        return replace(real, masks=masks).take((masks == c).any(axis=(1, 2)))
