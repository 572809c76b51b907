"""What a record states of a trial's pairs: their layout, and whether their pieces are copies."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.pieces import near_pieces
from hsiaug.metrics.dense.tile_maps import (
    date_maps,
    date_space,
    join_dates,
    mask_statistics,
    random_tiles,
)
from hsiaug.metrics.layout import (
    SHOWN,
    LayoutMaps,
    edge_share,
    edge_threshold,
    neighbour_correlation,
)

MAX_TILES = 64
"""Tiles of a set that are measured at most."""


def measure_pairs(
    real: DenseSamples, synthetic: DenseSamples, held_out: NDArray[np.float32] | None = None
) -> dict[str, dict[str, float]]:
    """Measure the layout of made pairs and of the real training pairs, and how many pieces of the
    made ones lie very near to training pieces.

    Parameters
    ----------
    real, synthetic : DenseSamples
        Real training pairs and made ones of one shape, in the data's units.
    held_out : (n, T, B, H, W) float32 or None
        Images of test tiles, which pieces are compared with; None = pieces are not measured.

    Returns
    -------
    dict of str to dict of str to float
        ``measured`` and ``measured_real``. ``within_1`` to ``within_3``: correlation of neighbours
        within tiles, by principal component; ``edges``: share of pixels with an edge, of which real
        tiles have one in ten; ``mask_edges`` and ``beside_edges``: mean rank, 0..1, of the image's
        gradient at edges of the mask, and elsewhere; of two dates ``change``: how much more they
        differ inside the mask than outside, and ``change_rank``: the same as a chance; ``n``: tiles
        that were measured. Of made tiles also ``pieces_5``, ``pieces_9`` and ``pieces_17``: share
        of pieces of so many pixels a side nearer to a training piece than 95 % of held-out ones.
        What is not defined is left out. Empty for tiles of one pixel.
    """
    if min(real.side) < 2:
        return {}
    rng = np.random.default_rng(derive_seed("measured pairs", 0))
    synthetic = synthetic.take(np.arange(min(MAX_TILES, len(synthetic))))
    near = {} if held_out is None else near_pieces(real.images, held_out, synthetic.images)[0]
    real = real.take(random_tiles(len(real), MAX_TILES, rng))
    space = date_space(real, rng)
    sets = {"measured": synthetic, "measured_real": real}
    maps = {name: date_maps(tiles, space) for name, tiles in sets.items()}
    threshold = edge_threshold(join_dates(maps["measured_real"]).scores)
    figures = {
        name: _neighbours(join_dates(maps[name]), threshold)
        | mask_statistics(tiles, maps[name], space)
        | {"n": len(tiles)}
        for name, tiles in sets.items()
    }
    figures["measured"] |= near
    return {name: _rounded(column) for name, column in figures.items()}


def _neighbours(maps: LayoutMaps, threshold: float) -> dict[str, float | None]:
    within = neighbour_correlation(maps.scores[:, :SHOWN], within=True).tolist()
    return {
        **{f"within_{k}": value for k, value in enumerate(within, start=1)},
        "edges": edge_share(maps.scores, threshold),
    }


def _rounded(column: Mapping[str, float | None]) -> dict[str, float]:
    return {
        name: round(value, 4)
        for name, value in column.items()
        if value is not None and np.isfinite(value)
    }
