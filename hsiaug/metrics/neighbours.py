"""Measures over nearest neighbours: PRDC, distances to the nearest, diversity, and the classifier
two-sample test.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray, Bools, Float64, Int64

FOLDS = 5

BYTES = 2**25
"""Bytes of distances that are computed at a time, so that memory stays bounded."""


def prdc(real: Float64, fake: Float64, k: int = 5) -> dict[str, float]:
    """Precision, recall, density and coverage of synthetic points, compared with real ones.

    Naeem et al. 2020, arXiv:2002.09797, eqs. 1–4, with their strict inequalities.

    Parameters
    ----------
    real : (n, d) float64
        Two points or more.
    fake : (m, d) float64
        Two points or more.
    k : int
        Number of neighbours, at most n − 1.

    Returns
    -------
    dict of str to float
        ``precision``, ``recall``, ``density`` and ``coverage``; all 0..1 except density, which may
        be larger.

    See Also
    --------
    PatchReference : finds copies.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import prdc
    >>> points = np.random.default_rng(0).normal(size=(50, 3))
    >>> prdc(points, points + 100)["coverage"]
    0.0
    """
    from scipy.spatial.distance import cdist

    between = cdist(real, fake)
    k = min(k, len(real) - 1, len(fake) - 1)
    radius = _kth(real, k)
    inside = between < radius[:, None]
    return {
        "precision": float(inside.any(axis=0).mean()),
        "recall": float((between < _kth(fake, k)[None]).any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float((between.min(axis=1) < radius).mean()),
    }


def _kth(x: Float64, k: int) -> Float64:
    """(n,) distance of each point to its k-th nearest other point."""
    from scipy.spatial.distance import cdist

    distance: Float64 = np.partition(cdist(x, x), k, axis=1)[:, k]
    return distance


def turn_maps(maps: AnyArray) -> list[AnyArray]:
    """The flips and rotations of maps (..., H, W): 8 of square ones, 4 of others; the first is as
    it was.
    """
    flips = [maps, maps[..., ::-1], maps[..., ::-1, :], maps[..., ::-1, ::-1]]
    if maps.shape[-1] != maps.shape[-2]:
        return flips
    return flips + [np.swapaxes(f, -1, -2) for f in flips]


def nearest_turned(
    maps: NDArray[np.floating],
    references: NDArray[np.floating],
    hidden: Callable[[slice], Bools] | None = None,
) -> tuple[Float64, Int64]:
    """Distance (n,) and index (n,) of the nearest of ``references`` (m, k, H, W) to each of maps
    (n, k, H, W), however turned.

    Parameters
    ----------
    hidden : callable or None
        (·, m) which of ``references`` do not count for some of the maps. The distance is inf where
        none does; of a copy 0.
    """
    distance = np.full(len(maps), np.inf)
    index = np.zeros(len(maps), dtype=np.int64)
    if not len(references) or not len(maps):
        return distance, index
    flat = references.reshape(len(references), -1).astype(np.float32)
    turned = np.stack(turn_maps(maps), axis=1)
    turned = turned.reshape(*turned.shape[:2], -1).astype(np.float32)
    half = np.square(flat).sum(axis=1) / 2
    step = max(1, BYTES // (turned.shape[1] * flat.itemsize * len(flat)))
    for start in range(0, len(maps), step):
        block = slice(start, start + step)
        ways = turned[block]
        # The nearest has the largest x·t − |t|²/2. Its distance is then computed anew: this way a
        # copy has none.
        score = (ways.reshape(-1, flat.shape[1]) @ flat.T - half).reshape(
            *ways.shape[:2], len(flat)
        )
        if hidden is not None:
            score[np.broadcast_to(hidden(block)[:, None], score.shape)] = -np.inf
        rows = np.arange(len(ways))
        way, row = np.divmod(score.reshape(len(ways), -1).argmax(axis=1), len(flat))
        apart = np.linalg.norm(ways[rows, way].astype(np.float64) - flat[row], axis=1)
        distance[block] = np.where(np.isfinite(score[rows, way, row]), apart, np.inf)
        index[block] = row
    return distance, index


def rank_nearer(synthetic: NDArray[np.floating], held_out: NDArray[np.floating]) -> float:
    """P(a synthetic distance < a held-out one) + ½ P(equal), from distances ``synthetic`` (n,) and
    ``held_out`` (m,) to the training set.

    The Mann–Whitney statistic of the data-copying test of Meehan, Chaudhuri and Dasgupta 2020,
    arXiv:2004.05675, as a probability: ½ = no nearer than fresh real samples, 1 = all nearer.
    """
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(held_out, synthetic, method="asymptotic").statistic) / (
        len(synthetic) * len(held_out)
    )


def pairwise_mean(x: Float64) -> float | None:
    """Mean distance between two different points of x (n, d); None for fewer than two."""
    from scipy.spatial.distance import pdist

    return float(pdist(x).mean()) if len(x) > 1 else None


def two_sample_accuracy(a: Float64, b: Float64) -> float | None:
    """Held-out accuracy of a classifier that tells a (n, d) from b (n, d); ½ = it cannot.

    The classifier two-sample test of Lopez-Paz and Oquab 2017, arXiv:1610.06545, with an RBF-SVM in
    place of their networks and 5-fold cross-validation in place of one holdout. None for fewer than
    ten points a side.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if min(len(a), len(b)) < 2 * FOLDS:
        return None
    x = np.concatenate([a, b])
    side = np.repeat([0, 1], [len(a), len(b)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), SVC(C=10.0))
    return float(cross_val_score(model, x, side, cv=folds, scoring="balanced_accuracy").mean())
