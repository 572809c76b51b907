"""Statistics of neighbours in patches or tiles, and the rows of a table that patches and tiles
share.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.layout import (
    SHOWN,
    LayoutMaps,
    gradients,
    neighbour_correlation,
    variogram,
)
from hsiaug.metrics.measures import MeasureTable, Values

LAGS = (1, 2, 4)

_COMPONENTS = range(1, SHOWN + 1)
TOLD: MeasureTable = {
    "told_by_network": ("told from held-out by a network (AUC)", "%", "50 %"),
    "told_by_forest": ("told from held-out by a forest (AUC)", "%", "50 %"),
}
"""Rows of the two-sample test: label, unit, and what is good, by the name of a measure."""
STATISTICS: MeasureTable = {
    **{
        f"within_{k}": (f"correlation of neighbours within patches, PC {k}", "", "as held-out")
        for k in _COMPONENTS
    },
    **{
        f"neighbours_{k}": (f"correlation of neighbours, PC {k}", "", "as held-out")
        for k in _COMPONENTS
    },
    **{f"variogram_{h}": (f"variogram at lag {h}, of held-out", "", "1") for h in LAGS},
    "edges": ("edges per pixel", "%", "as held-out"),
    "across": ("spectral angle across edges", "°", "as held-out"),
    "elsewhere": ("spectral angle elsewhere", "°", "as held-out"),
}
"""Rows of :func:`layout_statistics`."""


def layout_statistics(maps: LayoutMaps, threshold: float, sills: NDArray[np.floating]) -> Values:
    """Correlations, variogram, edges and angles of patches.

    Parameters
    ----------
    maps : LayoutMaps
        Of n patches.
    threshold : float
        Of an edge: :func:`hsiaug.metrics.layout.edge_threshold` of real training patches.
    sills : (lags, 3) floats
        The variogram of held-out patches, which that of the patches is a part of.

    Returns
    -------
    dict of str to float or None
        By the names of :data:`STATISTICS`.
    """
    scores = maps.scores[:, :SHOWN]
    within, pooled = (neighbour_correlation(scores, within=within) for within in (True, False))
    lags = [lag for lag in LAGS if lag < min(scores.shape[2:])]
    edges = gradients(scores) > threshold
    steps = variogram(scores, lags) / np.where(sills[: len(lags)] > 0, sills[: len(lags)], np.nan)
    return {
        **{f"within_{k}": float(value) for k, value in enumerate(within, start=1)},
        **{f"neighbours_{k}": float(value) for k, value in enumerate(pooled, start=1)},
        **{f"variogram_{lag}": float(row.mean()) for lag, row in zip(lags, steps, strict=True)},
        "edges": float(edges.mean()),
        "across": float(maps.across[edges].mean()) if edges.any() else None,
        "elsewhere": float(maps.across[~edges].mean()) if not edges.all() else None,
    }


def statistics_by_column(sets: Mapping[str, LayoutMaps], threshold: float) -> dict[str, Values]:
    """:func:`layout_statistics` of several sets, of which one is called "held_out"; nothing of an
    empty one.
    """
    sills = held_out_sills(sets["held_out"])
    return {
        name: layout_statistics(maps, threshold, sills) if len(maps) else {}
        for name, maps in sets.items()
    }


def held_out_sills(maps: LayoutMaps) -> NDArray[np.float64]:
    """(lags, 3) the variogram of held-out patches at the lags that fit."""
    scores = maps.scores[:, :SHOWN]
    return variogram(scores, [lag for lag in LAGS if lag < min(scores.shape[2:])])
