"""Whether whole patches that a generator made repeat those that it was shown, in ``hsiaug inspect``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.metrics.measures import FidelityMeasure, MeasureTable, average_rounds
from hsiaug.metrics.patch_distances import PatchReference, PatchSpace, block_means
from hsiaug.metrics.spectra import at_most
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.quality.synthesis import PixelSynthesis

MOST, POOL = 100, 30_000
"""Patches of a class, made or left out, and patches of the pool that are compared at most."""
PIXELS = 5000
"""Pixels that the space of the comparison is fitted on."""

MEASURES: MeasureTable = {
    "nearer_training": ("patches nearer to training than held-out are", "%", "50 %"),
    "copies_training": ("patches that copy training patches", "%", "lower"),
    "nearer_pool": ("patches nearer to the pool than held-out are", "%", "50 %"),
    "copies_pool": ("patches that copy patches of the pool", "%", "lower"),
}


def measure_nearness(made: PixelSynthesis, view: TrainView) -> tuple[tuple[FidelityMeasure, ...], tuple[str, ...]]:
    """Distances of whole patches to the nearest that the generator saw, beside those of held-out ones of their class; and
    notes on what was left out.

    view: of the generator. Its unlabelled pixels are the pool; without any, rows of the pool are left out.
    """
    rng = np.random.default_rng(derive_seed("patch nearness", 0))
    scene, held = made.data, made.split.test.copy()
    rows, columns = _some(np.argwhere(view.visible), PIXELS, rng).T
    space = PatchSpace.fit(scene.cube[rows, columns])
    scores, pool = space.scores(scene.cube), _some(view.unlabelled, POOL, rng)
    if len(pool):
        seen = np.zeros_like(held)
        seen[tuple(view.unlabelled.T)] = True
        held &= seen
    left = np.argwhere(held)
    y = scene.labels[held].astype(np.int64)
    chosen = at_most(y, MOST, rng)
    training, known, apart = (
        (block_means(patches_at(scores, at, view.patch)), at) for at in (view.coords, pool, left[chosen])
    )
    reference = PatchReference.of(training, known, apart, y[chosen], view.patch)
    some = made.synthetic.take(at_most(made.synthetic.y, MOST, rng))
    values, floors = reference.measure(space.reduce(some.x), some.y)
    table = {name: entry for name, entry in MEASURES.items() if name in values}
    measures = average_rounds(table, [[(values, floors, len(some))]], "no held-out patch to compare with")
    large = len(view.unlabelled) > len(pool)
    return measures, (f"of {len(view.unlabelled)} patches of the pool {len(pool)} were compared",) if large else ()


def _some(rows: NDArray[np.integer], most: int, rng: np.random.Generator) -> NDArray[np.integer]:
    """At most so many of the rows (n, ...), in their order."""
    return rows[np.sort(rng.choice(len(rows), size=min(most, len(rows)), replace=False))]
