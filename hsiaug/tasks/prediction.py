"""Predictions of a task: a fitted classifier is asked for a class of every pixel of a test, or of
all. None of this reads a label.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Float32, Int16, Int32
from hsiaug.base.errors import PluginError
from hsiaug.contracts import FittedClassifier, FittedMaskClassifier, Progress
from hsiaug.core.pairs import PairSet
from hsiaug.core.read_only import seal_all
from hsiaug.core.samples import Patches
from hsiaug.core.scene import Scene, UnlabelledScene
from hsiaug.core.spectral_views import RAW_VIEW, SpectralView
from hsiaug.core.tiles import Tiles
from hsiaug.protocol.split import BlindSplit, Split
from hsiaug.protocol.tiling import (
    BlindTiles,
    Tile,
    TilePixels,
    TileSplit,
    side_by_side,
    stack_tiles,
)
from hsiaug.protocol.view import BATCH_BYTES, patches_at, visible_cube
from hsiaug.registry.card import Card
from hsiaug.tasks.sampling import select_input


class PixelPredictor:
    """Single pixels, from the patches round them; by default of each its class id."""

    def checked(self, answer: AnyArray, number: int, classes: int) -> AnyArray:
        """What a classifier predicted of so many pixels, as it is kept.

        Raises PluginError where it is nothing of that kind.
        """
        return check_predicted(answer, (number,), classes).astype(np.int16)

    def mapped_ids(self, answer: AnyArray, number: int, classes: int) -> AnyArray:
        """The class ids that a map shows of the same."""
        return self.checked(answer, number, classes)

    def predict(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene | UnlabelledScene,
        split: Split | BlindSplit,
        spectra: SpectralView = RAW_VIEW,
    ) -> AnyArray:
        """Predict the test pixels.

        Parameters
        ----------
        fitted : FittedClassifier or FittedMaskClassifier
            That is asked.
        card : Card
            What it reads.
        scene : UnlabelledScene or PairSet
            May be without labels.
        split : BlindSplit or BlindTiles
            Or one with all labels.
        spectra : SpectralView
            What it was shown.

        Returns
        -------
        ndarray
            Class ids (n,) int16 of all tested pixels, in flat order; of a task without classes its
            values (n, K) float32.

        Raises
        ------
        PluginError
            Where the classifier gives no such ids or values.
        """
        return self._predict(fitted, card, scene, split, spectra, self.checked)

    def _predict(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene | UnlabelledScene,
        split: Split | BlindSplit,
        spectra: SpectralView,
        checked: Callable[[AnyArray, int, int], AnyArray],
    ) -> AnyArray:
        coords = np.argwhere(split.test).astype(np.int32)
        # Patches overlap: all spectra are transformed before they are cut, and single pixels after.
        first, after = (spectra, RAW_VIEW) if card.reads_patches else (RAW_VIEW, spectra)
        cube = visible_cube(scene.pixels, None, first)
        values = [
            checked(fitted.predict(batch), len(batch), len(scene.class_names))
            for _, batch in _batches(cube, coords, split.patch, card, scene.bands, spectra=after)
        ]
        return np.concatenate(values)

    def mapped(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene,
        split: Split,
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> dict[str, Int16]:
        """Class ids (H, W) of every place by its name; 0 where an unlabelled pixel holds no data.

        Test pixels come out as in the trial, in its own batches: sums over other batches may be
        rounded otherwise.
        """
        ids = self.map_pixels(fitted, card, scene, split.patch, scene.labels > 0, progress, spectra)
        ids[split.test] = self._predict(fitted, card, scene, split, spectra, self.mapped_ids)
        return {scene.name: ids}

    def place(self, shares: Float32, split: Split, maps: Mapping[str, Int16]) -> dict[str, Float32]:
        """Shares (C, H, W) of the classes at every place.

        Parameters
        ----------
        shares : ndarray of float32, shape (n, C) or (n, C, H, W)
            Of all batches that ``mapped`` asked for, in order.
        split : TaskSplit
            That was mapped.
        maps : mapping of str to ndarray of int16, shape (H, W)
            What ``mapped`` gave. Where it holds 0, shares are NaN.
        """
        sheets = _sheets(shares, maps)
        for name, ids in maps.items():
            # Pixels row by row; the test pixels follow, which are among them.
            sheets[name][:, ids > 0] = shares[: np.count_nonzero(ids)].T
        return sheets

    def map_pixels(
        self,
        fitted: FittedClassifier,
        card: Card,
        scene: Scene | UnlabelledScene,
        patch: int,
        labelled: Bools,
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> Int16:
        """Predict every pixel of a scene.

        Patches are cut as for the test pixels, in stripes of rows and batches of about
        ``BATCH_BYTES``; beyond the cube itself, memory does not grow with the scene.

        Parameters
        ----------
        fitted : FittedClassifier
            That is asked.
        card : Card
            What it reads.
        scene : Scene or UnlabelledScene
            Its labels are not read.
        patch : int
            Side of the patches in pixels.
        labelled : ndarray of bool, shape (H, W)
            Pixels that are predicted though they hold 0 in every band.
        progress : callable
            Is told rows.
        spectra : SpectralView
            What it was shown of each spectrum.

        Returns
        -------
        ndarray of int16, shape (H, W)
            Class ids; 0 where there is no data.
        """
        side = patch if card.reads_patches else 1
        height, width = scene.shape
        rows = max(1, 2 * BATCH_BYTES // (4 * scene.bands * width))
        ids = np.zeros(scene.shape, dtype=np.int16)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            # The rows that its patches reach, so that each spectrum is read and converted once.
            first = max(0, top - side // 2)
            reached = scene.pixels[first : bottom + side // 2]
            shows = reached[top - first : bottom - first].any(axis=2) | labelled[top:bottom]
            coords = np.argwhere(shows).astype(np.int32) + np.array([top, 0], dtype=np.int32)
            transformed = spectra(reached, axis=2)
            for pixels, batch in _batches(transformed, coords, patch, card, scene.bands, first):
                ids[tuple(pixels.T)] = self.mapped_ids(
                    fitted.predict(batch), len(pixels), len(scene.class_names)
                )
            progress(bottom, height, "rows")
        return ids


class TilePredictor:
    """Tiles, of which every pixel has a class."""

    def predict(
        self,
        fitted: FittedMaskClassifier,
        card: Card,
        data: PairSet,
        split: TileSplit | BlindTiles,
        spectra: SpectralView = RAW_VIEW,
    ) -> Int16:
        tested = TilePixels(data, split.test, split.patch)
        predicted = {
            i: np.zeros(data.places[i].mask.shape, dtype=np.int16) for i in sorted(tested.places)
        }
        for _ in _predict_tiles(fitted, data, split.test, split.patch, predicted, spectra):
            pass
        return np.concatenate([mask[tested[i]] for i, mask in predicted.items()])

    def mapped(
        self,
        fitted: FittedMaskClassifier,
        card: Card,
        data: PairSet,
        split: TileSplit,
        progress: Progress,
        spectra: SpectralView = RAW_VIEW,
    ) -> dict[str, Int16]:
        """Tiles lie side by side, and those of the test side once more on top."""
        ids = {i: np.zeros(place.mask.shape, dtype=np.int16) for i, place in enumerate(data.places)}
        everywhere = side_by_side(data, split.patch)
        whole = len(everywhere) + len(split.test)
        done = 0
        for tiles in (everywhere, split.test):
            for count in _predict_tiles(fitted, data, tiles, split.patch, ids, spectra):
                done += count
                progress(done, whole, "tiles")
        for place, mask in zip(data.places, ids.values(), strict=True):
            unlabelled = place.mask == 0
            if unlabelled.any():
                mask[unlabelled & ~np.asarray(place.images).any(axis=(0, 1))] = 0
        return {place.name: mask for place, mask in zip(data.places, ids.values(), strict=True)}

    def place(
        self, shares: Float32, split: TileSplit, maps: Mapping[str, Int16]
    ) -> dict[str, Float32]:
        sheets = _sheets(shares, maps)
        places = list(sheets.values())
        tiles = (*side_by_side(split.pairs, split.patch), *split.test)
        for (where, row, column), tile in zip(tiles, shares, strict=True):
            places[where][:, row : row + split.patch, column : column + split.patch] = tile
        for name, ids in maps.items():
            sheets[name][:, ids == 0] = np.nan
        return sheets


def _sheets(shares: Float32, maps: Mapping[str, Int16]) -> dict[str, Float32]:
    """(C, H, W) NaN at every place."""
    return {
        name: np.full((shares.shape[1], *ids.shape), np.nan, np.float32)
        for name, ids in maps.items()
    }


def check_predicted(answer: AnyArray, shape: tuple[int, ...], classes: int) -> AnyArray:
    """Refuse an answer that is no class id for each item.

    Parameters
    ----------
    answer : array_like
        What a fitted classifier predicted.
    shape : tuple of int
        Of the answer that is due.
    classes : int
        The largest class id.

    Returns
    -------
    ndarray of int
        The answer.

    Raises
    ------
    PluginError
        For another shape or dtype, and for ids that are not in 1..classes.
    """
    labels = np.asarray(answer)
    integer = labels.dtype.kind in "iu"
    if (
        labels.shape != shape
        or not integer
        or (labels.size and not 1 <= labels.min() <= labels.max() <= classes)
    ):
        id_range = f", of {labels.min()}..{labels.max()}" if labels.size and integer else ""
        raise PluginError(
            f"predict must give integer class ids in 1..{classes} of shape {shape}",
            value=f"{labels.dtype} of shape {labels.shape}{id_range}",
            hint="Map network outputs back to the ids of the samples; 0 is no class.",
        )
    return labels


def _batches(
    cube: Float32,
    coords: Int32,
    patch: int,
    card: Card,
    bands: int,
    first: int = 0,
    spectra: SpectralView = RAW_VIEW,
) -> Iterator[tuple[Int32, Patches]]:
    """Pixels and their patches, no larger than the classifier reads them. bands: of the scene.
    first: row of the cube. spectra: the transform of patches that were cut.
    """
    side = patch if card.reads_patches else 1
    step = max(1, BATCH_BYTES // (4 * bands * side * side))
    for pixels in (coords[start : start + step] for start in range(0, len(coords), step)):
        x = spectra(patches_at(cube, pixels - np.array([first, 0]), side), axis=1)
        yield pixels, seal_all(select_input(x, pixels, card))


def _predict_tiles(
    fitted: FittedMaskClassifier,
    data: PairSet,
    tiles: Sequence[Tile],
    side: int,
    into: Mapping[int, Int16],
    spectra: SpectralView,
) -> Iterator[int]:
    """Predict tiles, batch by batch, into the masks (H, W) of their places; gives the number of
    tiles of each batch.
    """
    images_of_places = [place.images for place in data.places]
    step = max(1, BATCH_BYTES // (4 * data.dates * data.bands * side**2))
    for start in range(0, len(tiles), step):
        batch = tiles[start : start + step]
        images = spectra(stack_tiles(images_of_places, batch, side), axis=2)
        shape = (len(images), *images.shape[3:])
        masks = check_predicted(
            fitted.predict(seal_all(Tiles(images))), shape, len(data.class_names)
        )
        for (where, row, column), mask in zip(batch, masks, strict=True):
            into[where][row : row + side, column : column + side] = mask
        yield len(batch)
