"""What a train view shows round the labels of each class, as phrases: automatic texts.

Their relations to other classes are what the paper of Txt2HSI names as future work.

Only training pixels, their places and the visible spectra are read. Size, place and relations are
those of the *labels*: where training pixels lie in small regions, these are no small fields.
North is the first row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import TrainView, patches_at

REFERENCE = 400
"""Visible patches, evenly spread, that classes are compared with."""
REACH = 2
"""Training pixels of a class at most so many pixels apart belong to one region."""
THIRDS = (100 / 3, 200 / 3)
RED, INFRARED, WITHIN = 665.0, 842.0, 30.0
"""Wavelengths of the vegetation index in nm, and how far the nearest bands may lie from them."""
FAR = "far from"
NEIGHBOURS = 2
"""Other classes that a class is related to, the nearest first."""


def phrases_of(view: TrainView, words: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Phrases of each class id with training pixels, in which words[c - 1] names class c; the same
    view gives the same.

    The first says how large, bright, green and even the labelled region of the class is, and where
    it lies; then its nearest classes ("corn beside trees", "corn north of hay"), and one that is
    far.
    """
    places = {c: view.coords[view.y == c] for c in view.counts}
    regions = {c: _largest_region(coords) for c, coords in places.items()}
    median_size = float(np.median([len(coords) for coords in regions.values()]))
    looks = _looks(view)
    phrases = {}
    for c, region in regions.items():
        name = words[c - 1]
        adjectives = [_size(len(region), median_size), *looks[c]]
        described = " ".join(word for word in (*adjectives, name) if word)
        relations = _relations(c, places, view.patch, max(view.visible.shape))
        listed = [f"{described} in the {_quarter(region, view.visible.shape)}"]
        listed += [f"{name} {relation} {words[other - 1]}" for relation, other in relations]
        phrases[c] = tuple(dict.fromkeys(listed))
    return phrases


def _largest_region(coords: NDArray[np.int32]) -> NDArray[np.int32]:
    """The most pixels (m, 2) of a class that are connected; of equal regions the first by rows."""
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    tree = cKDTree(coords)
    near = tree.sparse_distance_matrix(tree, REACH, p=np.inf)
    _, member = connected_components(near, directed=False)
    largest: NDArray[np.int32] = coords[member == np.bincount(member).argmax()]
    return largest


def _size(pixels: int, median_size: float) -> str:
    return (
        "a small patch of"
        if pixels <= median_size / 2
        else "a large field of"
        if pixels >= 2 * median_size
        else ""
    )


def _quarter(coords: NDArray[np.int32], shape: tuple[int, ...]) -> str:
    """Which of nine parts of the scene the middle of pixels lies in: "north west", "south",
    "centre".
    """
    down, across = (int(3 * x / side) for x, side in zip(coords.mean(axis=0), shape, strict=True))
    return (
        " ".join(w for w in (("north", "", "south")[down], ("west", "", "east")[across]) if w)
        or "centre"
    )


def _relations(
    c: int, places: Mapping[int, NDArray[np.int32]], patch: int, side: int
) -> list[tuple[str, int]]:
    """How class c lies to others: the nearest ones, and the farthest where that is half the scene
    away.
    """
    from scipy.spatial import cKDTree

    others: list[tuple[float, int, str]] = []
    for other, theirs in places.items():
        if other == c:
            continue
        apart, match = map(np.asarray, cKDTree(theirs).query(places[c]))
        nearest = int(apart.argmin())
        others.append(
            (float(apart[nearest]), other, _direction(places[c][nearest] - theirs[match[nearest]]))
        )
    others.sort()
    relations = []
    for far, other, way in others[:NEIGHBOURS]:
        relations += [("beside", other)] if far <= patch else []
        relations.append((f"{way} of", other))
    if len(others) > NEIGHBOURS and others[-1][0] >= side / 2:
        relations.append((FAR, others[-1][1]))
    return relations


def _direction(step: NDArray[np.int32]) -> str:
    """The side of the other that one lies on, for a step of rows and columns from there."""
    if abs(step[0]) >= abs(step[1]):
        return "north" if step[0] < 0 else "south"
    return "west" if step[1] < 0 else "east"


@dataclass(frozen=True, eq=False)
class _Look:
    """Three numbers of each of n patches.

    Attributes
    ----------
    green : array of float64 or None
        Of no patch where the scene has no bands for it.
    """

    brightness: NDArray[np.float64]
    green: NDArray[np.float64] | None
    roughness: NDArray[np.float64]


def _looks(view: TrainView) -> dict[int, tuple[str, ...]]:
    """Adjectives of each class: where its median lies outside the middle third of the visible
    patches.
    """
    visible = np.concatenate([view.coords, view.unlabelled])
    rows = np.unique(np.linspace(0, len(visible) - 1, REFERENCE).round().astype(int))
    of_labelled, of_visible = _measure(view, view.coords), _measure(view, visible[rows])
    adjectives: dict[int, tuple[str, ...]] = {}
    for c in view.counts:
        chosen = []
        for name, low, high in (
            ("brightness", "dark", "bright"),
            ("green", "bare", "green"),
            ("roughness", "even", "mixed"),
        ):
            value, reference = getattr(of_labelled, name), getattr(of_visible, name)
            if value is None:
                continue
            least, most = np.percentile(reference, THIRDS)
            middle = np.median(value[view.y == c])
            chosen.append(low if middle < least else high if middle > most else "")
        adjectives[c] = tuple(chosen)
    return adjectives


def _measure(view: TrainView, coords: NDArray[np.int32]) -> _Look:
    """Brightness: mean of the centre's bands; green: NDVI; roughness: spread inside the patch, over
    bands.
    """
    brightness = []
    green = []
    roughness = []
    pair = _index_bands(view.wavelengths)
    std = view.normaliser.std[:, None]
    for start in range(0, len(coords), REFERENCE):
        x = patches_at(view.cube, coords[start : start + REFERENCE], view.patch).astype(np.float64)
        middle = x[:, :, view.patch // 2, view.patch // 2]
        brightness.append(middle.mean(axis=1))
        roughness.append((x.reshape(*x.shape[:2], -1) / std).std(axis=2).mean(axis=1))
        if pair is not None:
            red, infrared = middle[:, pair[0]], middle[:, pair[1]]
            total = infrared + red
            green.append(
                np.divide(infrared - red, total, out=np.zeros_like(total), where=total > 0)
            )
    return _Look(
        np.concatenate(brightness),
        np.concatenate(green) if green else None,
        np.concatenate(roughness),
    )


def _index_bands(wavelengths: NDArray[np.float64] | None) -> tuple[int, int] | None:
    """Bands of red and near infrared; None where the scene has none."""
    if wavelengths is None:
        return None
    red, infrared = (int(np.abs(wavelengths - nm).argmin()) for nm in (RED, INFRARED))
    off = max(abs(wavelengths[red] - RED), abs(wavelengths[infrared] - INFRARED))
    return (red, infrared) if off <= WITHIN else None
