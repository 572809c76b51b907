"""The generator ``paste``: components of the masks, cut from one tile and set into another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, DenseSamples, PairCounts, derive_seed, param
from hsiaug_builtin.nets.pairs import FittedPairs, PairMaker, showing
from hsiaug_builtin.nets.patches import cycle
from hsiaug_builtin.pairs.connected_areas import Piece, TileComponents, components, cut, place

Pair = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Image (T, B, H, W) and mask (H, W)."""
AGAIN = 4
"""Most attempts at a pair that shows the class it was asked for."""

MAX_COMPONENT_SHARE = 0.5
"""Share of a tile that a component covers at most; larger ones are ground. They are cut only where
a class that has no other is asked for.
"""
FEW = 10
"""Pixels: a smaller component does not show how its class varies."""
FACTOR = 2
"""Largest factor by which a band of a pixel may then be brighter or darker: ratios of dark bands
are noise.
"""


@dataclass(frozen=True)
class PasteParams:
    """How much is pasted of what, and how."""

    most: int = param(30, "components pasted into a pair, 1 to this many", low=1, sampling=True)
    reshaped: float = param(
        0.25,
        "fraction of the components that take the outline of another one",
        low=0,
        high=1,
        sampling=True,
    )
    light: float = param(
        0.4,
        "standard deviation of the logarithm of the light on a component: its slope is not that of"
        " its new place",
        low=0,
        sampling=True,
    )
    weight: float = param(0.3, "sample weight of a pair; a real one has 1", low=0, sampling=True)


class FittedPaste(FittedPairs):
    """Real tiles, with components of other tiles."""

    params: PasteParams

    @cached_property
    def parts(self) -> TileComponents:
        """Components of the masks."""
        return components(self.masks)

    @cached_property
    def pieces(self) -> dict[int, Piece]:
        """Pieces that were cut so far, by component."""
        return {}

    @cached_property
    def _small(self) -> NDArray[np.bool_]:
        """(K,) components that are not too large."""
        return np.asarray(self.parts.size <= MAX_COMPONENT_SHARE * self.masks[0].size)

    @cached_property
    def _usable(self) -> tuple[dict[int, NDArray[np.int64]], list[int]]:
        """Components by class: those that are not too large, or all where a class has only such;
        and classes to draw.
        """
        small = self._small
        by_class = {
            int(c): np.flatnonzero(self.parts.kind == c) for c in np.unique(self.parts.kind)
        }
        drawn = [c for c, members in by_class.items() if small[members].any()]
        usable = {
            c: members[small[members]] if c in drawn else members for c, members in by_class.items()
        }
        return usable, drawn or list(by_class)

    @cached_property
    def _pixels(self) -> NDArray[np.float64]:
        """(C + 1,) labelled pixels of each class; infinite for ignored ones, which nothing is rarer
        than.
        """
        counts = np.bincount(self.masks.ravel()).astype(float)
        counts[0] = np.inf
        return counts

    @cached_property
    def _missing(self) -> NDArray[np.float64]:
        """(C + 1,) share of the tiles that do not show each class."""
        return np.array(
            [
                1 - (self.masks == c).any(axis=(1, 2)).mean()
                for c in range(int(self.masks.max()) + 1)
            ]
        )

    def sample(self, counts: PairCounts, *, guidance: float | None, seed: int) -> DenseSamples:
        """Pairs of any classes, and of each class that is asked for; each tile is the ground of
        equally many ±1.

        Raises PluginError for a class that no tile shows.
        """
        pastes: Counter[str] = Counter()
        pairs: list[Pair] = []
        for c, n in counts.parts():
            rng = np.random.default_rng(derive_seed("paste", -1 if c is None else c, seed))
            showing(self.masks, c)
            grounds = cycle(np.arange(len(self.masks)), n, rng)
            pairs += [self._make(int(ground), c, rng, pastes) for ground in grounds]
        images = np.empty((len(pairs), *self.images.shape[1:]), dtype=np.float32)
        masks = np.empty((len(pairs), *self.masks.shape[1:]), dtype=np.int64)
        for i, (image, mask) in enumerate(pairs):
            images[i] = image
            masks[i] = mask
        samples = DenseSamples.made(images, masks, provenance=dict(sorted(pastes.items())))
        return replace(samples, weight=np.full(len(samples), self.params.weight, dtype=np.float32))

    def _make(
        self, ground: int, c: int | None, rng: np.random.Generator, pastes: Counter[str]
    ) -> Pair:
        """A pair that shows class c: made again where it does not, and in the end a real one.
        ``pastes`` counts pastes.
        """
        for _ in range(AGAIN):
            image = self.images[ground].copy()
            mask = self.masks[ground].copy()
            kinds = self.set_into(image, mask, ground, c, rng)
            if c is None or (mask == c).any():
                pastes.update(f"class {kind}" for kind in kinds)
                return image, mask
            ground = int(rng.choice(showing(self.masks, c)))
        pastes["repeated"] += 1
        return self.images[ground], self.masks[ground]

    def set_into(
        self,
        image: NDArray[np.float32],
        mask: NDArray[np.int64],
        tile: int,
        c: int | None,
        rng: np.random.Generator,
    ) -> list[int]:
        """Set components into an image (T, B, H, W) and its mask (H, W), in place; return their
        classes.

        Parameters
        ----------
        tile : int
            Number of a training tile whose own components are taken only where there are no
            others.
        c : int or None
            Class that is to be among them; None = any.
        """
        if not len(self.parts):
            return []
        count = int(rng.integers(1, self.params.most + 1))
        required = [] if c is None else [c]
        kinds = self._classes(count - len(required), rng) + required
        for kind in kinds:
            k = self._component(kind, tile, rng)
            reshaped = bool(rng.random() < self.params.reshaped)
            self._paste(k, self._by_size(self._outlines, rng) if reshaped else k, image, mask, rng)
        return kinds

    def _classes(self, count: int, rng: np.random.Generator) -> list[int]:
        """Up to ``count`` classes: each of those drawn is left out as often as a tile shows it
        anyway.
        """
        classes = self._usable[1]
        drawn = rng.choice(classes, size=count, p=np.full(len(classes), 1 / len(classes)))
        missing: list[int] = drawn[rng.random(count) < self._missing[drawn]].tolist()
        return missing

    def _component(self, kind: int, ground: int, rng: np.random.Generator) -> int:
        """A component of the class, of another tile where there is one, drawn in proportion to the
        root of its size.
        """
        members = self._usable[0][kind]
        elsewhere = members[self.parts.tile[members] != ground]
        return self._by_size(elsewhere if len(elsewhere) else members, rng)

    def _piece(self, k: int) -> Piece:
        if k not in self.pieces:
            inside = self.parts.number[self.parts.tile[k]] == k + 1
            self.pieces[k] = cut(inside)
        return self.pieces[k]

    @cached_property
    def _outlines(self) -> NDArray[np.int64]:
        """Components whose outline another may take: those that are not too large, else all."""
        small = np.flatnonzero(self._small)
        return small if len(small) else np.arange(len(self.parts))

    @cached_property
    def _larger(self) -> NDArray[np.int64]:
        """Components of :attr:`_outlines` that show how a class varies."""
        return self._outlines[self.parts.size[self._outlines] >= FEW]

    def _by_size(self, candidates: NDArray[np.int64], rng: np.random.Generator) -> int:
        """One of the components, drawn in proportion to the root of its size."""
        odds = np.sqrt(self.parts.size[candidates])
        return int(rng.choice(candidates, p=odds / odds.sum()))

    def _paste(
        self,
        k: int,
        outline: int,
        image: NDArray[np.float32],
        mask: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        """Set component k into an image and its mask, in the outline of another one or in its
        own.
        """
        piece = self._piece(outline)
        kind = self.parts.kind[k]
        tile = self.parts.tile[outline]
        spared = self._pixels[mask] <= self._pixels[kind]
        at = place(piece, self.masks[tile][*piece.ring], mask, spared, rng)
        pixels = (
            self.images[tile][..., *piece.at]
            if k == outline
            else self._filling(k, piece.at.shape[1], rng)
        )
        image[..., *at] = pixels * np.exp(
            self.params.light * rng.standard_normal(), dtype=np.float32
        )
        mask[*at] = kind

    def _filling(self, k: int, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """(T, B, n) pixels of component k, drawn with replacement.

        Each pixel of a component of fewer than ``FEW`` is multiplied by the ratio, band by band, of
        a pixel of a larger component, whatever its class, to the mean of that one (``FACTOR`` at
        most).
        """
        pixels = self._drawn(k, n, rng)
        if self.parts.size[k] >= FEW or not len(self._larger):
            return pixels
        lender = int(rng.choice(self._larger))
        mean = self._spectra(lender).mean(axis=-1, keepdims=True)
        ratio = np.divide(
            self._drawn(lender, n, rng), mean, out=np.ones_like(pixels), where=mean > 0
        )
        return np.asarray(pixels * ratio.clip(1 / FACTOR, FACTOR))

    def _drawn(self, k: int, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        spectra = self._spectra(k)
        return np.asarray(spectra[..., rng.integers(spectra.shape[-1], size=n)])

    def _spectra(self, k: int) -> NDArray[np.float32]:
        """(T, B, m) pixels of component k."""
        return np.asarray(self.images[self.parts.tile[k]][..., *self._piece(k).at])


class Paste(PairMaker):
    """Connected components of the masks, of all classes equally often, set into real tiles with
    their labels.

    A component is turned by one of the eight symmetries of a square, never scaled, and set where
    what lies round it is most like what lies round it in its own tile: of 16 random positions the
    one where the classes within two pixels round it overlap most (ignored pixels count half), less
    the share of pixels of its own or a rarer class that it would cover. Where its tile's edge cut
    it, it is set at that edge again. A quarter of them (``reshaped``) do not keep their outline:
    that of another component, of any class, is filled with spectra drawn from theirs, so that a
    class is not told by its outline. A network that learns a hundred tiles by heart else takes
    small spots for the rare classes, whatever their spectra. A component comes under a light of its
    own (``light``): on another slope it would be brighter or darker. Nothing but labelled
    components is pasted: no margin of unlabelled pixels comes along. A class that the share q of
    the tiles show is left out q times of the times that it is drawn: where every tile shows a class
    it is not rare for a network that learns from tiles, however few its pixels are, and components
    of it only move the classes' shares.

    The paper pastes whole instances of any class at random positions of images of another domain,
    in colour photographs with hard borders or Gaussian ones; classes equally often, other outlines,
    positions by their surroundings and the light are ours.
    """

    card = Card(
        name="paste",
        version="4",
        summary=(
            "Connected components of the masks, cut from one tile and pasted into another, a"
            " quarter of them reshaped"
        ),
        paper="""@inproceedings{ghiasi2021copypaste, author={Golnaz Ghiasi and Yin Cui and Aravind
            Srinivas and Rui Qian and Tsung-Yi Lin and Ekin D. Cubuk and Quoc V. Le and Barret
            Zoph}, title={Simple Copy-Paste is a Strong Data Augmentation Method for Instance
            Segmentation}, booktitle={IEEE/CVF Conference on Computer Vision and Pattern
            Recognition}, pages={2918--2928}, year={2021}, doi={10.1109/CVPR46437.2021.00294},
            eprint={2012.07177}, archiveprefix={arXiv}}""",
        tasks=("segmentation",),
        seconds=1.0,
        params=PasteParams,
        presets={"tiny": {"most": 6, "light": 0.1}},
    )
    fitted = FittedPaste
