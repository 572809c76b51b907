"""specfd-1: features of tiles and of masks for Fréchet distances. A number means nothing under another extractor id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.dense.layout import adjacency, class_shares
from hsiaug.metrics.dense.references import spectra_of
from hsiaug.metrics.distances import frechet, shrunk_covariance
from hsiaug.metrics.spectra import Space, fit_space
from hsiaug.seeds import derive_seed
from hsiaug.tiles import DenseSamples

__all__ = ["EXTRACTOR", "Extractor", "fit_extractor", "frechet_between", "image_features", "mask_features"]

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

EXTRACTOR = "specfd-1"
"""Any change of what follows needs a new id."""

AXES = 16
WIDTHS = (16, 32, 32)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
PIXELS = 20_000
MOST_FEATURES = 64
BATCH = 16


@dataclass(frozen=True, eq=False)
class Extractor:
    """space: principal axes of training spectra, both dates stacked. classes: C."""

    space: Space
    classes: int


def fit_extractor(train: DenseSamples, classes: int, rng: np.random.Generator) -> Extractor:
    """The axes that images are put on; the filters are fixed."""
    most = max(1, PIXELS // len(train))
    parts = [spectra_of(image) for image in train.images]
    x = np.concatenate([part[rng.permutation(len(part))[:most]] for part in parts])
    return Extractor(fit_space(x, AXES), classes)


def image_features(images: Float32, extractor: Extractor) -> Array:
    """(n, F) float64 features of images (n, T, B, H, W).

    Mean, standard deviation and five quantiles of each band of each date; logarithms of the eigenvalues of the
    tile's covariance on the 16 axes; means and standard deviations of three layers of 3×3 filters, drawn once from a
    Gaussian, over the axes, each layer at half the resolution of the one before.
    """
    n, high, wide = len(images), *images.shape[3:]
    rows = []
    for start in range(0, n, BATCH):
        part = images[start : start + BATCH]
        flat = part.reshape(len(part), -1, high * wide).astype(np.float64)
        scores = np.stack([extractor.space.project(spectra_of(image)) for image in part])  # (b, H·W, k)
        centred = scores - scores.mean(axis=1, keepdims=True)
        covariance = np.swapaxes(centred, 1, 2) @ centred / scores.shape[1]
        maps = np.swapaxes(scores, 1, 2).reshape(len(part), -1, high, wide)
        bands = [flat.mean(axis=2), flat.std(axis=2), *np.quantile(flat, QUANTILES, axis=2)]
        eigenvalues = np.log(np.linalg.eigvalsh(covariance).clip(1e-6))
        rows.append(np.concatenate([*bands, eigenvalues, _random_filters(maps, "image")], axis=1))
    return np.concatenate(rows)


def mask_features(masks: NDArray[np.int64], extractor: Extractor) -> Array:
    """(n, F) float64 of masks (n, H, W): class shares, which classes meet, and random filters over the one-hot mask."""
    classes = extractor.classes
    upper = np.triu_indices(classes, 1)
    shares = np.stack([class_shares(mask, classes) for mask in masks])
    meet = np.stack([2 * adjacency(mask[None], classes)[upper] for mask in masks])
    rows = []
    for start in range(0, len(masks), BATCH):
        part = masks[start : start + BATCH]
        rows.append(
            _random_filters((part[:, None] == np.arange(classes + 1)[:, None, None]).astype(float), "mask")
        )
    return np.concatenate([shares, meet, np.concatenate(rows)], axis=1)


def frechet_between(features: Sequence[Array]) -> tuple[float, float]:
    """Fréchet distances of the first set (n, F) to the second and to the third, all of one size n ≥ 2.

    z-scored and put on min(64, n/10) principal axes of the first; Ledoit–Wolf covariances.
    """
    known = features[0]
    std = known.std(axis=0)
    std[std < 1e-9] = 1.0
    z = [(x - known.mean(axis=0)) / std for x in features]
    axes = np.linalg.svd(z[0], full_matrices=False)[2]
    scores = [x @ axes[: max(1, min(MOST_FEATURES, len(known) // 10))].T for x in z]
    laws = [(x.mean(axis=0), np.atleast_2d(shrunk_covariance(x))) for x in scores]
    return frechet(*laws[0], *laws[1]), frechet(*laws[0], *laws[2])


def _random_filters(maps: Array, of: str) -> Array:
    """(n, 2·(16 + 32 + 32)) means and standard deviations of the layers over maps (n, C, H, W)."""
    found = []
    x = maps
    for layer, width in enumerate(WIDTHS):
        rng = np.random.default_rng(derive_seed(EXTRACTOR, of, layer, x.shape[1]))
        weights = rng.normal(0, np.sqrt(2 / (9 * x.shape[1])), (x.shape[1] * 9, width))
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(*x.shape[:1], *x.shape[2:], -1)
        out = np.moveaxis(np.maximum(columns @ weights, 0), -1, 1)
        found += [out.mean(axis=(2, 3)), out.std(axis=(2, 3))]
        x = _halved(out)
    return np.concatenate(found, axis=1)


def _halved(x: Array) -> Array:
    high, wide = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    if min(high, wide) < 2:
        return x
    halved: Array = x[:, :, :high, :wide].reshape(*x.shape[:2], high // 2, 2, wide // 2, 2).mean(axis=(3, 5))
    return halved
