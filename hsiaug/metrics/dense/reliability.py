"""Do made masks fit made images? R1 of docs/quality.md on the pixels of tiles, without any training on made tiles.

Pixels of real training tiles train the probes, those of real held-out tiles give the ceiling and the calibration, as in
:mod:`hsiaug.metrics.reliability`; the floor is made pixels with the labels of others. Held-out tiles are test tiles,
masks included: a diagnosis after every fit, never a means to choose one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.calibration import Reliability
from hsiaug.metrics.distances import spectral_angle
from hsiaug.metrics.reliability import agreement_score, guesses_of
from hsiaug.metrics.spectra import Space, Spectra, at_most, fit_space

Float32 = NDArray[np.float32]
Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MAIN = "pixels"

AXES = 16
FEWEST = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""
TILES = 200
"""Tiles of a set that are used at most."""
LEARNT, JUDGED = 500, 10_000
"""Pixels that are used at most: of a class for the probes, of all held-out or made tiles."""


def dense_reliability(
    train: DenseSamples, held: DenseSamples, made: DenseSamples, *, classes: int, seed: int = 0
) -> Reliability:
    """Judge the masks of made tiles by per-pixel probes that are trained on real ones.

    R1: train on real, test on synthetic (GAN-test, Shmelkov et al. 2018, arXiv:1807.09499). A pixel is its scores on the
    principal axes and the mean of these over the 3×3 pixels about it. Intervals draw whole made tiles. The same ``seed``
    gives the same report. Raises InputError where fewer than two classes have 30 pixels in both real sets.
    """
    rng = np.random.default_rng(derive_seed("dense reliability", seed))
    ids = _judged_classes(train, held, classes)
    notes = tuple(_notes(ids, made))
    sets = [part.take(np.sort(rng.permutation(len(part))[:TILES])) for part in (train, held, made)]
    space = fit_space(_inputs(sets[0], rng), AXES)
    (known, _), (real, _), (new, tiles) = (_pixels(part, ids, space) for part in sets)
    known, real = known.take(at_most(known.y, LEARNT, rng)), real.take(rng.permutation(len(real))[:JUDGED])
    some = np.sort(rng.permutation(len(new))[:JUDGED])
    new, tiles = new.take(some), tiles[some]
    if len(np.unique(new.y)) < 2:
        return Reliability((), 0, len(sets[1]), notes)
    score = agreement_score(
        MAIN, "R1 probe agreement, of pixels", new, real, *guesses_of(known, (new, real)), rng, tiles
    )
    return Reliability((score,), len(sets[2]), len(sets[1]), notes)


def _judged_classes(train: DenseSamples, held: DenseSamples, classes: int) -> tuple[int, ...]:
    """The ids of the classes with pixels enough in both sets."""
    counts = [np.bincount(part.masks.ravel(), minlength=classes + 1)[1:] for part in (train, held)]
    ids = tuple((np.flatnonzero(np.minimum(*counts) >= FEWEST) + 1).tolist())
    if len(ids) < 2:
        raise InputError(
            f"two classes need {FEWEST} labelled pixels in training and in held-out tiles",
            value=f"classes {ids}",
            hint="Use more tiles.",
        )
    return ids


def _maps(images: Float32) -> Array:
    """(n, D, H, W) the spectrum of each pixel; of two dates both, their difference, its size, angle and length."""
    if images.shape[1] == 1:
        return images[:, 0].astype(np.float64)
    before, after = images[:, 0].astype(np.float64), images[:, 1].astype(np.float64)
    angle = spectral_angle(np.moveaxis(before, 1, -1), np.moveaxis(after, 1, -1))
    length = np.linalg.norm(np.moveaxis(after - before, 1, -1), axis=-1)
    change = np.stack([angle, length], axis=1)
    return np.concatenate([before, after, after - before, np.abs(after - before), change], axis=1)


def _inputs(train: DenseSamples, rng: np.random.Generator) -> Array:
    """(pixels, D) some labelled pixels of each training tile."""
    most, x = max(1, 20_000 // len(train)), []
    for image, mask in zip(train.images, train.masks, strict=True):
        places = rng.permutation(np.flatnonzero(mask.ravel() != IGNORE))[:most]
        maps = _maps(image[None])[0]
        x.append(maps.reshape(len(maps), -1)[:, places].T)
    return np.concatenate(x)


def _pixels(part: DenseSamples, ids: Sequence[int], space: Space) -> tuple[Spectra, Ints]:
    """The pixels (n, 2k) of these classes, and the tile (n,) of each."""
    from scipy.ndimage import uniform_filter

    x, y, tiles = [], [], []
    for i, (image, mask) in enumerate(zip(part.images, part.masks, strict=True)):
        scores = space.project(np.moveaxis(_maps(image[None])[0], 0, -1))  # (H, W, k)
        around = uniform_filter(scores, size=(3, 3, 1), mode="nearest")
        known = np.isin(mask, ids)
        x.append(np.concatenate([scores, around], axis=-1)[known])
        y.append(mask[known])
        tiles.append(np.full(known.sum(), i))
    return Spectra(np.concatenate(x), np.concatenate(y)), np.concatenate(tiles)


def _notes(ids: Sequence[int], made: DenseSamples) -> list[str]:
    shown = set(np.unique(made.masks).tolist())
    missing = {
        "not judged, for want of real pixels": shown - {IGNORE, *ids},
        "never made": set(ids) - shown,
    }
    return [f"{why}: class {', '.join(map(str, sorted(found)))}" for why, found in missing.items() if found]
