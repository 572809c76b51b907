"""What a look at a scene's spectra says of its labels: whether they lie turned, or a pixel or two
beside what they label, and which labelled pixels cannot be of their class.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.fields import label_fields
from hsiaug.core.scene import Scene

REACH = 2
"""Pixels, along rows and columns, by which labels are moved."""
MIN_FIELD_PIXELS = 12
"""Pixels of a field that counts, at least."""
MIN_FIELDS = 5
"""Fields below which nothing is said."""
MAX_PIXELS = 50_000
"""Pixels that are looked at, about: in every second, third, … field of a scene that has more."""
BANDS, COMPONENTS = 20, 5
GAIN, SURE = 0.03, 2.0
"""Mean fall of the log variance within fields, and its ratio to its standard error over fields,
that are clear.
"""
MIN_PIXELS = 20
"""Labelled pixels of a class that is looked at, at least."""
MOST_NAMED = 5
"""Pixels that a sentence names."""
USUAL = 0.95
"""Share of a class whose distances are taken as usual."""
FAR = 5.0
"""Times the usual distance from which on a spectrum is far from its class. On 45 classes of seven
scenes the farthest pixel has 3.2 times; a pixel of zeros on Indian Pines has 7 to 43 times.
"""
SPIKE = 10.0
"""The same of the largest step of a single band from the bands beside it: 6.5 times at most on
these scenes, and 14 to 430 times where a band is set to the largest value of the class.
"""


def label_warnings(scene: Scene) -> list[str]:
    """Sentences on labels that are shifted, and on pixels that are broken; none where all is
    well.
    """
    return [*place_warnings(scene), *far_warnings(scene)]


# Labels beside what they label: fields are uniform where their labels lie right

Move = tuple[str, int, int]
"""One of TURNS, and rows down and columns right."""
TURNS = {
    "": "",
    "rows": "upside down",
    "columns": "with left and right exchanged",
    "both": "turned by half a circle",
    "exchanged": "with rows and columns exchanged",
}
"""Ways in which labels may lie, in words."""


def better_place(cube: NDArray[np.float32], labels: NDArray[np.int16]) -> Move | None:
    """Where labels (H, W) fit a cube (H, W, B) clearly better: turned, or moved; None: nowhere.

    A field that lies right is uniform; one that is shifted holds its neighbour's edge. Spectra are
    compared in principal components of bands that are alike scaled, and fields weigh by the root of
    their pixels, up to 200.
    """
    fields = label_fields(labels).copy()
    for edge in (fields, fields.T):
        edge[:REACH] = edge[-REACH:] = 0
    sizes = np.bincount(fields[fields > 0])
    large = np.flatnonzero(sizes >= MIN_FIELD_PIXELS)
    chosen = large[:: -(-int(sizes[large].sum()) // MAX_PIXELS) or 1]
    if len(chosen) < MIN_FIELDS:
        return None
    rows, columns = np.nonzero(np.isin(fields, chosen))
    group = np.searchsorted(chosen, fields[rows, columns])
    n = sizes[chosen]
    bands = slice(None, None, max(1, cube.shape[2] // BANDS))
    spectra = cube[rows, columns][:, bands].astype(np.float64)
    mean = spectra.mean(axis=0)
    std = np.maximum(spectra.std(axis=0), 1e-12)
    _, variances, axes = np.linalg.svd(
        np.atleast_2d(np.cov(np.clip((spectra - mean) / std, -4, 4).T))
    )
    project = axes[:COMPONENTS].T / np.sqrt(max(variances[:COMPONENTS].sum(), 1e-12))
    height, width = labels.shape

    def spread(turn: str, down: int, right: int) -> NDArray[np.float64]:
        """(fields,) log of the variance within each field, turned or moved."""
        there = columns if turn == "exchanged" else rows + down
        across = rows if turn == "exchanged" else columns + right
        there = height - 1 - there if turn in ("rows", "both") else there
        across = width - 1 - across if turn in ("columns", "both") else across
        x = np.clip((cube[there, across][:, bands] - mean) / std, -4, 4) @ project
        sums = (
            np.bincount(group, component**2) / n - (np.bincount(group, component) / n) ** 2
            for component in x.T
        )
        return np.asarray(np.log(np.maximum(sum(sums), 0) + 1e-4))

    unmoved = spread("", 0, 0)
    weight = np.sqrt(np.minimum(n, 200))
    reach = range(-REACH, REACH + 1)
    moves: list[Move] = [("", *by) for by in product(reach, reach)]
    moves += [(turn, 0, 0) for turn in TURNS if turn != "exchanged" or height == width]
    falls = {move: unmoved - spread(*move) for move in moves}
    best = max(falls, key=lambda move: np.average(falls[move], weights=weight))
    gain = np.average(falls[best], weights=weight)
    error = np.sqrt((weight**2 * (falls[best] - gain) ** 2).sum()) / weight.sum()
    return best if gain > GAIN and gain > SURE * error else None


def place_warnings(scene: Scene) -> list[str]:
    """A sentence where the labels of a scene seem to lie elsewhere; else none."""
    if (move := better_place(scene.pixels, scene.labels)) is None:
        return []
    turn, *by = move
    ways = zip(by, ("up", "left"), ("down", "right"), strict=True)
    moved = " and ".join(
        f"{abs(n)} px {before if n < 0 else after}" for n, before, after in ways if n
    )
    return [
        f"the labels fit the cube clearly better {TURNS[turn] or f'moved {moved}'}: look at the"
        " picture, and correct their file"
    ]


# Labelled pixels whose spectrum cannot be of their class, as of a dead detector or a spike


def far_pixels(scene: Scene) -> list[tuple[int, int, int]]:
    """Row, column and class id of labelled pixels far from their class, which may be none.

    Distances are counted in median absolute deviations of each band over the labelled pixels of the
    class, so that the pixels sought do not move what they are compared with.
    """
    found: list[tuple[int, int, int]] = []
    for class_id in range(1, len(scene.class_names) + 1):
        pixels = np.argwhere(scene.labels == class_id)
        if len(pixels) < MIN_PIXELS:
            continue
        spectra = scene.pixels[tuple(pixels.T)].astype(np.float64)
        far = _beyond(np.sqrt(np.square(_deviations(spectra)).mean(axis=1)), FAR)
        if spectra.shape[1] > 2:
            steps = spectra[:, 1:-1] - (spectra[:, :-2] + spectra[:, 2:]) / 2
            far |= _beyond(np.abs(_deviations(steps)).max(axis=1), SPIKE)
        found += [(int(row), int(column), class_id) for row, column in pixels[far]]
    return found


def far_warnings(scene: Scene) -> list[str]:
    """A sentence that names labelled pixels far from their class; else none."""
    far = far_pixels(scene)
    if not far:
        return []
    named = "; ".join(
        f"row {r}, column {c}, {scene.class_names[k - 1]}" for r, c, k in far[:MOST_NAMED]
    )
    if len(far) > MOST_NAMED:
        named += f"; and {len(far) - MOST_NAMED} more"
    lies = "pixel lies far from its" if len(far) == 1 else "pixels lie far from their"
    return [
        f"{len(far):,} labelled {lies} class (counted from 0): {named}; if its spectrum is broken,"
        " take its label away"
    ]


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) values as distances from the median of their column, in median absolute deviations.

    A column that hardly varies counts as a tenth of the median column does.
    """
    apart = values - np.median(values, axis=0)
    spread = np.median(np.abs(apart), axis=0)
    least = np.median(spread) / 10
    return np.asarray(apart / np.maximum(spread, least if least > 0 else 1.0))


def _beyond(distances: NDArray[np.float64], times: float) -> NDArray[np.bool_]:
    """(n,) whether a distance is so many times the usual one."""
    usual = np.quantile(distances, USUAL, method="lower")
    return np.asarray(distances > times * usual) if usual > 0 else np.zeros(len(distances), bool)
