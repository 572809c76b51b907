"""Do made masks fit made images? R1 to R5 of docs/quality.md, without any training on made tiles.

Every score stands beside its **ceiling** (real held-out tiles), its **floor** (the same made images, masks permuted
across tiles), r = (score − floor) / (ceiling − floor), 95 % intervals from bootstraps of whole tiles, and the share of
wrong pixels that would bring real held-out tiles down to the same score (:mod:`hsiaug.metrics.dense.estimator`).

Held-out tiles are test tiles of the split, masks included. This is a diagnosis that the core makes after everything
was fitted; it is never a component of a generator or segmenter, and must not be used to choose one for the same split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.accuracy import recall
from hsiaug.metrics.calibration import (
    LEVELS,
    CalibrationCurve,
    Interval,
    LabelScore,
    known,
    label_score,
)
from hsiaug.metrics.dense.change import change_measures
from hsiaug.metrics.dense.damage import permuted
from hsiaug.metrics.dense.estimator import MAIN, QualityEstimator, Reading, fit_estimator, some_tiles
from hsiaug.metrics.dense.quality import label_quality
from hsiaug.metrics.dense.scores import SCORES
from hsiaug.metrics.dense.tile_counts import REACH, Counts, ProbedTiles, tally
from hsiaug.metrics.measures import FidelityMeasure

__all__ = ["Coupling", "DenseReliability", "dense_reliability"]

Array = NDArray[np.float64]

SHUFFLES = 3
"""Permutations of the masks that a floor is the mean of."""


@dataclass(frozen=True, eq=False)
class Coupling:
    """How much worse a generator's own denoiser gets by a tile's wrong mask: loss(x, other mask) − loss(x, mask).

    gaps: (n,) of the made tiles; permuted: (m,) of made tiles whose masks were permuted before: about 0. real: (k,) of
    real held-out tiles, where the generator can say.
    """

    gaps: Array
    permuted: Array
    real: Array | None = None


@dataclass(frozen=True, eq=False)
class DenseReliability:
    """scores: by the table's order.

    by_class: {class id: {"recall" of the probes, "pixels", and the same of held-out tiles}}.
    shifts: {"made", "held"}: (9, 9) agreement with the mask moved by −4..4 pixels down and right.
    measures: of change masks, each beside its real-against-real floor. quality: (n,) of :func:`label_quality`.
    n, n_held: tiles. notes: sentences on what was left out.
    """

    scores: tuple[LabelScore, ...]
    by_class: Mapping[int, Mapping[str, float | None]]
    shifts: Mapping[str, Array]
    measures: tuple[FidelityMeasure, ...]
    quality: Array
    n: int
    n_held: int
    notes: tuple[str, ...]

    @property
    def wrong(self) -> float | None:
        """The equivalent share of wrong pixels in %, by the probes' agreement with all pixels."""
        return next((score.wrong for score in self.scores if score.name == MAIN), None)

    @property
    def wrong_interval(self) -> Interval | None:
        """Its 95 % interval."""
        return next((score.wrong_interval for score in self.scores if score.name == MAIN), None)

    def __getitem__(self, name: str) -> LabelScore:
        return next(score for score in self.scores if score.name == name)

    def as_json(self) -> dict[str, Any]:
        """The entry in quality.json."""
        return {
            "scores": [vars(score) for score in self.scores],
            "levels_percent": list(LEVELS),
            "wrong": self.wrong,
            "wrong_interval": self.wrong_interval,
            "by_class": {str(c): dict(row) for c, row in self.by_class.items()},
            "shifts": {name: [[known(v) for v in row] for row in grid] for name, grid in self.shifts.items()},
            "measures": [vars(measure) for measure in self.measures],
            "quality": [known(v) for v in self.quality],
            "n": self.n,
            "n_held": self.n_held,
            "notes": list(self.notes),
        }


def dense_reliability(
    train: DenseSamples,
    held: DenseSamples,
    made: DenseSamples,
    *,
    classes: int,
    seed: int = 0,
    coupling: Coupling | None = None,
) -> DenseReliability:
    """Judge the masks of made tiles; see the sources with each score's own module.

    R1: train on real, test on synthetic (GAN-test, Shmelkov et al. 2018, arXiv:1807.09499) with per-pixel probes. R2:
    spectra of each class. R3: mask edges and shifts. R4: ``coupling``, passed through. R5: signs of change, of two
    dates. At most 200 tiles of a set are used, but ``quality`` is of all. The same ``seed`` gives the same report.
    Raises InputError where real tiles have fewer than two classes to judge by, or no made pixel is of one of them.
    """
    judge = fit_estimator(train, held, classes, seed)
    rng = np.random.default_rng(derive_seed("dense reliability", seed))
    quality = label_quality(made, judge.probes)
    judged = some_tiles(made, rng)
    view, masks = judge.look(judged.images), judge.known(judged.masks)
    notes = _notes(judge, made)
    value, real = judge.read(view, masks), judge.read(judge.held, judge.masks)
    floors = [judge.read(view, permuted(masks, rng)) for _ in range(SHUFFLES)] if len(masks) > 1 else []
    names = [name for name in SCORES if name in judge.curves]
    defined = [name for name in names if not np.isnan(value[name][0])]
    notes += [f"not defined for these masks: {SCORES[name][0]}" for name in names if name not in defined]
    scores = [_score(name, judge, value, real, floors, len(masks)) for name in defined]
    if coupling is not None:
        scores.append(_coupling(coupling, rng))
    of_made, of_held = _summed(view, masks), _summed(judge.held, judge.masks)
    return DenseReliability(
        scores=tuple(scores),
        by_class=_by_class(judge, of_made, of_held),
        shifts={"made": _shift_grid(of_made), "held": _shift_grid(of_held)},
        measures=change_measures(train, held, made) if made.dates == 2 else (),
        quality=quality,
        n=len(masks),
        n_held=len(judge.masks),
        notes=tuple(notes),
    )


def _notes(judge: QualityEstimator, made: DenseSamples) -> list[str]:
    lost = sorted(set(np.unique(made.masks).tolist()) - {IGNORE, *judge.ids})
    notes = []
    if lost:
        notes.append(f"not judged, for want of real pixels: class {', '.join(map(str, lost))}")
    missing = sorted(set(judge.ids) - set(np.unique(made.masks).tolist()))
    if missing:
        notes.append(f"never made: class {', '.join(map(str, missing))}")
    return notes


def _score(
    name: str, judge: QualityEstimator, made: Reading, real: Reading, floors: list[Reading], n: int
) -> LabelScore:
    ceiling = float(real[name][0])
    lows = [reading[name][0] for reading in floors if not np.isnan(reading[name][0])]
    floor = float(np.mean(lows)) if lows else float("nan")
    below = floors[0][name][1:] if lows else np.nan
    # A round whose ceiling all but meets its floor says nothing.
    span = real[name][1:] - below
    return label_score(
        name,
        SCORES[name],
        made[name],
        ceiling=ceiling,
        floor=floor,
        r_rounds=(made[name][1:] - below) / np.where(span > 0.05 * abs(ceiling - floor) + 1e-9, span, np.nan),
        curve=judge.curves[name],
        n=n,
    )


def _coupling(coupling: Coupling, rng: np.random.Generator) -> LabelScore:
    value, floor = float(np.mean(coupling.gaps)), float(np.mean(coupling.permuted))
    ceiling = float("nan") if coupling.real is None else float(np.mean(coupling.real))
    n = len(coupling.gaps)
    means = np.asarray(coupling.gaps)[rng.integers(n, size=(1000, n))].mean(axis=1)
    return label_score(
        "coupling",
        ("R4 coupling gap of the generator", "", 1),
        np.concatenate([[value], means]),
        ceiling=ceiling,
        floor=floor,
        r_rounds=(means - floor) / max(ceiling - floor, 1e-9),
        curve=CalibrationCurve(np.empty(0), np.empty((0, 0)), None),
        n=n,
    )


def _summed(view: ProbedTiles, masks: NDArray[np.int64]) -> Counts:
    """The counts over all tiles."""
    return {name: part.sum(axis=0).astype(np.float64) for name, part in tally(view, masks).items()}


def _by_class(judge: QualityEstimator, made: Counts, held: Counts) -> dict[int, dict[str, float | None]]:
    table: dict[int, dict[str, float | None]] = {c: {} for c in judge.ids}
    for name, counts in (("", made), ("held_", held)):
        shares, pixels = recall(counts["confusion"]).mean(axis=0), counts["confusion"].sum(axis=-1)[0]
        for c, row in table.items():
            row |= {f"{name}recall": known(shares[c - 1]), f"{name}pixels": known(pixels[c - 1])}
    return table


def _shift_grid(counts: Counts) -> Array:
    shifts = counts["shifts"]
    with np.errstate(invalid="ignore"):
        grid: Array = (shifts[:, 1] / shifts[:, 0]).reshape(2 * REACH + 1, 2 * REACH + 1)
    return grid
