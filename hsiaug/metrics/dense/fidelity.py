"""How like the real ones made tiles and masks are: each number beside its floor, and with n.

The **floor** is the same measure between real training and real held-out tiles, of the same number:
what a perfect generator could reach on this split. Held-out tiles are test tiles: a diagnosis after
every fit.

Few tiles make coarse numbers, and held-out tiles are often few. Two generators are better compared
by the measures over **all** tiles, of some hundred made ones: the Fréchet distances among them are
freed of the number of tiles by extrapolation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.samples import Indexable
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
from hsiaug.metrics.dense.tile_maps import random_tiles
from hsiaug.metrics.measures import (
    Measures,
    MeasureTable,
    Round,
    Values,
    average_rounds,
    note_of,
)
from hsiaug.metrics.neighbours import COPY, nearest_turned, rank_nearer
from hsiaug.metrics.spectra import Space, frechet_between, spectral_angle

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

REPEATS = 5
SIZES = 8
AUDITED = 8
"""Principal axes that copies are looked for on."""
MAX_TILES = 400
"""Tiles of a set that are used at most."""

WORST = 8
"""Likeliest copies that are told."""

TOO_FEW = "too few tiles or classes"

MEASURES: MeasureTable = {
    "fd_image": (f"Fréchet distance of images ({EXTRACTOR})", "", "lower"),
    "fd_image_1": (f"Fréchet distance of images, date 1 ({EXTRACTOR})", "", "lower"),
    "fd_image_2": (f"Fréchet distance of images, date 2 ({EXTRACTOR})", "", "lower"),
    "fd_mask": (f"Fréchet distance of masks ({EXTRACTOR})", "", "lower"),
    "msad": ("mSAD: angle between class means", "°", "lower"),
    "shares": ("total variation of class shares", "", "lower"),
    "fd_image_all": (f"Fréchet distance of images, all tiles, n → ∞ ({EXTRACTOR})", "", "lower"),
    "fd_mask_all": (f"Fréchet distance of masks, all tiles, n → ∞ ({EXTRACTOR})", "", "lower"),
    "msad_all": ("mSAD, all tiles", "°", "lower"),
    "shares_all": ("total variation of class shares, all tiles", "", "lower"),
    "nearer": ("nearer to training than held-out are", "%", "50 %"),
    "copying": ("data-copying statistic C_T", "", "higher"),
    "copies": ("copies of training tiles, turned or not", "%", "lower"),
    **pieces.MEASURES,
}
"""Label, unit, and what is good, by the name of a measure; the table's order."""
BY_DATE = ("fd_image_1", "fd_image_2")
"""Measures of each date apart, of tiles of two dates."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DenseFidelity(Measures):
    """Fidelity of tiles, with the likeliest copies and the shares and spectra of classes.

    Attributes
    ----------
    nearest : tuple of (int, int, float)
        (made tile, training tile nearest to it, distance), the likeliest copies first, by index
        as handed in.
    by_class : mapping of int to mapping of str to float or None
        {class id: {"train", "held_out", "made": share of labelled pixels; "ratio": made /
        train; "angle": degrees between the mean spectra of all training and all made tiles}}.
    """

    by_class: Mapping[int, Mapping[str, float | None]]
    nearest: tuple[tuple[int, int, float], ...]

    def as_json(self) -> dict[str, object]:
        """The entry in quality.json."""
        by_class = {str(c): dict(row) for c, row in self.by_class.items()}
        pairs = [list(pair) for pair in self.nearest[:WORST]]
        return {
            **super().as_json(),
            "extractor": EXTRACTOR,
            "by_class": by_class,
            "worst_pairs": pairs,
        }


def dense_fidelity(
    train: DenseSamples,
    held_out: DenseSamples,
    synthetic: DenseSamples,
    *,
    classes: int,
) -> DenseFidelity:
    """Compare real training, real held-out and made tiles, all in the data's units.

    Value and floor are means over five random subsets of one size, that of the smallest set; what
    is called "all" and the audit of copies take all tiles up to 400. mSAD is that of SpecDM
    (arXiv:2502.17056, Table 1): the angle between mean spectra of a class, averaged over classes
    present in both sets. The Fréchet distance (formula: Dowson and Landau 1982) is over features of
    :mod:`hsiaug.metrics.dense.extractor`, no network's, and compares with no FID in a paper; over
    all tiles it is what the distance of N tiles to all training tiles tends to as 1/N → 0 (FID∞:
    Chong and Forsyth, CVPR 2020).
    Raises InputError for sets of fewer than two tiles or of unlike tiles.
    """
    sets = (train, held_out, synthetic)
    if min(map(len, sets)) < 2 or len({tiles.images.shape[1:] for tiles in sets}) > 1:
        rule = "fidelity needs two tiles of each set, all of one shape"
        hint = "Cut tiles of one size, and make more of them."
        raise InputError(
            rule, value=", ".join(str(tiles.images.shape) for tiles in sets), hint=hint
        )
    rng = np.random.default_rng(derive_seed("dense fidelity", 0))
    index = [random_tiles(len(tiles), MAX_TILES, rng) for tiles in sets]
    train, held_out, synthetic = (tiles.take(i) for tiles, i in zip(sets, index, strict=True))
    space = fit_image_space(train, rng)
    train_features, held_out_features, synthetic_features = _features(
        [train, held_out, synthetic], space, classes
    )
    size = min(len(train), len(held_out), len(synthetic))
    drawn = [
        _round(
            [
                features.draw(size, rng)
                for features in (train_features, held_out_features, synthetic_features)
            ],
            size,
        )
        for _ in range(REPEATS)
    ]
    dated = _rounds_by_date(train, held_out, synthetic, size) if train.dates > 1 else []
    audit, nearest = memory_audit(train.images, held_out.images, synthetic.images, space)
    everything: Round = (
        _over_all(train_features, synthetic_features, rng),
        _over_all(train_features, held_out_features, rng),
        len(synthetic),
    )
    left_out = set(pieces.MEASURES) - set(audit[0]) | set(() if dated else BY_DATE)
    table = {name: row for name, row in MEASURES.items() if name not in left_out}
    groups = [drawn, [everything], [audit], *([dated] if dated else [])]
    measures = average_rounds(table, groups, TOO_FEW, every=True)
    shares = [one.class_shares for one in (train_features, held_out_features, synthetic_features)]
    by_class, notes = _classes(shares, _angles(train_features, synthetic_features))
    pairs = tuple((int(index[2][i]), int(index[0][j]), distance) for i, j, distance in nearest)
    compared = tuple(c for c, row in by_class.items() if row["angle"] is not None)
    return DenseFidelity(
        measures=measures, notes=notes, classes=compared, by_class=by_class, nearest=pairs
    )


def _rounds_by_date(
    train: DenseSamples, held_out: DenseSamples, synthetic: DenseSamples, size: int
) -> list[Round]:
    """Fréchet distances of the images of each date, in subsets of one size.

    The measures of both dates together have a random generator of their own, so that these do not
    change them.
    """
    rng = np.random.default_rng(derive_seed("dense fidelity by date", 0))
    scores = {}
    for place, name in enumerate(BY_DATE):
        sets = [
            replace(tiles, images=tiles.images[:, [place]])
            for tiles in (train, held_out, synthetic)
        ]
        space = fit_image_space(sets[0], rng)
        features = [image_features(tiles.images, space) for tiles in sets]
        axes = fit_axes(features[0])
        scores[name] = [axes.scores(blocks) for blocks in features]
    rounds: list[Round] = []
    for _ in range(REPEATS):
        rows = [rng.permutation(len(tiles))[:size] for tiles in (train, held_out, synthetic)]
        values: Values = {}
        floors: Values = {}
        for name, scores_of_sets in scores.items():
            drawn = [
                scores_of_set[index]
                for scores_of_set, index in zip(scores_of_sets, rows, strict=True)
            ]
            floors[name], values[name] = frechet_between(drawn)
        rounds.append((values, floors, size))
    return rounds


@dataclass(frozen=True, eq=False)
class _Features(Indexable):
    """Per tile: scores for Fréchet, sums of spectra (n, C, D), pixels (n, C)."""

    image: Array
    mask: Array
    sums: Array
    pixels: Array

    def draw(self, n: int, rng: np.random.Generator) -> "_Features":
        """Features of n random tiles."""
        return self.take(rng.permutation(len(self.pixels))[:n])

    @property
    def class_pixels(self) -> Array:
        """(C,) pixels of each class in all tiles."""
        pixels: Array = self.pixels.sum(axis=0)
        return pixels

    @property
    def class_shares(self) -> Array:
        """(C,) share of each class of the labelled pixels; zeros where none is labelled."""
        pixels = self.class_pixels
        shares: Array = pixels / max(1.0, pixels.sum())
        return shares


def _features(sets: Sequence[DenseSamples], space: Space, classes: int) -> list[_Features]:
    """Features of the training tiles, which come first, and of the others, on the training tiles'
    axes.
    """
    images = [image_features(tiles.images, space) for tiles in sets]
    masks = [mask_features(tiles.masks, classes) for tiles in sets]
    image_axes = fit_axes(images[0])
    mask_axes = fit_axes(masks[0])
    features = []
    for tiles, image, mask in zip(sets, images, masks, strict=True):
        ids = np.arange(1, classes + 1)[:, None]
        member = [(labels.reshape(1, -1) == ids).astype(np.float64) for labels in tiles.masks]
        sums = np.stack(
            [m @ spectra_of(tile) for m, tile in zip(member, tiles.images, strict=True)]
        )
        pixels = np.stack([m.sum(axis=1) for m in member])
        scores = image_axes.scores(image), mask_axes.scores(mask)
        features.append(_Features(*scores, sums, pixels))
    return features


def _round(some: Sequence[_Features], n: int) -> Round:
    """Made and held-out tiles against training tiles, all of one number."""
    train_features, held_out_features, synthetic_features = some
    values = _compare(train_features, synthetic_features)
    floors = _compare(train_features, held_out_features)
    floors["fd_image"], values["fd_image"] = frechet_between([features.image for features in some])
    floors["fd_mask"], values["fd_mask"] = frechet_between([features.mask for features in some])
    return values, floors, n


def _over_all(train_features: _Features, compared: _Features, rng: np.random.Generator) -> Values:
    """The measures over all tiles."""
    plain = _compare(train_features, compared)
    return {
        "fd_image_all": _limit(train_features.image, compared.image, rng),
        "fd_mask_all": _limit(train_features.mask, compared.mask, rng),
        "msad_all": plain["msad"],
        "shares_all": plain["shares"],
    }


def _limit(reference: Array, compared: Array, rng: np.random.Generator) -> float | None:
    """Limit at 1/N = 0 of a line through Fréchet distances of N of ``compared`` (n, d) to
    ``reference``, over 1/N.
    """
    least = len(compared) // 4
    if least < 2 * compared.shape[1]:
        return None
    sizes = np.linspace(least, len(compared), SIZES).round().astype(int)
    subsets = [compared[rng.permutation(len(compared))[:n]] for n in sizes for _ in range(REPEATS)]
    distances = np.reshape(frechet_between([reference, *subsets]), (SIZES, REPEATS)).mean(axis=1)
    return max(0.0, float(np.polyfit(1 / sizes, distances, 1)[1]))


def _angles(train_features: _Features, compared: _Features) -> Array:
    """(C,) degrees between mean spectra of each class; NaN where a set has none of it."""
    pixels = [features.class_pixels for features in (train_features, compared)]
    shared = (pixels[0] > 0) & (pixels[1] > 0)
    angles = np.full(len(shared), np.nan)
    if shared.any():
        angles[shared] = spectral_angle(
            *(
                features.sums.sum(axis=0)[shared] / n[shared][:, None]
                for features, n in zip((train_features, compared), pixels, strict=True)
            )
        )
    return angles


def _compare(train_features: _Features, compared: _Features) -> Values:
    """All but the Fréchet distances between two sets of one size."""
    angles = _angles(train_features, compared)
    shared = ~np.isnan(angles)
    apart = train_features.class_shares - compared.class_shares
    # Of the shares the total variation: 0 = alike, 1 = disjoint.
    return {
        "msad": float(angles[shared].mean()) if shared.any() else None,
        "shares": float(np.abs(apart).sum() / 2),
    }


def _classes(
    shares: list[Array], angles: Array
) -> tuple[dict[int, dict[str, float | None]], tuple[str, ...]]:
    table: dict[int, dict[str, float | None]] = {}
    for c, (in_training, in_held_out, in_synthetic) in enumerate(
        zip(*(s.tolist() for s in shares), strict=True), start=1
    ):
        angle = None if np.isnan(angles[c - 1]) else float(angles[c - 1])
        ratio = in_synthetic / in_training if in_training else None
        table[c] = {
            "train": in_training,
            "held_out": in_held_out,
            "made": in_synthetic,
            "ratio": ratio,
            "angle": angle,
        }
    notes: tuple[str, ...] = ()
    for column, name in (("train", "training"), ("held_out", "held-out"), ("made", "made")):
        missing = [c for c, row in table.items() if not row[column]]
        notes += note_of(f"without a pixel in the {name} tiles, and so not in mSAD", missing)
    return table, notes


def memory_audit(
    train: Float32, held_out: Float32, synthetic: Float32, space: Space
) -> tuple[Round, tuple[tuple[int, int, float], ...]]:
    """Audit images (n, T, B, H, W) of one size; ``space`` is of spectra of both dates stacked, of
    training tiles.

    Distances are per pixel, on z-scored principal axes, the least over the 8 flips and rotations.
    nearer: share of (synthetic, held-out) pairs in which the synthetic tile is nearer to training.
    copies: share of synthetic tiles within a thousandth of the usual distance of held-out ones.
    copying: C_T, below −3 for a generator that copies.
    pieces: share of made pieces nearer to training pieces than 95 % of held-out ones are. The
    second answer is the nearest training tile of each synthetic one, as (synthetic, training,
    distance), the likeliest copies first.
    """
    train_maps, held_out_maps, synthetic_maps = (
        np.stack(list(axis_maps(images, space, AUDITED))) for images in (train, held_out, synthetic)
    )
    (distance, nearest), (held_out_distance, _) = (
        nearest_turned(maps, train_maps) for maps in (synthetic_maps, held_out_maps)
    )
    near, near_held_out = pieces.near_pieces(train, held_out, synthetic)
    side = np.sqrt(train_maps.shape[2] * train_maps.shape[3])
    distance = distance / side
    held_out_distance = held_out_distance / side
    limit = COPY * float(np.median(held_out_distance))
    values: Values = {
        "nearer": rank_nearer(distance, held_out_distance),
        "copying": copying_statistic(distance, held_out_distance),
        "copies": float((distance <= limit).mean()),
        **near,
    }
    floors: Values = {
        "nearer": 0.5,
        "copying": 0.0,
        "copies": float((held_out_distance <= limit).mean()),
        **near_held_out,
    }
    order = np.argsort(distance, kind="stable")
    return (values, floors, len(synthetic)), tuple(
        (int(i), int(nearest[i]), float(distance[i])) for i in order
    )


def copying_statistic(synthetic: Array, held_out: Array) -> float:
    """C_T of Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675: the z-score of Mann–Whitney's
    U, in one cell.

    Of distances ``synthetic`` (n,) and ``held_out`` (m,) to the training set. Far below 0:
    synthetic tiles lie nearer than fresh real ones.
    """
    n = len(synthetic)
    m = len(held_out)
    u = n * m * (1 - rank_nearer(synthetic, held_out))
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
