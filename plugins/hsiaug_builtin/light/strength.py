"""How strong a change of spectra the classes of a view bear: validation inside its training
pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import SpectralView, TrainView, spatial_folds, told_apart
from hsiaug_builtin.nets.svm import fit_machine

TOLERANCE = 0.01
"""Recall that a strength may cost."""
COST = 10.0
"""C of the judge."""
REACH = 0.3
"""γ of the judge times the number of bands."""
COPIES = 4
"""Changed spectra per training pixel that the judge learns from."""
MAX_PIXELS_PER_CLASS = 50
"""Training pixels of a class that the judge learns from at most."""
SEED = 0

Change = Callable[[NDArray[np.int64], np.random.Generator], NDArray[np.float32]]
"""Rows of the training pixels (n,) → their changed spectra (n, B)."""


def strongest(
    view: TrainView, changes: Mapping[float, Change]
) -> tuple[float, dict[str, float], bool]:
    """The largest strength that costs at most ``TOLERANCE`` of held-out recall; all recalls;
    whether the judge can tell.

    The least strength where none costs so little, and where the judge cannot tell: no strength's
    recall differs from that with plain copies by more than its standard error over the halves of
    the classes (:func:`hsiaug.api.told_apart`), or no class has training pixels enough to be cut in
    two. In a clump the judge names what it holds out at any strength.

    The judge, an RBF support vector machine, learns from one spatial half of the training pixels of
    each class and its changed copies, and names the other half; spectra have unit norm, as
    brightness alone is what a spectral view takes away. Recalls are means over the classes, 0..1,
    by strength; "0" is with plain copies.
    """
    coords = view.coords.astype(np.int64)
    y = view.y
    fold = spatial_folds(coords, y, view.patch)
    unit = SpectralView("unit")
    spectra = view.cube[coords[:, 0], coords[:, 1]]
    real = unit(spectra, axis=1)
    halves = [
        (y == c) & (fold == k)
        for c in np.unique(y)
        for k in np.unique(fold[(y == c) & (fold >= 0)])
    ]
    if not halves:
        return min(changes), {}, False

    def right(change: Change) -> NDArray[np.bool_]:
        rng = np.random.default_rng(SEED)
        right = np.zeros(len(y), dtype=bool)
        for k in np.unique(fold[fold >= 0]):
            held_out = np.flatnonzero(fold == k)
            learnt = _thin(y, fold != k)
            copied = np.repeat(learnt, COPIES)
            x = np.concatenate([real[learnt], unit(change(copied, rng), axis=1)])
            target = np.concatenate([y[learnt], y[copied]])
            mean = real[learnt].mean(axis=0)
            std = np.maximum(real[learnt].std(axis=0), 1e-9)
            weight = np.ones(len(x), dtype=np.float32)
            machine = fit_machine((x - mean) / std, target, weight, cost=COST, reach=REACH)
            named = machine.classes[machine.scores((real[held_out] - mean) / std).argmax(axis=1)]
            right[held_out] = named == y[held_out]
        return right

    correct = {0.0: right(lambda rows, rng: spectra[rows])}
    correct |= {strength: right(change) for strength, change in changes.items()}
    recall = {
        s: float(np.mean([r[(y == c) & (fold >= 0)].mean() for c in np.unique(y[fold >= 0])]))
        for s, r in correct.items()
    }
    tells = any(
        told_apart([r[half].mean() - correct[0.0][half].mean() for half in halves])
        for r in correct.values()
    )
    borne = [
        strength for strength in changes if tells and recall[strength] >= recall[0.0] - TOLERANCE
    ]
    return (
        max(borne, default=min(changes)),
        {f"{s:g}": round(r, 3) for s, r in recall.items()},
        tells,
    )


def _thin(y: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows in the mask, of each class ``MAX_PIXELS_PER_CLASS`` at most, evenly taken."""
    rows = []
    for c in np.unique(y):
        members = np.flatnonzero(mask & (y == c))
        rows.append(
            members[
                np.linspace(0, len(members) - 1, min(len(members), MAX_PIXELS_PER_CLASS))
                .round()
                .astype(np.int64)
            ]
        )
    return np.sort(np.concatenate(rows))
