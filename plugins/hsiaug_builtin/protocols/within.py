"""Nested draws: the training pixels of another protocol, divided again into inner training and
inner test pixels.

What is chosen by inner test pixels (a generator, λ, ω) has seen no label but those of the outer
training pixels, so the outer test pixels still judge the choice fairly.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    KEPT_FOR_TEST,
    Areas,
    Buffer,
    Card,
    Draw,
    PairSet,
    Scene,
    SplitError,
    SplitProtocol,
    draw_tiles,
    draw_train,
    parse_base,
)
from hsiaug_builtin.protocols.halves import best_halves

ENOUGH = 10
"""Test pixels of a class that the buffer leaves where the class has twice as many; half of them
where it has fewer.
"""


@dataclass(frozen=True)
class Within(SplitProtocol):
    """The training pixels of another protocol's split, or all labelled pixels, divided again.

    The argument is that of the outer protocol, with the number of its split, or "all". Before it a
    number N, as in ``4:issd``, asks for harder splits: an N-th of each class trains, the N-th that
    lies farthest from it is tested, and what lies between is left out.

    Attributes
    ----------
    parts : int
        N; 2 leaves nothing out.
    divided, number_of_draw : SplitProtocol or int or None
        The outer protocol, None for all, and its split; the argument says both.
    """

    card = Card(
        "within",
        "1",
        "The training pixels of another protocol, divided again into training and test pixels",
        tasks=("pixels", "segmentation", "change"),
    )
    usage = (
        "within:PROTOCOL as within:issd, within:PROTOCOL@SEED for another split than 0, within:all"
        " for all labels; within:N:… trains on an N-th of each class and tests on the farthest N-th"
    )
    example = "all"
    nests_in = ()

    divided: SplitProtocol | None = field(default=None, compare=False)
    number_of_draw: int = field(default=0, compare=False)
    parts: int = field(default=2, compare=False)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        in_parts = re.fullmatch(r"([2-9]):(.+)", argument)
        parts, rest = (int(in_parts[1]), in_parts[2]) if in_parts else (2, argument)
        text, draw = split_draw(rest)
        first = f"{parts}:" if parts > 2 else ""
        if text == "all":
            return cls(f"{first}{text}", buffer, parts=parts)
        outer = parse_base(cls, text, folder)
        return cls(f"{first}{outer.canonical}{at_draw(draw)}", buffer, outer, draw, parts)

    @property
    def outer(self) -> tuple[SplitProtocol | None, int]:
        return self.divided, self.number_of_draw

    @property
    def text(self) -> str:
        regions = self.divided.text if self.divided else "all"
        return f"{self.name}:{self._first}{regions}{at_draw(self.number_of_draw)}"

    @property
    def short(self) -> str:
        regions = self.divided.label if self.divided else "all"
        return f"{self.name}:{self._first}{regions}{at_draw(self.number_of_draw)}"

    @property
    def _first(self) -> str:
        return f"{self.parts}:" if self.parts > 2 else ""

    def buffer_radius(self, patch: int) -> int:
        """0: the split keeps what it can of the buffer by itself."""
        return 0

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        divided, number = self.outer
        whole = (
            scene.labels > 0 if divided is None else draw_train(scene, divided, patch, number).train
        )
        rng = self._seeded("split", scene.drawn_within(whole), seed)
        radius = super().buffer_radius(patch)
        return _within_draw(scene.labels, whole, radius, rng, self.parts)

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        """The pixels of the outer split's training tiles, or all, in blocks of two tiles. Those
        outside are not read.
        """
        outer, number = self.outer
        area = [np.ones(place.mask.shape, dtype=bool) for place in pairs.places]
        drawn = pairs.drawn_as
        if outer is not None:
            area = list(draw_tiles(pairs, outer, number, patch).trained)
            masks = [
                np.where(inside, place.mask, 0)
                for place, inside in zip(pairs.places, area, strict=True)
            ]
            drawn = hashlib.sha256(b"".join(mask.tobytes() for mask in masks)).hexdigest()
        return best_halves(
            pairs, 2 * patch, area, self, patch, self._seeded("tiles", drawn, seed), cuts=12
        )


def split_draw(text: str) -> tuple[str, int]:
    """``issd@3`` → issd and 3; without a number split 0."""
    match = re.fullmatch(r"(.*?)(?:@([0-9]{1,9}))?", text)
    return (match[1], int(match[2] or 0)) if match else (text, 0)


def at_draw(draw: int) -> str:
    """``@3`` for split 3; nothing for split 0."""
    return f"@{draw}" if draw else ""


def _within_draw(
    labels: NDArray[np.int16],
    outer: NDArray[np.bool_],
    radius: int,
    rng: np.random.Generator,
    parts: int = 2,
) -> Draw:
    """Cut each class's pixels of ``outer`` (H, W) in parts by lines of random direction: ⌈n/parts⌉
    at one end train, as many at the other test, or the rest of two parts.

    radius: Chebyshev distance in pixels within which no test pixel should lie of a training
    pixel. A clump may be smaller than that: each class keeps the widest buffer, up to
    ``radius``, that leaves it test pixels enough. A class of fewer than ``parts``·``KEPT_FOR_TEST``
    pixels is not cut: all of it trains and none is tested. Labels outside ``outer`` are not
    read. Raises SplitError where fewer than two classes can be tested.
    """
    labelled = np.where(outer, labels, 0)
    train, between, small = _cut(labelled, outer, rng, parts)
    test, narrow = _keep_buffer(np.where(between, 0, labelled), train, radius)
    if len(np.unique(labelled[test])) < 2:
        counts = np.bincount(labelled[outer])[1:]
        raise SplitError(
            f"a nested split needs two classes with at least {parts * KEPT_FOR_TEST} training"
            " pixels each",
            value=f"training pixels by class: {', '.join(map(str, counts))}",
            hint="Take an outer protocol with more training pixels, or all.",
        )
    outside = int(((labels > 0) & ~outer).sum())
    listed = ", ".join(map(str, small))
    notes = (
        (
            outside,
            f"{outside} labelled pixels are not training pixels of the outer split: not used",
        ),
        (
            small,
            (
                f"classes with fewer than {parts * KEPT_FOR_TEST} pixels to divide train whole,"
                f" untested: {listed}"
            ),
        ),
        (
            narrow,
            f"some regions are too small for a buffer of {radius} px, which is narrower there",
        ),
    )
    return Draw(train, (labels > 0) & ~train & ~test, tuple(note for holds, note in notes if holds))


def _cut(
    labelled: NDArray[np.int16], outer: NDArray[np.bool_], rng: np.random.Generator, parts: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[int]]:
    """The training part of each class's pixels, those between it and the part at the other end, and
    the ids of the classes that are too small to be cut.
    """
    train = np.zeros(labelled.shape, dtype=bool)
    between = np.zeros(labelled.shape, dtype=bool)
    small = []
    for c in np.unique(labelled[outer]):
        pixels = np.argwhere(labelled == c)
        angle = rng.uniform(0, 2 * np.pi)
        count = -(-len(pixels) // parts)
        if len(pixels) < parts * KEPT_FOR_TEST:
            small.append(int(c))
            count = len(pixels)
        along = pixels @ np.array([np.sin(angle), np.cos(angle)])
        in_order = pixels[np.argsort(along, kind="stable")]
        train[tuple(in_order[:count].T)] = True
        if parts > 2:
            between[tuple(in_order[count : max(count, len(pixels) - count)].T)] = True
    return train, between, small


def _keep_buffer(
    labelled: NDArray[np.int16], train: NDArray[np.bool_], radius: int
) -> tuple[NDArray[np.bool_], bool]:
    """The test pixels that the buffer leaves, and whether it had to be narrower somewhere."""
    from scipy import ndimage

    test = (labelled > 0) & ~train
    distance = ndimage.distance_transform_cdt(~train, metric="chessboard")
    narrow = False
    for c in np.unique(labelled[test]):
        of_class = test & (labelled == c)
        far = np.sort(distance[of_class])[::-1]
        untouched = max(KEPT_FOR_TEST, min(ENOUGH, len(far) // 2))
        reach = min(radius, int(far[untouched - 1]) - 1)
        narrow |= reach < radius
        test &= ~(of_class & (distance <= reach))
    return test, narrow
