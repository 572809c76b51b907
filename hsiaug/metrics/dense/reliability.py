"""Do made masks fit made images? R1 of docs/quality.md, without any training on made tiles.

Every score stands beside its **ceiling** (real held-out tiles), its **floor** (the same made images, masks permuted
across tiles), r = (score − floor) / (ceiling − floor), 95 % intervals from bootstraps of whole tiles, and the share of
wrong pixels that would bring real held-out tiles, damaged on purpose, down to the same score.

Held-out tiles are test tiles of the split, masks included. This is a diagnosis that the core makes after everything
was fitted; it is never a component of a generator or segmenter, and must not be used to choose one for the same split.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.accuracy import grouped_confusion, mean_known, recall
from hsiaug.metrics.calibration import (
    LEVELS,
    CalibrationCurve,
    LabelScore,
    Reliability,
    ScoreKind,
    calibration_curve,
    known,
    label_score,
)
from hsiaug.metrics.dense.damage import DAMAGES, damage, permuted
from hsiaug.metrics.dense.probes import Probes, fit_probes

__all__ = ["MAIN", "Guesses", "MaskJudge", "Reading", "dense_reliability", "fit_judge"]

Array = NDArray[np.float64]
Masks = NDArray[np.int64]

MAIN = "pixels"
"""The score that the share of wrong pixels is read from."""

SCORES: dict[str, ScoreKind] = {
    "agreement": ("R1 probe agreement, mean over classes", "%", 1),
    MAIN: ("R1 probe agreement, of pixels", "%", 1),
}
"""By the name of a score; the table's order."""

ROUNDS = 100
FEWEST = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""

MOST = 200
"""Tiles of a set that are used at most."""

REPEATS = 3
"""Times that each kind and share of damage is drawn."""

SHUFFLES = 3
"""Permutations of the masks that a floor is the mean of."""

Reading = dict[str, Array]
"""Each score (1 + ROUNDS,), in 0..1, of some masks: of all tiles, then of bootstrap draws of them."""


@dataclass(frozen=True, eq=False)
class Guesses:
    """Class ids of pixels by the probes. each: (probes, n, H, W) uint8. mean: (n, H, W) uint8, by their mean."""

    each: NDArray[np.uint8]
    mean: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class MaskJudge:
    """Probes of real training tiles, and curves of real held-out tiles that were damaged on purpose.

    ids: classes judged. held, masks: guesses and masks of the undamaged held-out tiles. curves: by score; their spearman
    is the mean over kinds of damage.
    """

    ids: tuple[int, ...]
    probes: Probes
    held: Guesses
    masks: Masks
    curves: Mapping[str, CalibrationCurve]
    seed: int

    def guess(self, images: NDArray[np.float32]) -> Guesses:
        """Put images (n, T, B, H, W) to the probes, once for all masks of theirs."""
        return _guesses(images, self.probes)

    def known(self, masks: Masks) -> Masks:
        """Masks without the classes that cannot be judged."""
        return np.where(np.isin(masks, self.ids), masks, IGNORE)

    def read(self, guesses: Guesses, masks: Masks) -> Reading:
        """Judge masks (n, H, W)."""
        weights = _tile_weights(len(masks), np.random.default_rng(derive_seed("judge's tiles", self.seed)))
        return _scores(_tally(guesses, self.known(masks), self.probes.classes), weights)

    def percent(self, reading: Reading, name: str = MAIN) -> float:
        """The share of wrong pixels in % that one score of all tiles amounts to."""
        return self.curves[name].percent(reading[name][0])


def dense_reliability(
    train: DenseSamples, held: DenseSamples, made: DenseSamples, *, classes: int, seed: int = 0
) -> Reliability:
    """Judge the masks of made tiles by per-pixel probes that are trained on real ones.

    R1: train on real, test on synthetic (GAN-test, Shmelkov et al. 2018, arXiv:1807.09499). At most 200 tiles of a set
    are used. The same ``seed`` gives the same report.
    Raises InputError where real tiles have fewer than two classes to judge by.
    """
    judge = fit_judge(train, held, classes, seed)
    rng = np.random.default_rng(derive_seed("dense reliability", seed))
    judged = _some_tiles(made, rng)
    guesses, masks = judge.guess(judged.images), judge.known(judged.masks)
    value, real = judge.read(guesses, masks), judge.read(judge.held, judge.masks)
    floors = [judge.read(guesses, permuted(masks, rng)) for _ in range(SHUFFLES)] if len(masks) > 1 else []
    defined = [name for name in SCORES if not np.isnan(value[name][0])]
    return Reliability(
        scores=tuple(_score(name, judge.curves[name], value, real, floors, len(masks)) for name in defined),
        by_class=_by_class(judge, {"": (guesses, masks), "held_": (judge.held, judge.masks)}),
        n=len(masks),
        n_held=len(judge.masks),
        notes=tuple(_notes(judge, made)),
    )


def fit_judge(train: DenseSamples, held: DenseSamples, classes: int, seed: int = 0) -> MaskJudge:
    """A judge of masks from real tiles; the same ``seed`` gives the same judge. At most 200 tiles of a set are used.

    Raises InputError where fewer than two classes have 30 pixels in both sets.
    """
    rng = np.random.default_rng(derive_seed("dense judge", seed))
    train, held = (_some_tiles(part, rng) for part in (train, held))
    ids = _judged_classes(train, held, classes)
    train, held = (
        replace(part, masks=np.where(np.isin(part.masks, ids), part.masks, IGNORE)) for part in (train, held)
    )
    probes = fit_probes(train, classes, seed)
    guesses = _guesses(held.images, probes)
    kinds, sets = _damaged_masks(held.masks, ids, rng)
    weights = _tile_weights(len(held), rng)
    readings = [_scores(_tally(guesses, masks, classes), weights) for masks in sets]
    wrong = np.stack([(masks != held.masks).sum(axis=(1, 2)) for masks in sets]) @ weights.T
    labelled = weights @ (held.masks != IGNORE).sum(axis=(1, 2)).astype(np.float64)
    q = 100 * wrong / np.maximum(labelled, 1)
    curves = {name: calibration_curve(kinds, q, np.stack([r[name] for r in readings])) for name in SCORES}
    return MaskJudge(ids, probes, guesses, held.masks, curves, seed)


def _guesses(images: NDArray[np.float32], probes: Probes) -> Guesses:
    answers = probes.proba(images)
    each = np.stack([answer.argmax(axis=1) + 1 for answer in answers])
    return Guesses(each.astype(np.uint8), (np.mean(answers, axis=0).argmax(axis=1) + 1).astype(np.uint8))


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


def _some_tiles(samples: DenseSamples, rng: np.random.Generator) -> DenseSamples:
    """At most MOST of the tiles, in their order."""
    return samples.take(np.sort(rng.permutation(len(samples))[:MOST]))


def _tile_weights(n: int, rng: np.random.Generator) -> Array:
    """(1 + ROUNDS, n) how often each tile counts: once first, then as often as each bootstrap round draws it."""
    return np.concatenate([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=ROUNDS)])


def _damaged_masks(
    masks: Masks, ids: Sequence[int], rng: np.random.Generator
) -> tuple[tuple[str, ...], list[Masks]]:
    """Masks as they are, and damaged in every kind, at every level, three times; and the kinds, "" for none."""
    asked = [(kind, level) for kind in DAMAGES for level in LEVELS[1:] * REPEATS]
    sets = [damage(masks, kind, level, ids, rng) for kind, level in asked]
    return ("", *(kind for kind, _ in asked)), [masks, *sets]


def _tally(guesses: Guesses, masks: Masks, classes: int) -> tuple[Array, Array]:
    """Confusion (n, probes, C, C), and (n, 2) labelled pixels and those that the mean of the probes confirms.

    Of each tile, so that a bootstrap of tiles only weighs them anew. Unlabelled pixels count nowhere.
    """
    valid = masks != IGNORE
    tile = np.broadcast_to(np.arange(len(masks))[:, None, None], masks.shape)[valid]
    each = [grouped_confusion(tile, len(masks), masks[valid], guess[valid], classes) for guess in guesses.each]
    right = np.stack([part.sum(axis=(1, 2)) for part in (valid, (guesses.mean == masks) & valid)], axis=1)
    return np.stack(each, axis=1).astype(np.float64), right.astype(np.float64)


def _scores(tallied: tuple[Array, Array], weights: Array) -> Reading:
    """The scores under weights (rounds, n) of the tiles; NaN where one is not defined."""
    confusion, right = (np.tensordot(weights, part, 1) for part in tallied)
    with np.errstate(invalid="ignore"):
        return {"agreement": mean_known(recall(confusion)).mean(axis=-1), MAIN: right[:, 1] / right[:, 0]}


def _score(
    name: str, curve: CalibrationCurve, made: Reading, real: Reading, floors: Iterable[Reading], n: int
) -> LabelScore:
    ceiling = float(real[name][0])
    lows = [reading[name] for reading in floors if not np.isnan(reading[name][0])]
    floor = float(np.mean([low[0] for low in lows])) if lows else float("nan")
    below = lows[0][1:] if lows else np.full(len(made[name]) - 1, np.nan)
    # A round whose ceiling all but meets its floor says nothing.
    span = real[name][1:] - below
    return label_score(
        name,
        SCORES[name],
        made[name],
        ceiling=ceiling,
        floor=floor,
        r_rounds=(made[name][1:] - below) / np.where(span > 0.05 * abs(ceiling - floor) + 1e-9, span, np.nan),
        curve=curve,
        n=n,
    )


def _by_class(judge: MaskJudge, sets: Mapping[str, tuple[Guesses, Masks]]) -> dict[int, dict[str, float | None]]:
    table: dict[int, dict[str, float | None]] = {c: {} for c in judge.ids}
    for name, (guesses, masks) in sets.items():
        confusion = _tally(guesses, masks, judge.probes.classes)[0].sum(axis=0)
        shares, pixels = recall(confusion).mean(axis=0), confusion.sum(axis=-1)[0]
        for c, row in table.items():
            row |= {f"{name}recall": known(shares[c - 1]), f"{name}pixels": known(pixels[c - 1])}
    return table


def _notes(judge: MaskJudge, made: DenseSamples) -> list[str]:
    shown = set(np.unique(made.masks).tolist())
    missing = {
        "not judged, for want of real pixels": shown - {IGNORE, *judge.ids},
        "never made": set(judge.ids) - shown,
    }
    return [f"{why}: class {', '.join(map(str, sorted(ids)))}" for why, ids in missing.items() if ids]
