"""Tiles on the principal components of their dates, and where their masks lie in them."""

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.mask_layout import change_contrast, edge_ranks
from hsiaug.metrics.layout import SHOWN, LayoutMaps, layout_maps
from hsiaug.metrics.measures import Values
from hsiaug.metrics.spectra import Space, fit_space

AXES = 6
PIXELS = 5000
"""Pixels that the components are fitted on."""


def random_tiles(count: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(min(count, most),) ascending places of tiles, drawn at random from ``count`` tiles."""
    return np.sort(rng.permutation(count)[:most])


def date_space(train: DenseSamples, rng: np.random.Generator) -> Space:
    """The principal axes of spectra of single dates."""
    spectra = np.moveaxis(train.images, 2, -1).reshape(-1, train.bands)
    return fit_space(spectra[rng.permutation(len(spectra))[:PIXELS]].astype(np.float64), AXES)


def date_maps(tiles: DenseSamples, space: Space) -> list[LayoutMaps]:
    """The maps of each date."""
    return [layout_maps(tiles.images[:, t], space) for t in range(tiles.dates)]


def join_dates(dates: list[LayoutMaps]) -> LayoutMaps:
    """One date after the other, as if they were tiles of one."""
    parts = [(maps.scores, maps.residual, maps.across) for maps in dates]
    return LayoutMaps(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def mask_statistics(tiles: DenseSamples, dates: list[LayoutMaps], space: Space) -> Values:
    """Where masks lie in their images."""
    column: Values = {}
    scores = [maps.scores[:, :SHOWN] for maps in dates]
    if tiles.dates > 1:
        contrast = change_contrast(tiles.images, tiles.masks, space.std)
        column["change"], column["change_rank"] = contrast or (None, None)
        scores.append(scores[1] - scores[0])
    ranks = edge_ranks(np.concatenate(scores, axis=1), tiles.masks)
    column["mask_edges"], column["beside_edges"] = ranks or (None, None)
    return column
