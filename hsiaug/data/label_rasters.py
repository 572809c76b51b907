"""Label rasters on the grid of a cube: moved there from another grid, or filled from points and polygons."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, SceneError, did_you_mean, install
from hsiaug.data.georeference import Georeference, quiet
from hsiaug.data.vector_labels import VectorLabels

__all__ = ["MOST_CODES", "LabelRaster", "move_to_grid", "rasterise"]

MOST_CODES = 256
"""Labels with more codes than this are hardly classes."""

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

    def with_codes(self, codes: NDArray[np.int64], *notes: str) -> LabelRaster:
        """The same raster with other codes, which are no longer those of its file."""
        return replace(self, codes=codes, changed=True, notes=(*self.notes, *notes))


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
    codes, names = _code_values(marks.values, names, where)
    ids = sorted({code for code in codes if code > 0})
    if len(ids) > most:
        raise SceneError(
            f"{where}: labels have at most {most} classes",
            value=f"{len(ids):,}",
            hint="Name the attribute that holds the class with `field`.",
        )
    places = marks.places if marks.pixels else _transform(marks, ground, where)
    claimed, disputed, lost = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool), 0
    for code in ids:
        mine = [place for place, c in zip(places, codes, strict=True) if c == code]
        mask, gone = _mask(mine, shape, None if marks.pixels else ground)
        lost += gone
        disputed |= mask & (claimed > 0)
        claimed[mask] = code
    claimed[disputed] = 0
    if not claimed.any():
        raise SceneError(
            f"{where}: the labels must lie on the cube ({shape[0]} rows, {shape[1]} columns)",
            value=f"all {len(places)} outside" if lost else "no labelled pixel",
            hint="Rows and columns count from 0. Check the coordinate systems; `crs` says that of the labels.",
        )
    notes = [
        (marks.skipped, "without a class or a place: left out"),
        (lost, "outside the cube, or too small to hold the centre of a pixel: left out"),
    ]
    said = [f"{n:,} of {len(places) + marks.skipped:,} labels are {text}" for n, text in notes if n]
    if disputed.any():
        said.append(f"{int(disputed.sum()):,} pixels are claimed by several classes: left unlabelled")
    return LabelRaster(claimed, True, names=("", *names), notes=tuple(said), where=where)


def _code_values(
    values: tuple[int | str, ...], names: tuple[str, ...], where: str
) -> tuple[list[int], tuple[str, ...]]:
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


def _transform(marks: VectorLabels, ground: Georeference | None, where: str) -> tuple[Any, ...]:
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
            source, target = rasterio.CRS.from_user_input(marks.crs), rasterio.CRS.from_wkt(ground.crs)
            return marks.places if source == target else tuple(transform_geom(source, target, list(marks.places)))
        except Exception as cause:  # GDAL's errors share no base with those of PROJ
            raise InputError(
                f"`crs`, or {where}, must name a coordinate system in which the labels lie",
                value=f"{marks.crs[:80]!r} ({str(cause)[:120]})",
                hint="For example EPSG:4326.",
            ) from cause


def _mask(places: list[Any], shape: tuple[int, int], ground: Georeference | None) -> tuple[NDArray[np.bool_], int]:
    """(H, W) pixels of one class, and how many of its marks label none that no other does."""
    mask = np.zeros(shape, dtype=bool)
    if ground is None:
        points = np.array(places, dtype=np.int64).reshape(-1, 2)
        polygons = []
    else:
        listed = [p["coordinates"] for p in places if p["type"] == "Point"]
        listed += [q for p in places if p["type"] == "MultiPoint" for q in p["coordinates"]]
        points = np.floor(ground.places(*np.array(listed, dtype=np.float64).reshape(-1, 2).T)).astype(np.int64)
        polygons = [p for p in places if p["type"].endswith("Polygon")]
    within = ((points >= 0) & (points < shape)).all(axis=1)
    mask[tuple(points[within].T)] = True
    lost = int((~within).sum())
    if polygons and ground is not None:
        with quiet() as rasterio:
            from rasterio.features import rasterize

            numbered = [(_in_pixels(polygon, ground), number) for number, polygon in enumerate(polygons, start=1)]
            sheet = rasterize(numbered, shape, transform=rasterio.Affine.identity(), dtype="int32")
        mask |= sheet > 0
        lost += len(polygons) - int(np.count_nonzero(np.bincount(sheet.ravel())[1:]))
    return mask, lost


def _in_pixels(polygon: dict[str, Any], ground: Georeference) -> dict[str, Any]:
    """A (multi)polygon whose x and y are column and row, with fractions."""
    parts = polygon["coordinates"] if polygon["type"] == "MultiPolygon" else [polygon["coordinates"]]
    rings = [[ground.places(*np.transpose(ring))[:, ::-1].tolist() for ring in part] for part in parts]
    return {"type": "MultiPolygon", "coordinates": rings}


def move_to_grid(raster: LabelRaster, shape: tuple[int, int], ground: Georeference | None) -> LabelRaster:
    """The raster on the cube's grid (H, W), by nearest neighbour; as it is where nothing says that it lies elsewhere."""
    own = raster.ground
    if own is None or ground is None:
        return raster
    with quiet() as rasterio:
        from rasterio.warp import Resampling, reproject

        systems = [rasterio.CRS.from_wkt(crs) for crs in (own.crs or ground.crs, ground.crs or own.crs) if crs]
        steps = np.abs(np.subtract(own.transform, ground.transform))
        side = max(abs(ground.transform[0]), abs(ground.transform[1]))
        alike = len(set(map(str, systems))) < 2 or systems[0] == systems[1]
        if alike and raster.codes.shape == shape and steps[[2, 5]].max() < 0.5 * side and steps.max() < side:
            return raster
        moved = np.zeros(shape, dtype=np.int32)
        reproject(
            raster.codes.astype(np.int32),
            moved,
            src_transform=rasterio.Affine(*own.transform),
            dst_transform=rasterio.Affine(*ground.transform),
            src_crs=systems[0] if systems else "",
            dst_crs=systems[-1] if systems else "",
            resampling=Resampling.nearest,
            init_dest_nodata=False,
        )
    note = "the labels lie on another grid than the cube: moved to its grid by nearest neighbour"
    return raster.with_codes(moved.astype(np.int64), note)
