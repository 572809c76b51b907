"""Protocol ``places``: the sides that the makers of the data named."""

from __future__ import annotations

import numpy as np

from hsiaug.base.errors import InputError
from hsiaug.core.pairs import PairSet
from hsiaug.protocol.protocols import Areas, SplitProtocol
from hsiaug.registry.card import Card

__all__ = ["Places"]


class Places(SplitProtocol):
    """Every draw has the same test tiles, and all training tiles, or with ``places:N`` N of them at random."""

    card = Card("places", "1", "The places that the data's makers named", tasks=("segmentation", "change"))
    usage = (
        "places, the places of training and of test that the data's makers named, or places:N, N tiles of training"
    )
    takes = "number"
    usual_argument = ""
    usual_buffer = "none"
    left_out = "in no tile"

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        if not {"train", "test"} <= {place.part for place in pairs.places}:
            raise InputError(
                f"protocol {self.name} needs places of training and of test, which {pairs.name} does not name",
                hint="Use blocks:48, for example.",
            )
        train, test = (
            tuple(np.full(place.mask.shape, place.part == part) for place in pairs.places)
            for part in ("train", "test")
        )
        return Areas(train, test, int(self.argument) if self.argument else None)
