"""Counts per tile from which every label score follows: sums over tiles, so that a bootstrap only re-weights tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.tiles import IGNORE
from hsiaug.metrics.accuracy import grouped_confusion
from hsiaug.metrics.dense.layout import neighbours
from hsiaug.metrics.dense.probes import Probes, evidence
from hsiaug.metrics.dense.references import References
from hsiaug.metrics.distances import spectral_angle

__all__ = ["REACH", "SHIFTS", "Counts", "ProbedTiles", "edge_cells", "look", "tally"]

Float32 = NDArray[np.float32]
Array = NDArray[np.float64]
Masks = NDArray[np.int64]

Counts = Mapping[str, Array]
"""Sums over tiles of the counts of :func:`tally`. Every array has the same leading shape: one entry per set."""

REACH = 4
"""Masks are shifted by up to this many pixels each way."""

SHIFTS = [(dy, dx) for dy in range(-REACH, REACH + 1) for dx in range(-REACH, REACH + 1)]

CELLS = 64
"""Cells of the histograms that areas under ROC curves are taken from."""


@dataclass(frozen=True, eq=False)
class ProbedTiles:
    """All that the probes say of some images, whatever their masks.

    guesses: (probes, n, H, W) uint8 class ids. guess: (n, H, W) uint8, by the mean of the probes. nearest: (n, H, W)
    uint8 class of least Mahalanobis distance. moments: (n, H·W, 1 + k + k(k+1)/2) float32, 1, scores, and their products.
    across, down: (n, H, W-1) and (n, H-1, W) uint8 cells of the angle between neighbours. change: (n, 2, H, W) uint8
    cells of the signs of change; None for one date. classes: C.
    """

    guesses: NDArray[np.uint8]
    guess: NDArray[np.uint8]
    nearest: NDArray[np.uint8]
    moments: Float32
    across: NDArray[np.uint8]
    down: NDArray[np.uint8]
    change: NDArray[np.uint8] | None
    classes: int


def edge_cells(images: Float32) -> tuple[Array, Array]:
    """(n, H, W-1) and (n, H-1, W) degrees between neighbouring pixels; of two dates, of the change between them."""
    x = images[:, 0] if images.shape[1] == 1 else images[:, 1] - images[:, 0]
    x = np.moveaxis(x, 1, -1).astype(np.float64)
    if images.shape[1] == 2:
        # A difference near nought has no direction worth the name: its length counts, not its angle.
        across, down = (np.linalg.norm(a - b, axis=-1) for a, b in neighbours(x))
    else:
        across, down = (spectral_angle(a, b) for a, b in neighbours(x))
    return across, down


def look(images: Float32, probes: Probes, references: References) -> ProbedTiles:
    """Put images (n, T, B, H, W) to the probes."""
    answers = probes.proba(images)
    scores, nearest = references.judge(images)
    k = scores.shape[-1]
    upper = np.triu_indices(k)
    products = scores[..., upper[0]] * scores[..., upper[1]]
    across, down = (np.digitize(g, references.edge_bounds).astype(np.uint8) for g in edge_cells(images))
    change = None
    if images.shape[1] == 2:
        signs = evidence(images)
        cells = [np.digitize(signs[:, i], references.change_bounds[i]) for i in (0, 1)]
        change = np.stack(cells, axis=1).astype(np.uint8)
    return ProbedTiles(
        guesses=np.stack([a.argmax(axis=1) + 1 for a in answers]).astype(np.uint8),
        guess=(np.mean(answers, axis=0).argmax(axis=1) + 1).astype(np.uint8),
        nearest=nearest,
        moments=np.concatenate([np.ones_like(scores[..., :1]), scores, products], axis=-1).astype(np.float32),
        across=across,
        down=down,
        change=change,
        classes=probes.classes,
    )


def tally(view: ProbedTiles, masks: Masks) -> dict[str, Float32]:
    """Counts (n, ...) of each tile under masks (n, H, W). Unlabelled pixels count nowhere.

    confusion: (probes, C, C) pixels by label and guess. right: (3,) labelled pixels, those that the mean of the probes
    confirms, and those nearest to their class. shifts: (81, 2) pixels and right ones, the mask shifted. edges: (2, CELLS)
    of the angle of neighbours of one class, and of two. moments: of each class, the sums of those of its pixels. change:
    (2, 2, CELLS) as edges, of its signs, in 1 and in 2.
    """
    classes = view.classes
    valid = masks != IGNORE
    tile = np.broadcast_to(np.arange(len(masks))[:, None, None], masks.shape)[valid]
    right = [valid, (view.guess == masks) & valid, (view.nearest == masks) & valid]
    counts = {
        "confusion": np.stack(
            [grouped_confusion(tile, len(masks), masks[valid], g[valid], classes) for g in view.guesses], axis=1
        ),
        "right": np.stack([part.sum(axis=(1, 2)) for part in right], axis=1),
        "shifts": _shifted(masks.astype(np.uint8), view.guess),
        "edges": _edges(view, masks),
        "moments": _moments(view, masks, classes),
    }
    if view.change is not None:
        signs = [_histograms(view.change[:, i], masks == 1, masks == 2) for i in (0, 1)]
        counts["change"] = np.stack(signs, axis=1)
    # They are many: one set for every damage.
    return {name: part.astype(np.float32) for name, part in counts.items()}


def _shifted(masks: NDArray[np.uint8], guess: NDArray[np.uint8]) -> Array:
    """(n, shifts, 2) labelled pixels and right ones, the mask moved by (dy, dx), over the tile's middle."""
    n, high, wide = masks.shape
    if min(high, wide) <= 2 * REACH:
        return np.zeros((n, len(SHIFTS), 2))
    centre = guess[:, REACH : high - REACH, REACH : wide - REACH]
    counts = np.empty((n, len(SHIFTS), 2))
    for i, (dy, dx) in enumerate(SHIFTS):
        moved = masks[:, REACH - dy : high - REACH - dy, REACH - dx : wide - REACH - dx]
        counts[:, i, 0] = np.count_nonzero(moved, axis=(1, 2))
        counts[:, i, 1] = np.count_nonzero(moved == centre, axis=(1, 2))
    return counts


def _edges(view: ProbedTiles, masks: Masks) -> Array:
    counts = np.zeros((len(masks), 2, CELLS))
    for cells, (a, b) in zip((view.across, view.down), neighbours(masks), strict=True):
        both = (a != IGNORE) & (b != IGNORE)
        counts += _histograms(cells, both & (a == b), both & (a != b))
    return counts


def _histograms(cells: NDArray[np.uint8], off: NDArray[np.bool_], on: NDArray[np.bool_]) -> Array:
    """(n, 2, CELLS) counts of the cells where ``off``, and where ``on``."""
    n = len(cells)
    where = np.where(on, 1, np.where(off, 0, 2))
    place = (np.arange(n)[:, None, None] * 3 + where) * CELLS + cells
    return np.bincount(place.ravel(), minlength=n * 3 * CELLS).reshape(n, 3, CELLS)[:, :2].astype(np.float64)


def _moments(view: ProbedTiles, masks: Masks, classes: int) -> Array:
    member = (masks.reshape(len(masks), 1, -1) == np.arange(1, classes + 1)[:, None]).astype(np.float32)
    sums: Array = np.matmul(member, view.moments)
    return sums
