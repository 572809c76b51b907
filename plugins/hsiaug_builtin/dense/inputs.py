"""Tiles and masks as a network reads them, and how it is trained, as hyper-parameters. NumPy
only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, InputError, PluginError, defaults, param
from hsiaug_builtin.named_files import weights_file
from hsiaug_builtin.nets.recipe import Budget

IGNORED = -100
"""Target of a pixel without a label: what cross-entropy leaves out."""

SMALLEST = 16
"""Pixels: a tile's shortest side."""

RANDOM, IMAGENET = "random", "imagenet"
"""Weights that the encoder of a network may begin with, beside those of a file."""


def weights_param() -> str:
    """The parameter that names the weights of an encoder."""
    value: str = param(
        RANDOM,
        "initial weights of the encoder: random, imagenet (downloaded once from"
        " huggingface.co), or the path of a file (.safetensors, .pt)",
        added=True,
    )
    return value


def checked_weights(weights: str) -> str:
    """The same; a file with the checksum of its content, so that other weights are other
    parameters: ``resnet18.pt#1f2e…``.

    Raises
    ------
    InputError
        As :func:`file_of_weights`.
    """
    return weights if weights in (RANDOM, IMAGENET) else _file(weights)[1]


def file_of_weights(weights: str) -> Path:
    """The file that weights name, with a checksum or without.

    Raises
    ------
    InputError
        For a file that is not there or cannot be read, or holds another content than the checksum
        says.
    """
    return _file(weights)[0]


def _file(weights: str) -> tuple[Path, str]:
    """The file, and its name with the checksum of its content."""
    file = weights_file(weights, "weights=")
    if file is None:
        raise InputError(
            "the weights of an encoder must be random, imagenet or a file that is there",
            value=repr(weights),
            hint="Correct the path, or write weights=random.",
        )
    return file


@dataclass(frozen=True)
@defaults(decay=0.01)
class DenseRecipe(Budget):
    """The budget and the loss."""

    batch: int = param(8, "tiles per step, drawn with replacement", low=2)
    class_weights: bool = param(
        False, "weigh classes by 1/√(their share of the labelled pixels) in the cross-entropy"
    )
    dice: float = param(0.0, "weight of the Dice loss, added to the cross-entropy", low=0)
    centre: bool = param(False, "take each band's mean off each date of each tile")


@dataclass(frozen=True, eq=False)
class BandScale:
    """Mean and standard deviation of each band. Both (B,) float32, in the data's units; (2·B,) with
    ``unit``.

    Attributes
    ----------
    centre : bool
        Whether each date of each tile also loses its own mean of each band.
    unit : bool
        Whether spectra divided by their norm follow as further bands.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    centre: bool = False
    unit: bool = False

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images (n, T, B, H, W) in the data's units → z-scored, float32; (n, T, 2·B, H, W) with
        ``unit``.

        Raises PluginError for tiles of another number of bands or too small for the networks.
        """
        bands = len(self.mean) // (2 if self.unit else 1)
        if images.shape[2] != bands or min(images.shape[-2:]) < SMALLEST:
            raise PluginError(
                f"tiles must have {bands} bands and at least {SMALLEST} pixels a side",
                value=f"images of shape {images.shape}",
                hint="Give it the bands that it was trained on, and cut larger tiles.",
            )
        images = with_unit(images) if self.unit else images
        scaled = (images - self.mean[:, None, None]) / self.std[:, None, None]
        if self.centre:
            scaled -= scaled.mean(axis=(3, 4), keepdims=True)
        return np.asarray(scaled, dtype=np.float32)


def unit_norm(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tiles (n, T, B, H, W) with the spectra of each date divided by their norm."""
    return np.asarray(images / np.maximum(np.linalg.norm(images, axis=2, keepdims=True), 1e-12))


def with_unit(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, T, 2·B, H, W): the bands of tiles (n, T, B, H, W), then those of :func:`unit_norm`."""
    return np.concatenate([images, unit_norm(images)], axis=2)


def heaviest_distinct(
    values: NDArray[np.float32], weight: NDArray[np.floating]
) -> NDArray[np.int64]:
    """The rows of values (n, k) that differ, the heaviest first: of equal ones that with the
    largest weight (n,).

    Tiles may overlap, and would show the pixels of their middles more often than those of their
    margins.
    """
    order = np.argsort(-weight, kind="stable")
    rows: NDArray[np.int64] = order[np.sort(np.unique(values[order], axis=0, return_index=True)[1])]
    return rows


def lost_by_overlap(
    weight: NDArray[np.floating], synthetic: NDArray[np.bool_], rows: NDArray[np.integer]
) -> tuple[float, float]:
    """How many times as much as those of ``rows`` all real pixels weigh, and all synthetic ones,
    which do not overlap.

    Parameters
    ----------
    weight, synthetic : (n,) floating
    """
    weight_of_rows = weight[rows]
    synthetic_rows = synthetic[rows]
    real, other = (
        weight[synthetic == side].sum() / max(weight_of_rows[synthetic_rows == side].sum(), 1e-12)
        for side in (False, True)
    )
    return float(real), float(other)


def fit_scale(images: NDArray[np.float32], centre: bool, unit: bool = False) -> BandScale:
    """Statistics of all pixels of both dates of images (n, T, B, H, W); a constant band only loses
    its mean.

    One scale serves both dates, because siamese networks compare them.
    """
    images = with_unit(images) if unit else images
    # Band by band: all at once in float64 would take twice the memory of the tiles.
    bands = range(images.shape[2])
    mean = np.array([images[:, :, b].mean(dtype=np.float64) for b in bands])
    std = np.array([images[:, :, b].std(dtype=np.float64) for b in bands])
    return BandScale(
        mean.astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32), centre, unit
    )


@dataclass(frozen=True, eq=False)
class TrainingTiles:
    """The tiles that a network may draw, all with a label and a weight above 0.

    Attributes
    ----------
    images : (n, T, B, H, W) float32
        In the data's units.
    target : (n, H, W) int64
        Output index, or IGNORED.
    weight : (n,) float64
    synthetic : (n,) bool
    classes : (k,) int64
        Class ids of the outputs: those with a labelled pixel.
    share : (k,) float64
        Their shares of the labelled pixels, tiles counted by weight.
    """

    images: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    classes: NDArray[np.int64]
    share: NDArray[np.float64]


def training_tiles(samples: DenseSamples, class_count: int) -> TrainingTiles:
    """The tiles to learn from, of samples with class ids 1..``class_count``.

    Tiles without weight or without any label are left out: a batch of them alone would have no
    loss. Raises PluginError where nothing is left, or where a mask has another id.
    """
    ids = np.unique(samples.masks)
    if len(ids) and (ids[0] < 0 or ids[-1] > class_count):
        raise PluginError(
            f"masks must hold class ids 1..{class_count}, or 0 for no label",
            value=f"ids {ids[0]}..{ids[-1]}",
            hint="Correct the plugin that made the masks.",
        )
    usable = np.flatnonzero((samples.weight > 0) & (samples.masks > 0).any(axis=(1, 2)))
    if not len(usable):
        raise PluginError(
            "a segmenter needs a tile with a weight above 0 and a labelled pixel",
            value=f"{len(samples)} tiles without",
            hint="Give it real tiles, or synthetic ones with labels.",
        )
    masks = samples.masks[usable]
    weight = samples.weight[usable].astype(np.float64)
    mass = _mass(masks, weight, class_count)
    classes = np.flatnonzero(mass) + 1
    output = np.full(class_count + 1, IGNORED, dtype=np.int64)
    output[classes] = np.arange(len(classes))
    share = mass[classes - 1] / mass.sum()
    images = samples.images if len(usable) == len(samples) else samples.images[usable]
    return TrainingTiles(images, output[masks], weight, samples.synthetic[usable], classes, share)


def _mass(ids: NDArray[np.int64], weight: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(count,) labelled pixels of ids 1..``count`` in masks (n, H, W), tiles counted by weight."""
    pixels = sum(
        w * np.bincount(m.ravel(), minlength=count + 1) for m, w in zip(ids, weight, strict=True)
    )
    return np.asarray(pixels, dtype=np.float64)[1:]
