"""How much the probes of real tiles believe each made tile: to filter by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.core.tiles import IGNORE, DenseSamples
from hsiaug.metrics.dense.probes import Probes

__all__ = ["filter_samples", "label_quality"]

Array = NDArray[np.float64]

TEMPERATURE = 0.1


def label_quality(samples: DenseSamples, probes: Probes) -> Array:
    """(n,) in 0..1, the softmin of p(label | pixel) over the labelled pixels of a tile; NaN for a tile without any.

    Lad and Mueller 2023, arXiv:2307.05080, with their temperature of 0.1, over probes of spectra in place of one
    segmentation network: a few unlikely pixels bring a whole tile down.
    """
    chosen, labelled = probes.label_proba(samples).astype(np.float64), samples.masks != IGNORE
    logits = np.where(labelled, (1 - chosen) / TEMPERATURE, -np.inf).reshape(len(chosen), -1)
    some = labelled.reshape(len(chosen), -1).any(axis=1)
    logits = logits - np.where(some, logits.max(axis=1), 0)[:, None]
    weight = np.exp(logits)
    quality = (weight * chosen.reshape(len(chosen), -1)).sum(axis=1) / np.where(some, weight.sum(axis=1), 1)
    return np.where(some, quality, np.nan)


def filter_samples(made: DenseSamples, probes: Probes, keep: float) -> DenseSamples:
    """The share ``keep`` of the tiles whose masks the probes believe most, in their order; at least one.

    Raises InputError unless 0 < keep ≤ 1.
    """
    if not 0 < keep <= 1:
        raise InputError("keep must be a share above 0, 1 at most", value=keep, hint="Pass 0.8 to keep 80 %.")
    quality = np.nan_to_num(label_quality(made, probes), nan=-1.0)
    order = np.argsort(-quality, kind="stable")
    return made.take(np.sort(order[: max(1, round(keep * len(made)))]))
