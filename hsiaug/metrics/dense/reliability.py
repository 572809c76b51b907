"""Do synthetic masks fit their images? Judged without any training on synthetic tiles.

Pixels of real training tiles train the probes of :mod:`hsiaug.metrics.reliability`, those of real
held-out tiles show what real masks reach. Held-out tiles are test tiles, masks included: a
diagnosis after every fit, never a means to choose one.
"""

from collections.abc import Sequence

import numpy as np

from hsiaug.base.arrays import Float32, Float64, Int64
from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.dense.pieces import random_tiles
from hsiaug.metrics.measures import Measure, Measures, MeasureTable, note_of
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.metrics.reliability import PROBES, agreement, mean_interval
from hsiaug.metrics.spectra import Space, Spectra, at_most, fit_space, spectral_angle

AXES = 16
MIN_PIXELS_PER_CLASS = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""
TILES = 200
"""Tiles of a set that are used at most."""
LEARNT, JUDGED = 500, 10_000
"""Pixels that are used at most: of a class for the probes, of all held-out or synthetic tiles."""
OF_TILE = 100
"""Pixels that a single tile is judged by at most."""
BOUNDARIES: MeasureTable = {
    "boundaries": ("edges of masks that are edges of images", "%", "as held-out")
}


def dense_reliability(
    train: DenseSamples,
    held_out: DenseSamples,
    synthetic: DenseSamples,
    *,
    classes: int,
    seed: int = 0,
) -> Measures:
    """Judge the masks of synthetic tiles, pixel by pixel and at their boundaries.

    ``agreement``: share of pixels whose class probes of real pixels confirm. A pixel is its scores
    on the principal axes and the mean of these over the 3×3 pixels about it. ``boundaries``: how
    surely the difference of two neighbouring pixels' spectra tells a boundary of the mask from
    none, the area under the ROC curve. Intervals draw whole tiles. The same ``seed`` gives the same
    numbers.

    Raises InputError where fewer than two classes have 30 pixels in both real sets.
    """
    rng = np.random.default_rng(derive_seed("dense reliability", seed))
    ids = _judged_classes(train, held_out, classes)
    made_classes = set(np.unique(synthetic.masks).tolist())
    notes = note_of("not judged, for want of real pixels", made_classes - {IGNORE, *ids})
    notes += note_of("never made", set(ids) - made_classes)
    train, held_out, synthetic = (
        tiles.take(random_tiles(len(tiles), TILES, rng)) for tiles in (train, held_out, synthetic)
    )
    space, learnt = _learnt(train, ids, rng)
    real_pixels, _ = _pixels(held_out, ids, space)
    real_pixels = real_pixels.take(rng.permutation(len(real_pixels))[:JUDGED])
    pixels, tiles = _pixels(synthetic, ids, space)
    judged = np.sort(rng.permutation(len(pixels))[:JUDGED])
    if len(np.unique(pixels.y[judged])) < 2:
        return Measures((), notes)
    confirmed = agreement(learnt, real_pixels, pixels.take(judged), rng, tiles[judged])
    return Measures((confirmed, _boundaries(held_out, synthetic, space, rng)), notes)


def tile_agreement(train: DenseSamples, synthetic: DenseSamples, *, classes: int) -> Float64:
    """(n,) the share of pixels of each synthetic tile whose class the probes confirm, 0..1; NaN
    where none is judged.

    No held-out tile is read: tiles may be chosen by it. Raises InputError as
    :func:`dense_reliability`.
    """
    rng = np.random.default_rng(derive_seed("tile agreement", 0))
    ids = _judged_classes(train, train, classes)
    train = train.take(random_tiles(len(train), TILES, rng))
    space, learnt = _learnt(train, ids, rng)
    pixels, tiles = _pixels(synthetic, ids, space)
    chosen = at_most(tiles, OF_TILE, rng)
    pixels = pixels.take(chosen)
    tiles = tiles[chosen]
    confirmed = np.empty(0)
    if len(pixels):
        confirmed = np.mean([fit(learnt)(pixels.x) == pixels.y for fit in PROBES], axis=0)
    judged = np.bincount(tiles, minlength=len(synthetic))
    share: Float64 = np.bincount(tiles, confirmed, len(synthetic)) / np.where(
        judged, judged, np.nan
    )
    return share


def _boundaries(
    held_out: DenseSamples, synthetic: DenseSamples, space: Space, rng: np.random.Generator
) -> Measure:
    """Mean area of tiles; with the masks of other synthetic tiles as what chance reaches."""

    def areas(tiles: DenseSamples, masks: Int64) -> Float64:
        found: Float64 = np.array(
            [
                _edge_area(space.project(np.moveaxis(_maps(image[None])[0], 0, -1)), mask)
                for image, mask in zip(tiles.images, masks, strict=True)
            ]
        )
        known: Float64 = found[np.isfinite(found)]
        return known

    value = areas(synthetic, synthetic.masks)
    others = areas(synthetic, np.roll(synthetic.masks, 1, axis=0))
    real = areas(held_out, held_out.masks)
    return Measure.of(
        BOUNDARIES,
        "boundaries",
        float(value.mean()) if len(value) else None,
        float(real.mean()) if len(real) else None,
        len(synthetic),
        permuted=float(others.mean()) if len(others) else None,
        interval=mean_interval(value, None, rng) if len(value) else None,
        few="no mask has a boundary",
    )


def _edge_area(scores: Float64, mask: Int64) -> float:
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


def _maps(images: Float32) -> Float64:
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


def _learnt(
    train: DenseSamples, ids: Sequence[int], rng: np.random.Generator
) -> tuple[Space, Spectra]:
    """The space of training pixels, and those of these classes that probes learn from."""
    most = max(1, 20_000 // len(train))
    x = []
    for image, mask in zip(train.images, train.masks, strict=True):
        places = rng.permutation(np.flatnonzero(mask.ravel() != IGNORE))[:most]
        maps = _maps(image[None])[0]
        x.append(maps.reshape(len(maps), -1)[:, places].T)
    space = fit_space(np.concatenate(x), AXES)
    learnt, _ = _pixels(train, ids, space)
    return space, learnt.take(at_most(learnt.y, LEARNT, rng))


def _pixels(tile_set: DenseSamples, ids: Sequence[int], space: Space) -> tuple[Spectra, Int64]:
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
