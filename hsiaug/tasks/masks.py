"""The dense tasks: a class for every pixel of a tile, of one date (segmentation) or of two (change
detection).
"""

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import PluginError
from hsiaug.contracts import FittedMaskClassifier, Progress
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import concatenate
from hsiaug.core.sealed import seal_all
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts, Tiles
from hsiaug.core.view_names import RAW, VIEWS
from hsiaug.data import load_pairs
from hsiaug.data.georeference import Georeference
from hsiaug.data.pair_loading import pair_georeferences
from hsiaug.data.pair_sets import find_pairs, pairs_status
from hsiaug.metrics.accuracy import Counts, confusion, dense_score
from hsiaug.metrics.dense.measured import measure_pairs
from hsiaug.protocol.balance import STEP, Block, Rate, check_lambda, check_times
from hsiaug.protocol.tiling import (
    BlindTiles,
    Tile,
    TileSplit,
    checksum_of_tiles,
    cut,
    dense_view,
    draw_tiles,
    pixels_of_tiles,
    side_by_side,
    unlabelled_tiles,
)
from hsiaug.protocol.view import BATCH_BYTES
from hsiaug.registry.card import Card, Scope
from hsiaug.tasks.pixels import (
    NoGroundTruthError,
    PixelClassification,
    Prediction,
    check_finite,
    check_marked,
    check_numbers,
    check_predicted,
)


class Segmentation:
    """Masks of tiles of one date. Scores: mIoU, macro-F1, OA over labelled pixels."""

    name = "segmentation"
    single_pixels = False
    of_scenes = True
    scores = (("miou", "mIoU"), ("macro_f1", "macro-F1"))
    views: tuple[str, ...] = VIEWS
    split = staticmethod(draw_tiles)

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> PairSet:
        return load_pairs(ref, self.name, progress=progress)

    def load_labels(self, ref: str) -> PairSet:
        """The masks alone, which is all that a draw reads."""
        return load_pairs(ref, self.name, masks_only=True)

    def load_local(self, ref: str, most: int | None = None) -> PairSet:
        """The masks of a set of pairs, or a scene, where nothing needs to be downloaded. Raises
        NoGroundTruthError.
        """
        entry = find_pairs(ref)
        if entry is None:
            return PairSet.of(PixelClassification().load_local(ref, most))
        if pairs_status(entry) != "here":
            raise NoGroundTruthError(f"the files of the scene {ref} are not here")
        return self.load_labels(ref)

    def truth(self, data: PairSet) -> dict[str, NDArray[np.int16]]:
        """(H, W) class ids of every place by its name, 0 = none."""
        return {place.name: place.mask for place in data.places}

    def cube(self, data: PairSet) -> None:
        """None: only masks are read for a report."""

    def view(self, data: PairSet, split: TileSplit | BlindTiles, scope: Scope) -> DenseView:
        return dense_view(data, split)

    def unlabelled(
        self, data: PairSet, split: TileSplit | BlindTiles, view: DenseView
    ) -> DenseView:
        return unlabelled_tiles(data, split)

    def checksum(self, data: PairSet, split: TileSplit | BlindTiles, view: DenseView) -> str:
        return checksum_of_tiles(unlabelled_tiles(data, split))

    def seen(self, view: DenseView, spectra: SpectralView) -> DenseView:
        """The view for a classifier: the training tiles in a spectral view."""
        if spectra.name == RAW:
            return view
        return replace(
            view, real=_convert(view.real, spectra), wavelengths=spectra.shown_wavelengths
        )

    def sizes(self, split: TileSplit, rate: Rate) -> tuple[int, int]:
        """Real pairs of a draw, and the synthetic ones that a rate asks for; cuts no tile, as a
        view would.
        """
        return len(split.train), _pairs(len(split.train), rate)

    def blocks(self, view: DenseView, rate: Rate) -> list[Block[PairCounts]]:
        """The blocks of a pool, as for pixels: every rate takes a prefix of the same ones. λ + M
        pairs for each real one: no class is filled up.
        """
        most, wanted = (
            math.ceil(round((rate.lam + rate.times) / STEP, 9)),
            _pairs(len(view.real), rate),
        )
        ends = [_pairs(len(view.real), Rate(j * STEP)) for j in range(most + 1)]
        numbers = [
            (end - start, min(end, wanted) - start) for start, end in itertools.pairwise(ends)
        ]
        return [
            Block(j, PairCounts(n), PairCounts(used), used) for j, (n, used) in enumerate(numbers)
        ]

    def first(self, samples: DenseSamples, counts: PairCounts) -> DenseSamples:
        """Return the first pairs, so many, or all where there are fewer."""
        return samples.take(np.arange(min(counts.total, len(samples))))

    def check(self, samples: DenseSamples, counts: PairCounts, view: DenseView) -> None:
        """Raise PluginError unless a generator made exactly what was asked for."""
        shape = view.real.images.shape[1:]
        if not isinstance(samples, DenseSamples) or (
            len(samples) and samples.images.shape[1:] != shape
        ):
            found = (
                str(samples.images.shape[1:])
                if isinstance(samples, DenseSamples)
                else type(samples).__name__
            )
            hint = "Return DenseSamples in the shape of DenseView.real."
            raise PluginError(
                f"a generator must make tiles of shape {shape}", value=found, hint=hint
            )
        if len(samples) != counts.total:
            rule, hint = (
                "a generator must make exactly the pairs that were asked for",
                "Return counts.total pairs.",
            )
            raise PluginError(rule, value=f"{len(samples)} in place of {counts.total}", hint=hint)
        check_finite(samples.images, "images")
        check_numbers(samples.masks, samples.weight)
        check_marked(samples.synthetic)
        if len(samples) and not (
            samples.masks.min() >= 0 and samples.masks.max() <= len(view.class_names)
        ):
            rule = f"a generator must make masks of ids 0..{len(view.class_names)} (0 = ignore)"
            hint = "Map network outputs back to class ids."
            raise PluginError(
                rule, value=f"{samples.masks.min()}..{samples.masks.max()}", hint=hint
            )

    def join(
        self,
        view: DenseView,
        pool: Sequence[DenseSamples],
        card: Card | None = None,
        spectra: SpectralView = RAW_VIEW,
    ) -> DenseSamples:
        """Real pairs, then those of the pool, in a spectral view. card: of the classifier, whatever
        it reads.
        """
        return _convert(concatenate([view.real, *pool]), spectra)

    def measured(
        self, view: DenseView, pool: Sequence[DenseSamples]
    ) -> dict[str, dict[str, float]]:
        """Layout of the pairs of a pool, and of the real training pairs, for the record."""
        return measure_pairs(view.real, concatenate(pool))

    def shown(
        self, samples: DenseSamples, card: Card, spectra: SpectralView = RAW_VIEW
    ) -> DenseSamples:
        return seal_all(_convert(samples, spectra))

    def predict(
        self,
        fitted: FittedMaskClassifier,
        card: Card,
        data: PairSet,
        split: TileSplit | BlindTiles,
        spectra: SpectralView = RAW_VIEW,
    ) -> NDArray[np.int16]:
        """(n,) int16: predicted class id of every pixel of a test tile, in flat order. Reads no
        label.
        """
        predicted = [np.zeros(place.mask.shape, dtype=np.int16) for place in data.places]
        for _ in _predict_tiles(fitted, data, split.test, split.patch, predicted, spectra):
            pass
        tested = pixels_of_tiles(data, split.test, split.patch)
        return np.concatenate(
            [mask[inside] for mask, inside in zip(predicted, tested, strict=True)]
        )

    def mapped(
        self,
        fitted: FittedMaskClassifier,
        card: Card,
        data: PairSet,
        split: TileSplit,
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> dict[str, NDArray[np.int16]]:
        """(H, W) class ids of every place by its name; 0 where an unlabelled pixel holds 0 in every
        band: no data.

        Tiles lie side by side, those of the test side once more on top, in the trial's own batches:
        test pixels so come out as in the record.
        """
        ids = [np.zeros(place.mask.shape, dtype=np.int16) for place in data.places]
        everywhere = side_by_side(data, split.patch)
        whole, done = len(everywhere) + len(split.test), 0
        for tiles in (everywhere, split.test):
            for count in _predict_tiles(fitted, data, tiles, split.patch, ids, spectra):
                done += count
                progress(done, whole, "tiles")
        for place, mask in zip(data.places, ids, strict=True):
            mask[~place.images.any(axis=(0, 1)) & (place.mask == 0)] = 0
        return {place.name: mask for place, mask in zip(data.places, ids, strict=True)}

    def georeferences(
        self, ref: str | os.PathLike[str], data: PairSet
    ) -> dict[str, Georeference | None]:
        """Return the location of each place on Earth, as its files say."""
        return pair_georeferences(ref, data)

    def score(self, data: PairSet, split: TileSplit, prediction: Prediction) -> dict[str, object]:
        """The only place where test labels are read, in the process that runs no plugin."""
        index, label = prediction
        return self.metrics(confusion(data.flat_mask[index], label, len(data.class_names)), {})

    def metrics(
        self,
        matrix: Counts,
        subsets: Mapping[str, tuple[int, ...]],
        new: Counts | None = None,
        hidden: Counts | None = None,
    ) -> dict[str, object]:
        """mIoU, macro-F1 and what else a record holds, of a confusion matrix (C, C); of change also
        F1 of "changed".
        """
        return dense_score(matrix, change=isinstance(self, ChangeDetection))


class ChangeDetection(Segmentation):
    """Masks of what changed between two dates: 1 = unchanged, 2 = changed."""

    name = "change"
    of_scenes = False


def _pairs(real: int, rate: Rate) -> int:
    """Synthetic pairs for so many real ones."""
    check_lambda(rate.lam)
    check_times(rate.times)
    return math.floor((rate.lam + rate.times) * real + 0.5)


def _convert(samples: DenseSamples, spectra: SpectralView) -> DenseSamples:
    return (
        samples if spectra.name == RAW else replace(samples, images=spectra(samples.images, axis=2))
    )


def _predict_tiles(
    fitted: FittedMaskClassifier,
    data: PairSet,
    tiles: Sequence[Tile],
    side: int,
    into: Sequence[NDArray[np.int16]],
    spectra: SpectralView,
) -> Iterator[int]:
    """Predict tiles, batch by batch, into the masks (H, W) of their places; gives the number of
    tiles of each batch.
    """
    step = max(1, BATCH_BYTES // (4 * data.dates * data.bands * side**2))
    for start in range(0, len(tiles), step):
        batch = tiles[start : start + step]
        images = spectra(
            np.stack([cut(data.places[w].images, r, c, side) for w, r, c in batch]), axis=2
        )
        shape = (len(images), *images.shape[3:])
        masks = check_predicted(
            fitted.predict(seal_all(Tiles(images))), shape, len(data.class_names)
        )
        for (where, row, column), mask in zip(batch, masks, strict=True):
            into[where][row : row + side, column : column + side] = mask
        yield len(batch)
