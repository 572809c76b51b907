"""Images for masks that were drawn: each segment is filled with real pixels of its class, as
coherent as they come.

Image quilting (Efros and Freeman, Image Quilting for Texture Synthesis and Transfer, SIGGRAPH
2001), with a mask as the guide in place of an image's brightness (their section 3), and with pieces
of any shape: where the paper cuts square blocks along the seam of least error, the ground is one
training tile as far as its mask fits, every other segment is covered by the few places of training
tiles whose own masks fit it best, and seams are blended over a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from hsiaug_builtin.pairs.connected_areas import components

TRIES = 48
"""Places that a segment may come from, of which the best fitting is taken; half of them lie in
their tile where the segment lies in its own, so that large segments fit.
"""
ROUNDS = 3
"""Places that a segment is covered with at most; pixels that are then left over come one by one."""
TURNS = np.array(
    [[[a, 0], [0, b]] for a in (1, -1) for b in (1, -1)]
    + [[[0, a], [b, 0]] for a in (1, -1) for b in (1, -1)]
)
"""(8, 2, 2): the symmetries of the square."""
RING = 1.0
"""Weight of a pixel round a segment whose class is the same where it comes from; one of the segment
has 1.
"""
BLEND = 0.6
"""Standard deviation in pixels of the blend at seams."""
EDGE = 2
"""Pixels that the blend reaches."""
LEAST = 1e-3
"""The least share of a piece in a pixel."""
IGNORED = 0
COVERED = -1
MAX_GROUND_TILES = 8
"""Training tiles, drawn at random, that a ground is chosen of, each in its eight turns: of all
tiles it would be the same few again and again for masks of mostly ignored pixels.
"""
GAIN = (0.5, 2.0)
"""Least and largest gain by which a piece of another place is brought to the light of its
surroundings.
"""


Grounds = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Images (m, T, B, H, H) and masks (m, H, H)."""


@dataclass(frozen=True, eq=False)
class Quilt:
    """Quilts pieces of training tiles.

    Of two dates, each date of a piece is brought to the level, band by band, of the tile that
    most of the pair comes from: what dates differ in by season and haze must not tell a piece
    from its surroundings.

    Attributes
    ----------
    images : (n, T, B, H, H) float32
        Training tiles in the data's units.
    masks : (n, H, H) int64
        Ids.
    """

    images: NDArray[np.float32]
    masks: NDArray[np.int64]

    def paint(
        self, masks: NDArray[np.int64], grounds: Grounds | None, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """(m, T, B, H, H) float32 images for masks (m, H, H) of ids that training tiles show.

        Parameters
        ----------
        grounds : Grounds or None
            The pairs that most of each image is of, with their masks; None = the training tiles
            that fit best.
        """
        images = np.empty((len(masks), *self.images.shape[1:]), dtype=np.float32)
        for i, mask in enumerate(masks):
            if grounds is None:
                tiles = rng.permutation(len(self.masks))[:MAX_GROUND_TILES]
                ground = _ground(mask, self.masks[tiles])
                image = self.images[tiles[ground.tile]]
            else:
                ground = _ground(mask, grounds[1][i : i + 1])
                image = grounds[0][i]
            images[i] = self._paint_one(mask, image, ground, rng)
        return images

    def _paint_one(
        self,
        mask: NDArray[np.int64],
        image: NDArray[np.float32],
        ground: _Piece,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """(T, B, H, H).

        Parameters
        ----------
        image : (T, B, H, H) float32
            That the ground is a piece of; the other pieces are of training tiles.
        """
        uncovered = mask.copy()
        uncovered[tuple(ground.pixels.T)] = COVERED
        pieces = [ground]
        for c, pixels in segments(uncovered):
            if c != COVERED:
                pieces += self._cover(mask, c, pixels, self._where[c], rng)
        level = _levels(image) if len(image) > 1 else None
        total = np.zeros(image.shape, dtype=np.float64)
        weight = np.zeros(mask.shape)
        for piece in pieces:
            at, share = piece.spread(mask.shape[0])
            source = np.clip(piece.source(at), 0, mask.shape[0] - 1)
            spectra = (image if piece is ground else self.images[piece.tile])[
                :, :, source[:, 0], source[:, 1]
            ]
            if level is not None and piece is not ground:
                spectra = spectra * np.clip(level / self._levels[piece.tile], *GAIN)[:, :, None]
            total[:, :, at[:, 0], at[:, 1]] += share * spectra
            weight[at[:, 0], at[:, 1]] += share
        return np.asarray(np.clip(total / weight, *self._range), dtype=np.float32)

    @cached_property
    def _range(self) -> tuple[np.float32, np.float32]:
        return self.images.min(), self.images.max()

    @cached_property
    def _where(self) -> dict[int, NDArray[np.int64]]:
        """Tile, row and column (m, 3) of each pixel, by class id."""
        return {int(c): np.argwhere(self.masks == c) for c in np.unique(self.masks)}

    @cached_property
    def _levels(self) -> NDArray[np.float64]:
        """(n, T, B) medians of the tiles; 1 where they are 0."""
        return _levels(self.images)

    def _cover(
        self,
        mask: NDArray[np.int64],
        c: int,
        pixels: NDArray[np.int64],
        sources: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> Iterator[_Piece]:
        """Pieces that together cover the pixels (k, 2) of a segment.

        Parameters
        ----------
        sources : (m, 3) int64
            Tile, row and column of its class.
        """
        side = self.masks.shape[1]
        for _ in range(ROUNDS):
            ring = _around(mask.shape, pixels)
            pick = sources[rng.integers(len(sources), size=TRIES)]
            turn = TURNS[rng.integers(len(TURNS), size=TRIES)]
            anchor = pixels[rng.integers(len(pixels), size=TRIES)]
            shift = pick[:, 1:] - np.einsum("kij,kj->ki", turn, anchor)
            half = TRIES // 2
            shift[:half] = np.where(turn[:half].sum(axis=2) < 0, side - 1, 0)
            ids = _ids_at(self.masks, pick[:, 0], turn, shift, pixels)
            fits = ids >= 0 if c == IGNORED else ids == c
            alike = _ids_at(self.masks, pick[:, 0], turn, shift, ring) == mask[tuple(ring.T)]
            best = int((fits.sum(axis=1) + RING * alike.sum(axis=1)).argmax())
            if fits[best].any():
                yield _Piece(int(pick[best, 0]), turn[best], shift[best], pixels[fits[best]])
                pixels = pixels[~fits[best]]
            if not len(pixels):
                return
        for pixel, (tile, *place) in zip(
            pixels, sources[rng.integers(len(sources), size=len(pixels))], strict=True
        ):
            yield _Piece(int(tile), TURNS[0], np.array(place) - pixel, pixel[None])


@dataclass(frozen=True, eq=False)
class _Piece:
    """Pixels (k, 2) of a mask that are taken from a training tile, at turn · pixel + shift."""

    tile: int
    turn: NDArray[np.int64]
    shift: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def source(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m, 2) row and column in the training tile of pixels (m, 2)."""
        return at @ self.turn.T + self.shift

    def spread(self, side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pixels (m, 2) that the piece has a share in, and the shares (m,): its own, blurred over
        its edge.
        """
        if len(self.pixels) == 1:
            return self.pixels, np.ones(len(self.pixels))
        first = np.maximum(self.pixels.min(axis=0) - EDGE, 0)
        window = np.zeros(np.minimum(self.pixels.max(axis=0) + EDGE + 1, side) - first)
        window[tuple((self.pixels - first).T)] = 1
        window = gaussian_filter(window, BLEND, radius=EDGE, mode="nearest")
        at = np.argwhere(window > LEAST)
        return at + first, window[tuple(at.T)]


def _ground(mask: NDArray[np.int64], masks: NDArray[np.int64]) -> _Piece:
    """Return the one of these tiles (k, H, H), turned, whose mask is most like this; its pixels:
    those it fits.
    """
    side = mask.shape[0]
    tile = np.repeat(np.arange(len(masks)), len(TURNS))
    turn = np.tile(TURNS, (len(masks), 1, 1))
    shift = np.where(turn.sum(axis=2) < 0, side - 1, 0)
    everywhere = np.argwhere(np.ones_like(mask))
    alike = _ids_at(masks, tile, turn, shift, everywhere) == mask.ravel()
    best = int(alike.sum(axis=1).argmax())
    fits = alike[best] | (mask.ravel() == IGNORED)
    return _Piece(int(tile[best]), turn[best], shift[best], everywhere[fits])


def _ids_at(
    masks: NDArray[np.int64],
    tile: NDArray[np.int64],
    turn: NDArray[np.int64],
    shift: NDArray[np.int64],
    pixels: NDArray[np.int64],
) -> NDArray[np.int64]:
    """(k, p) ids of tiles of the masks (n, H, H) at turn · pixel + shift, -1 outside of them."""
    side = masks.shape[1]
    at = np.einsum("kij,pj->kpi", turn, pixels) + shift[:, None]
    inside = ((at >= 0) & (at < side)).all(axis=2)
    at = np.clip(at, 0, side - 1)
    return np.where(inside, masks[tile[:, None], at[..., 0], at[..., 1]], -1)


def _levels(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """(..., T, B) medians of images (..., T, B, H, H); 1 where they are 0."""
    medians = np.median(images, axis=(-2, -1)).astype(np.float64)
    return np.where(np.abs(medians) > 1e-9, medians, 1.0)


def _around(shape: tuple[int, ...], pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m, 2) pixels outside of a segment, at most ``EDGE`` away."""
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(pixels.T)] = True
    return np.argwhere(binary_dilation(inside, iterations=EDGE) & ~inside)


def segments(mask: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Class id and pixels (k, 2) of each connected part of one class of a mask (H, W) of ids from
    ``COVERED`` on.
    """
    parts = components(mask[None] - COVERED + 1, corners=False)
    for k, kind in enumerate(parts.kind.tolist()):
        yield kind + COVERED - 1, np.argwhere(parts.number[0] == k + 1)
