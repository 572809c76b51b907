"""Protocols that take so many pixels of each class, in clumps or at random: issd, kshot, fields,
random, random-twin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

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
    draw_train,
    parse_base,
    parse_protocol,
)
from hsiaug_builtin.protocols.compact import SMALL_CLASS, compact_draw

DEFAULT_RATIO = 0.05
MIN_TRAINING_PIXELS = 3
"""Training pixels of a class at least."""

Wanted = Callable[[int], tuple[int, int]]
"""Function of the labelled pixels of a class: how many train, and at most."""


def training_sizes(scene: Scene, wanted_of: Wanted) -> tuple[dict[int, int], tuple[str, ...]]:
    """Training pixels wanted of each labelled class, by its id, and sentences on what was
    capped.
    """
    sizes = {}
    notes = []
    for c in scene.class_ids:
        total = int(scene.class_counts[c - 1])
        if total == 0:
            continue
        if total == 1:
            raise SplitError(
                f"scene {scene.name}: every class needs at least 2 labelled pixels, one to train"
                " and one to test",
                value=f"1 for class {c} ({scene.class_names[c - 1]})",
                hint=(
                    "Label more of it, or leave the class out with labels.ignore in the scene's"
                    " card."
                ),
            )
        size, cap = wanted_of(total)
        if size > cap:
            notes.append(f"class {c} has {total} labelled pixels: {cap} train in place of {size}")
        sizes[c] = min(size, cap)
    return sizes, tuple(notes)


def by_ratio(ratio: float) -> Wanted:
    """max(3, ⌊r·N_c + ½⌋) of each class. One pixel is always left for test."""
    return lambda total: (max(MIN_TRAINING_PIXELS, int(ratio * total + 0.5)), total - 1)


def by_number(number: int) -> Wanted:
    """Take ``number`` pixels of each class, at most a quarter of small ones. One pixel is always
    left for test.
    """
    return lambda total: (number, max(1, total // 4) if total < SMALL_CLASS else total - 1)


def by_range(fewest: int, most: int, totals: Sequence[int]) -> Wanted:
    """Take ``fewest`` pixels of the rarest class to ``most`` of the largest, log n growing evenly
    with log N.

    Parameters
    ----------
    totals : sequence of int
        N, the labelled pixels, of every class that has any. Small classes are capped as in
        :func:`by_number`.
    """
    low = math.log(min(totals))
    high = math.log(max(totals))

    def wanted(total: int) -> tuple[int, int]:
        along = (math.log(total) - low) / (high - low) if high > low else 0.0
        return by_number(int(fewest * (most / fewest) ** along + 0.5))(total)

    return wanted


class _InPlaces(SplitProtocol):
    """Its argument may have the number of places at which each class is labelled: ``0.05x3``, or
    ``x3`` alone.
    """

    in_fields: ClassVar[bool] = False

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        amount, cross, places = argument.partition("x")
        plain = repr(DEFAULT_RATIO) if not amount and cls.usual_argument else cls.amount(amount)
        count = cls.number(places) if cross else "1"
        return cls(plain if count == "1" else f"{plain}x{count}", buffer)

    @classmethod
    def amount(cls, text: str) -> str:
        """Canonical text of what stands before the ``x``."""
        return cls.number(text, whole=False)

    @property
    def short(self) -> str:
        amount, cross, places = self.argument.partition("x")
        if amount == repr(DEFAULT_RATIO):
            amount = ""
        return f"{self.name}:{amount}{cross}{places}".removesuffix(":")

    def wanted(self, scene: Scene) -> Wanted:
        """How many pixels of each class train."""
        amount = self.argument.partition("x")[0]
        if "-" in amount and "e" not in amount:
            fewest, _, most = amount.partition("-")
            return by_range(int(fewest), int(most), [int(n) for n in scene.class_counts if n])
        return by_number(int(amount)) if amount.isdigit() else by_ratio(float(amount))

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        sizes, notes = training_sizes(scene, self.wanted(scene))
        places = int(self.argument.partition("x")[2] or 1)
        fields = scene.fields if self.in_fields else None
        draw = compact_draw(
            scene.labels, sizes, self.buffer_radius(patch), self.rng(scene, seed), places, fields
        )
        return Draw(draw.train, draw.dropped, notes + draw.notes)


class Issd(_InPlaces):
    """Imbalanced small sample: a ratio of each class, in one clump, or in several."""

    card = Card(
        "issd",
        "1",
        "A ratio of each class (default 0.05, at least 3 pixels), in one compact region per class",
    )
    usage = "issd, issd:RATIO as issd:0.05, or issd:RATIOxN for N regions per class, as issd:0.05x3"
    usual_argument = repr(DEFAULT_RATIO)


class Fields(_InPlaces):
    """A class is trained on in some of its fields and tested in others."""

    card = Card(
        "fields",
        "1",
        "A ratio of each class (default 0.05), or K pixels, in N of its fields (default 1); it is"
        " tested in the others",
    )
    usage = (
        "fields, fields:RATIOxN or fields:KxN, as fields:0.05 (in one field of each class) or"
        " fields:10x3 (in three)"
    )
    usual_argument = repr(DEFAULT_RATIO)
    example = "5"
    in_fields = True

    @classmethod
    def amount(cls, text: str) -> str:
        return cls.number(text, whole="." not in text and "e" not in text)


class KShot(_InPlaces):
    """K pixels of each class, capped at a quarter of the small ones; or K of the rarest to M of the
    largest.
    """

    card = Card(
        "kshot",
        "1",
        "K pixels of each class, in one compact region; of small classes at most a quarter of the"
        " labels",
    )
    usage = (
        "kshot:K as kshot:10, kshot:KxN for N regions, or kshot:K-M for K pixels of the rarest"
        " class, M of the largest and numbers in between of the others"
    )
    example = "5"

    @classmethod
    def amount(cls, text: str) -> str:
        fewest, dash, most = text.partition("-")
        numbers = [cls.number(fewest), *([cls.number(most)] if dash else [])]
        if dash and int(numbers[0]) > int(numbers[1]):
            raise InputError(
                "protocol kshot:K-M goes from the rarest class up",
                value=repr(text),
                hint=f"Write {'-'.join(numbers[::-1])}.",
            )
        return "-".join(dict.fromkeys(numbers))

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        most = int(max(scene.class_counts))
        if most >= SMALL_CLASS and self.wanted(scene)(most)[0] >= most:
            raise SplitError(
                f"protocol {self.label} needs a class of more than {self.wanted(scene)(most)[0]}"
                " labelled pixels",
                value=f"{most} in the largest of {scene.name}",
                hint="Ask for fewer.",
            )
        return super().draw(scene, seed, patch)


class Random(SplitProtocol):
    """Stratified random pixels."""

    card = Card(
        "random",
        "1",
        "A ratio of each class at random, next to test pixels; only to compare with other work",
    )
    usage = "random:RATIO, as random:0.1"
    takes = "ratio"
    example = "0.1"
    usual_buffer = "none"
    leaky = True

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        sizes, notes = training_sizes(scene, by_ratio(float(self.argument)))
        return _random_draw(scene.labels, sizes, self.rng(scene, seed), notes)


class RandomTwin(SplitProtocol):
    """Random pixels with the class counts of another protocol: what the distance alone changes."""

    card = Card("random-twin", "1", "Random pixels, of each class as many as in another protocol")
    usage = "random-twin:PROTOCOL, as random-twin:issd"
    example = "issd"
    usual_buffer = "none"
    leaky = True

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        return cls(parse_base(cls, argument, folder).text, buffer)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        train = draw_train(scene, parse_protocol(self.argument), patch, seed).train
        counts = np.bincount(scene.labels[train], minlength=len(scene.class_names) + 1)
        sizes = {c: int(counts[c]) for c in scene.class_ids if counts[c]}
        return _random_draw(scene.labels, sizes, self.rng(scene, seed))


def _random_draw(
    labels: NDArray[np.int16],
    sizes: Mapping[int, int],
    rng: np.random.Generator,
    notes: tuple[str, ...] = (),
) -> Draw:
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in sizes.items():
        pixels = np.flatnonzero(labels == c)
        train.flat[rng.choice(pixels, size=size, replace=False)] = True
    return Draw(train, np.zeros_like(train), notes)
