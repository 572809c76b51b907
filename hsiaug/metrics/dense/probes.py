"""Per-pixel probes: classifiers of spectra that learn from real training tiles only, and judge masks by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.distances import spectral_angle
from hsiaug.metrics.spectra import Space, at_most, fit_space

Float32 = NDArray[np.float32]
Array = NDArray[np.float64]

AXES = 16
PIXELS = 12_000
"""Training pixels that a probe learns from, about; classes in the proportion of the tiles."""

FEWEST = 50
"""Pixels of a class that a probe learns from at least, where there are as many."""

LEAST = 1e-4
"""No probe is surer than this: one confident mistake must not outweigh a tile."""

ROWS = 65_536


@dataclass(frozen=True, eq=False)
class Probes:
    """A space of pixels and the probes in it, learnt from real training tiles.

    ids: (c,) class ids that had two training pixels. classes: C. models: by name, with predict_proba.
    """

    space: Space
    ids: NDArray[np.int64]
    classes: int
    models: dict[str, Any]

    def proba(self, images: Float32) -> list[Float32]:
        """(n, C, H, W) float32 p(class | pixel) of images (n, T, B, H, W), by each probe."""
        maps = _features(images, self.space)
        n, k, high, wide = maps.shape
        rows = np.moveaxis(maps, 1, -1).reshape(-1, k)
        answers = []
        for model in self.models.values():
            known = np.concatenate([model.predict_proba(rows[i : i + ROWS]) for i in range(0, len(rows), ROWS)])
            full = np.full((len(rows), self.classes), LEAST, dtype=np.float32)
            full[:, self.ids - 1] = np.maximum(known, LEAST)
            full /= full.sum(axis=1, keepdims=True)
            answers.append(np.moveaxis(full.reshape(n, high, wide, self.classes), -1, 1))
        return answers


def pixel_maps(images: Float32) -> Array:
    """(n, D, H, W) inputs of a probe: the spectrum; of two dates both, their difference, its size, angle and length."""
    if images.shape[1] == 1:
        return images[:, 0].astype(np.float64)
    before, after = images[:, 0].astype(np.float64), images[:, 1].astype(np.float64)
    angle = spectral_angle(np.moveaxis(before, 1, -1), np.moveaxis(after, 1, -1))
    length = np.linalg.norm(np.moveaxis(after - before, 1, -1), axis=-1)
    change = np.stack([angle, length], axis=1)
    return np.concatenate([before, after, after - before, np.abs(after - before), change], axis=1)


def _features(images: Float32, space: Space) -> Float32:
    """(n, 2k, H, W): scores on the principal axes, of the pixel and of the mean of the 3×3 pixels about it."""
    from scipy.ndimage import uniform_filter

    parts = []
    for i in range(0, len(images), 16):
        maps = np.moveaxis(pixel_maps(images[i : i + 16]), 1, -1)
        parts.append(np.moveaxis(space.project(maps), -1, 1).astype(np.float32))
    scores = np.concatenate(parts)
    around = uniform_filter(scores, size=(1, 1, 3, 3), mode="nearest")
    return np.concatenate([scores, around], axis=1)


def fit_probes(train: DenseSamples, classes: int, seed: int = 0) -> Probes:
    """A shrinkage LDA and boosted trees over spectrum and 3×3 mean of labelled pixels of real training tiles.

    Classes weigh as in the tiles. The same ``seed`` gives the same probes. Raises InputError where fewer than two classes
    are labelled.
    """
    rng = np.random.default_rng(derive_seed("dense probes", seed))
    if len(_learnable(train.masks)) < 2:
        raise InputError("probes need two classes of two pixels in the training tiles", hint="Label more of them.")
    space = fit_space(_pixels(train, rng), AXES)
    return _fit(train, space, classes, rng)


def _pixels(train: DenseSamples, rng: np.random.Generator) -> Array:
    """(pixels, D) inputs of a probe of some labelled pixels of each tile."""
    most = max(1, 2 * PIXELS // len(train))
    x = []
    for image, mask in zip(train.images, train.masks, strict=True):
        places = np.flatnonzero(mask.ravel() != IGNORE)
        places = rng.permutation(places)[:most]
        maps = pixel_maps(image[None])[0]
        x.append(maps.reshape(len(maps), -1)[:, places].T)
    return np.concatenate(x)


def _learnable(masks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The classes of at least two pixels: one has no spread."""
    ids, counts = np.unique(masks[masks != IGNORE], return_counts=True)
    return ids[counts > 1]


def _fit(train: DenseSamples, space: Space, classes: int, rng: np.random.Generator) -> Probes:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.ensemble import HistGradientBoostingClassifier

    maps = _features(train.images, space)
    k = maps.shape[1]
    every = np.flatnonzero(np.isin(train.masks.ravel(), _learnable(train.masks)))
    y = train.masks.ravel()[every]
    ids, counts = np.unique(y, return_counts=True)
    # Classes in the proportion of the tiles, but for the rarest: weights would make the trees ten times slower.
    some = rng.permutation(len(y))[:PIXELS]
    rare = at_most(y, FEWEST, rng)
    rows = np.union1d(some, rare)
    x = np.moveaxis(maps, 1, -1).reshape(-1, k)[every[rows]]
    y = y[rows]
    share = counts / counts.sum()
    models: dict[str, Any] = {
        "lda": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=share).fit(x, y),
        "trees": HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=15, min_samples_leaf=10, l2_regularization=1.0, early_stopping=False,
            random_state=int(rng.integers(2**31)),
        ).fit(x, y),
    }  # fmt: skip
    return Probes(space, ids, classes, models)
