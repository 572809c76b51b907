"""How like the real ones synthetic tiles and masks are: each number beside that of real held-out
tiles, of the same number.

Held-out tiles are test tiles: a diagnosis after every fit. Few tiles make coarse numbers, and
held-out tiles are often few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hsiaug.base.arrays import Float32, Float64
from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense import pieces
from hsiaug.metrics.dense.extractor import (
    EXTRACTOR,
    axis_maps,
    fit_axes,
    fit_image_space,
    image_features,
    mask_features,
    spectra_of,
)
from hsiaug.metrics.dense.pieces import random_tiles
from hsiaug.metrics.measures import (
    Measure,
    Measures,
    MeasureTable,
    Round,
    Values,
    average_rounds,
    note_of,
)
from hsiaug.metrics.neighbours import nearest_turned, rank_nearer
from hsiaug.metrics.spectra import Space, frechet_between, spectral_angle

REPEATS = 5
AUDITED = 8
"""Principal axes that copies are looked for on."""
MAX_TILES = 400
"""Tiles of a set that are used at most."""
COPY = 1e-3
"""A tile is a copy within this part of the usual distance of held-out tiles."""
WORST = 8
"""Likeliest copies that are stated."""

MEASURES: MeasureTable = {
    "fd_image": (f"Fréchet distance of images ({EXTRACTOR})", "", "lower"),
    "fd_image_1": (f"Fréchet distance of images, date 1 ({EXTRACTOR})", "", "lower"),
    "fd_image_2": (f"Fréchet distance of images, date 2 ({EXTRACTOR})", "", "lower"),
    "fd_mask": (f"Fréchet distance of masks ({EXTRACTOR})", "", "lower"),
    "msad": ("mSAD: angle between class means", "°", "lower"),
    "shares": ("total variation of class proportions", "", "lower"),
}
"""Label, unit, and what is good, by the name of a measure; the table's order."""
COPIES: MeasureTable = {
    "nearer": ("nearer to training than held-out are", "%", "50 %"),
    "copies": ("copies of training tiles, turned or not", "%", "lower"),
    **pieces.MEASURES,
}
"""The same of the audit of copies."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DenseFidelity(Measures):
    """Fidelity of tiles, with the likeliest copies and the shares and spectra of classes.

    Attributes
    ----------
    nearest : tuple of (int, int, float)
        (synthetic tile, training tile nearest to it, distance), the likeliest copies first, by
        index as handed in.
    by_class : mapping of int to mapping of str to float or None
        {class id: {"train", "held_out", "made": share of labelled pixels; "ratio": made /
        train; "angle": degrees between the mean spectra of all training and all made tiles}}.
    """

    by_class: Mapping[int, Mapping[str, float | None]]
    nearest: tuple[tuple[int, int, float], ...]

    def as_json(self) -> dict[str, Any]:
        """The entry in quality.json."""
        return {
            **super().as_json(),
            "extractor": EXTRACTOR,
            "by_class": {str(c): dict(row) for c, row in self.by_class.items()},
            "worst_pairs": [list(pair) for pair in self.nearest[:WORST]],
        }


def dense_fidelity(
    train: DenseSamples,
    held_out: DenseSamples,
    synthetic: DenseSamples,
    *,
    classes: int,
) -> DenseFidelity:
    """Compare real training, real held-out and synthetic tiles, all in the data's units.

    Both numbers of a measure are means over five random subsets of one size, that of the smallest
    set; the audit of copies takes all tiles up to 400. mSAD is that of SpecDM (arXiv:2502.17056,
    Table 1): the angle between mean spectra of a class, averaged over classes present in both sets.
    The Fréchet distance (formula: Dowson and Landau 1982) is over features of
    :mod:`hsiaug.metrics.dense.extractor`, no network's, and compares with no FID in a paper.
    Raises InputError for sets of fewer than two tiles or of unlike tiles.
    """
    sets = (train, held_out, synthetic)
    if min(map(len, sets)) < 2 or len({tiles.images.shape[1:] for tiles in sets}) > 1:
        raise InputError(
            "fidelity needs two tiles of each set, all of one shape",
            value=", ".join(str(tiles.images.shape) for tiles in sets),
            hint="Cut tiles of one size, and make more of them.",
        )
    rng = np.random.default_rng(derive_seed("dense fidelity", 0))
    index = [random_tiles(len(tiles), MAX_TILES, rng) for tiles in sets]
    train, held_out, synthetic = (tiles.take(i) for tiles, i in zip(sets, index, strict=True))
    sets = (train, held_out, synthetic)
    space = fit_image_space(sets[0], rng)
    features = _frechet_features(sets, space, classes, rng)
    spectra = [_ClassSums.of(tiles, classes) for tiles in sets]
    size = min(map(len, sets))
    rounds = [_round(features, spectra, size, rng) for _ in range(REPEATS)]
    audit, nearest = memory_audit(train.images, held_out.images, synthetic.images, space)
    by_class = _by_class(spectra)
    notes: tuple[str, ...] = ()
    for column, name in (("train", "training"), ("held_out", "held-out"), ("made", "synthetic")):
        missing = [c for c, row in by_class.items() if not row[column]]
        notes += note_of(f"without a pixel in the {name} tiles, and so not in mSAD", missing)
    return DenseFidelity(
        measures=(*average_rounds(MEASURES, rounds, "too few tiles or classes"), *audit),
        notes=notes,
        classes=tuple(c for c, row in by_class.items() if row["angle"] is not None),
        by_class=by_class,
        nearest=tuple((int(index[2][i]), int(index[0][j]), apart) for i, j, apart in nearest),
    )


def _frechet_features(
    sets: Sequence[DenseSamples], space: Space, classes: int, rng: np.random.Generator
) -> dict[str, list[Float64]]:
    """Features (n, d) of the three sets, on the axes of the training tiles, which come first, by
    the name of a distance.
    """
    blocks = {"fd_image": [image_features(tiles.images, space) for tiles in sets]}
    if sets[0].dates > 1:
        for t in range(sets[0].dates):
            dates = [tiles.images[:, [t]] for tiles in sets]
            of_date = fit_image_space(sets[0], rng, date=t)
            blocks[f"fd_image_{t + 1}"] = [image_features(images, of_date) for images in dates]
    blocks["fd_mask"] = [mask_features(tiles.masks, classes) for tiles in sets]
    return {name: [fit_axes(of[0]).scores(one) for one in of] for name, of in blocks.items()}


@dataclass(frozen=True, eq=False)
class _ClassSums:
    """Of each tile and class the sum of its spectra (n, C, D), and its pixels (n, C)."""

    sums: Float64
    pixels: Float64

    @classmethod
    def of(cls, tiles: DenseSamples, classes: int) -> "_ClassSums":
        ids = np.arange(1, classes + 1)[:, None]
        member = [(mask.reshape(1, -1) == ids).astype(np.float64) for mask in tiles.masks]
        sums = [m @ spectra_of(image) for m, image in zip(member, tiles.images, strict=True)]
        return cls(np.stack(sums), np.stack([m.sum(axis=1) for m in member]))

    def means(self, rows: Any = slice(None)) -> tuple[Float64, Float64]:
        """(C, D) mean spectrum of each class in some tiles, NaN where it has no pixel, and (C,) its
        share of the labelled pixels.
        """
        pixels = self.pixels[rows].sum(axis=0)
        means = self.sums[rows].sum(axis=0) / np.where(pixels > 0, pixels, np.nan)[:, None]
        return means, pixels / max(1.0, pixels.sum())


def _round(
    features: Mapping[str, Sequence[Float64]],
    spectra: Sequence[_ClassSums],
    size: int,
    rng: np.random.Generator,
) -> Round:
    """Synthetic and held-out tiles against training tiles, all of one number."""
    rows = [rng.permutation(len(one.pixels))[:size] for one in spectra]
    known, real, made = (one.means(some) for one, some in zip(spectra, rows, strict=True))
    values, floors = (_class_distances(known, other) for other in (made, real))
    for name, of_sets in features.items():
        drawn = [scores[some] for scores, some in zip(of_sets, rows, strict=True)]
        floors[name], values[name] = frechet_between(drawn)
    return values, floors, size


def _class_distances(known: tuple[Float64, Float64], other: tuple[Float64, Float64]) -> Values:
    """mSAD, and the total variation of class shares: 0 = alike, 1 = disjoint."""
    angles = _class_angles(known[0], other[0])
    shared = np.isfinite(angles)
    return {
        "msad": float(angles[shared].mean()) if shared.any() else None,
        "shares": float(np.abs(known[1] - other[1]).sum() / 2),
    }


def _class_angles(means: Float64, others: Float64) -> Float64:
    """(C,) degrees between mean spectra (C, D); NaN where either is not there."""
    shared = np.isfinite(means).all(axis=1) & np.isfinite(others).all(axis=1)
    angles = np.full(len(means), np.nan)
    angles[shared] = spectral_angle(means[shared], others[shared])
    return angles


def _by_class(spectra: Sequence[_ClassSums]) -> dict[int, dict[str, float | None]]:
    """The table of classes, over all tiles."""
    (known, train), (_, held_out), (other, made) = (one.means() for one in spectra)
    angles = _class_angles(known, other)
    return {
        c + 1: {
            "train": float(train[c]),
            "held_out": float(held_out[c]),
            "made": float(made[c]),
            "ratio": float(made[c] / train[c]) if train[c] else None,
            "angle": float(angles[c]) if np.isfinite(angles[c]) else None,
        }
        for c in range(len(train))
    }


def memory_audit(
    train: Float32, held_out: Float32, synthetic: Float32, space: Space
) -> tuple[tuple[Measure, ...], tuple[tuple[int, int, float], ...]]:
    """Are images (n, T, B, H, W) of one size copies? ``space`` is of spectra of both dates stacked,
    of training tiles.

    Distances are per pixel, on z-scored principal axes, the least over the 8 flips and rotations.

    Returns
    -------
    measures : tuple of Measure
        ``nearer``: share of (synthetic, held-out) pairs in which the synthetic tile is nearer to
        training. ``copies``: share of synthetic tiles within a thousandth of the usual distance of
        held-out ones. ``pieces``: share of pieces nearer to training pieces than 95 % of held-out
        ones are.
    nearest : tuple of (int, int, float)
        The nearest training tile of each synthetic one, as (synthetic, training, distance), the
        likeliest copies first.
    """
    known, real, made = (
        np.stack(list(axis_maps(images, space, AUDITED))) for images in (train, held_out, synthetic)
    )
    (apart, nearest), (apart_real, _) = (nearest_turned(maps, known) for maps in (made, real))
    side = np.sqrt(known.shape[2] * known.shape[3])
    apart = apart / side
    apart_real = apart_real / side
    limit = COPY * float(np.median(apart_real))
    near, near_held_out = pieces.near_pieces(train, held_out, synthetic)
    values: Values = {
        "nearer": rank_nearer(apart, apart_real),
        "copies": float((apart <= limit).mean()),
        **near,
    }
    floors: Values = {
        "nearer": 0.5,
        "copies": float((apart_real <= limit).mean()),
        **near_held_out,
    }
    measures = average_rounds(COPIES, [(values, floors, len(synthetic))])
    order = np.argsort(apart, kind="stable")
    return measures, tuple((int(i), int(nearest[i]), float(apart[i])) for i in order)
