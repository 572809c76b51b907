"""Labels of any kind as a raster on the grid of a cube, and the names of its codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.arrays import Bools, Int64
from hsiaug.base.errors import InputError, SceneError, check_known
from hsiaug.base.text import setting
from hsiaug.data.bounds import MOST_CODES
from hsiaug.data.cube_check import CubeFacts, unlike_shapes
from hsiaug.data.georeference import (
    Georeference,
    quiet,
    read_class_names,
    read_declared,
    same_system,
)
from hsiaug.data.label_codes import NO_CODE, LabelRaster, check_number
from hsiaug.data.labels import CODE_LIMIT, check_whole
from hsiaug.data.layers import OF_SHAPEFILES, is_layer
from hsiaug.data.readers import must_exist, read_labels_array, void_codes
from hsiaug.data.vector_labels import KINDS, WGS84, VectorLabels, read_vector_labels

if TYPE_CHECKING:
    from shapely import Geometry

OGC = re.compile(r"https?://(www\.)?opengis\.net/(def|gml)/", re.IGNORECASE)
"""Names of coordinate systems that only look like addresses."""


def read_labels(
    path: Path, key: str | None, field: str | None, crs: str | None, filler: int = 0
) -> VectorLabels | LabelRaster:
    """Vector labels or a raster, by the file's ending.

    Parameters
    ----------
    key : str or None
        Of a .mat, or a band, or a layer.
    field, crs : str or None
        Of vectors.
    filler : int
        Code of pixels without a label. Raises as these readers do.
    """
    must_exist(path)
    if path.suffix.lower() in OF_SHAPEFILES and path.with_suffix(".shp").is_file():
        path = path.with_suffix(".shp")
    if path.suffix.lower() in KINDS or is_layer(path):
        return read_vector_labels(path, field, crs, key)
    return read_raster(path, key, filler)


def read_raster(path: Path, key: str | None, filler: int = 0) -> LabelRaster:
    """The label raster of a .mat, .npy, ENVI or image file, with its place.

    Parameters
    ----------
    key : str or None
        Its name in a .mat file, or its band.
    filler : int
        Code of pixels that hold none: no number, or masked.

    Raises
    ------
    SceneError
        Where the file is missing or damaged, or holds no whole numbers.
    """
    raw = read_labels_array(path, key=key)
    nodata = raw.nodata
    missing = None
    if isinstance(nodata, float) and nodata.is_integer() and abs(nodata) < CODE_LIMIT:
        missing = int(nodata)
    invalid = void_codes(raw if missing is None else replace(raw, nodata=None))
    masked = bool(invalid.any())
    codes = np.where(invalid, raw.array.dtype.type(0), raw.array) if masked else raw.array
    check_whole(codes, f"{path}: labels")
    codes = codes.astype(np.int32)
    present = np.unique(codes).tolist()
    codes[invalid] = filler
    names, name_notes = read_class_names(path, present[: MOST_CODES + 1], raw.band)
    emptied = ("no number, or masked, in the file", int(invalid.sum()))
    return LabelRaster(
        codes,
        changed=masked,
        filler=filler,
        missing=missing,
        names=names,
        ground=read_declared(path).ground,
        masked=masked,
        emptied=(emptied,) if masked else (),
        notes=(*raw.notes, *name_notes),
        where=str(path),
    )


def labels_on_cube(
    source: VectorLabels | LabelRaster,
    facts: CubeFacts,
    ground: Georeference | None,
    classes: tuple[str, ...],
    ignore: tuple[str, ...],
    unlabelled: Sequence[int] | None,
    where: str,
    control_points: bool = False,
) -> LabelRaster:
    """The labels as codes (H, W) on the cube's grid, none where the cube has no data.

    Parameters
    ----------
    classes, ignore, unlabelled : tuple of str or sequence of int or None
        As the user gave them.
    where : str
        How errors name the file.
    control_points : bool
        Whether the cube has ground control points in place of a georeference.

    Raises
    ------
    SceneError
        Where the labels do not fit the cube.
    """
    shape = facts.shape[:2]
    if isinstance(source, VectorLabels):
        if ground is None and control_points and source.shapes and source.crs != "":
            raise SceneError(
                f"{where}: labels with coordinates need a cube with a georeference",
                value="ground control points only",
                hint="Warp the cube first, as gdalwarp does, and name the result.",
            )
        if source.size not in (None, shape):
            raise unlike_shapes(shape, source.size or (), where)
        raster = rasterise(source.without(ignore), shape, ground, classes, where, unlabelled)
    else:
        _check_grid(source, shape, ground)
        raster = source
    if raster.codes.shape == shape[::-1] != shape:
        note = "height and width of the labels are exchanged: transposed to fit the cube"
        raster = raster.with_codes(raster.codes.T, note)
    if raster.codes.shape != shape:
        raise unlike_shapes(shape, raster.codes.shape, where)
    unlabelled_codes = {raster.filler, *(unlabelled or ())}
    if unlabelled is None and not raster.marks:
        unlabelled_codes |= {0, raster.missing or 0}
    without_data = facts.empty & ~np.isin(raster.codes, list(unlabelled_codes))
    if without_data.any():
        note = (
            f"{int(without_data.sum()):,} labelled pixels hold no data in the cube: left unlabelled"
        )
        raster = raster.without(without_data, "no data in the cube", note)
    return raster


def rasterise(
    marks: VectorLabels,
    shape: tuple[int, int],
    ground: Georeference | None,
    names: tuple[str, ...],
    where: str,
    unlabelled: Sequence[int] | None = None,
) -> LabelRaster:
    """Give each pixel the class of the points it holds and of the polygons its centre lies in.

    A pixel that several classes claim stays unlabelled.

    Parameters
    ----------
    names : tuple of str
        The classes in the order of their codes, where the marks name them by words; () = in
        alphabetical order.
    where : str
        How errors name the file.
    unlabelled : sequence of int or None
        Numbers that are no classes; None = those below 0, and 0 unless somebody drew marks of it.

    Raises
    ------
    SceneError
        Where nothing falls on the cube, or the cube lies nowhere.
    InputError
        For a class not in names.
    """
    codes, names = _code_values(marks.values, names, where)
    if names and unlabelled:
        raise InputError(
            "`unlabelled` must be codes of a file whose classes are numbers",
            value=f"{where} names them by words",
            hint="Leave classes out with `ignore`.",
        )
    bare = set(unlabelled or ())
    if unlabelled is None and not (marks.drawn and 0 in codes):
        bare = {0}
    ids = sorted({code for code in codes if code >= 0} - bare)
    check_number(len(ids), where)
    filler = 0 if 0 in bare else NO_CODE
    claimed = np.full(shape, filler, dtype=np.int32)
    disputed = np.zeros(shape, dtype=bool)
    unused = 0
    if marks.crs == "":  # coordinates are columns and rows
        ground = Georeference((1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    shapes = _transform(marks, ground, where) if marks.shapes else ()
    for code in ids:
        members = [i for i, code_of_mark in enumerate(codes) if code_of_mark == code]
        if ground is not None and shapes:
            points, polygons = _in_pixels([shapes[i] for i in members], ground)
        else:
            points = np.array([marks.pixels[i] for i in members], dtype=np.int64)
            polygons = []
        mask, unused_of_class = _mask(points.reshape(-1, 2), polygons, shape)
        unused += unused_of_class
        disputed |= mask & (claimed != filler)
        claimed[mask] = code
    claimed[disputed] = filler
    if (claimed == filler).all():
        raise SceneError(
            f"{where}: the labels must lie on the cube ({shape[0]} rows, {shape[1]} columns)",
            value=f"all {len(codes)} outside" if unused else "no labelled pixel",
            hint="Rows and columns count from 0. Check the coordinate systems; `crs` says that of"
            " the labels.",
        )
    total = f"of {len(codes) + marks.skipped:,} labels are"
    outside = "outside the cube, or too small to hold the centre of a pixel"
    claims = int(disputed.sum())
    below_zero = sum(code < 0 for code in codes)
    zero_note = f"0 is taken for a class: if it means no label, use {setting('unlabelled', 0)}"
    notes = (
        (marks.skipped, f"{marks.skipped:,} {total} without a class or a place: left out"),
        (unused, f"{unused:,} {total} {outside}: left out"),
        (claims, f"{claims:,} pixels are claimed by several classes: left unlabelled"),
        (below_zero, f"{below_zero:,} labels are of a class below 0: left out"),
        *((1, note) for note in marks.notes),
        (0 in ids and unlabelled is None, zero_note),
    )
    return LabelRaster(
        claimed,
        changed=True,
        filler=filler,
        names=dict(enumerate(names, start=1)),
        marks=True,
        zeros=codes.count(0) if 0 in bare else 0,
        notes=tuple(note for count, note in notes if count),
        where=where,
    )


def _code_values(
    values: tuple[int | str, ...], names: tuple[str, ...], where: str
) -> tuple[list[int], tuple[str, ...]]:
    """The code of each mark; numbers are codes already."""
    if all(isinstance(value, int) for value in values):
        return [int(value) for value in values], ()
    words = list(map(str, values))
    for word in sorted(set(words)) if names else ():
        check_known(f"`classes` must name every class of {where}", word, names)
    names = names or tuple(sorted(set(words)))
    return [names.index(word) + 1 for word in words], names


def _transform(
    marks: VectorLabels, ground: Georeference | None, where: str
) -> tuple[Geometry, ...]:
    """The marks' shapes in the cube's coordinates."""
    import shapely

    if ground is None:
        raise SceneError(
            f"{where}: labels with coordinates need a cube with a georeference",
            value="none in the cube's file",
            hint=(
                "Give the labels as row,col,class (CSV) or as a raster; GeoTIFF, and ENVI with map"
                " info, have one."
            ),
        )
    if not marks.crs or not ground.crs:
        return marks.shapes
    with quiet() as rasterio:
        from rasterio.warp import transform

        target = None
        try:
            target = rasterio.CRS.from_wkt(ground.crs)
            # GDAL fetches what looks like an address.
            if "://" in marks.crs and not OGC.match(marks.crs):
                raise ValueError("an address, which is never fetched")
            source = rasterio.CRS.from_user_input(marks.crs)
            if source == target:
                return marks.shapes
            return tuple(
                shapely.transform(
                    np.array(marks.shapes),
                    lambda x, y: transform(source, target, x, y)[:2],
                    interleaved=False,
                )
            )
        except Exception as cause:  # GDAL's errors share no base with those of PROJ
            rule = f"`crs`, or {where}, must name a coordinate system in which the labels lie"
            hint = "For example EPSG:4326."
            if marks.crs == WGS84 and target is not None and (code := target.to_epsg()):
                hint = (
                    "Without a system of its own GeoJSON is in degrees; if its coordinates are"
                    f" those of the cube: {setting('crs', f'EPSG:{code}')}."
                )
            raise InputError(
                rule, value=f"{marks.crs[:80]!r} ({str(cause)[:120]})", hint=hint
            ) from cause


def _in_pixels(shapes: Sequence[Geometry], ground: Georeference) -> tuple[Int64, list[Geometry]]:
    """(n, 2) row and column of points, and polygons whose x and y are column and row, with
    fractions.
    """
    import shapely

    placed = shapely.transform(np.array(shapes), lambda at: ground.places(*at.T)[:, ::-1])
    are_polygons = shapely.get_dimensions(placed) == 2
    points = np.floor(shapely.get_coordinates(placed[~are_polygons])[:, ::-1]).astype(np.int64)
    return points, placed[are_polygons].tolist()


def _mask(points: Int64, polygons: list[Geometry], shape: tuple[int, int]) -> tuple[Bools, int]:
    """(H, W) pixels of one class, and the number of its marks without a pixel of their own."""
    mask = np.zeros(shape, dtype=bool)
    within = ((points >= 0) & (points < shape)).all(axis=1)
    mask[tuple(points[within].T)] = True
    unused_marks = int((~within).sum())
    if polygons:
        with quiet() as rasterio:
            from rasterio.features import rasterize

            numbered = [(polygon, number) for number, polygon in enumerate(polygons, start=1)]
            sheet = rasterize(numbered, shape, transform=rasterio.Affine.identity(), dtype="int32")
        mask |= sheet > 0
        unused_marks += len(polygons) - int(np.count_nonzero(np.bincount(sheet.ravel())[1:]))
    return mask, unused_marks


def _check_grid(raster: LabelRaster, shape: tuple[int, int], ground: Georeference | None) -> None:
    """Raise SceneError for a raster that lies on another grid than the cube's, as far as both files
    say.
    """
    label_ground = raster.ground
    if label_ground is None or ground is None:
        return
    other_crs = not same_system(label_ground.crs, ground.crs)
    side = max(abs(ground.transform[0]), abs(ground.transform[1]))
    corners = [(row, column) for row in (0, shape[0]) for column in (0, shape[1])]
    off = max(
        np.abs(np.subtract(label_ground.centre(*at), ground.centre(*at))).max() for at in corners
    )
    if other_crs or raster.codes.shape != shape or off >= 0.5 * side:
        extent = "×".join(map(str, raster.codes.shape))
        difference = "in another coordinate system" if other_crs else f"up to {off:g} away"
        raise SceneError(
            f"{raster.where}: the labels must lie on the grid of the cube, {shape[0]}×{shape[1]}"
            f" pixels of {side:g}",
            value=f"{extent} pixels of {abs(label_ground.transform[0]):g}, {difference}",
            hint="Resample the labels to the grid of the cube by nearest neighbour, as rio warp"
            " does.",
        )
