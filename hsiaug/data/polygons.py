"""Polygons on the grid of a cube, many at once: GDAL takes far longer to start than to fill a small shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import SceneError
from hsiaug.data.georeference import Georeference, quiet

__all__ = ["fill"]

SHEET = 2**22
"""Pixels of the sheet on which polygons are filled beside one another."""

ALONE = 500_000
"""Pixels that could be filled in the time it takes to start once more."""

MOST_PIXELS = 2**30
"""Pixels that are filled in some ten seconds."""


@dataclass(frozen=True, eq=False)
class _Outline:
    """parts: of a polygon's rings (n, 2) of (row, column). Its pixels are [top, bottom) and [left, right)."""

    parts: list[list[NDArray[np.float64]]]
    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Pixels of its box."""
        return (self.bottom - self.top) * (self.right - self.left)

    def clipped(self, shape: tuple[int, int]) -> _Outline:
        """The same polygon, of whose pixels only those of a grid (H, W) are wanted."""
        bottom, right = min(self.bottom, shape[0]), min(self.right, shape[1])
        return _Outline(self.parts, max(self.top, 0), max(self.left, 0), bottom, right)


def fill(
    mask: NDArray[np.bool_], shapes: Iterable[Mapping[str, Any]], ground: Georeference, where: str
) -> tuple[int, int]:
    """Set the pixels (H, W) whose centre lies in a polygon. where: how errors name the file.

    Returns how many polygons lie outside, and how many hold no pixel's centre.
    Raises SceneError where filling them would take minutes.
    """
    outlines = list(_outlines([_parts(shape) for shape in shapes], ground))
    height, width = mask.shape
    here = [o for o in outlines if o.top < height and o.left < width and o.bottom > 0 and o.right > 0]
    # What reaches beyond its own place on a sheet would run into its neighbours.
    clipped = [o.clipped((height, width)) for o in here if o.area > SHEET]
    beside = sorted((o for o in here if o.area <= SHEET), key=lambda o: o.right - o.left)
    total = sum(o.area for o in beside) + sum(max(o.area, ALONE) for o in clipped)
    if total > MOST_PIXELS:
        raise SceneError(
            f"{where}: the polygons of a class must not cover one another many times",
            value=f"{len(here):,} polygons, whose boxes hold {total:,} pixels",
            hint="Dissolve the polygons of each class, clip them to the cube, or give the labels as a raster.",
        )
    batches = (*([o] for o in clipped), *_batches(beside))
    return len(outlines) - len(here), sum(_paint(mask, batch) for batch in batches)


def _parts(shape: Mapping[str, Any]) -> list[Any]:
    parts: list[Any] = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return parts


def _outlines(polygons: list[list[Any]], ground: Georeference) -> Iterator[_Outline]:
    """All points are placed at once, which takes far less time than ring by ring."""
    rings = [ring for parts in polygons for part in parts for ring in part]
    points = np.array([point for ring in rings for point in ring], dtype=np.float64).reshape(-1, 2)
    placed = ground.places(*points.T)
    ends = iter(itertools.pairwise(itertools.accumulate(map(len, rings), initial=0)))
    for parts in polygons:
        own = [[placed[slice(*next(ends))] for _ in part] for part in parts]
        points = np.concatenate([ring for part in own for ring in part])
        (top, left), (bottom, right) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        yield _Outline(own, math.floor(top), math.floor(left), math.floor(bottom) + 1, math.floor(right) + 1)


def _batches(outlines: list[_Outline]) -> Iterator[list[_Outline]]:
    """What fits on one sheet, of outlines in ascending order of their width."""
    batch: list[_Outline] = []
    rows = 0
    for outline in outlines:
        own = outline.bottom - outline.top
        if batch and (rows + own) * (outline.right - outline.left) > SHEET:
            yield batch
            batch, rows = [], 0
        batch.append(outline)
        rows += own
    if batch:
        yield batch


def _paint(mask: NDArray[np.bool_], batch: list[_Outline]) -> int:
    """Fill the outlines below one another on a sheet, and copy each to its place; how many hold no centre."""
    starts = list(itertools.accumulate((o.bottom - o.top for o in batch), initial=0))
    shapes = [_shifted(o, start) for o, start in zip(batch, starts, strict=False)]
    size = (starts[-1], max(o.right - o.left for o in batch))
    with quiet() as rasterio:
        from rasterio.features import rasterize

        sheet = rasterize(shapes, size, transform=rasterio.Affine.identity(), dtype="uint8")
    small = 0
    for outline, start in zip(batch, starts, strict=False):
        part = outline.clipped((mask.shape[0], mask.shape[1]))
        rows = slice(start + part.top - outline.top, start + part.bottom - outline.top)
        inside = sheet[rows, part.left - outline.left : part.right - outline.left] > 0
        mask[part.top : part.bottom, part.left : part.right] |= inside
        small += not inside.any()
    return small


def _shifted(outline: _Outline, start: int) -> tuple[dict[str, Any], int]:
    """As GeoJSON in (column, row) with its first row at ``start``, and the value to fill in."""
    by = np.array([start - outline.top, -outline.left])
    parts = [[(ring + by)[:, ::-1].tolist() for ring in part] for part in outline.parts]
    return {"type": "MultiPolygon", "coordinates": parts}, 1
