"""Conversion of marks to a label raster on the grid of a cube."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, SceneError, did_you_mean, install
from hsiaug.data.georeference import Georeference, need_geo, quiet
from hsiaug.data.vector_labels import VectorLabels

__all__ = ["MOST_CODES", "LabelRaster", "rasterise", "regrid"]

MOST_CODES = 256
"""Labels with more codes than this are hardly classes."""

MOST_PIXELS = 2**30
"""Pixels that are filled in some ten seconds."""

OGC = re.compile(r"https?://(www\.)?opengis\.net/(def|gml)/", re.IGNORECASE)
"""Names of coordinate systems that only look like addresses."""


@dataclass(frozen=True, eq=False)
class LabelRaster:
    """codes: (H, W) int64. changed: whether they differ from what the file holds, and so need a file of their own.

    missing: a code that stands for no label, beside 0. names: by code, where the file names them. notes: for people.
    where: how errors name the file.
    """

    codes: NDArray[np.int64]
    changed: bool = False
    missing: int | None = None
    names: tuple[str, ...] = ()
    ground: Georeference | None = None
    notes: tuple[str, ...] = ()
    where: str = "labels"

    def raised(self) -> LabelRaster:
        """Codes one higher, so that 0 is a class; what stood for no label, or lay below 0, is 0 then."""
        blank = (self.codes < 0) | (self.codes == (-1 if self.missing is None else self.missing))
        names = tuple(self.names and ("", *self.names))
        note = "0 is a class: all codes are one higher in the new label file"
        codes = np.where(blank, 0, self.codes + 1)
        return replace(self, codes=codes, changed=True, missing=None, names=names, notes=(*self.notes, note))


def rasterise(
    marks: VectorLabels,
    shape: tuple[int, int],
    ground: Georeference | None,
    names: tuple[str, ...],
    where: str,
    most: int = MOST_CODES,
) -> LabelRaster:
    """Give each pixel the class of the points it holds and of the polygons its centre lies in.

    A pixel that several classes claim stays unlabelled. names: the classes in the order of their codes, where the
    marks name them by words; () = in alphabetical order. where: how errors name the file. most: classes at most.
    Raises SceneError where nothing falls on the cube, or the cube lies nowhere, InputError for a class not in names,
    DataUnavailableError where rasterio is needed and missing.
    """
    codes, names = _coded(marks.values, names, where)
    ids = sorted({code for code in codes if code > 0})
    if len(ids) > most:
        raise SceneError(
            f"{where}: labels have at most {most} classes",
            value=f"{len(ids):,}",
            hint="Name the attribute that holds the class with `field`.",
        )
    claimed = np.zeros(shape, dtype=np.int64)
    disputed = np.zeros(shape, dtype=bool)
    places = marks.places if marks.pixels else _on_ground(marks, ground, where)
    off = small = 0
    for code in ids:
        mine = [place for place, c in zip(places, codes, strict=True) if c == code]
        mask, gone, missed = _mask(mine, shape, None if marks.pixels else ground, where)
        off, small = off + gone, small + missed
        disputed |= mask & (claimed > 0)
        claimed[mask] = code
    claimed[disputed] = 0
    if not claimed.any():
        raise SceneError(
            f"{where}: the labels must lie on the cube ({shape[0]} rows, {shape[1]} columns)",
            value=f"all {len(places)} outside" if off else "no labelled pixel",
            hint="Rows and columns count from 0."
            if marks.pixels
            else "Check the coordinate systems; `crs` says that of the labels.",
        )
    notes = [
        (marks.skipped, "without a class or a place: left out"),
        (off, "outside the cube: left out"),
        (small, "too small to hold the centre of a pixel that no other holds: left out"),
    ]
    said = [f"{n:,} of {len(places) + marks.skipped:,} labels are {text}" for n, text in notes if n]
    if disputed.any():
        said.append(f"{int(disputed.sum()):,} pixels are claimed by several classes: left unlabelled")
    return LabelRaster(claimed, True, names=("", *names), notes=tuple(said), where=where)


def _coded(values: tuple[int | str, ...], names: tuple[str, ...], where: str) -> tuple[list[int], tuple[str, ...]]:
    """The code of each mark; numbers are codes already."""
    if all(isinstance(value, int) for value in values):
        return [int(value) for value in values], ()
    present = sorted({str(value) for value in values})
    for name in present:
        if names and name not in names:
            raise InputError(
                f"`classes` must name every class of {where}", value=repr(name), hint=did_you_mean(name, names)
            )
    names = names or tuple(present)
    code_of = {name: code for code, name in reversed(list(enumerate(names, start=1)))}
    return [code_of[str(value)] for value in values], names


def _on_ground(marks: VectorLabels, ground: Georeference | None, where: str) -> tuple[Any, ...]:
    """The marks' shapes in the cube's coordinates."""
    if ground is None:
        raise SceneError(
            f"{where}: labels with coordinates need a cube with a georeference",
            value="none in the cube's file",
            hint="Give the labels as row,col,class (CSV) or as a raster; GeoTIFF, and ENVI with map info, have one "
            f"(read through rasterio: {install('geo', 'rasterio')}).",
        )
    if not marks.crs or not ground.crs:
        return marks.places
    with quiet() as rasterio:
        from rasterio.warp import transform_geom

        try:
            # GDAL fetches what looks like an address.
            if "://" in marks.crs and not OGC.match(marks.crs):
                raise ValueError("an address, which is never fetched")
            source = rasterio.CRS.from_user_input(marks.crs)
            target = rasterio.CRS.from_wkt(ground.crs)
            if source == target:
                return marks.places
            return tuple(transform_geom(source, target, list(marks.places)))
        except Exception as cause:  # GDAL's errors share no base with those of PROJ
            raise InputError(
                f"`crs`, or {where}, must name a coordinate system in which the labels lie",
                value=f"{marks.crs[:80]!r} ({str(cause)[:120]})",
                hint="For example EPSG:4326.",
            ) from cause


def _mask(
    places: list[Any], shape: tuple[int, int], ground: Georeference | None, where: str
) -> tuple[NDArray[np.bool_], int, int]:
    """(H, W) pixels of one class; how many of its marks lie outside, and how many hold no pixel's centre."""
    mask = np.zeros(shape, dtype=bool)
    if ground is None:
        return mask, _put(mask, np.array(places, dtype=np.int64).reshape(-1, 2)), 0
    points = [p["coordinates"] for p in places if p["type"] == "Point"]
    points += [q for p in places if p["type"] == "MultiPoint" for q in p["coordinates"]]
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    off = _put(mask, ground.pixels(x, y))
    gone, small = _fill(mask, [p for p in places if p["type"].endswith("Polygon")], ground, where)
    return mask, off + gone, small


def _put(mask: NDArray[np.bool_], pixels: NDArray[np.int64]) -> int:
    """Set these pixels (n, 2); how many lie outside."""
    within = ((pixels >= 0) & (pixels < mask.shape)).all(axis=1)
    mask[pixels[within, 0], pixels[within, 1]] = True
    return int((~within).sum())


def _fill(
    mask: NDArray[np.bool_], shapes: list[dict[str, Any]], ground: Georeference, where: str
) -> tuple[int, int]:
    """Set the pixels (H, W) whose centre lies in a polygon; how many polygons lie outside, and how many hold none.

    Raises SceneError where filling them would take minutes.
    """
    if not shapes:
        return 0, 0
    polygons = [
        [[ground.places(*np.transpose(ring))[:, ::-1] for ring in part] for part in parts]
        for parts in (s["coordinates"] if s["type"] == "MultiPolygon" else [s["coordinates"]] for s in shapes)
    ]
    outlines = [np.concatenate([ring for part in parts for ring in part]) for parts in polygons]
    low, high = np.array([o.min(axis=0) for o in outlines]), np.array([o.max(axis=0) for o in outlines])
    size = mask.shape[::-1]
    near = ((low < size) & (high > 0)).all(axis=1)
    total = int(np.prod(np.minimum(high, size)[near] - np.maximum(low, 0)[near] + 1, axis=1).sum())
    if total > MOST_PIXELS:
        raise SceneError(
            f"{where}: the polygons of a class must not cover one another many times",
            value=f"{int(near.sum()):,} polygons, whose boxes hold {total:,} pixels",
            hint="Dissolve the polygons of each class, clip them to the cube, or give the labels as a raster.",
        )
    numbered = [
        ({"type": "MultiPolygon", "coordinates": [[ring.tolist() for ring in part] for part in parts]}, number)
        for number, parts in enumerate(polygons, start=1)
    ]
    with quiet() as rasterio:
        from rasterio.features import rasterize

        sheet = rasterize(numbered, mask.shape, transform=rasterio.Affine.identity(), dtype="int32")
    mask |= sheet > 0
    filled = np.bincount(sheet.ravel(), minlength=len(shapes) + 1)[1:] > 0
    return int((~near).sum()), int((near & ~filled).sum())


def regrid(
    codes: NDArray[Any], own: Georeference, shape: tuple[int, int], ground: Georeference
) -> NDArray[np.int64]:
    """A label raster (h, w) on the grid (H, W) of the cube, by nearest neighbour; 0 beyond its edges."""
    need_geo("moving labels to the grid of the cube", "give labels of the cube's own grid.")
    out = np.zeros(shape, dtype=np.int32)
    with quiet() as rasterio:
        from rasterio.warp import Resampling, reproject

        reproject(
            codes.astype(np.int32),
            out,
            src_transform=rasterio.Affine(*own.transform),
            dst_transform=rasterio.Affine(*ground.transform),
            src_crs=own.crs or ground.crs,
            dst_crs=ground.crs or own.crs,
            resampling=Resampling.nearest,
            init_dest_nodata=False,
        )
    return out.astype(np.int64)
