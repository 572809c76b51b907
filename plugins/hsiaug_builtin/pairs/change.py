"""The generator ``paste-change``: pairs of dates whose change is made, and so is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, DenseView, defaults, param
from hsiaug_builtin.pairs.components import Components, Piece, blended, components, cut
from hsiaug_builtin.pairs.fitted import FittedPairs, Pair, PairMaker, PastingParams
from hsiaug_builtin.pairs.placing import Surroundings, place
from hsiaug_builtin.pairs.radiometry import UNCHANGED, drawn_light, lights, matched, noise
from hsiaug_builtin.pairs.segments import kinds_of_ground, sized

__all__ = ["FittedPasteChange", "PasteChange", "PasteChangeParams"]

IGNORE, CHANGED = 0, 2


@dataclass(frozen=True)
@defaults(most=1, blend=1.0)
class PasteChangeParams(PastingParams):
    """How many objects are set into a pair, from where, and how."""

    segments: float = param(
        0.5,
        "share of the objects that are regions of one kind of ground; the others are real changes",
        low=0,
        high=1,
        sampling=True,
    )
    unchanged: float = param(
        0.6, "share of the pairs that are one date twice, in two lights", low=0, high=1, sampling=True
    )
    match: bool = param(True, "objects are brought to the light of the date that they are set into", sampling=True)


@dataclass(frozen=True, eq=False)
class FittedPasteChange(FittedPairs):
    """Real pairs, with objects of other pairs at one of their dates.

    kinds: (n, 2, H, W) int64 kind of ground of each pixel. lights: (m, 2, B), see
    :func:`hsiaug_builtin.pairs.radiometry.lights`.
    """

    kinds: NDArray[np.int64]
    lights: NDArray[np.float32]
    name = "paste-change"

    @cached_property
    def changes(self) -> Components:
        """Connected components of what changed."""
        return components(np.where(self.masks == CHANGED, CHANGED, IGNORE))

    @cached_property
    def segments(self) -> Components:
        """Connected components of one kind of ground; tile 2i + t is date t of pair i."""
        return components(self.kinds.reshape(-1, *self.kinds.shape[2:]))

    @cached_property
    def _usable_segments(self) -> NDArray[np.int64]:
        return sized(self.segments.size, self.changes.size)

    @cached_property
    def pieces(self) -> dict[tuple[bool, int], Piece]:
        """Those that were cut so far, of segments and of changes."""
        return {}

    @cached_property
    def _scale(self) -> NDArray[np.float32]:
        """(B,) spread of each band over all pixels."""
        spread = self.images.std(axis=(0, 1, 3, 4))
        return np.where(spread > 0, spread, 1).astype(np.float32)

    @cached_property
    def _range(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Least and largest value of each band."""
        axes = (0, 1, 3, 4)
        return self.images.min(axis=axes)[:, None], self.images.max(axis=axes)[:, None]

    @property
    def notes(self) -> dict[str, Any]:
        """Where no training pixel is changed no change is made either, for the class is not to be known."""
        return {} if len(self.changes) else {"no_change": "no training pixel is changed"}

    def make(self, ground: int, c: int | None, rng: np.random.Generator, told: Counter[str]) -> Pair:
        twice = rng.random() < self.params.unchanged and c != CHANGED
        if twice and (self.masks == UNCHANGED).any():
            told["one date twice"] += 1
            return self._twice(ground, rng)
        image, mask = self.images[ground].copy(), self.masks[ground].copy()
        count = int(rng.integers(1, self.params.most + 1)) if len(self.changes) else 0
        for _ in range(count):
            segment = bool(rng.random() < self.params.segments)
            self._paste(segment, ground, image, mask, rng)
            told["segments" if segment else "real changes"] += 1
        return image, mask

    def _twice(self, ground: int, rng: np.random.Generator) -> Pair:
        """One date in two lights; every pixel is unchanged."""
        date = int(rng.integers(2))
        image = np.stack([self.images[ground][date]] * 2)
        gain, offset = (values[:, None, None] for values in drawn_light(self.lights, rng))
        low, high = (values[..., None] for values in self._range)
        other = (image[0] - offset) / gain if date else gain * image[0] + offset
        image[1 - date] = np.clip(other, low, high)
        return image, np.full_like(self.masks[ground], UNCHANGED)

    def _paste(
        self,
        segment: bool,
        ground: int,
        image: NDArray[np.float32],
        mask: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        """Set one object into one date, where it mostly covers unchanged ground of the kinds that it comes from."""
        tile, own, piece = self._object(segment, ground, rng)
        date = int(rng.integers(2))
        around = self.kinds[tile, own][*piece.ring]
        surroundings = Surroundings(around, self.kinds[ground, date], mask != UNCHANGED)
        at, shown = place(piece, surroundings, self.params.tries, rng)
        pixels = self.images[tile, own][:, *piece.read]
        if self.params.match:
            pixels = self._matched(pixels, self._same(tile, own), self._same(ground, date))
        before = image[date].copy()
        blended(image[date], pixels[:, shown], at[:, shown], piece.share[shown])
        self._label(image[date] - before, ground, mask, at[:, piece.inside])

    def _same(self, tile: int, date: int) -> NDArray[np.float32]:
        """(B, m) unchanged pixels of a tile."""
        return np.asarray(self.images[tile, date][:, self.masks[tile] == UNCHANGED])

    def _matched(
        self, pixels: NDArray[np.float32], own: NDArray[np.float32], ground: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        return np.asarray(np.clip(matched(pixels, own, ground), *self._range))

    def _label(
        self, moved: NDArray[np.float32], ground: int, mask: NDArray[np.int64], inside: NDArray[np.int64]
    ) -> None:
        """Changed where the object differs (``moved``: (B, H, W)) by more than the noise between the dates.

        Elsewhere unchanged pixels stay so, and of changed ones, which it may have undone, nothing is known.
        """
        distance = np.sqrt(((moved[:, *inside] / self._scale[:, None]) ** 2).mean(axis=0))
        differs = distance > noise(self.images[ground], self.masks[ground], self._scale)
        kept = np.where(mask[*inside] == CHANGED, IGNORE, mask[*inside])
        mask[*inside] = np.where(differs, CHANGED, kept)

    def _object(self, segment: bool, ground: int, rng: np.random.Generator) -> tuple[int, int, Piece]:
        """Tile, date and pixels of an object of another tile where there is one, sizes in proportion to their roots."""
        parts = self.segments if segment else self.changes
        found = self._usable_segments if segment else np.arange(len(parts))
        tiles = parts.tile[found] // 2 if segment else parts.tile[found]
        found = found[tiles != ground] if (tiles != ground).any() else found
        odds = np.sqrt(parts.size[found])
        k = int(rng.choice(found, p=odds / odds.sum()))
        tile = int(parts.tile[k])
        if (segment, k) not in self.pieces:
            self.pieces[segment, k] = cut(parts.number[tile] == k + 1, self.params.blend)
        where, date = divmod(tile, 2) if segment else (tile, int(rng.integers(2)))
        return where, date, self.pieces[segment, k]


class PasteChange(PairMaker):
    """Change by construction: an object of one pair is set into one date of another, and changes what it covers.

    Objects are, in equal parts, connected components of real changes (what either date shows there), and connected
    regions of one kind of ground (k-means over principal components of the training tiles), of the sizes that real
    changes have. An object is turned by a symmetry of the square and set, with a mixed border, into a date drawn at
    random, at the best of ``tries`` positions: where the kinds of ground round it are those round it in its own tile, and
    little but unchanged ground is covered. It is brought from the mean and spread of the unchanged pixels of its own tile
    to those of that date, band by band. A pixel is labelled changed where the object holds more than half of it and where
    it differs from what was there by more than three quarters of the unchanged pixels of that tile differ between their
    dates. The ground's own changes stay.

    Some pairs are one date twice, the second in another light: gain and offset of each band are drawn from the normal
    distribution of those between the dates of training pairs. All of their pixels are unchanged.

    IAug makes its objects with a trained network; Self-Pair cuts them from the same single image. Both take masks of
    buildings.
    """

    card = Card(
        name="paste-change",
        version="1",
        summary="Change by construction: objects of one pair set into one date of another",
        paper="""@article{chen2022iaug, author={Hao Chen and Wenyuan Li and Zhenwei Shi}, title={Adversarial
            Instance Augmentation for Building Change Detection in Remote Sensing Images}, journal={IEEE
            Transactions on Geoscience and Remote Sensing}, volume={60}, year={2022},
            doi={10.1109/TGRS.2021.3066802}}; @inproceedings{seo2023selfpair, author={Minseok Seo and Hakjin
            Lee and Yongjin Jeon and Junghoon Seo}, title={Self-Pair: Synthesizing Changes from Single Source
            for Object Change Detection in Remote Sensing Imagery}, booktitle={IEEE/CVF Winter Conference on
            Applications of Computer Vision}, year={2023}, eprint={2212.10236}, archiveprefix={arXiv}}""",
        tasks=("change",),
        seconds=1.0,
        params=PasteChangeParams,
    )
    fitted = FittedPasteChange

    def learn(self, view: DenseView, seed: int) -> dict[str, NDArray[Any]]:
        """Kinds of ground, and how the light differs between dates."""
        images = view.real.images
        return {"kinds": kinds_of_ground(images, seed), "lights": lights(images, view.real.masks)}
