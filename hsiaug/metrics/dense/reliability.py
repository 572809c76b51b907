"""Do made masks fit made images? R1 of docs/quality.md, without any training on made tiles.

Every score stands beside its **ceiling** (real held-out tiles), its **floor** (the same made images, masks permuted
across tiles), r = (score − floor) / (ceiling − floor), 95 % intervals from bootstraps of whole tiles, and the share of
wrong pixels that would bring real held-out tiles, damaged on purpose, down to the same score.

Held-out tiles are test tiles, masks included: a diagnosis after every fit, never a means to choose one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.calibration import (
    LEVELS,
    CalibrationCurve,
    Reliability,
    ScoreKind,
    calibration_curve,
    label_score,
)
from hsiaug.metrics.dense.damage import DAMAGES, damage, permute_masks
from hsiaug.metrics.dense.probes import Probes, fit_probes

Array = NDArray[np.float64]
Masks = NDArray[np.int64]
Guesses = NDArray[np.uint8]
"""(n, H, W) class ids."""

MAIN = "pixels"
KIND: ScoreKind = ("R1 probe agreement, of pixels", "%", 1)

ROUNDS = 100
FEWEST = 30
"""Pixels that a class needs in the training and in the held-out tiles to be judged at all."""

MOST = 200
"""Tiles of a set that are used at most."""

REPEATS = 3
"""Times that each kind and share of damage is drawn."""

SHUFFLES = 3
"""Permutations of the masks that a floor is the mean of."""


@dataclass(frozen=True, eq=False)
class MaskJudge:
    """Probes of real training tiles, and a curve of real held-out tiles that were damaged on purpose.

    ids: classes judged. held, masks: (n, H, W) guesses of the probes and masks of the undamaged held-out tiles. curve:
    its spearman is the mean over kinds of damage.
    """

    ids: tuple[int, ...]
    probes: Probes
    held: Guesses
    masks: Masks
    curve: CalibrationCurve
    seed: int

    def guess(self, images: NDArray[np.float32]) -> Guesses:
        """(n, H, W) class ids of images (n, T, B, H, W) by the mean of the probes."""
        return _guesses(images, self.probes)

    def known(self, masks: Masks) -> Masks:
        """Masks without the classes that cannot be judged."""
        return np.where(np.isin(masks, self.ids), masks, IGNORE)

    def read(self, guesses: Guesses, masks: Masks) -> Array:
        """(1 + ROUNDS,) agreement in 0..1 of masks (n, H, W): of all tiles, then of bootstrap draws of them."""
        weights = _tile_weights(len(masks), np.random.default_rng(derive_seed("judge's tiles", self.seed)))
        return _agreement(guesses, self.known(masks), weights)


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
    floors = [judge.read(guesses, permute_masks(masks, rng)) for _ in range(SHUFFLES)] if len(masks) > 1 else []
    lows = [floor[0] for floor in floors if not np.isnan(floor[0])]
    score = label_score(
        MAIN,
        KIND,
        value,
        ceiling=float(real[0]),
        floor=float(np.mean(lows)) if lows else float("nan"),
        curve=judge.curve,
        n=len(masks),
    )
    notes = tuple(_notes(judge, made))
    return Reliability(() if np.isnan(value[0]) else (score,), len(masks), len(judge.masks), notes)


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
    readings = np.stack([_agreement(guesses, masks, weights) for masks in sets])
    wrong = np.stack([(masks != held.masks).sum(axis=(1, 2)) for masks in sets]) @ weights.T
    labelled = weights @ (held.masks != IGNORE).sum(axis=(1, 2)).astype(np.float64)
    q = 100 * wrong / np.maximum(labelled, 1)
    return MaskJudge(ids, probes, guesses, held.masks, calibration_curve(kinds, q, readings), seed)


def _guesses(images: NDArray[np.float32], probes: Probes) -> Guesses:
    mean = np.mean(probes.proba(images), axis=0)
    return np.asarray(mean.argmax(axis=1) + 1, dtype=np.uint8)


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
    """Return at most MOST of the tiles, in their order."""
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


def _agreement(guesses: Guesses, masks: Masks, weights: Array) -> Array:
    """(rounds,) share of the labelled pixels that the probes confirm, under weights (rounds, n) of the tiles."""
    valid = masks != IGNORE
    labelled, right = (
        weights @ part.sum(axis=(1, 2)).astype(np.float64) for part in (valid, (guesses == masks) & valid)
    )
    with np.errstate(invalid="ignore"):
        share: Array = right / labelled
    return share


def _notes(judge: MaskJudge, made: DenseSamples) -> list[str]:
    shown = set(np.unique(made.masks).tolist())
    missing = {
        "not judged, for want of real pixels": shown - {IGNORE, *judge.ids},
        "never made": set(judge.ids) - shown,
    }
    return [f"{why}: class {', '.join(map(str, sorted(ids)))}" for why, ids in missing.items() if ids]
