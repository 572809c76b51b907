"""Where the training pixels of each class lie: clumps, their shape, and which classes are near, on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Place", "places"]

NEAR = 0.15
"""Classes are near within this share of the scene's diagonal."""

RING = 8
"""Pixels needed before a class can lie "around" another."""


@dataclass(frozen=True)
class Place:
    """clumps: groups of touching pixels. elongation: long over short axis of the largest clump, 1 = round.

    spread: span of all pixels as a share of the scene's diagonal. relation: to other training classes, in words
    with a preposition ("beside the corn"); empty where the class has no pixel.
    """

    clumps: int
    elongation: float
    spread: float
    relation: str


def places(
    coords: NDArray[np.int32], y: NDArray[np.int64], words: Sequence[str], shape: tuple[int, int], patch: int
) -> dict[int, Place]:
    """The place of every class id 1..C.

    coords: (n, 2) rows and columns; y: (n,) class ids; words: C names; shape: height and width of the scene.
    """
    diagonal = float(np.hypot(*shape))
    points = {c: coords[y == c].astype(np.float64) for c in range(1, len(words) + 1)}
    reach = max(float(patch), NEAR * diagonal)
    relations = _relations({c: own for c, own in points.items() if len(own)}, words, reach)
    made = {}
    for c, own in points.items():
        if not len(own):
            made[c] = Place(0, 1.0, 0.0, "")
            continue
        clumps, elongation = _clumps(coords[y == c], shape)
        span = float(np.hypot(*np.ptp(own, axis=0)))
        made[c] = Place(clumps, elongation, span / diagonal, relations[c])
    return made


def _clumps(coords: NDArray[np.int32], shape: tuple[int, int]) -> tuple[int, float]:
    from scipy.ndimage import label

    mask = np.zeros(shape, dtype=bool)
    mask[coords[:, 0], coords[:, 1]] = True
    clumps, count = label(mask, structure=np.ones((3, 3)))
    largest = np.argwhere(clumps == np.bincount(clumps.ravel())[1:].argmax() + 1)
    if len(largest) < 3:
        return int(count), 1.0
    # A pixel is a square of variance 1/12, without which a straight row would be infinitely long.
    values = np.linalg.eigvalsh(np.cov(largest.T) + np.eye(2) / 12)
    return int(count), float(np.sqrt(values[1] / values[0]))


def _relations(points: dict[int, NDArray[np.float64]], words: Sequence[str], reach: float) -> dict[int, str]:
    from scipy.spatial import cKDTree

    trees: dict[int, Any] = {c: cKDTree(own) for c, own in points.items()}
    made = {}
    for c, own in points.items():
        gaps = sorted((float(trees[o].query(own)[0].min()), o) for o in points if o != c)
        near = [o for gap, o in gaps if gap <= reach]
        made[c] = _relation(own, near, points, trees, reach, words)
    return made


def _relation(
    own: NDArray[np.float64],
    near: list[int],
    points: dict[int, NDArray[np.float64]],
    trees: dict[int, Any],
    reach: float,
    words: Sequence[str],
) -> str:
    """The strongest relation that holds: around, within, between, beside, else away."""
    if not near:
        return "away from the other classes"
    for o in near[:3]:
        if _surrounds(own, points[o], trees[o], reach):
            return f"around the {words[o - 1]}"
    first = near[0]
    centre = own.mean(axis=0)
    sides = []
    for o in near[:2]:
        step = points[o][np.argmin(((points[o] - centre) ** 2).sum(axis=1))] - centre
        sides.append(step / max(float(np.hypot(*step)), 1e-9))
    if len(sides) == 2 and float(sides[0] @ sides[1]) < -0.5:
        return f"between the {words[first - 1]} and the {words[near[1] - 1]}"
    return f"beside the {words[first - 1]}"


def _surrounds(own: NDArray[np.float64], other: NDArray[np.float64], tree: Any, reach: float) -> bool:
    """Whether near pixels of ``own`` lie on all sides of ``other``: no empty third of the horizon."""
    near = own[tree.query(own)[0] <= reach]
    if len(near) < RING:
        return False
    step = near - other.mean(axis=0)
    angle = np.sort(np.arctan2(step[:, 0], step[:, 1]))
    gaps = np.diff(np.append(angle, angle[0] + 2 * np.pi))
    return bool(gaps.max() < 2 * np.pi / 3)
