"""Labels that lie a pixel or two beside what they label: a cheap look at how uniform fields are
where they lie.
"""

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


def better_shift(cube: NDArray[np.float32], labels: NDArray[np.int16]) -> tuple[int, int] | None:
    """Rows down and columns right by which labels (H, W) fit a cube (H, W, B) clearly better; None:
    none is clear.

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

    def spread(down: int, right: int) -> NDArray[np.float64]:
        """(fields,) log of the variance within each field, moved."""
        x = np.clip((cube[rows + down, columns + right][:, bands] - mean) / std, -4, 4) @ project
        sums = (
            np.bincount(group, component**2) / n - (np.bincount(group, component) / n) ** 2
            for component in x.T
        )
        return np.asarray(np.log(np.maximum(sum(sums), 0) + 1e-4))

    unmoved = spread(0, 0)
    weight = np.sqrt(np.minimum(n, 200))
    reach = range(-REACH, REACH + 1)
    falls = {by: unmoved - spread(*by) for by in product(reach, reach)}
    best = max(falls, key=lambda by: np.average(falls[by], weights=weight))
    gain = np.average(falls[best], weights=weight)
    error = np.sqrt((weight**2 * (falls[best] - gain) ** 2).sum()) / weight.sum()
    return best if gain > GAIN and gain > SURE * error else None


def shift_warnings(scene: Scene) -> list[str]:
    """A sentence where the labels of a scene seem to be shifted; else none."""
    if (by := better_shift(scene.pixels, scene.labels)) is None:
        return []
    ways = zip(by, ("up", "left"), ("down", "right"), strict=True)
    moved = " and ".join(
        f"{abs(n)} px {before if n < 0 else after}" for n, before, after in ways if n
    )
    return [
        f"the labels fit the cube clearly better moved {moved}: look at the picture, and correct"
        " their file"
    ]
