"""Do made masks fit made images? R1 and R2 of docs/quality.md on tiles, without any training
on made tiles.

Pixels of real training tiles train the probes, those of real held-out tiles give the ceiling and
the calibration, as in :mod:`hsiaug.metrics.reliability`; the floor is made pixels with the labels
of others. Held-out tiles are test tiles, masks included: a diagnosis after every fit, never a means
to choose one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.calibration import FLAT, LEVELS, LabelScore, Reliability, why_silent
from hsiaug.metrics.dense.tile_maps import random_tiles
from hsiaug.metrics.measures import note_of
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.metrics.reliability import PROBES, ROUNDS, agreement_score, guesses_of
from hsiaug.metrics.spectra import Space, Spectra, at_most, fit_space, spectral_angle

Float32 = NDArray[np.float32]
Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MAIN = "pixels"

AXES = 16
MIN_PIXELS_PER_CLASS = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""
TILES = 200
"""Tiles of a set that are used at most."""
LEARNT, JUDGED = 500, 10_000
"""Pixels that are used at most: of a class for the probes, of all held-out or made tiles."""
OF_TILE = 100
"""Pixels that a single tile is judged by at most."""


def dense_reliability(
    train: DenseSamples,
    held_out: DenseSamples,
    synthetic: DenseSamples,
    *,
    classes: int,
    seed: int = 0,
) -> Reliability:
    """Judge the masks of made tiles by per-pixel probes that are trained on real ones.

    R1: train on real, test on synthetic (GAN-test, Shmelkov et al. 2018, arXiv:1807.09499). A pixel
    is its scores on the principal axes and the mean of these over the 3×3 pixels about it.
    Intervals draw whole made tiles.

    R2, boundary agreement: how surely the difference of two neighbouring pixels' spectra tells a
    boundary of the mask from none, the area under the ROC curve. Its floor are masks of other
    tiles, and so is the damage of its calibration. The same ``seed`` gives the same report.

    Raises InputError where fewer than two classes have 30 pixels in both real sets.
    """
    rng = np.random.default_rng(derive_seed("dense reliability", seed))
    ids = _judged_classes(train, held_out, classes)
    shown_classes = set(np.unique(synthetic.masks).tolist())
    notes = note_of("not judged, for want of real pixels", shown_classes - {IGNORE, *ids})
    notes += note_of("never made", set(ids) - shown_classes)
    train = train.take(random_tiles(len(train), TILES, rng))
    held_out = held_out.take(random_tiles(len(held_out), TILES, rng))
    synthetic = synthetic.take(random_tiles(len(synthetic), TILES, rng))
    space, learnt = _learnt(train, ids, rng)
    held_out_pixels, held_out_tiles = _pixels(held_out, ids, space)
    synthetic_pixels, synthetic_tiles = _pixels(synthetic, ids, space)
    judged = rng.permutation(len(held_out_pixels))[:JUDGED]
    held_out_pixels = held_out_pixels.take(judged)
    held_out_tiles = held_out_tiles[judged]
    judged = np.sort(rng.permutation(len(synthetic_pixels))[:JUDGED])
    synthetic_pixels = synthetic_pixels.take(judged)
    synthetic_tiles = synthetic_tiles[judged]
    if len(np.unique(synthetic_pixels.y)) < 2:
        return Reliability((), 0, len(held_out), notes)
    guesses = guesses_of(learnt, (synthetic_pixels, held_out_pixels))
    tiles = (synthetic_tiles, held_out_tiles)
    score = agreement_score(
        MAIN,
        "R1 probe agreement, of pixels",
        synthetic_pixels,
        held_out_pixels,
        *guesses,
        rng,
        tiles,
    )
    edges = _boundary_score(held_out, synthetic, space, rng)
    return Reliability((score, *edges), len(synthetic), len(held_out), notes)


def tile_agreement(train: DenseSamples, synthetic: DenseSamples, *, classes: int) -> Array:
    """(n,) the share of pixels of each made tile whose class the probes of R1 confirm, 0..1; NaN
    where none is judged.

    No held-out tile is read: tiles may be chosen by it. Raises InputError as
    :func:`dense_reliability`.
    """
    rng = np.random.default_rng(derive_seed("tile agreement", 0))
    ids = _judged_classes(train, train, classes)
    train = train.take(random_tiles(len(train), TILES, rng))
    space, learnt = _learnt(train, ids, rng)
    synthetic_pixels, tiles = _pixels(synthetic, ids, space)
    chosen = at_most(tiles, OF_TILE, rng)
    synthetic_pixels = synthetic_pixels.take(chosen)
    tiles = tiles[chosen]
    agreement = np.empty(0)
    if len(synthetic_pixels):
        agreement = np.mean(
            [fit(learnt)(synthetic_pixels.x) == synthetic_pixels.y for fit in PROBES], axis=0
        )
    judged = np.bincount(tiles, minlength=len(synthetic))
    share: Array = np.bincount(tiles, agreement, len(synthetic)) / np.where(judged, judged, np.nan)
    return share


def _boundary_score(
    held_out: DenseSamples, synthetic: DenseSamples, space: Space, rng: np.random.Generator
) -> list[LabelScore]:
    """R2; none where no held-out or no made tile has a boundary.

    Its curve is a line: held-out tiles, more and more of which have the mask of another tile, which
    makes q % of all pixels wrong, and ``most`` where all have. It is read where the line falls in
    95 % of the rounds. These draw whole tiles of both sets.
    """

    def areas(tile_set: DenseSamples, masks: Ints) -> Array:
        scores = (
            space.project(np.moveaxis(_maps(image[None])[0], 0, -1)) for image in tile_set.images
        )
        return 100 * np.array([_edge_area(*tile) for tile in zip(scores, masks, strict=True)])

    swapped, moved = (np.roll(tile_set.masks, 1, axis=0) for tile_set in (held_out, synthetic))
    wrong = (held_out.masks != swapped) & (held_out.masks != IGNORE) & (swapped != IGNORE)
    tiles = np.stack(
        [areas(held_out, held_out.masks), areas(held_out, swapped), 100 * wrong.mean(axis=(1, 2))]
    )
    tiles = tiles[:, np.isfinite(tiles).all(axis=0)]
    areas_of_synthetic, floor = (
        row[np.isfinite(row)]
        for row in (areas(synthetic, synthetic.masks), areas(synthetic, moved))
    )
    if not (tiles.size and areas_of_synthetic.size and floor.size):
        return []
    rows, others = (
        rng.integers(n, size=(ROUNDS, n)) for n in (tiles.shape[1], len(areas_of_synthetic))
    )
    ceiling, ceiling_of_swapped, most = np.concatenate(
        [tiles.mean(axis=1)[:, None], tiles[:, rows].mean(axis=2)], axis=1
    )
    value = np.array([areas_of_synthetic.mean(), *areas_of_synthetic[others].mean(axis=1)])
    falls = ceiling - ceiling_of_swapped
    why = why_silent(value[0], ceiling[0], floor.mean(), value[1:], ceiling[1:])
    why = why if np.mean(falls > 0) >= 0.95 else FLAT
    wrong_shares = most * np.clip((ceiling - value) / np.where(falls > 0, falls, np.nan), 0, 1)
    return [
        LabelScore(
            "boundaries",
            "R2 boundary agreement",
            float(value[0]),
            float(ceiling[0]),
            float(floor.mean()),
            r=float((value[0] - floor.mean()) / (ceiling[0] - floor.mean())),
            wrong=None if why else float(wrong_shares[0]),
            wrong_interval=(
                None if why else tuple(np.nanpercentile(wrong_shares[1:], [2.5, 97.5]).tolist())
            ),
            spearman=None if why == FLAT else -1.0,
            curve=tuple(
                (ceiling[0] - falls[0] * np.minimum(1, np.array(LEVELS) / most[0])).tolist()
            ),
            n=len(synthetic),
            why=why,
        )
    ]


def _edge_area(scores: Array, mask: Ints) -> float:
    """0..1: chance that two neighbours of unlike classes differ more, in scores (H, W, k), than two
    of one class; NaN without such neighbours.
    """
    steps = []
    unlike = []
    for axis in (0, 1):
        a, b = (np.delete(mask, end, axis) for end in (0, -1))
        labelled = (a != IGNORE) & (b != IGNORE)
        steps.append(np.linalg.norm(np.diff(scores, axis=axis), axis=-1)[labelled])
        unlike.append((a != b)[labelled])
    step = np.concatenate(steps)
    apart = np.concatenate(unlike)
    return rank_nearer(step[~apart], step[apart]) if 0 < apart.sum() < len(apart) else np.nan


def _judged_classes(train: DenseSamples, held_out: DenseSamples, classes: int) -> tuple[int, ...]:
    """The ids of the classes with pixels enough in both sets."""
    counts = [
        np.bincount(tiles.masks.ravel(), minlength=classes + 1)[1:] for tiles in (train, held_out)
    ]
    ids = tuple((np.flatnonzero(np.minimum(*counts) >= MIN_PIXELS_PER_CLASS) + 1).tolist())
    if len(ids) < 2:
        raise InputError(
            f"two classes need {MIN_PIXELS_PER_CLASS} labelled pixels in training and in held-out"
            " tiles",
            value=f"classes {ids}",
            hint="Use more tiles.",
        )
    return ids


def _maps(images: Float32) -> Array:
    """(n, D, H, W) the spectrum of each pixel; of two dates both, their difference, its size, angle
    and length.
    """
    if images.shape[1] == 1:
        return images[:, 0].astype(np.float64)
    before = images[:, 0].astype(np.float64)
    after = images[:, 1].astype(np.float64)
    angle = spectral_angle(np.moveaxis(before, 1, -1), np.moveaxis(after, 1, -1))
    length = np.linalg.norm(np.moveaxis(after - before, 1, -1), axis=-1)
    change = np.stack([angle, length], axis=1)
    return np.concatenate([before, after, after - before, np.abs(after - before), change], axis=1)


def _inputs(train: DenseSamples, rng: np.random.Generator) -> Array:
    """(pixels, D) some labelled pixels of each training tile."""
    most = max(1, 20_000 // len(train))
    x = []
    for image, mask in zip(train.images, train.masks, strict=True):
        places = rng.permutation(np.flatnonzero(mask.ravel() != IGNORE))[:most]
        maps = _maps(image[None])[0]
        x.append(maps.reshape(len(maps), -1)[:, places].T)
    return np.concatenate(x)


def _learnt(
    train: DenseSamples, ids: Sequence[int], rng: np.random.Generator
) -> tuple[Space, Spectra]:
    """The space of training pixels, and those of these classes that probes learn from."""
    space = fit_space(_inputs(train, rng), AXES)
    learnt, _ = _pixels(train, ids, space)
    return space, learnt.take(at_most(learnt.y, LEARNT, rng))


def _pixels(tile_set: DenseSamples, ids: Sequence[int], space: Space) -> tuple[Spectra, Ints]:
    """The pixels (n, 2k) of these classes, and the tile (n,) of each."""
    from scipy.ndimage import uniform_filter

    x = []
    y = []
    tiles = []
    for i, (image, mask) in enumerate(zip(tile_set.images, tile_set.masks, strict=True)):
        scores = space.project(np.moveaxis(_maps(image[None])[0], 0, -1))  # (H, W, k)
        around = uniform_filter(scores, size=(3, 3, 1), mode="nearest")
        of_classes = np.isin(mask, ids)
        x.append(np.concatenate([scores, around], axis=-1)[of_classes])
        y.append(mask[of_classes])
        tiles.append(np.full(of_classes.sum(), i))
    return Spectra(np.concatenate(x), np.concatenate(y)), np.concatenate(tiles)
