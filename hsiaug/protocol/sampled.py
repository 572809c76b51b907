"""Protocols that take so many pixels of each class, in compact clumps or at random: issd, kshot, random, random-twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import SplitError
from hsiaug.plugins.card import Card
from hsiaug.protocol.compact import SMALL_CLASS, compact_draw
from hsiaug.protocol.draws import draw_train
from hsiaug.protocol.protocols import Buffer, Draw, Protocol, parse_protocol
from hsiaug.protocol.within import not_nested
from hsiaug.scene import Scene

__all__ = ["DEFAULT_RATIO", "Issd", "KShot", "Random", "RandomTwin", "by_ratio", "training_sizes"]

DEFAULT_RATIO = 0.05
FEWEST = 3

Sizes = dict[int, int]
"""Training pixels by class id."""

Wanted = Callable[[int], tuple[int, int]]
"""Of a class's labelled pixels: how many train, and at most."""


def training_sizes(scene: Scene, wanted_of: Wanted) -> tuple[Sizes, tuple[str, ...]]:
    """Training pixels wanted of each labelled class, and sentences on what was capped."""
    sizes, notes = {}, []
    for c in scene.class_ids:
        total = int(scene.class_counts[c - 1])
        if total == 0:
            continue
        if total == 1:
            raise SplitError(
                f"scene {scene.name}: every class needs at least 2 labelled pixels, one to train and one to test",
                value=f"1 for class {c} ({scene.class_names[c - 1]})",
                hint="Label more of it, or leave the class out with labels.ignore in the scene's card.",
            )
        wanted, cap = wanted_of(total)
        if wanted > cap:
            notes.append(f"class {c} has {total} labelled pixels: {cap} train in place of {wanted}")
        sizes[c] = min(wanted, cap)
    return sizes, tuple(notes)


def by_ratio(ratio: float) -> Wanted:
    """max(3, ⌊r·N_c + ½⌋) of each class. One pixel is always left for test."""
    return lambda total: (max(FEWEST, int(ratio * total + 0.5)), total - 1)


class Issd(Protocol):
    """Imbalanced small sample: a ratio of each class, in one clump."""

    card = Card(
        "issd", "1", "A ratio of each class (default 0.05, at least 3 pixels), in one compact clump per class"
    )
    usage = "issd or issd:RATIO, as issd:0.05"
    takes = "ratio"
    usual_argument = repr(DEFAULT_RATIO)

    @property
    def short(self) -> str:
        return self.name if float(self.argument) == DEFAULT_RATIO else super().short

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        return _clumps(self, scene, by_ratio(float(self.argument)), seed, patch)


class KShot(Protocol):
    """K pixels of each class, capped at a quarter of the small ones."""

    card = Card("kshot", "1", "K pixels of each class, compact; at most a quarter of classes under 60 pixels")
    usage = "kshot:K, as kshot:10"
    takes = "number"
    example = "5"

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        def wanted(total: int) -> tuple[int, int]:
            return int(self.argument), max(1, total // 4) if total < SMALL_CLASS else total - 1

        return _clumps(self, scene, wanted, seed, patch)


def _clumps(protocol: Protocol, scene: Scene, wanted: Wanted, seed: int, patch: int) -> Draw:
    sizes, notes = training_sizes(scene, wanted)
    draw = compact_draw(scene.labels, sizes, protocol.buffer_radius(patch), protocol.rng(scene, seed))
    return Draw(draw.train, draw.dropped, notes + draw.notes)


class Random(Protocol):
    """Stratified random pixels."""

    card = Card(
        "random", "1", "A ratio of each class at random: neighbours of the test pixels, for comparability only"
    )
    usage = "random:RATIO, as random:0.1"
    takes = "ratio"
    example = "0.1"
    usual_buffer = "none"
    leaky = True

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        sizes, notes = training_sizes(scene, by_ratio(float(self.argument)))
        return _random_draw(scene.labels, sizes, self.rng(scene, seed), notes)


class RandomTwin(Protocol):
    """Random pixels with the class counts of another protocol: what the distance alone changes."""

    card = Card("random-twin", "1", "Random pixels with the class counts of another protocol")
    usage = "random-twin:PROTOCOL, as random-twin:issd"
    example = "issd"
    usual_buffer = "none"
    leaky = True

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        return cls(not_nested(cls, argument, folder).text, buffer)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        train = draw_train(scene, parse_protocol(self.argument), patch, seed).train
        counts = np.bincount(scene.labels[train], minlength=len(scene.class_names) + 1)
        sizes = {c: int(counts[c]) for c in scene.class_ids if counts[c]}
        return _random_draw(scene.labels, sizes, self.rng(scene, seed))


def _random_draw(
    labels: NDArray[np.int16], sizes: Mapping[int, int], rng: np.random.Generator, notes: tuple[str, ...] = ()
) -> Draw:
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in sizes.items():
        pixels = np.flatnonzero(labels == c)
        train.flat[rng.choice(pixels, size=size, replace=False)] = True
    return Draw(train, np.zeros_like(train), notes)
