"""Spatial structure of patches: how neighbouring pixels belong together, and how many edges there
are. Every number reads pairs of neighbouring pixels of one patch.

Maps are (n, k, H, W): n patches or tiles, k principal components.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import Float32, Float64
from hsiaug.metrics.measures import Measure, Measures, MeasureTable, Values
from hsiaug.metrics.spectra import Space, fit_space

Floats = NDArray[np.floating]

SHOWN = 3
"""Leading principal components that edges and correlations are taken of."""
EDGES = 0.9
"""Quantile of the gradients of real pixels above which a gradient is an edge."""
BATCH = 256
"""Patches that are put on principal components at once."""
PIXELS = 5000
"""Pixels that the components are fitted on."""
MEASURES: MeasureTable = {
    **{
        f"within_{k}": (f"structure: correlation of neighbours, PC {k}", "", "as held-out")
        for k in range(1, SHOWN + 1)
    },
    "edges": ("structure: pixels on an edge", "%", "as held-out"),
}


def component_maps(x: Floats, space: Space) -> Float32:
    """Patches x (n, B, H, W) in scene units → (n, k, H, W) float32 principal components."""
    maps = np.empty((len(x), space.axes.shape[1], *x.shape[2:]), dtype=np.float32)
    for start in range(0, len(x), BATCH):
        spectra = np.moveaxis(x[start : start + BATCH], 1, -1).astype(np.float64)
        maps[start : start + BATCH] = np.moveaxis(space.project(spectra), -1, 1)
    return maps


def neighbour_correlation(maps: Floats, *, within: bool = False) -> Float64:
    """Pearson correlation of neighbouring pixels, over all pairs of all patches.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Components of patches; H and W above 1.
    within : bool
        Whether to subtract the mean of each patch first. Otherwise differences between patches
        count too, which are most of the variance in scenes of fields: shuffled pixels then keep
        much of their correlation.

    Returns
    -------
    (k,) float64
        For each component; NaN if it does not vary.

    See Also
    --------
    edge_share : another measure of spatial structure.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import neighbour_correlation
    >>> ramp = np.broadcast_to(np.arange(9.0), (1, 1, 9, 9))
    >>> bool(neighbour_correlation(ramp)[0] > 0.9)
    True
    """
    if within:
        maps = maps - maps.mean(axis=(2, 3), keepdims=True)
    x = np.moveaxis(maps, 1, 0).astype(np.float64)
    k = len(x)
    first = np.concatenate([x[..., :-1].reshape(k, -1), x[..., :-1, :].reshape(k, -1)], axis=1)
    second = np.concatenate([x[..., 1:].reshape(k, -1), x[..., 1:, :].reshape(k, -1)], axis=1)
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    length = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    correlation: Float64 = np.where(length > 0, products / np.where(length > 0, length, 1), np.nan)
    return correlation


def gradients(maps: Floats) -> Float64:
    """(n, H − 1, W − 1) length of the gradient of maps (n, k, H, W), by differences to the right
    and lower neighbour.
    """
    corner = maps[..., :-1, :-1].astype(np.float64)
    right = maps[..., :-1, 1:] - corner
    lower = maps[..., 1:, :-1] - corner
    length: Float64 = np.sqrt((right**2 + lower**2).sum(axis=1))
    return length


def edge_threshold(real: Floats) -> float:
    """The gradient that one pixel in ten of real patches exceeds.

    Parameters
    ----------
    real : (n, k, H, W) floats
        Principal components of real patches.

    Returns
    -------
    float
        In the units of the components.

    See Also
    --------
    edge_share : counts pixels above it.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import edge_threshold
    >>> edge_threshold(np.zeros((2, 3, 9, 9)))
    0.0
    """
    return float(np.quantile(gradients(real[:, :SHOWN]), EDGES))


def edge_share(maps: Floats, threshold: float) -> float:
    """Fraction of the pixels that are on an edge.

    Parameters
    ----------
    maps : (n, k, H, W) floats
        Principal components of patches.
    threshold : float
        Smallest gradient of an edge, from :func:`edge_threshold`.

    Returns
    -------
    float
        In 0..1.

    See Also
    --------
    neighbour_correlation : another measure of spatial structure.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import edge_share, edge_threshold
    >>> maps = np.random.default_rng(0).normal(size=(20, 3, 9, 9))
    >>> round(edge_share(maps, edge_threshold(maps)), 1)
    0.1
    """
    return float((gradients(maps[:, :SHOWN]) > threshold).mean())


def structure(maps: Floats, threshold: float) -> Values:
    """Values of maps (n, k, H, W) by the names of :data:`MEASURES`.

    Parameters
    ----------
    threshold : float
        Of an edge: :func:`edge_threshold` of real training samples.
    """
    within = neighbour_correlation(maps[:, :SHOWN], within=True).tolist()
    correlations = {f"within_{k}": value for k, value in enumerate(within, start=1)}
    return {**correlations, "edges": edge_share(maps, threshold)}


def structure_measures(
    table: MeasureTable, columns: Mapping[str, Values], n: int
) -> tuple[Measure, ...]:
    """Measures of the columns "synthetic", "held_out" and "training", which have values by name."""
    synthetic, held_out, training = (
        columns[name] for name in ("synthetic", "held_out", "training")
    )
    return tuple(
        Measure.of(
            table,
            name,
            synthetic.get(name),
            held_out.get(name),
            n,
            training=training.get(name),
        )
        for name in table
        if any(name in column for column in columns.values())
    )


def patch_structure(training: Floats, held_out: Floats, synthetic: Floats) -> Measures:
    """Compare the spatial structure of patches (n, B, p, p) in scene units, of the same classes.

    Held-out patches are test pixels with their labels: a diagnosis after every fit, never a means
    to choose one.
    """
    if synthetic.shape[-1] < 2:
        return Measures(notes=("patches of one pixel have no spatial structure",))
    if not len(held_out) or not len(synthetic):
        return Measures(notes=("no class has held-out and synthetic patches to compare",))
    rng = np.random.default_rng(0)
    pixels = np.moveaxis(training, 1, -1).reshape(-1, training.shape[1])
    space = fit_space(pixels[rng.permutation(len(pixels))[:PIXELS]].astype(np.float64), SHOWN)
    sets = {"training": training, "held_out": held_out, "synthetic": synthetic}
    maps = {name: component_maps(x, space) for name, x in sets.items()}
    threshold = edge_threshold(maps["training"])
    columns = {name: structure(part, threshold) for name, part in maps.items()}
    return Measures(structure_measures(MEASURES, columns, len(synthetic)))
