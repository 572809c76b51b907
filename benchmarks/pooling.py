"""One gain over several scenes: its mean, and what a scene that is not among them may expect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from hsiaug.base.errors import InputError
from hsiaug.metrics.significance import mean_std, t_quantile

FEWEST_SCENES = 3
"""Scenes without which nothing is pooled: the prediction interval has that number less two degrees
of freedom.
"""

LEVEL = 0.95


class Pooled(NamedTuple):
    """Fractions. interval: of the mean over scenes. prediction: of the gain on a new scene. scenes:
    how many.
    """

    mean: float
    interval: tuple[float, float]
    prediction: tuple[float, float]
    scenes: int


def pool_scenes(differences: Sequence[Sequence[float]]) -> Pooled:
    """Random effects over scenes. differences: for each scene its paired differences, two draws at
    least.

    The variance between scenes is estimated as by DerSimonian and Laird (Controlled Clinical Trials
    7, 1986); the interval of the mean is that of Hartung and Knapp (Statistics in Medicine 20,
    2001, equation 4), and the prediction interval that of Higgins, Thompson and Spiegelhalter
    (Journal of the Royal Statistical Society A 172, 2009, equation 12). Raises InputError for fewer
    than three scenes, or a scene with one draw.
    """
    k = len(differences)
    if k < FEWEST_SCENES or any(len(own) < 2 for own in differences):
        raise InputError(
            f"gains are pooled over {FEWEST_SCENES} scenes or more, of two draws or more each",
            value=str([len(own) for own in differences]),
            hint="Run more scenes, or more draws.",
        )
    effects, variances = [], []
    for own in differences:
        mean, std, n = mean_std(own)
        effects.append(mean)
        # A scene whose draws all differ by the same amount would get all the weight.
        variances.append(max((std or 0.0) ** 2 / n, 1e-12))
    between = _between(effects, variances)
    weights = [1 / (v + between) for v in variances]
    centre = math.fsum(w * y for w, y in zip(weights, effects, strict=True)) / math.fsum(weights)
    spread = math.fsum(w * (y - centre) ** 2 for w, y in zip(weights, effects, strict=True))
    error = spread / ((k - 1) * math.fsum(weights))
    half = t_quantile(k - 1, (1 + LEVEL) / 2) * math.sqrt(error)
    wide = t_quantile(k - 2, (1 + LEVEL) / 2) * math.sqrt(between + error)
    return Pooled(centre, (centre - half, centre + half), (centre - wide, centre + wide), k)


def _between(effects: Sequence[float], variances: Sequence[float]) -> float:
    """DerSimonian and Laird's variance between scenes, never below 0."""
    weights = [1 / v for v in variances]
    total = math.fsum(weights)
    centre = math.fsum(w * y for w, y in zip(weights, effects, strict=True)) / total
    q = math.fsum(w * (y - centre) ** 2 for w, y in zip(weights, effects, strict=True))
    scale = total - math.fsum(w * w for w in weights) / total
    return max(0.0, (q - (len(effects) - 1)) / scale)
