"""Throw-away plugins for masks, and a toy world that one of them knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hsiaug.api import Card, DenseSamples, PairCounts, Tiles, load_state, save_state
from hsiaug.core.pairs import PairSet, Place

__all__ = ["FittedMirror", "Majority", "Mirror", "Threshold", "world"]


def world(dates: int, seed: int = 0) -> PairSet:
    """Two places of training and one of test: class 2 where the first band (or its change) is above
    a half.
    """
    rng = np.random.default_rng(seed)
    places = []
    for name, part in (("x", "train"), ("y", "train"), ("z", "test")):
        blobs = rng.random((5, 6)).repeat(8, 0).repeat(8, 1)
        images = rng.random((dates, 3, 40, 48)).astype(np.float32) * 0.1
        images[-1, 0] += blobs
        mask = 1 + ((images[-1, 0] - (images[0, 0] if dates == 2 else 0)) > 0.5).astype(np.int16)
        mask[0] = 0
        places.append(Place(name, images, mask, part))
    names = ("unchanged", "changed") if dates == 2 else ("low", "high")
    return PairSet("blobs", tuple(places), names)


@dataclass(frozen=True)
class FittedMirror:
    images: np.ndarray
    masks: np.ndarray

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        (c, n), *_ = counts.parts()
        shown = (
            np.flatnonzero((self.masks == c).any(axis=(1, 2)))
            if c is not None
            else np.arange(len(self.masks))
        )
        if not len(shown):
            shown = np.arange(len(self.masks))
        rows = np.random.default_rng(seed).choice(shown, size=n)
        return DenseSamples.made(
            self.images[rows][..., ::-1], self.masks[rows][..., ::-1], provenance={"made": "mirror"}
        )

    def save(self, folder: Path) -> None:
        save_state(folder, {"images": self.images, "masks": self.masks})


class Mirror:
    """Real tiles, left and right exchanged."""

    card: ClassVar[Card] = Card(
        name="mirror",
        version="1",
        summary="Mirrored tiles",
        tasks=("segmentation", "change"),
        seconds=0.1,
    )

    def __init__(self, params: Any) -> None:
        pass

    def fit(self, view: Any, *, seed: int, device: str, progress: Any) -> FittedMirror:
        return FittedMirror(view.real.images, view.real.masks)

    def load(self, folder: Path, *, device: str) -> FittedMirror:
        arrays, _ = load_state(folder)
        return FittedMirror(**arrays)


class Threshold:
    """Class 2 where the last date's first band, less the first date's, is above the half: what the
    toy world does.
    """

    card: ClassVar[Card] = Card(
        name="threshold",
        version="1",
        summary="Knows the toy world",
        tasks=("segmentation", "change"),
    )
    seen: ClassVar[list[DenseSamples]] = []

    def __init__(self, params: Any) -> None:
        pass

    def fit(self, samples: DenseSamples, view: Any, **_: Any) -> Threshold:
        self.seen.append(samples)
        return self

    def predict(self, tiles: Tiles) -> np.ndarray:
        before = tiles.images[:, 0, 0] if tiles.dates == 2 else 0
        return 1 + ((tiles.images[:, -1, 0] - before) > 0.5).astype(np.int64)


class Majority(Threshold):
    """Class 1 everywhere."""

    card: ClassVar[Card] = Card(
        name="majority",
        version="1",
        summary="Control",
        tasks=("segmentation", "change"),
        control_of="all",
    )
    seen: ClassVar[list[DenseSamples]] = []

    def predict(self, tiles: Tiles) -> np.ndarray:
        return np.ones((len(tiles), *tiles.side), dtype=np.int64)
