"""Protocol ``added``: the split of another one with more labels, for what labels are worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from hsiaug.api import Based, Buffer, Card, Draw, InputError, Scene, takeable

NO_BUFFER = "added labels have no buffer: test pixels round them lie in training patches"


@dataclass(frozen=True)
class ScatteredLabels(Based):
    """The base split, its buffer, and K more labelled pixels of each class, anywhere; draws are
    nested in K.

    The added pixels leave the test set and nothing round them does, so some of their neighbours are
    tested: the audit counts them, and the split is tagged LEAKY. ``buffer`` is that of the base
    split.
    """

    card = Card("added", "1", "The split of another protocol plus K more labelled pixels per class")
    usage = "added:Kxscattered:PROTOCOL, as added:5xscattered:issd"
    example = "2xscattered:issd"
    leaky = True
    nests_in = ("within",)

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        head, _, base = argument.strip().partition(":")
        number, scattered, unread = head.partition("xscattered")
        if not scattered or unread or not base:
            rule = "protocol added needs a number of labels and a protocol"
            raise InputError(rule, value=repr(argument), hint=f"Write {cls.usage}.")
        return cls.of(f"{cls.number(number)}xscattered", base, buffer, folder)

    def buffer_radius(self, patch: int) -> int:
        """0: the split leaves out the base split's buffer by itself, and none round the added
        pixels.
        """
        return 0

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        number = int(self.head.partition("x")[0])
        first, left_out, test = self.base_draw(scene, seed, patch)
        rng = self.rng_of(scene, seed, "scattered")
        train = first.train.copy()
        notes = [*first.notes, NO_BUFFER]
        for c in scene.class_ids:
            pixels = rng.permutation(np.argwhere((scene.labels == c) & ~first.train))
            free = takeable(test[tuple(pixels.T)])
            chosen = pixels[free][:number]
            train[tuple(chosen.T)] = True
            if len(chosen) < number:
                notes.append(
                    f"class {c} has {len(chosen)} of {number} added labels, so that some remain for"
                    " test"
                )
        return Draw(train, left_out & ~test & ~train, tuple(notes), asked=first.asked)
