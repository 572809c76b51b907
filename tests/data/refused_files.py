"""Cases of refusals of files: ENVI, TIFF, arrays, MATLAB, HDF5, tables and layers."""

import bz2
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from PIL import Image
from scipy.io import netcdf_file, savemat

from hsiaug.base import errors
from hsiaug.data import vector_labels
from hsiaug.data.paths import find_files, user_file
from hsiaug.data.raw import reading
from hsiaug.data.readers import must_exist
from tests.data.made_products import enmap, prisma
from tests.data.refusals import CUBE, LABELS, Desk, refusal

PLACE = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
TYPES = {"u1": 1, "f4": 4}
NAMES = ("hay", "rye", "track")


def envi(name: str, array: np.ndarray, further: str = "", without: str = "") -> None:
    """NAME.hdr and NAME.img."""
    array = np.atleast_3d(array)
    lines = [
        *("ENVI", "samples = 32", "lines = 40", f"bands = {array.shape[2]}", "header offset = 0"),
        *(f"data type = {TYPES[array.dtype.str[1:]]}", "interleave = bip", "byte order = 0"),
        *further.splitlines(),
    ]
    kept = [line for line in lines if not without or not line.startswith(without)]
    Path(f"{name}.hdr").write_text("\n".join(kept) + "\n")
    Path(f"{name}.img").write_bytes(np.ascontiguousarray(array).tobytes())


def tiff(name: str, array: np.ndarray, place: dict[str, object] = PLACE, **facts: object) -> None:
    bands = np.atleast_3d(array).transpose(2, 0, 1)
    size = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    with rasterio.open(name, "w", driver="GTiff", dtype=bands.dtype, **size, **place) as file:
        file.write(bands)
        for key, value in facts.items():
            setattr(file, key, value)


def text(name: str, *lines: str) -> None:
    Path(name).write_text("\n".join(lines) + "\n")


def corrected(name: str, old: str, new: str) -> None:
    """A text file with one part in place of another."""
    content = Path(name).read_text()
    assert old in content
    Path(name).write_text(content.replace(old, new))


@refusal("envi_header.read_header")
def _(desk: Desk) -> None:
    CUBE.transpose(0, 2, 1).tofile("c.bil")
    text(
        "c.hdr",
        *("BYTEORDER I", "LAYOUT BIL", "NROWS 40", "NCOLS 32", "NBANDS 12", "NBITS 32"),
        *("PIXELTYPE FLOAT", "ULXMAP 2.5", "ULYMAP 197.5", "XDIM 5", "YDIM 5"),
    )
    with desk.refused():
        desk.add("c.bil")
    desk.add(desk.types())


@refusal("envi_header.whole")
def _(desk: Desk) -> None:
    envi("c", CUBE, without="bands")
    with desk.refused():
        desk.add("c.hdr")
    assert "'bands = …'" in desk.error.hint
    envi("c", CUBE)
    desk.add("c.hdr")


@refusal("envi_header.ignored_value")
def _(desk: Desk) -> None:
    envi("c", CUBE, "data ignore value = none at all")
    with desk.refused():
        desk.add("c.hdr")
    corrected("c.hdr", "none at all", "-9999")
    desk.add("c.hdr")


@refusal("envi_header.scaling")
def _(desk: Desk) -> None:
    envi("c", CUBE, "data gain values = {0.5}\nreflectance scale factor = 100")
    with desk.refused():
        desk.add("c.hdr")
    corrected("c.hdr", "reflectance scale factor = 100", "")
    desk.add("c.hdr")


@refusal("envi_header._of_bands")
def _(desk: Desk) -> None:
    envi("c", CUBE, "data gain values = {0.5, 0.25}")
    with desk.refused():
        desk.add("c.hdr")
    corrected("c.hdr", "data gain values = {0.5, 0.25}", "")
    desk.add("c.hdr")


@refusal("envi_header._factor")
def _(desk: Desk) -> None:
    envi("c", CUBE, "reflectance scale factor = 0")
    with desk.refused():
        desk.add("c.hdr")
    corrected("c.hdr", "reflectance scale factor = 0", "")
    desk.add("c.hdr")


@refusal("envi_header.refuse_kind")
def _(desk: Desk) -> None:
    envi("library", CUBE, "file type = ENVI Spectral Library")
    envi("c", CUBE)
    with desk.refused():
        desk.add("library.hdr")
    desk.add("c.hdr")


@refusal("readers_envi.find_envi")
def _(desk: Desk) -> None:
    envi("c", CUBE)
    Path("c.dat").write_bytes(Path("c.img").read_bytes())
    with desk.refused():
        desk.add("c.hdr")
    desk.add(desk.error.hint.rpartition(" ")[2].rstrip("."))


@refusal("readers_envi.find_envi#2")
def _(desk: Desk) -> None:
    envi("c", CUBE)
    Path("c.img").rename("elsewhere")
    with desk.refused():
        desk.add("c.hdr")
    Path("elsewhere").rename("c.img")
    desk.add("c.hdr")
    tiff("t.tif", CUBE)
    text("t.hdr", "ENVI", "samples = 32")
    with desk.refused():
        desk.add("t.hdr")
    desk.add(desk.error.hint.rpartition(" ")[2].removesuffix("."))


@refusal("readers_envi._with_auxiliary")
def _(desk: Desk) -> None:
    envi("c", CUBE)
    band = '<PAMRasterBand band="1"><Scale>0</Scale></PAMRasterBand>'
    text("c.img.aux.xml", f"<PAMDataset>{band}</PAMDataset>")
    with desk.refused():
        desk.add("c.hdr")
    Path("c.img.aux.xml").unlink()
    desk.add("c.hdr")


@refusal("readers_envi._layout")
def _(desk: Desk) -> None:
    envi("c", CUBE, "major frame offsets = {8, 8}")
    with desk.refused():
        desk.add("c.hdr")
    envi("c", CUBE)
    desk.add("c.hdr")


@refusal("readers_envi._layout#2")
def _(desk: Desk) -> None:
    envi("c", CUBE, without="interleave")
    with desk.refused():
        desk.add("c.hdr")
    with Path("c.hdr").open("a") as file:
        file.write("interleave = bip\n")
    desk.add("c.hdr")


@refusal("readers_envi._layout#3")
def _(desk: Desk) -> None:
    envi("c", CUBE, "file compression = 1")
    with desk.refused():
        desk.add("c.hdr")
    Path("c.img").rename("c.img.gz")
    desk.shell("gzip --force c.img.gz")
    Path("c.img.gz.gz").rename("c.img.gz")
    desk.shell("gunzip c.img.gz")
    corrected("c.hdr", "file compression = 1", "")
    desk.add("c.hdr")


@refusal("readers._one_band")
def _(desk: Desk) -> None:
    envi("l", np.stack([LABELS * 0, LABELS], 2))
    with desk.refused():
        desk.add(labels="l.hdr", labels_key="9")
    assert "1 to 2" in desk.error.hint
    desk.add(labels="l.hdr", labels_key="2")


@refusal("readers._one_band#2")
def _(desk: Desk) -> None:
    envi("l", LABELS, "data gain values = {0.5}")
    with desk.refused():
        desk.add(labels="l.hdr")
    corrected("l.hdr", "data gain values = {0.5}", "")
    desk.add(labels="l.hdr")


@refusal("readers._read")
def _(desk: Desk) -> None:
    packed = bz2.compress(Path("labels.npy").read_bytes())
    Path("l.npy.bz2").write_bytes(packed)
    with desk.refused():
        desk.add(labels="l.npy.bz2")
    desk.shell(desk.error.hint.partition(": ")[2])
    desk.add(labels="l.npy")


@refusal("readers._read#2")
def _(desk: Desk) -> None:
    made = enmap(desk.folder)
    desk.labels(made.labels)
    (metadata,) = desk.folder.glob("*.XML")
    with desk.refused():
        desk.add(metadata)
    assert "-SPECTRAL_IMAGE.TIF" in desk.error.hint
    desk.add(made.path)


@refusal("readers._read#3")
def _(desk: Desk) -> None:
    folder = Path("other folder")
    folder.mkdir()
    rows = "\n".join(" ".join(map(str, row)) for row in LABELS.tolist())
    head = "ncols 32\nnrows 40\nxllcorner 0\nyllcorner 0\ncellsize 5\n"
    (folder / "l x.asc").write_text(head + rows + "\n")
    with desk.refused():
        desk.add(labels=str(folder / "l x.asc"))
    line, _, name = desk.error.hint.partition(": ")[2].partition(", and name ")
    desk.shell(line)
    desk.add(labels=name.strip("'."))


@refusal("readers._read#4")
def _(desk: Desk) -> None:
    desk.labels(np.array(["", *NAMES])[LABELS])
    with desk.refused():
        desk.add()
    desk.add(labels=desk.types())


@refusal("readers._archive")
def _(desk: Desk) -> None:
    np.savez("both.npz", cube=CUBE, gt=LABELS)
    with desk.refused():
        desk.add("both.npz")
    desk.add(desk.types())


@refusal("readers.must_exist")
def _(desk: Desk) -> None:
    with desk.refused():
        must_exist(Path("a" * 300))
    must_exist(Path("cube.npy"))


@refusal("readers.must_exist#2")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add("cubee.npy")
    desk.add(desk.meant())


@refusal("readers._wrong_rank")
def _(desk: Desk) -> None:
    desk.labels(np.stack([code == LABELS for code in (1, 2, 3)], 2))
    with desk.refused():
        desk.add()
    desk.add(labels=desk.types())
    desk.labels(LABELS.ravel())
    with desk.refused():
        desk.add()
    assert np.array_equal(desk.add(labels=desk.types()).scene.labels, LABELS)
    desk.labels()
    desk.cube(CUBE.reshape(-1, 12))
    with desk.refused():
        desk.add()
    assert np.array_equal(desk.add(desk.types()).scene.cube, CUBE)


@refusal("readers._wrong_rank#2")
def _(desk: Desk) -> None:
    heights = (np.arange(40 * 32) % 250).reshape(40, 32).astype(np.uint8)
    envi("l", np.stack([heights, LABELS], 2))
    with desk.refused():
        desk.add(labels="l.hdr")
    desk.add(labels="l.hdr", **desk.settings())
    colours = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], np.uint8)[LABELS]
    Image.fromarray(colours).save("l.png")
    with desk.refused():
        desk.add(labels="l.png")
    Image.fromarray(LABELS).save("l.png")
    desk.add(labels="l.png")


@refusal("readers._refuse_objects")
def _(desk: Desk) -> None:
    np.save("labels.npy", LABELS.astype(object), allow_pickle=True)
    with desk.refused():
        desk.add()
    desk.add(labels=desk.types())


@refusal("readers_mat._choose")
def _(desk: Desk) -> None:
    savemat("l.mat", {"gt": LABELS, "n": 3.0})
    with desk.refused():
        desk.add(labels="l.mat")
    desk.add(labels="l.mat", **desk.settings())


@refusal("readers_mat._choose#2")
def _(desk: Desk) -> None:
    savemat("l.mat", {"gt": LABELS, "n": 3.0})
    with desk.refused():
        desk.add(labels="l.mat", labels_key="gtt")
    desk.add(labels="l.mat", labels_key=desk.meant())


@refusal("readers_mat._not_numeric")
def _(desk: Desk) -> None:
    savemat("l.mat", {"gt": LABELS, "names": "hay"})
    with desk.refused():
        desk.add(labels="l.mat", labels_key="names")
    assert "gt 40×32" in desk.error.hint
    desk.add(labels="l.mat", labels_key="gt")


@refusal("readers_tiff.read_tiff_band")
def _(desk: Desk) -> None:
    tiff("l.tif", LABELS, scales=(0.5,))
    with desk.refused():
        desk.add(labels="l.tif")
    desk.add(labels=desk.types())


@refusal("readers_tiff._check_supported")
def _(desk: Desk) -> None:
    first, *others = (Image.fromarray(band) for band in CUBE.transpose(2, 0, 1))
    first.save("c.tif", save_all=True, append_images=others)
    with desk.refused():
        desk.add("c.tif")
    desk.add(desk.types())


@refusal("readers_tiff._check_supported#2")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE.astype(np.complex64))
    with desk.refused():
        desk.add("c.tif")
    with rasterio.open("c.tif") as file:
        amplitudes = np.abs(file.read()).transpose(1, 2, 0)
    tiff("c.tif", amplitudes)
    desk.add("c.tif")


@refusal("readers_tiff._choose")
def _(desk: Desk) -> None:
    tiff("l.tif", np.stack([LABELS * 0, LABELS], 2), descriptions=("heights", "crops"))
    with desk.refused():
        desk.add(labels="l.tif", labels_key="crop")
    desk.add(labels="l.tif", labels_key=desk.meant())


@refusal("readers_tiff._choose#2")
def _(desk: Desk) -> None:
    tiff("l.tif", np.stack([LABELS * 0 + 1, LABELS], 2))
    with desk.refused():
        desk.add(labels="l.tif")
    desk.add(labels="l.tif", **desk.settings())


@refusal("readers_tiff._scaling")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE, scales=(0.0,) * 12)
    with desk.refused():
        desk.add("c.tif")
    desk.add(desk.types())


@refusal("products.__init__.read_product")
def _(desk: Desk) -> None:
    with h5py.File("c.h5", "w") as file:
        file["group/flat"] = CUBE[0]
    with desk.refused():
        desk.add("c.h5")
    assert desk.error.hint == "It holds no cube: name another file."
    with h5py.File("c.h5", "w") as file:
        file["group/cube"] = CUBE
    with desk.refused():
        desk.add("c.h5")
    desk.add(desk.types())


@refusal("products.__init__.read_product#2")
def _(desk: Desk) -> None:
    made = prisma(desk.folder)
    with h5py.File(made.path, "a") as file:
        del file.attrs["L2ScaleVnirMin"]
    with desk.refused():
        desk.add(made.path)
    desk.add(desk.types())


@refusal("products.__init__.refuse_labels")
def _(desk: Desk) -> None:
    with h5py.File("l.h5", "w") as file:
        file["group/gt"] = LABELS
    with desk.refused():
        desk.add(labels="l.h5")
    desk.add(labels=desk.types())


@refusal("products.__init__._refuse_classic")
def _(desk: Desk) -> None:
    with netcdf_file("l.nc", "w") as file:
        for name, length in (("y", 40), ("x", 32)):
            file.createDimension(name, length)
        file.createVariable("gt", "i2", ("y", "x"))[:] = LABELS
    with desk.refused():
        desk.add(labels="l.nc")
    desk.add(labels=desk.types())


@refusal("raw._something_else")
def _(desk: Desk) -> None:
    whole = Path("cube.npy").read_bytes()
    text("cube.npy", "version https://git-lfs.github.com/spec/v1", "oid sha256:0", "size 1")
    with desk.refused():
        desk.add()
    assert "git lfs pull --include=cube.npy" in desk.error.hint
    Path("cube.npy").write_bytes(whole)
    desk.add()


@refusal("raw._something_else#2")
def _(desk: Desk) -> None:
    whole = Path("cube.npy").read_bytes()
    text("cube.npy", "<!DOCTYPE html>", "<html>Sign in</html>")
    with desk.refused():
        desk.add()
    Path("cube.npy").write_bytes(whole)
    desk.add()


@refusal("raw.reading")
def _(desk: Desk) -> None:
    with desk.refused(), reading(Path("cube.npy"), ".npy"):
        raise PermissionError(13, os.strerror(13))
    with reading(Path("cube.npy"), ".npy"):
        np.load("cube.npy")


@refusal("raw.reading#2")
def _(desk: Desk) -> None:
    whole = Path("cube.npy").read_bytes()
    Path("cube.npy").write_bytes(whole[:2000])
    with desk.refused():
        desk.add()
    Path("cube.npy").write_bytes(whole)
    desk.add()


@refusal("paths.check_filled")
def _(desk: Desk) -> None:
    whole = Path("cube.npy").read_bytes()
    Path("cube.npy").write_bytes(b"")
    with desk.refused():
        desk.add()
    Path("cube.npy").write_bytes(whole)
    desk.add()


@refusal("paths.user_file")
def _(desk: Desk) -> None:
    with Path("picks.csv").open("wb") as file:
        file.truncate(2**30 + 1)
    with desk.refused():
        user_file("picks.csv", desk.folder)
    text("picks.csv", "row,col,class")
    assert user_file("picks.csv", desk.folder) == desk.folder / "picks.csv"


@refusal("paths.find_files")
def _(desk: Desk) -> None:
    with desk.refused():
        find_files(desk.folder, "/image_*.tif")
    assert find_files(desk.folder, "cube*") == [desk.folder / "cube.npy"]


def table(*first: str, band: str = "450") -> str:
    """A table of the pixels of the cube with one band."""
    rows = [f"{row},{column},{CUBE[row, column, 0]}" for row in range(40) for column in range(32)]
    text("c.csv", f"row,col,{band}", *first, *rows)
    return "c.csv"


@refusal("tables._read_frame")
def _(desk: Desk) -> None:
    import pandas

    pandas.DataFrame({"row": [0], "col": [0], "class": ["hay"]}).to_excel("l.xlsx", index=False)
    desk.patch.setattr(errors, "find_spec", lambda name: None)
    with desk.refused():
        desk.add(labels="l.xlsx")
    assert "pip install openpyxl" in desk.error.hint and "as CSV" in desk.error.hint
    text("l.csv", "row,col,class", "0,0,hay", "1,1,rye")
    desk.add(labels="l.csv")


@refusal("tables.read_table_cube")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(table(band="red"))
    desk.add(table(band="b1"))


@refusal("tables._on_grid")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(table(",3,0.5"))
    desk.add(table())


@refusal("tables._on_grid#2")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(table("0.4,3,0.5"))
    desk.add(table())


@refusal("tables._on_grid#3")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(table("0,0,0.5"))
    desk.add(table())


def layer(name: str, driver: str, key: str, append: bool = False) -> None:
    """Points of all labelled pixels as a layer of a GIS."""
    places = np.argwhere(LABELS)[::5]
    points = [shapely.Point(500002.5 + 5 * c, 5399997.5 - 5 * r) for r, c in places.tolist()]
    crops = np.array([NAMES[LABELS[r, c] - 1] for r, c in places], dtype=object)
    pyogrio.raw.write(
        name,
        shapely.to_wkb(np.array(points, dtype=object)),
        field_data=[crops],
        fields=["class"],
        geometry_type="Point",
        crs="EPSG:32633",
        driver=driver,
        layer=key,
        append=append,
    )


@refusal("layers.refuse_layer")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE)
    layer("l.tab", "MapInfo File", "l")
    with desk.refused():
        desk.add("c.tif", "l.tab")
    assert set(desk.add("c.tif", desk.types()).scene.class_names) == set(NAMES)


@refusal("layers._choose")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE)
    layer("l.gpkg", "GPKG", "crops")
    with desk.refused():
        desk.add("c.tif", "l.gpkg", labels_key="crop")
    desk.add("c.tif", "l.gpkg", labels_key=desk.meant())


@refusal("layers._choose#2")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE)
    layer("l.gpkg", "GPKG", "crops")
    layer("l.gpkg", "GPKG", "more", append=True)
    with desk.refused():
        desk.add("c.tif", "l.gpkg")
    desk.add("c.tif", "l.gpkg", **desk.settings())


def geojson(geometry: dict[str, object] | None = None, **properties: object) -> str:
    """A point of each class, and perhaps a further feature."""
    tiff("c.tif", CUBE)
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [500002.5 + 5 * int(column), 5399997.5 - 5 * int(row)],
            },
            "properties": properties
            and {key: value[number % len(value)] for key, value in properties.items()},
        }
        for number, (row, column) in enumerate(np.argwhere(LABELS)[::90].tolist())
    ]
    if geometry is not None:
        features.append({**features[0], "geometry": geometry})
    system = {"type": "name", "properties": {"name": "EPSG:32633"}}
    content = {"type": "FeatureCollection", "crs": system, "features": features}
    Path("l.geojson").write_text(json.dumps(content))
    return "l.geojson"


UNIQUE = [str(number) for number in range(99)]


@refusal("vector_labels.read_vector_labels")
def _(desk: Desk) -> None:
    marks = geojson(**{"class": [""], "crop": ["hay", "rye"]})
    with desk.refused():
        desk.add("c.tif", marks)
    desk.add("c.tif", marks, **desk.settings())
    line = {"type": "LineString", "coordinates": [[500000, 5400000], [500100, 5399900]]}
    with desk.refused():
        desk.add("c.tif", geojson(line, **{"class": ["hay", "rye"]}))
    buffered = shapely.geometry.mapping(shapely.LineString(line["coordinates"]).buffer(5))
    desk.add("c.tif", geojson(json.loads(json.dumps(buffered)), **{"class": ["hay", "rye"]}))


@refusal("vector_labels._read_geojson")
def _(desk: Desk) -> None:
    marks = geojson(**{"class": ["hay", "rye"]})
    desk.patch.setattr(vector_labels, "MOST_PARTS", 20)
    with desk.refused():
        desk.add("c.tif", marks)
    tiff("l.tif", LABELS)
    desk.add("c.tif", "l.tif")


@refusal("vector_labels._choose_column")
def _(desk: Desk) -> None:
    marks = geojson(crop=["hay", "rye"], number=UNIQUE)
    with desk.refused():
        desk.add("c.tif", marks)
    desk.add("c.tif", marks, **desk.settings())


@refusal("vector_labels._check_repeats")
def _(desk: Desk) -> None:
    marks = geojson(crop=["hay", "rye"], id=UNIQUE)
    for which in (0, 1):
        with desk.refused():
            desk.add("c.tif", marks)
        desk.add("c.tif", marks, **desk.settings(which))


@refusal("vector_labels._read_table#2")
def _(desk: Desk) -> None:
    text("l.csv", "row,col,class")
    with desk.refused():
        desk.add(labels="l.csv")
    text("l.csv", "row,col,class", "0,0,hay", "1,1,rye")
    desk.add(labels="l.csv")


@refusal("vector_labels._find_columns")
def _(desk: Desk) -> None:
    text("l.csv", "0,0,hay", "1,1,rye")
    with desk.refused():
        desk.add(labels="l.csv")
    text("l.csv", "row,col,class", "0,0,hay", "1,1,rye")
    desk.add(labels="l.csv")


@refusal("vector_labels._no_place")
def _(desk: Desk) -> None:
    text("l.csv", "row;col;class", "0;zero;hay", "1;1;rye")
    with desk.refused():
        desk.add(labels="l.csv")
    corrected("l.csv", "zero", "0")
    desk.add(labels="l.csv")


@refusal("vector_labels._read_table")
def _(desk: Desk) -> None:
    text("l.txt", "; ENVI Output of ROIs (5.3)", ";   ID    X    Y", "1 1 1")
    with desk.refused():
        desk.add(labels="l.txt")
    desk.add("c.tif", geojson(**{"class": ["hay", "rye"]}))


@refusal("vector_labels._geometry")
def _(desk: Desk) -> None:
    open_ring = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}
    with desk.refused():
        desk.add("c.tif", geojson(open_ring, **{"class": ["hay", "rye"]}))
    desk.add("c.tif", geojson(**{"class": ["hay", "rye"]}))


@refusal("annotations.refuse_annotations")
def _(desk: Desk) -> None:
    shapes = [
        {
            "label": name,
            "shape_type": "polygon",
            "points": [[3 * n, 3], [3 * n + 2, 3], [3 * n + 2, 9], [3 * n, 9]],
        }
        for n, name in enumerate(NAMES, start=1)
    ]
    content = {"shapes": shapes, "imagePath": "a.png", "imageHeight": 40, "imageWidth": 32}
    Path("l.json").write_text(json.dumps(content))
    with desk.refused():
        desk.add(labels="l.json")
    assert desk.add(labels=desk.types(), **desk.settings()).scene.class_names == NAMES
    results = [
        {"value": {"points": [[9 * n, 9], [9 * n + 8, 9], [9 * n, 30]], "polygonlabels": [name]}}
        for n, name in enumerate(NAMES, start=1)
    ]
    Path("l.json").write_text(json.dumps([{"annotations": [{"result": results}]}]))
    with desk.refused():
        desk.add(labels="l.json")
    assert desk.add(labels=desk.types(), **desk.settings()).scene.class_names == NAMES


@refusal("annotations.refuse_xml")
def _(desk: Desk) -> None:
    tiff("l.tif", LABELS)
    text("l.tif.aux.xml", "<PAMDataset></PAMDataset>")
    with desk.refused():
        desk.add(labels="l.tif.aux.xml")
    desk.add(labels=desk.error.hint.rpartition(" ")[2].removesuffix("."))


@refusal("adding._check_swapped")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add("labels.npy", "cube.npy")
    cube, labels = desk.error.hint.partition(": ")[2].rstrip(".").split(" --labels ")
    desk.add(cube, labels)


@refusal("data_arrays.unpacked")
def _(desk: Desk) -> None:
    xarray = pytest.importorskip("xarray")
    cube = xarray.DataArray(CUBE, dims=("y", "x", "spectral"))
    with desk.refused():
        desk.add(cube, LABELS)
    desk.add(desk.python(cube=cube), LABELS)


@refusal("data_arrays.plain_labels")
def _(desk: Desk) -> None:
    xarray = pytest.importorskip("xarray")
    labels = xarray.DataArray(np.stack([LABELS, LABELS]), dims=("time", "y", "x"))
    with desk.refused():
        desk.add(CUBE, labels)
    desk.add(CUBE, desk.python(labels=labels))


def placed(array: np.ndarray, left: float = 0.0, system: str = "") -> object:
    """A DataArray with coordinates."""
    import xarray

    dims = ("y", "x", "band")[: array.ndim]
    coordinates = {"y": np.arange(40.0), "x": left + np.arange(32.0)}
    made = xarray.DataArray(array, dims=dims, coords=coordinates)
    if system:
        made = made.assign_coords(
            spatial_ref=xarray.DataArray(0, attrs={"crs_wkt": rasterio.CRS.from_string(system).wkt})
        )
    return made


@refusal("data_arrays._on_grid")
def _(desk: Desk) -> None:
    pytest.importorskip("xarray")
    cube, labels = placed(CUBE), placed(LABELS, left=0.3)
    with desk.refused():
        desk.add(cube, labels)
    desk.add(cube, desk.python(cube=cube, labels=labels))


@refusal("data_arrays._on_grid#2")
def _(desk: Desk) -> None:
    pytest.importorskip("xarray")
    cube = placed(CUBE, system="EPSG:32633")
    with desk.refused():
        desk.add(cube, placed(LABELS, system="EPSG:32634"))
    assert desk.error.hint.endswith("labels.rio.reproject_match(cube).")
    try:
        import rioxarray  # noqa: F401
    except ImportError:
        desk.add(cube, placed(LABELS, system="EPSG:32633"))
        return
    bands = cube.transpose("band", "y", "x")
    labels = placed(LABELS, system="EPSG:32633").rio.reproject("EPSG:32634")
    desk.add(bands, desk.python(cube=bands, labels=labels))


@refusal("data_arrays._missing")
def _(desk: Desk) -> None:
    pytest.importorskip("xarray")
    cube = placed(CUBE).assign_attrs(_FillValue=-1, missing_value=-2)
    with desk.refused():
        desk.add(cube, LABELS)
    del cube.attrs["missing_value"]
    desk.add(cube, LABELS)


@refusal("data_arrays._out_of_range")
def _(desk: Desk) -> None:
    pytest.importorskip("xarray")
    cube = placed(CUBE).assign_attrs(valid_range="0 to 1")
    with desk.refused():
        desk.add(cube, LABELS)
    del cube.attrs["valid_range"]
    desk.add(cube, LABELS)


@refusal("data_arrays._packing")
def _(desk: Desk) -> None:
    pytest.importorskip("xarray")
    cube = placed(CUBE).assign_attrs(scale_factor=[1, 2])
    with desk.refused():
        desk.add(cube, LABELS)
    cube.attrs["scale_factor"] = 1
    desk.add(cube, LABELS)
