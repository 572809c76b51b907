"""specfd-2: features of tiles and of masks for Fréchet distances. A number means nothing under
another extractor id.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hsiaug.base.arrays import Float32, Float64, Int64
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.spectra import Space, fit_space

Blocks = tuple[Float64, ...]
"""Features of one kind each, (n, F_i)."""

EXTRACTOR = "specfd-2"
"""Any change of what follows needs a new id."""

AXES = 16
WIDTHS = (16, 32, 32)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
PIXELS = 20_000
MOST_FEATURES = 64
BATCH = 16


def spectra_of(image: Float32) -> Float64:
    """(H·W, T·B) float64 spectra of a tile (T, B, H, W), one date after the other."""
    stacked = image.reshape(-1, image.shape[2] * image.shape[3])
    return stacked.T.astype(np.float64)


def fit_image_space(
    train: DenseSamples, rng: np.random.Generator, date: int | None = None
) -> Space:
    """The principal axes that images are put on, of spectra with both dates stacked or of one date;
    the filters are fixed.
    """
    most = max(1, PIXELS // len(train))
    images = train.images if date is None else train.images[:, [date]]
    spectra_of_tiles = [spectra_of(image) for image in images]
    x = np.concatenate(
        [spectra[rng.permutation(len(spectra))[:most]] for spectra in spectra_of_tiles]
    )
    return fit_space(x, AXES)


def axis_maps(images: Float32, space: Space, most: int) -> Iterator[Float64]:
    """(most, H, W) scores of each image on the first of the axes."""
    for image in images:
        stacked = np.moveaxis(image.reshape(-1, *image.shape[2:]), 0, -1).astype(np.float64)
        yield np.moveaxis(space.project(stacked)[..., :most], -1, 0)


def image_features(images: Float32, space: Space) -> Blocks:
    """Features of images (n, T, B, H, W), kind by kind, float64.

    Mean, standard deviation and five quantiles of each band of each date; logarithms of the
    eigenvalues of the tile's covariance on the 16 axes; means and standard deviations of three
    layers of 3×3 filters, drawn once from a Gaussian, over the axes, each layer at half the
    resolution of the one before.
    """
    n, high, wide = len(images), *images.shape[3:]
    rows = []
    for start in range(0, n, BATCH):
        batch = images[start : start + BATCH]
        flat = batch.reshape(len(batch), -1, high * wide).astype(np.float64)
        scores = np.stack([space.project(spectra_of(image)) for image in batch])  # (b, H·W, k)
        centred = scores - scores.mean(axis=1, keepdims=True)
        covariance = np.swapaxes(centred, 1, 2) @ centred / scores.shape[1]
        maps = np.swapaxes(scores, 1, 2).reshape(len(batch), -1, high, wide)
        bands = [flat.mean(axis=2), flat.std(axis=2), *np.quantile(flat, QUANTILES, axis=2)]
        eigenvalues = np.log(np.linalg.eigvalsh(covariance).clip(1e-6))
        rows.append([*bands, eigenvalues, *_random_filters(maps, "image")])
    return tuple(np.concatenate(kind) for kind in zip(*rows, strict=True))


def mask_features(masks: Int64, classes: int) -> Blocks:
    """Features of masks (n, H, W), kind by kind: class shares, which classes meet, filters over the
    one-hot mask.
    """
    upper = np.triu_indices(classes, 1)
    counts = np.stack([np.bincount(mask.ravel(), minlength=classes + 1)[1:] for mask in masks])
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    meet = np.stack([2 * adjacency(mask, classes)[upper] for mask in masks])
    rows = []
    for start in range(0, len(masks), BATCH):
        batch = masks[start : start + BATCH]
        rows.append(_random_filters(one_hot(batch, classes).astype(np.float64), "mask"))
    return (shares, meet, *(np.concatenate(kind) for kind in zip(*rows, strict=True)))


def one_hot(masks: Int64, classes: int) -> Float32:
    """(n, C + 1, H, W) masks (n, H, W) as maps of 0 and 1, ignored pixels first."""
    maps: Float32 = (masks[:, None] == np.arange(classes + 1)[:, None, None]).astype(np.float32)
    return maps


def adjacency(mask: Int64, classes: int) -> Float64:
    """(C, C) symmetric shares of the pairs of 4-neighbours of a mask (H, W) that show two different
    classes; zeros where none do.
    """
    counts = np.zeros((classes + 1, classes + 1))
    for a, b in ((mask[:, 1:], mask[:, :-1]), (mask[1:], mask[:-1])):
        apart = (a != b) & (a != IGNORE) & (b != IGNORE)
        np.add.at(counts, (a[apart], b[apart]), 1)
    counts = (counts + counts.T)[1:, 1:]
    shares: Float64 = counts / max(1.0, counts.sum())
    return shares


@dataclass(frozen=True, eq=False)
class _FeatureAxes:
    """Axes of features.

    Attributes
    ----------
    mean, scale : Blocks or tuple of float
        Of each kind.
    axes : (F, d) array
        d = min(64, n/10) for n training tiles.
    """

    mean: Blocks
    scale: tuple[float, ...]
    axes: Float64

    def scores(self, features: Blocks) -> Float64:
        """(n, d) of features (n, F_i)."""
        parts = zip(features, self.mean, self.scale, strict=True)
        return np.concatenate([(x - mean) / scale for x, mean, scale in parts], axis=1) @ self.axes


def fit_axes(training: Blocks) -> _FeatureAxes:
    """The principal axes of training features, in which every kind has the same variance in all.

    Each kind is divided by one number, not feature by feature: a filter that next to no training
    tile sets off, or a class that next to none shows, would otherwise be worth as much as all
    others, and its first sight decide the distance.
    """
    mean = tuple(x.mean(axis=0) for x in training)
    scale = tuple(float(np.sqrt(x.var(axis=0).sum())) or 1.0 for x in training)
    whole = np.concatenate(
        [(x - m) / s for x, m, s in zip(training, mean, scale, strict=True)], axis=1
    )
    axes = np.linalg.svd(whole, full_matrices=False)[2]
    return _FeatureAxes(mean, scale, axes[: max(1, min(MOST_FEATURES, len(whole) // 10))].T)


def _random_filters(maps: Float64, of: str) -> list[Float64]:
    """(n, 16), (n, 32), (n, 32) means of the layers over maps (n, C, H, W), each followed by its
    standard deviations.
    """
    features = []
    x = maps
    for layer, width in enumerate(WIDTHS):
        rng = np.random.default_rng(derive_seed(EXTRACTOR, of, layer, x.shape[1]))
        weights = rng.normal(0, np.sqrt(2 / (9 * x.shape[1])), (x.shape[1] * 9, width))
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
        out = np.maximum(filtered(padded, weights), 0)
        features += [out.mean(axis=(2, 3)), out.std(axis=(2, 3))]
        x = halved(out)
    return features


def filtered(x: Float64, weights: Float64) -> Float64:
    """(n, width, H − 2, W − 2) responses of 3×3 filters (C·9, width) to maps (n, C, H, W)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    columns = windows.transpose(0, 2, 3, 1, 4, 5)
    responses: Float64 = np.moveaxis(columns.reshape(*columns.shape[:3], -1) @ weights, -1, 1)
    return responses


def halved(x: Float64) -> Float64:
    """Maps (n, C, H, W) at half their resolution; those of one pixel a side as they are."""
    high = x.shape[2] // 2 * 2
    wide = x.shape[3] // 2 * 2
    if min(high, wide) < 2:
        return x
    halved: Float64 = (
        x[:, :, :high, :wide].reshape(*x.shape[:2], high // 2, 2, wide // 2, 2).mean(axis=(3, 5))
    )
    return halved
