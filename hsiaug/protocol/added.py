"""The draw of another protocol with some more labelled pixels of every class: what a little more labelling would give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import take_in_turn
from hsiaug.core.scene import Scene
from hsiaug.protocol.based import Based
from hsiaug.protocol.compact import KEPT_FOR_TEST
from hsiaug.protocol.protocols import Buffer, Draw
from hsiaug.registry.card import Card

PLACEMENTS = ("scattered", "field", "clump")
"""Places of added labels: anywhere; one per field in turn, those without training pixels first; round the clump."""

NO_BUFFER = "added labels have no buffer: test pixels round them lie in training patches"


class AddedLabels(NamedTuple):
    """Parts of an argument: labels added to each class, one of PLACEMENTS, and the text of the base protocol."""

    number: int
    placement: str
    base: str


def read_added(argument: str) -> AddedLabels | None:
    """``5xscattered:issd`` → 5, ``scattered`` and ``issd``; None for a text that has not this form."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})x([a-z]+):(.+)", argument.strip(), flags=re.ASCII | re.DOTALL)
    return AddedLabels(int(match[1]), match[2], match[3]) if match else None


def check_placement(placement: str) -> None:
    """Raise InputError for what is none of PLACEMENTS."""
    if placement not in PLACEMENTS:
        raise InputError(
            f"added labels must be {', '.join(PLACEMENTS[:-1])} or {PLACEMENTS[-1]}",
            value=repr(placement),
            hint=did_you_mean(placement, PLACEMENTS),
        )


@dataclass(frozen=True)
class Added(Based):
    """The base draw, its buffer, and K more labelled pixels of each class; draws are nested in K.

    The added pixels leave the test set and nothing round them does, so some of their neighbours are tested: the audit
    counts them, and the draw is tagged LEAKY. ``buffer`` is that of the base draw.
    """

    card = Card("added", "1", "The draw of another protocol with more labelled pixels of each class")
    usage = "added:KxPLACEMENT:PROTOCOL, as added:5xscattered:issd"
    example = "2xscattered:issd"
    leaky = True
    nests_in = ("within",)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        said = read_added(argument)
        if said is None:
            raise InputError(
                "protocol added needs a number, a placement and a protocol",
                value=repr(argument),
                hint=f"Write {cls.usage}.",
            )
        check_placement(said.placement)
        return cls.of(f"{said.number}x{said.placement}", said.base, buffer, folder)

    @property
    def added(self) -> AddedLabels:
        """The parsed argument."""
        said = read_added(self.argument)
        assert said is not None
        return said

    @property
    def reads_fields(self) -> bool:
        return self.added.placement != "scattered" or super().reads_fields

    def buffer_radius(self, patch: int) -> int:
        """0: the draw leaves out the base draw's buffer by itself, and none round the added pixels."""
        return 0

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        said, (first, rest, test) = self.added, self.base_draw(scene, seed, patch)
        # Without K, so that fewer labels are the first of more.
        rng = np.random.default_rng(derive_seed("added", scene.drawn_as, said.placement, *self.of_base, seed))
        train, notes = first.train.copy(), [*first.notes, NO_BUFFER]
        for c in scene.class_ids:
            pixels = _ordered(scene, first.train, c, said.placement, rng)
            kept = takeable(test[tuple(pixels.T)])
            chosen = pixels[kept][: said.number]
            train[tuple(chosen.T)] = True
            if len(chosen) < said.number:
                notes.append(
                    f"class {c} has {len(chosen)} of {said.number} added labels, so that some remain for test"
                )
        return Draw(train, rest & ~test & ~train, tuple(notes), asked=first.asked)


def takeable(tested: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) of pixels in the order in which they are taken: all but the test pixels (``tested``) that must stay."""
    kept: NDArray[np.bool_] = ~tested | (np.cumsum(tested) <= tested.sum() - KEPT_FOR_TEST)
    return kept


def _ordered(
    scene: Scene, train: NDArray[np.bool_], class_id: int, placement: str, rng: np.random.Generator
) -> NDArray[np.intp]:
    """(n, 2) the class's labelled pixels that are no training pixels, in the order in which labels are added."""
    mine = scene.labels == class_id
    pixels = rng.permutation(np.argwhere(mine & ~train))
    if placement == "scattered" or not len(pixels):
        return pixels
    if placement == "field":
        return _in_turn(pixels, scene.fields, train, rng)
    return _outwards(pixels, scene.fields, mine & train)


def _in_turn(
    pixels: NDArray[np.intp], fields: NDArray[np.int32], trained: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.intp]:
    """One pixel of each field in turn, fields without a training pixel first, else in random order."""
    ids, which = np.unique(fields[tuple(pixels.T)], return_inverse=True)
    place = np.lexsort((rng.permutation(len(ids)), np.isin(ids, fields[trained])))
    rank_of_field = np.argsort(place)[which]
    ranked = np.argsort(rank_of_field, kind="stable")
    return np.asarray(pixels[ranked[take_in_turn(which[ranked])]])


def _outwards(pixels: NDArray[np.intp], fields: NDArray[np.int32], trained: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Order pixels by distance from the class's training pixels (else the first pixel), their fields first."""
    from scipy import ndimage

    start = trained.copy()
    if not start.any():
        start[tuple(pixels[0])] = True
    far = ndimage.distance_transform_edt(~start)[tuple(pixels.T)]
    outside = ~np.isin(fields[tuple(pixels.T)], fields[start])
    return np.asarray(pixels[np.lexsort((far, outside))])
