"""Draws of a task, and the train views of them: what plugins may see.

Plugins run in processes that hold no test label. There every function but ``split`` is given
``data.unlabelled`` and ``split.blind``.
"""

from dataclasses import replace

from hsiaug.core.pairs import PairSet
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.core.view_names import RAW
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.tiling import (
    BlindTiles,
    TileSplit,
    checksum_of_tiles,
    dense_view,
    draw_tiles,
    unlabelled_tiles,
)
from hsiaug.protocol.view import (
    TrainView,
    checksum_of_pixels,
    train_view,
    train_view_seen,
    view_without_labels,
)
from hsiaug.registry.card import Scope


class PixelDraws:
    """Draws of single pixels."""

    split = staticmethod(draw_split)
    view = staticmethod(train_view)
    seen = staticmethod(train_view_seen)

    def unlabelled(self, data: object, split: object, view: TrainView) -> TrainView:
        """What a generator of that view prepares from: the same without any label."""
        return view_without_labels(view)

    def checksum(self, data: object, split: object, view: TrainView) -> str:
        """SHA-256 of what ``unlabelled`` shows: equal for all splits that show the same."""
        return checksum_of_pixels(view)


class TileDraws:
    """Draws of tiles, of one date or two."""

    split = staticmethod(draw_tiles)

    def view(self, data: PairSet, split: TileSplit | BlindTiles, scope: Scope) -> DenseView:
        return dense_view(data, split)

    def unlabelled(
        self, data: PairSet, split: TileSplit | BlindTiles, view: DenseView
    ) -> DenseView:
        return unlabelled_tiles(data, split)

    def checksum(self, data: PairSet, split: TileSplit | BlindTiles, view: DenseView) -> str:
        return checksum_of_tiles(unlabelled_tiles(data, split))

    def seen(self, view: DenseView, spectra: SpectralView) -> DenseView:
        if spectra.name == RAW:
            return view
        return replace(
            view, real=convert_tiles(view.real, spectra), wavelengths=spectra.shown_wavelengths
        )


def convert_tiles(samples: DenseSamples, spectra: SpectralView) -> DenseSamples:
    """Samples with their images in a spectral view.

    Parameters
    ----------
    samples : DenseSamples
        Images (n, T, B, H, W) float32.
    spectra : SpectralView
        Raw = the samples as they are.
    """
    if spectra.name == RAW:
        return samples
    return replace(samples, images=spectra(samples.images, axis=2))
