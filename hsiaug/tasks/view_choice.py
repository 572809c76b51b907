"""Choice of a split's spectral view: cross-validation inside its training pixels, by one judge for
all classifiers.

The judge is a support vector machine on centre spectra with fixed C and γ. It is shown the training
pixels and their labels, and nothing else: neither a test pixel nor a synthetic sample, so that
every configuration of a split gets the same view.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hsiaug.base.arrays import Float32, Float64, Int64
from hsiaug.core.samples import spread_rows
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO, VIEWS, best_view, view_or_raw
from hsiaug.protocol.view import TrainView

FOLDS = 2
"""Halves lie farthest apart, and what is asked is which view carries a class over a distance."""
COST, WIDTH = 10.0, 0.3
"""C of the judge, and its γ times the number of bands."""
MAX_PIXELS_PER_CLASS = 100
"""Training pixels of a class that the judge reads at most, evenly taken row by row."""


def view_scores(view: TrainView) -> dict[str, float]:
    """Mean recall over the classes, of training pixels that were held out, for each of ``VIEWS``;
    ``raw`` is first.

    view: of any scope; only ``coords``, ``y``, ``wavelengths`` and the spectra at ``coords`` are
    read. Where no class has two training pixels apart, every score is 0.
    """
    rows = _thin(view.y)
    coords = view.coords[rows].astype(np.int64)
    y = view.y[rows]
    fold = spatial_folds(coords, y, view.patch)
    spectra = view.pixels[coords[:, 0], coords[:, 1]]
    names = dict.fromkeys(view_or_raw(name, view.bands) for name in VIEWS)
    return {
        name: _score(SpectralView(name, view.wavelengths)(spectra, axis=1), y, fold)
        for name in names
    }


def choose_view(view: TrainView) -> SpectralView:
    """Choose the spectral view that ``--view auto`` gives a classifier.

    Parameters
    ----------
    view : TrainView
        Training pixels with raw spectra.

    Returns
    -------
    SpectralView
        The transform, with the scores by which it was chosen.

    See Also
    --------
    train_view_seen : applies the transform.
    spatial_folds : the folds of the cross-validation.
    """
    scores = view_scores(view)
    return SpectralView(best_view(scores), view.wavelengths, scores)


def named_view(
    name: str, wavelengths: Float64 | None, view: Callable[[], TrainView]
) -> SpectralView:
    """The spectral view of that name; of ``auto`` the one that suits the training pixels.

    Parameters
    ----------
    name : str
        One of ``VIEWS``, or ``auto``.
    wavelengths : (B,) float64 or None
        Band centres in nanometres, where they are known.
    view : callable
        Gives the train view that ``auto`` chooses by.
    """
    if name != AUTO:
        return SpectralView(name, wavelengths)
    return replace(choose_view(view()), wavelengths=wavelengths)


def spatial_folds(coords: Int64, y: Int64, patch: int) -> Int64:
    """Divide training pixels into folds in which neighbours stay together.

    Pixels of a class whose patches overlap form a group. Whole groups are assigned, the largest
    first, to the fold with the fewest pixels of the class. If a class has fewer groups than there
    are folds, the largest group is cut in two across its longer side, until there are enough.

    Parameters
    ----------
    coords : (n, 2) int64
        Rows and columns of the training pixels.
    y : (n,) int64
        Their class ids.
    patch : int
        Side of the patches in pixels.

    Returns
    -------
    (n,) int64
        Fold of each pixel, 0..FOLDS−1; −1 for the only pixel of a class.

    See Also
    --------
    choose_view : uses these folds.

    Examples
    --------
    >>> import numpy as np
    >>> from hsiaug.api import spatial_folds
    >>> coords = np.array([[0, 0], [0, 1], [40, 40], [40, 41]])
    >>> folds = spatial_folds(coords, np.ones(4, dtype=np.int64), 9)
    >>> len(set(folds.tolist())) > 1
    True
    """
    fold = np.full(len(y), -1, dtype=np.int64)
    for c in np.unique(y):
        members = np.flatnonzero(y == c)
        if len(members) < 2:
            continue
        sizes = [0] * FOLDS
        for group in sorted(
            _groups(coords[members], patch), key=lambda group: (-len(group), group[0])
        ):
            fewest = sizes.index(min(sizes))
            fold[members[group]] = fewest
            sizes[fewest] += len(group)
    return fold


def _groups(coords: Int64, patch: int) -> list[Int64]:
    """Indices into coords (n, 2), at least min(n, FOLDS) groups of them."""
    from scipy.sparse.csgraph import connected_components

    distances = np.abs(coords[:, None] - coords).max(axis=2)
    _, member = connected_components(distances < patch, directed=False)
    groups = [np.flatnonzero(member == k) for k in range(member.max() + 1)]
    while len(groups) < min(len(coords), FOLDS):
        groups.sort(key=lambda group: (-len(group), group[0]))
        groups += _halves(coords, groups.pop(0))
    return groups


def _halves(coords: Int64, group: Int64) -> list[Int64]:
    """A group cut across its longer side, as near to the middle as its pixels allow."""
    places = coords[group]
    longer = int(np.ptp(places[:, 1]) > np.ptp(places[:, 0]))
    order = group[np.lexsort((places[:, 1 - longer], places[:, longer]))]
    half = (len(order) + 1) // 2
    return [order[:half], order[half:]]


def _thin(y: Int64) -> Int64:
    """Indices of at most ``MAX_PIXELS_PER_CLASS`` pixels of each class."""
    chosen = [spread_rows(np.flatnonzero(y == c), MAX_PIXELS_PER_CLASS) for c in np.unique(y)]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def _score(x: Float32, y: Int64, fold: Int64) -> float:
    """Mean over the classes of the share of held-out pixels that the judge names."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    right = np.zeros(len(y), dtype=bool)
    for held_out in (fold == k for k in range(FOLDS) if (fold == k).any()):
        y_train = y[~held_out]
        if len(np.unique(y_train)) < 2:
            right[held_out] = y_train[0] == y[held_out]
            continue
        model = make_pipeline(
            StandardScaler(), SVC(C=COST, gamma=WIDTH / x.shape[1], random_state=0)
        )
        right[held_out] = model.fit(x[~held_out], y_train).predict(x[held_out]) == y[held_out]
    classes = np.unique(y[fold >= 0])
    return (
        float(np.mean([right[(y == c) & (fold >= 0)].mean() for c in classes]))
        if len(classes)
        else 0.0
    )
