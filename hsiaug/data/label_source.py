"""Labels of any kind as a raster on the grid of a cube, and the names of its codes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError, SceneError, check_known, install, need
from hsiaug.data.cube_check import CubeFacts, unlike_shapes
from hsiaug.data.georeference import Georeference, quiet, read_declared
from hsiaug.data.labels import LARGEST, check_whole
from hsiaug.data.readers import must_exist, read_label_file
from hsiaug.data.vector_labels import KINDS, Geometry, VectorLabels, read_vector_labels

MOST_CODES = 256
"""Labels with more codes than this are hardly classes."""

OGC = re.compile(r"https?://(www\.)?opengis\.net/(def|gml)/", re.IGNORECASE)
"""Names of coordinate systems that only look like addresses."""


@dataclass(frozen=True, eq=False)
class LabelRaster:
    """codes: (H, W) int32. changed: whether they differ from what the file holds, and so need a file of their own.

    missing: a code that stands for no label, beside 0. names: by code, where the file names them. notes: for people.
    where: how errors name the file.
    """

    codes: NDArray[np.int32]
    changed: bool = False
    missing: int | None = None
    names: tuple[str, ...] = ()
    ground: Georeference | None = None
    notes: tuple[str, ...] = ()
    where: str = "labels"

    def with_codes(self, codes: NDArray[np.int32], *notes: str) -> "LabelRaster":
        """The same raster with other codes, which are no longer those of its file."""
        return replace(self, codes=codes, changed=True, notes=(*self.notes, *notes))


@dataclass(frozen=True)
class ClassCodes:
    """names, ids: of the classes, and their codes. ignore: names and codes without a label. notes: for people."""

    names: tuple[str, ...]
    ids: tuple[int, ...]
    ignore: tuple[str | int, ...]
    notes: tuple[str, ...]


def read_labels(path: Path, key: str | None, field: str | None, crs: str | None) -> VectorLabels | LabelRaster:
    """Vector labels or a raster, by the file's ending. key: of a .mat; field, crs: of vectors.

    Raises as these readers do.
    """
    must_exist(path)
    if path.suffix.lower() in (".gpkg", ".shp", ".kml"):
        raise SceneError(
            "labels must be a raster, a GeoJSON, an ENVI ROI or a CSV",
            value=str(path),
            hint="Export the layer as GeoJSON: in QGIS with Export > Save Features As, or with "
            f"ogr2ogr -f GeoJSON {path.stem}.geojson {path.name}.",
        )
    return read_vector_labels(path, field, crs) if path.suffix.lower() in KINDS else read_raster(path, key)


def read_raster(path: Path, key: str | None) -> "LabelRaster":
    """The label raster of a .mat, .npy, ENVI or image file, a GeoTIFF with its place where rasterio is installed.

    Raises SceneError where the file is missing or damaged, or holds no whole numbers.
    """
    said, codes = read_declared(path), read_label_file(path, key=key)
    missing = None if said.nodata is None or said.nodata != int(said.nodata) else int(said.nodata)
    gone = np.isnan(codes) if codes.dtype.kind == "f" else np.zeros(codes.shape, dtype=bool)
    if missing is not None and abs(missing) >= LARGEST:
        gone |= codes == missing
    codes, changed = np.where(gone, codes.dtype.type(0), codes), bool(gone.any())
    check_whole(codes, f"{path}: labels")
    return LabelRaster(codes.astype(np.int32), changed, missing or None, said.classes, said.ground, where=str(path))


def labels_on_cube(
    found: VectorLabels | LabelRaster,
    seen: CubeFacts,
    ground: Georeference | None,
    classes: tuple[str, ...],
    ignore: tuple[str, ...],
    where: str,
) -> "LabelRaster":
    """The labels as codes (H, W) on the cube's grid, none where the cube has no data.

    classes, ignore: as the user gave them. where: how errors name the file.
    Raises SceneError where the labels do not fit the cube.
    """
    shape = seen.shape[:2]
    if isinstance(found, VectorLabels):
        raster = rasterise(found.without(ignore), shape, ground, classes, where)
    else:
        _check_grid(found, shape, ground)
        raster = found
    if raster.codes.shape == shape[::-1] != shape:
        note = "height and width of the labels are exchanged: transposed to fit the cube"
        raster = raster.with_codes(raster.codes.T, note)
    if raster.codes.shape != shape:
        raise unlike_shapes(shape, raster.codes.shape, where)
    lost = seen.empty & (raster.codes != 0) & (raster.codes != (raster.missing or 0))
    if lost.any():
        note = f"{int(lost.sum()):,} labelled pixels hold no data in the cube: left unlabelled"
        raster = raster.with_codes(np.where(lost, 0, raster.codes), note)
    return raster


def code_labels(
    found: VectorLabels | LabelRaster, raster: LabelRaster, classes: tuple[str, ...], ignore: tuple[str, ...]
) -> ClassCodes:
    """Names for the codes (H, W) of a raster: as given, else as the file says, else "class 1", "class 2", …

    classes: names of the codes present, in ascending order, or of codes 1, 2, …, if there are more names.
    ignore: codes, or names, that count as unlabelled.
    Raises SceneError for a raster that can be none of labels, InputError for names that do not fit.
    """
    names = classes
    if isinstance(found, VectorLabels):  # ignored marks are gone already
        ignore = tuple(item for item in ignore if item not in map(str, found.values))
        names = raster.names[1:] if any(raster.names) else classes
    present, counts = np.unique(raster.codes, return_counts=True)
    of = dict(zip(present.tolist(), counts.tolist(), strict=True))
    _check_number(len(of), raster.where)
    below = {code for code in of if code < 0}
    dropped = {int(item) for item in ignore if _is_code(item)} | below | {raster.missing or 0}
    ids = tuple(code for code in of if code != 0 and code not in dropped)
    listed = ", ".join(f"{code} ({of[code]:,} px)" for code in ids[:12]) + (", …" if len(ids) > 12 else "")
    notes = [f"codes below 0 count as unlabelled: {', '.join(map(str, sorted(below)))}"] if below else []
    # Codes from 0 on: of the names the last has no code, or -1 stands for no label.
    if 0 in of and (below or (ids and len(names) == len(ids) + 1 == ids[-1] + 1)):
        notes += ["0 counts as unlabelled too: if it is a class, add 1 to every code of the labels"]
    if names and len(names) > len(ids) > 1 and len(names) >= ids[-1]:
        ids = tuple(range(1, len(names) + 1))
        notes += [f"no pixel: {', '.join(n for n, code in zip(names, ids, strict=True) if code not in of)}"]
    elif names and len(names) != len(ids):
        rule = f"`classes` must name every code of {raster.where}, in ascending order"
        hint = "Give one name per code; leave codes out with `ignore`. If 0 is a class, add 1 to all."
        raise InputError(rule, value=f"{len(names)} names for {len(ids)} codes: {listed or 'none but 0'}", hint=hint)
    elif not names:
        said = dict(enumerate(raster.names))
        names = tuple((code > 0 and said.get(code)) or f"class {code}" for code in ids)
        if not said:
            notes += ["classes have no names: give them with `classes`, or edit labels.names of the card"]
    for item in (item for item in ignore if not _is_code(item)):
        check_known("`ignore` must name a class or a code", item, names)
    if len(ids) < 2:
        rule, hint = f"{raster.where}: labels need at least two classes", "0 is unlabelled; check `ignore`."
        raise SceneError(rule, value=f"codes {listed or 'none but 0'}", hint=hint)
    words = tuple(item for item in ignore if item in names)
    return ClassCodes(names, ids, (*words, *sorted(dropped & set(of) - {0})), tuple(notes))


def _check_number(codes: int, where: str) -> None:
    if codes > MOST_CODES:
        rule = f"{where}: labels have at most {MOST_CODES} codes"
        hint = "Name what holds the classes: of a .mat with several arrays by `labels_key`, of marks by `field`."
        raise SceneError(rule, value=f"{codes:,} different values", hint=hint)


def _is_code(item: str) -> bool:
    """True where a text is the code of a class: a whole number that an array can hold."""
    return re.fullmatch(r"-?[0-9]{1,18}", item) is not None


def rasterise(
    marks: VectorLabels, shape: tuple[int, int], ground: Georeference | None, names: tuple[str, ...], where: str
) -> "LabelRaster":
    """Give each pixel the class of the points it holds and of the polygons its centre lies in.

    A pixel that several classes claim stays unlabelled. names: the classes in the order of their codes, where the
    marks name them by words; () = in alphabetical order. where: how errors name the file.
    Raises SceneError where nothing falls on the cube, or the cube lies nowhere, InputError for a class not in names,
    DataUnavailableError where rasterio is needed and missing.
    """
    codes, names = _code_values(marks.values, names, where)
    ids = sorted({code for code in codes if code > 0})
    _check_number(len(ids), where)
    if marks.size not in (None, shape):
        raise unlike_shapes(shape, marks.size, where)
    if marks.crs == "":
        need(f"{where}, of polygons,", "geo", "rasterio", instead="export the regions as ASCII")
        ground = Georeference((1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    shapes = _transform(marks, ground, where) if marks.shapes else ()
    claimed, disputed, lost = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=bool), 0
    for code in ids:
        mine = [i for i, c in enumerate(codes) if c == code]
        if ground is not None and shapes:
            points, polygons = _in_pixels([shapes[i] for i in mine], ground)
        else:
            points, polygons = np.array([marks.pixels[i] for i in mine], dtype=np.int64), list[Geometry]()
        mask, gone = _mask(points.reshape(-1, 2), polygons, shape)
        lost += gone
        disputed |= mask & (claimed > 0)
        claimed[mask] = code
    claimed[disputed] = 0
    if not claimed.any():
        rule = f"{where}: the labels must lie on the cube ({shape[0]} rows, {shape[1]} columns)"
        hint = "Rows and columns count from 0. Check the coordinate systems; `crs` says that of the labels."
        raise SceneError(rule, value=f"all {len(codes)} outside" if lost else "no labelled pixel", hint=hint)
    notes = [
        (marks.skipped, "without a class or a place: left out"),
        (lost, "outside the cube, or too small to hold the centre of a pixel: left out"),
    ]
    said = [f"{n:,} of {len(codes) + marks.skipped:,} labels are {text}" for n, text in notes if n]
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
    for name in present if names else ():
        check_known(f"`classes` must name every class of {where}", name, names)
    names = names or tuple(present)
    code_of = {name: code for code, name in reversed(list(enumerate(names, start=1)))}
    return [code_of[str(value)] for value in values], names


def _transform(marks: VectorLabels, ground: Georeference | None, where: str) -> tuple[Geometry, ...]:
    """The marks' shapes in the cube's coordinates."""
    if ground is None:
        raise SceneError(
            f"{where}: labels with coordinates need a cube with a georeference",
            value="none in the cube's file",
            hint="Give the labels as row,col,class (CSV) or as a raster; GeoTIFF, and ENVI with map info, have one "
            f"(read through rasterio: {install('geo', 'rasterio')}).",
        )
    if not marks.crs or not ground.crs:
        return marks.shapes
    with quiet() as rasterio:
        from rasterio.warp import transform_geom

        try:
            # GDAL fetches what looks like an address.
            if "://" in marks.crs and not OGC.match(marks.crs):
                raise ValueError("an address, which is never fetched")
            source, target = rasterio.CRS.from_user_input(marks.crs), rasterio.CRS.from_wkt(ground.crs)
            return marks.shapes if source == target else tuple(transform_geom(source, target, list(marks.shapes)))
        except Exception as cause:  # GDAL's errors share no base with those of PROJ
            rule = f"`crs`, or {where}, must name a coordinate system in which the labels lie"
            hint = "For example EPSG:4326."
            raise InputError(rule, value=f"{marks.crs[:80]!r} ({str(cause)[:120]})", hint=hint) from cause


def _in_pixels(shapes: Sequence[Geometry], ground: Georeference) -> tuple[NDArray[np.int64], list[Geometry]]:
    """(n, 2) row and column of points, and polygons whose x and y are column and row, with fractions."""
    listed = [p["coordinates"] for p in shapes if p["type"] == "Point"]
    listed += [q for p in shapes if p["type"] == "MultiPoint" for q in p["coordinates"]]
    points = np.floor(ground.places(*np.array(listed, dtype=np.float64).reshape(-1, 2).T)).astype(np.int64)
    polygons = []
    for polygon in (p for p in shapes if p["type"].endswith("Polygon")):
        parts = polygon["coordinates"] if polygon["type"] == "MultiPolygon" else [polygon["coordinates"]]
        rings = [[ground.places(*np.transpose(ring))[:, ::-1].tolist() for ring in part] for part in parts]
        polygons.append({"type": "MultiPolygon", "coordinates": rings})
    return points, polygons


def _mask(points: NDArray[np.int64], polygons: list[Geometry], shape: tuple[int, int]) -> tuple[NDArray[np.bool_], int]:
    """(H, W) pixels of one class, and how many of its marks label none that no other does."""
    mask = np.zeros(shape, dtype=bool)
    within = ((points >= 0) & (points < shape)).all(axis=1)
    mask[tuple(points[within].T)] = True
    lost = int((~within).sum())
    if polygons:
        with quiet() as rasterio:
            from rasterio.features import rasterize

            numbered = [(polygon, number) for number, polygon in enumerate(polygons, start=1)]
            sheet = rasterize(numbered, shape, transform=rasterio.Affine.identity(), dtype="int32")
        mask |= sheet > 0
        lost += len(polygons) - int(np.count_nonzero(np.bincount(sheet.ravel())[1:]))
    return mask, lost


def _check_grid(raster: LabelRaster, shape: tuple[int, int], ground: Georeference | None) -> None:
    """Raise SceneError for a raster that lies on another grid than the cube's, as far as both files say."""
    own = raster.ground
    if own is None or ground is None:
        return
    with quiet() as rasterio:
        apart = own.crs and ground.crs and rasterio.CRS.from_wkt(own.crs) != rasterio.CRS.from_wkt(ground.crs)
    side = max(abs(ground.transform[0]), abs(ground.transform[1]))
    corners = [(row, column) for row in (0, shape[0]) for column in (0, shape[1])]
    off = max(np.abs(np.subtract(own.centre(*at), ground.centre(*at))).max() for at in corners)
    if apart or raster.codes.shape != shape or off >= 0.5 * side:
        rule = f"{raster.where}: the labels must lie on the grid of the cube, {shape[0]}×{shape[1]} pixels of {side:g}"
        found = f"{'×'.join(map(str, raster.codes.shape))} pixels of {abs(own.transform[0]):g}"
        hint = "Resample the labels to the cube's grid by nearest neighbour, as with gdalwarp -r near."
        raise SceneError(rule, value=found, hint=hint)
