"""Pixels to label: a greedy cover of the ground that classifiers disagree on, from what is labelled
already.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.contracts import Progress
from hsiaug.core.fields import find_segments
from hsiaug.core.scene import UnlabelledScene, row_parts
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import UNIT, view_or_raw
from hsiaug.data.bounds import STRIPE_BYTES
from hsiaug.protocol.split import BlindSplit
from hsiaug.registry.lookup import Registry
from hsiaug.suggest.committee import Member, cast_votes, disagreement

REACH = 2.0
"""How far a label counts, in distances between a segment and the one most like it."""
FLOOR = 0.01
"""Disagreement that every pixel counts with, so that the largest ground leads where all agree."""

COMPONENTS = 10
"""Principal components of the spectra, in which pixels are compared."""
SIDE = 7
"""Pixels along the side of a segment, about."""
MOST_SEGMENTS = 3000
"""Larger scenes get larger segments, so that every pair of them can be compared."""

Floats = NDArray[np.float32]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pick:
    """A pixel worth a label.

    Attributes
    ----------
    row, column : int
        From 0.
    votes : mapping of int to int
        Members of the committee by class id, the most first.
    pixels : int
        Pixels of its segment.
    uncertainty : float
        Their mean disagreement, 0..1.
    share : float
        Share of the disagreement that no known label covers, what this one would and none
        before it does, 0..1.
    """

    rank: int
    row: int
    column: int
    votes: Mapping[int, int]
    pixels: int
    uncertainty: float
    share: float


@dataclass(frozen=True, eq=False)
class Suggestions:
    """The picks of a round, and what they were chosen by.

    Attributes
    ----------
    uncertainty : (H, W) float32
        0..1, the disagreement of the members.
    known : (H, W) bool
        The pixels they learnt.
    """

    picks: tuple[Pick, ...]
    uncertainty: NDArray[np.float32]
    known: Mask
    members: tuple[Member, ...]


def suggestions(
    scene: UnlabelledScene,
    known: BlindSplit,
    candidates: Mask,
    count: int,
    members: Sequence[Member],
    plugins: Registry,
    *,
    unnamed: Mask | None = None,
    seed: int = 0,
    progress: Progress,
) -> Suggestions:
    """The ``count`` pixels of ``candidates`` (H, W) whose labels would help most, the best first.

    Parameters
    ----------
    known : BlindSplit
        The pixels whose labels the committee learns; no other label can be reached from here.
        With fewer than two classes nobody votes, and picks cover the ground alone.
    unnamed : (H, W) bool or None
        Pixels known to be of no class: their ground counts as covered.
    seed : int
        Seed of the fits.

    Raises
    ------
    InputError
        Where there are fewer segments than picks, and what :func:`cast_votes` raises.
    """
    ground = ground_of(scene)
    open_ = candidates & ground.data & ~known.train
    segments = Segments(ground, open_)
    if count > len(segments.ids):
        rule = "-n must be at most the number of segments that a pixel can be taken from"
        hint = "Ask for fewer: two pixels of one segment would say much the same."
        raise InputError(rule, value=f"{count} of {len(segments.ids)}", hint=hint)
    if len(np.unique(known.train_labels)) > 1:
        votes = cast_votes(scene, known, members, plugins, seed=seed, progress=progress)
        doubt = disagreement(votes, len(scene.class_names))
    else:
        votes = np.zeros((0, *scene.shape), dtype=np.int16)
        doubt = np.ones(scene.shape, dtype=np.float32)
    covered = known.train if unnamed is None else known.train | unnamed
    chosen, shares = cover(
        segments.centres, segments.sums(doubt + FLOOR), ground.features[covered], count
    )
    mean = segments.sums(doubt) / segments.sizes
    picks = []
    for rank, (j, share) in enumerate(zip(chosen, shares, strict=True), start=1):
        row, column = segments.medoid(j)
        voted = sorted(
            Counter(votes[:, row, column].tolist()).items(), key=lambda vote: (-vote[1], vote[0])
        )
        called = {c: n for c, n in voted if c}
        picks.append(Pick(rank, row, column, called, int(segments.sizes[j]), float(mean[j]), share))
    return Suggestions(tuple(picks), doubt, known.train, tuple(members))


@dataclass(frozen=True, eq=False)
class Ground:
    """What a scene shows without any label.

    Attributes
    ----------
    features : (H, W, k) float32
        With a total variance of 1.
    segments : (H, W) int32
        0, 1, … data: (H, W) bool, pixels that are not 0 in every band.
    """

    features: Floats
    segments: NDArray[np.int32]
    data: NDArray[np.bool_]


def ground_of(scene: UnlabelledScene) -> Ground:
    """The ground of a scene: features of its pixels, and its segments."""
    features, data = _features(scene)
    height, width = scene.shape
    side = max(SIDE, int(np.ceil((height * width / MOST_SEGMENTS) ** 0.5)))
    return Ground(features, find_segments(features, side), data)


def _features(scene: UnlabelledScene) -> tuple[Floats, NDArray[np.bool_]]:
    """Principal components of z-scored spectra of unit norm, so that light and shade do not count
    as ground; and (H, W) the pixels that are not 0 in every band.
    """
    spectra = SpectralView(view_or_raw(UNIT, scene.bands), scene.wavelengths)
    data = np.zeros(scene.shape, dtype=bool)
    total = np.zeros(scene.bands)
    square = np.zeros((scene.bands, scene.bands))
    count = 0
    for rows in row_parts(scene.pixels.shape, STRIPE_BYTES // 8):
        stripe = scene.pixels[rows]
        data[rows] = stripe.any(axis=2)
        x = spectra(stripe[data[rows]], axis=1).astype(np.float64)
        total += x.sum(axis=0)
        square += x.T @ x
        count += len(x)
    mean = total / max(count, 1)
    covariance = square / max(count, 1) - np.outer(mean, mean)
    projection = _projection(covariance)
    features = np.zeros((*scene.shape, projection.shape[1]), dtype=np.float32)
    for rows in row_parts(scene.pixels.shape, STRIPE_BYTES // 8):
        x = spectra(scene.pixels[rows][data[rows]], axis=1).astype(np.float64)
        features[rows][data[rows]] = (x - mean) @ projection
    return features, data


def _projection(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, k) from spectra less their mean to the largest components of their z-scores, which
    together have a variance of 1.
    """
    std = np.sqrt(np.maximum(np.diag(covariance), 0))
    std[std < 1e-12] = 1.0
    values, vectors = np.linalg.eigh(covariance / np.outer(std, std))
    largest = slice(None, -COMPONENTS - 1, -1)
    variance = max(float(values[largest].sum()), 1e-12)
    projection: NDArray[np.float64] = vectors[:, largest] / std[:, None] / np.sqrt(variance)
    return projection


class Segments:
    """The segments of a ground that have open pixels, and of each these alone."""

    def __init__(self, ground: Ground, open_: Mask) -> None:
        self.coords = np.argwhere(open_)
        self._features = ground.features[open_].astype(np.float64)
        self._open = open_
        self.ids, self._member = np.unique(ground.segments[open_], return_inverse=True)
        self.sizes = np.bincount(self._member, minlength=len(self.ids))

    @cached_property
    def centres(self) -> NDArray[np.float64]:
        """(s, k) mean features."""
        sums = [np.bincount(self._member, x, minlength=len(self.ids)) for x in self._features.T]
        return np.stack(sums, axis=1) / self.sizes[:, None]

    def sums(self, image: NDArray[np.floating]) -> NDArray[np.float64]:
        """(s,) of an image (H, W)."""
        total = np.bincount(self._member, image[self._open], minlength=len(self.ids))
        return np.asarray(total, dtype=np.float64)

    def medoid(self, j: int) -> tuple[int, int]:
        """Row and column of the pixel that is most like its segment."""
        members = np.flatnonzero(self._member == j)
        distances = ((self._features[members] - self.centres[j]) ** 2).sum(axis=1)
        row, column = self.coords[members[distances.argmin()]]
        return int(row), int(column)


def cover(
    centres: NDArray[np.float64], mass: NDArray[np.float64], known: NDArray[np.floating], count: int
) -> tuple[list[int], list[float]]:
    """Indices of ``count`` segments, each the one whose label covers most of the mass that none
    covers yet; and its share of the mass that the known labels leave uncovered.

    Greedy facility location: G. L. Nemhauser, L. A. Wolsey and M. L. Fisher, An analysis of
    approximations for maximizing submodular set functions, Mathematical Programming 14, 1978,
    doi:10.1007/BF01588971; as a way to choose what to label: K. Wei, R. Iyer and J. Bilmes,
    Submodularity in data subset selection and active learning, ICML 2015. Here the labels that
    are known begin the cover, and disagreement weighs it.

    Parameters
    ----------
    centres : (s, k) float64
        And known: (n, k) features; a label covers what lies near it, by a Gaussian whose width
        is ``REACH`` times the median distance of a segment to the one most like it.
    mass : (s,) float64
        > 0.
    """
    from scipy.spatial import KDTree
    from scipy.spatial.distance import cdist

    distances = cdist(centres, centres)
    others = distances + np.where(np.eye(len(distances), dtype=bool), np.inf, 0)
    nearest = others.min(axis=1)
    width = REACH * float(np.median(nearest)) if len(centres) > 1 else 1.0
    coverage = np.exp(-0.5 * (distances / max(width, 1e-12)) ** 2)
    # An empty tree gives infinite distances, which cover nothing.
    covered = np.exp(-0.5 * (KDTree(known).query(centres)[0] / max(width, 1e-12)) ** 2)
    uncovered = max(float((1 - covered) @ mass), 1e-12)
    chosen: list[int] = []
    shares: list[float] = []
    for _ in range(count):
        gain = np.maximum(coverage - covered, 0) @ mass
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        shares.append(float(max(gain[best], 0) / uncovered))
        covered = np.maximum(covered, coverage[best])
    return chosen, shares
