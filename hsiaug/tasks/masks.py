"""The dense tasks: a class for every pixel of a tile, of one date (segmentation) or of two (change detection)."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.data import load_pairs
from hsiaug.errors import PluginError
from hsiaug.metrics.accuracy import confusion, dense_score
from hsiaug.pairs import PairSet
from hsiaug.plugins.card import Card
from hsiaug.protocol.balance import STEP, check_lambda
from hsiaug.protocol.protocols import Protocol
from hsiaug.protocol.tiling import BlindTiles, TileSplit, covered, cut, dense_view, draw_tiles
from hsiaug.protocol.view import Scope
from hsiaug.sealed import sealed
from hsiaug.tasks.defaults import TaskDefaults
from hsiaug.tasks.pixels import BATCH_BYTES, Prediction
from hsiaug.tiles import DenseSamples, DenseView, Tiles, stacked

__all__ = ["ChangeDetection", "Segmentation"]

PAIRS = 0
"""The key of ``wanted``: pairs are counted whatever classes they show."""


class Segmentation:
    """Masks of tiles of one date. Scores: mIoU, macro-F1, OA over labelled pixels."""

    name = "segmentation"
    control = "majority"
    classifiers: ClassVar[tuple[str, ...]] = ("unet",)

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> PairSet:
        return load_pairs(ref, self.name, progress=progress)

    def defaults(self, data: PairSet) -> TaskDefaults:
        side = min(min(place.mask.shape) for place in data.places)
        named = {"train", "test"} <= {place.part for place in data.places}
        # Two blocks across: fewer would be none, and more leave little room for tiles.
        protocol = "places" if named else f"blocks:{max(1, side // 2)}"
        tile = next((tile for least, tile in ((256, 64), (90, 32)) if side >= least), 16)
        return TaskDefaults(protocol, tile, ("specdm",), self.classifiers)

    def split(self, data: PairSet, protocol: Protocol, seed: int, patch: int) -> TileSplit:
        return draw_tiles(data, protocol, seed, patch)

    def view(self, data: PairSet, split: TileSplit | BlindTiles, scope: Scope) -> DenseView:
        return dense_view(data, split)

    def wanted(self, view: DenseView, lam: float) -> dict[int, int]:
        """λ synthetic pairs for each real one."""
        return {PAIRS: _pairs(len(view.real), lam)}

    def asked(self, split: TileSplit, lam: float) -> tuple[int, int]:
        """Real pairs of a draw, and the synthetic ones that λ asks for; cuts no tile, as a view would."""
        return len(split.train), _pairs(len(split.train), lam)

    def blocks(self, view: DenseView, lam: float) -> list[dict[int, int]]:
        """As for pixels: every λ takes a prefix of the same blocks."""
        ends = [self.wanted(view, j * STEP)[PAIRS] for j in range(math.ceil(round(lam / STEP, 9)) + 1)]
        return [{PAIRS: end - start} for start, end in itertools.pairwise(ends)]

    def check(self, samples: DenseSamples, wanted: Mapping[int, int], view: DenseView) -> None:
        """Raise PluginError unless a generator made exactly what was asked for."""
        shape = view.real.images.shape[1:]
        if not isinstance(samples, DenseSamples) or (len(samples) and samples.images.shape[1:] != shape):
            raise PluginError(
                f"a generator must make tiles of shape {shape}",
                value=str(samples.images.shape[1:])
                if isinstance(samples, DenseSamples)
                else type(samples).__name__,
                hint="Return DenseSamples in the shape of DenseView.real.",
            )
        asked = sum(wanted.values())
        if len(samples) != asked:
            raise PluginError(
                "a generator must make exactly the pairs that were asked for",
                value=f"{len(samples)} in place of {asked}",
                hint="Return sum(counts.values()) pairs.",
            )
        if not np.isfinite(samples.images).all():
            raise PluginError(
                "a generator must make finite images",
                value=f"NaN or infinity in {int((~np.isfinite(samples.images)).any(axis=(1, 2, 3, 4)).sum())} of them",
                hint="Look for a division by a constant band, or a training that diverged.",
            )
        if len(samples) and not (samples.masks.min() >= 0 and samples.masks.max() <= len(view.class_names)):
            raise PluginError(
                f"a generator must make masks of ids 0..{len(view.class_names)} (0 = ignore)",
                value=f"{samples.masks.min()}..{samples.masks.max()}",
                hint="Map network outputs back to class ids.",
            )

    def join(self, view: DenseView, pool: Sequence[DenseSamples], wanted: Mapping[int, int]) -> DenseSamples:
        """Real pairs, then the first of the pool."""
        count = sum(wanted.values())
        if not count:
            return view.real
        return stacked([view.real, stacked(pool).take(np.arange(count))])

    def shown(self, samples: DenseSamples, card: Card) -> DenseSamples:
        return sealed(samples)

    def predict(self, fitted: Any, card: Card, data: PairSet, split: TileSplit | BlindTiles) -> NDArray[np.int16]:
        """(n,) int16: predicted class id of every pixel of a test tile, in flat order. Reads no label."""
        predicted = [np.zeros(place.mask.shape, dtype=np.int16) for place in data.places]
        for tiles, images in _batches(data, split):
            masks = _check_masks(fitted.predict(sealed(Tiles(images))), images, data)
            for (where, row, column), mask in zip(tiles, masks, strict=True):
                predicted[where][row : row + split.patch, column : column + split.patch] = mask
        tested = covered(data, split.test, split.patch)
        return np.concatenate([mask[inside] for mask, inside in zip(predicted, tested, strict=True)])

    def located(self, data: PairSet, split: TileSplit, labels: NDArray[np.int16]) -> Prediction:
        """Flat index and predicted class id of every pixel of a test tile that is labelled."""
        index = np.flatnonzero(np.concatenate([mask.ravel() for mask in split.tested]))
        scored = data.flat_mask[index] > 0
        return index[scored].astype(np.int32), labels[scored]

    def score(self, data: PairSet, prediction: Prediction) -> dict[str, Any]:
        """The only place where test labels are read, in the process that runs no plugin."""
        index, label = prediction
        return dense_score(
            confusion(data.flat_mask[index], label, len(data.class_names)), change=self.name == "change"
        )

    def counts(self, samples: DenseSamples, data: PairSet) -> dict[str, list[int]]:
        """Labelled pixels of each class."""
        classes = len(data.class_names) + 1
        return {
            name: np.bincount(samples.masks[samples.synthetic == made].ravel(), minlength=classes)[1:].tolist()
            for name, made in (("real", False), ("synthetic", True))
        }


class ChangeDetection(Segmentation):
    """Masks of what changed between two dates: 1 = unchanged, 2 = changed."""

    name = "change"
    classifiers: ClassVar[tuple[str, ...]] = ("fc-siam-diff",)


def _pairs(real: int, lam: float) -> int:
    """Synthetic pairs for so many real ones."""
    check_lambda(lam)
    return math.floor(lam * real + 0.5)


Batch = tuple[tuple[tuple[int, int, int], ...], NDArray[np.float32]]


def _batches(data: PairSet, split: TileSplit | BlindTiles) -> Iterator[Batch]:
    """Test tiles with their images."""
    step = max(1, BATCH_BYTES // (4 * data.dates * data.bands * split.patch**2))
    for start in range(0, len(split.test), step):
        tiles = split.test[start : start + step]
        yield tiles, np.stack([cut(data.places[w].images, r, c, split.patch) for w, r, c in tiles])


def _check_masks(masks: NDArray[Any], images: NDArray[np.float32], data: PairSet) -> NDArray[Any]:
    masks = np.asarray(masks)
    wanted = (len(images), *images.shape[3:])
    if masks.shape != wanted or masks.dtype.kind not in "iu":
        raise PluginError(
            f"predict must give integer masks of shape {wanted}",
            value=f"{masks.dtype} of shape {masks.shape}",
            hint="Return one class id per pixel of each tile.",
        )
    if not (masks.min() >= 1 and masks.max() <= len(data.class_names)):
        raise PluginError(
            f"predict must give class ids in 1..{len(data.class_names)}",
            value=f"{masks.min()}..{masks.max()}",
            hint="Map network outputs back to the ids of the masks; 0 is no class.",
        )
    return masks
