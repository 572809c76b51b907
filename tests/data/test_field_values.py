"""What is read from files as people have them: the right values of each kind, or one refusal."""

import json
import re
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
import shapely
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp

from hsiaug.base.errors import HsiaugError
from tests.data.field_files import (
    COUNTS,
    CUBE,
    LABELS,
    NAMES,
    NM,
    UTM,
    WAVES,
    add,
    envi,
    geojson,
    layer,
    listed,
    polygons,
    said,
    text,
    tiff,
)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Cubes: (how the file is written, which bands are kept, band centres in nm or None).

BAD = [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1]
KEPT = [band for band in range(12) if BAD[band]]
MICROMETRES = (NM / 1000).round(5)
ALL = list(range(12))
GAINS = np.linspace(5e-5, 9e-5, 12)
SHIFTS = np.linspace(0.01, 0.02, 12)


def _aux(of_band: Callable[[int], str], count: int = 12) -> str:
    bands = (f'<PAMRasterBand band="{b + 1}">{of_band(b)}</PAMRasterBand>' for b in range(count))
    return f"<PAMDataset>{''.join(bands)}</PAMDataset>"


def _packed(scale: object = GAINS, offset: object = SHIFTS) -> np.ndarray:
    return np.rint((CUBE - offset) / scale).astype(np.int32)


def _with_scales(file: Any) -> None:
    file.scales, file.offsets = GAINS.tolist(), SHIFTS.tolist()


def _domain(file: Any) -> None:
    facts = {"wavelength": listed(NM), "wavelength_units": "Nanometers", "bbl": listed(BAD)}
    file.update_tags(ns="ENVI", **facts)


def _band_items(file: Any) -> None:
    for band, nm in enumerate(NM, start=1):
        flags = {"wavelength": str(nm), "wavelength_units": "Nanometers", "bbl": BAD[band - 1]}
        file.update_tags(band, **flags)


def _beside(name: str) -> str:
    text(f"{name}.aux.xml", _aux(lambda b: f"<Scale>{GAINS[b]}</Scale><Offset>0</Offset>"))
    return name


def _mat73(name: str, arrays: dict[str, np.ndarray], kind: str = "single") -> str:
    with h5py.File(name, "w", userblock_size=512) as file:
        for key, array in arrays.items():
            file[key] = array.T
            file[key].attrs["MATLAB_class"] = np.bytes_(kind)
    return name


def _mat(name: str, **arrays: object) -> str:
    scipy.io.savemat(name, arrays)
    return name


def _beside_an_archive() -> str:
    text("c.zip", "PK\3\4")
    return envi("c", CUBE, WAVES)


def _beside_a_header() -> str:
    stored = _packed(1e-4, 0)
    facts = f"file type = TIFF\nreflectance scale factor = 10000\nbbl = {listed(BAD)}\n"
    envi("c", stored, facts + WAVES)
    Path("c.img").unlink()
    return tiff("c.tif", stored)


HEADERS: dict[str, tuple[str, list[int], Any]] = {
    "comments": (f"; by hand\nsensor type =\n{WAVES}; end\n", ALL, NM),
    "bbl of floats": (f"bbl = {listed(np.array(BAD) * 1.0)}\n", KEPT, None),
    "bbl of words": (f"bbl = {listed(np.array(BAD) > 0)}\n", KEPT, None),
    "bbl over lines": ("bbl = {\n" + ",\n".join(map(str, BAD)) + "\n}", KEPT, None),
    "capital letters": (WAVES.upper(), ALL, NM),
    "lists with commas first": ("wavelength = {\n" + "\n,".join(map(str, NM)) + "\n}\n", ALL, NM),
    "empty fields": (f"reflectance scale factor = \ndata ignore value =\nbbl = \n{WAVES}", ALL, NM),
    "no unit": (f"wavelength = {listed(NM)}\n", ALL, NM),
    "no unit, micrometres": (f"wavelength = {listed(MICROMETRES)}\n", ALL, NM),
    "micrometres said to be nanometres": (
        f"wavelength units = Nanometers\nwavelength = {listed(MICROMETRES)}\n",
        ALL,
        NM,
    ),
    "nanometres said to be micrometres": (
        f"wavelength units = Micrometers\nwavelength = {listed(NM)}\n",
        ALL,
        NM,
    ),
    "underscores": (f"wavelength_units = Nanometers\nwavelength = {listed(NM)}\n", ALL, NM),
    "wavenumbers": (f"wavelength units = Wavenumber\nwavelength = {listed(1e7 / NM)}\n", ALL, NM),
    "descending": (f"wavelength = {listed(NM[::-1])}\n", ALL, NM[::-1]),
    "band index": (f"wavelength units = Index\nwavelength = {listed(range(1, 13))}\n", ALL, None),
    "dead band": (
        f"bbl = {listed([0] + [1] * 11)}\nwavelength = {listed([0, *NM[1:]])}\n",
        ALL[1:],
        NM[1:],
    ),
    "wavelengths": (WAVES.replace("wavelength =", "wavelengths ="), ALL, NM),
    "band centers": (f"band_centers = {listed(NM)}\n", ALL, NM),
}
"""Cubes of ENVI by what their header says more."""

CUBES: dict[str, tuple[Callable[[], str], list[int], Any]] = {
    "no byte order": (lambda: envi("c", CUBE, WAVES, skip="byte order"), ALL, NM),
    "no offset": (lambda: envi("c", CUBE, WAVES, skip="header offset"), ALL, NM),
    "big endian": (lambda: envi("c", CUBE, WAVES, stored=">", said=1, interleave="bil"), ALL, NM),
    "byte order mark": (lambda: envi("c", CUBE, WAVES, encoding="utf-8-sig"), ALL, NM),
    "utf-16": (lambda: envi("c", CUBE, WAVES, encoding="utf-16"), ALL, NM),
    "code page 1252": (
        lambda: envi(
            "c",
            CUBE,
            f"description = {{Flächen, 21 °C}}\nwavelength units = µm\nwavelength = {listed(MICROMETRES)}\n",
            encoding="cp1252",
        ),
        ALL,
        NM,
    ),
    "names of bands": (
        lambda: envi(
            "c",
            CUBE,
            "band names = {"
            + ", ".join(f"Band {i} ({nm} Nanometers)" for i, nm in enumerate(NM))
            + "}\n",
        ),
        ALL,
        NM,
    ),
    "gains of bands": (
        lambda: envi(
            "c",
            _packed(),
            f"data gain values = {listed(GAINS)}\ndata offset values = {listed(SHIFTS)}\n",
        ),
        ALL,
        None,
    ),
    "scale factor": (
        lambda: envi("c", _packed(1e-4, 0), "reflectance scale factor = 10000\n"),
        ALL,
        None,
    ),
    "scales beside": (
        lambda: _beside(envi("c", _packed(GAINS, 0)).replace(".hdr", ".img")),
        ALL,
        None,
    ),
    "tiff of scales": (lambda: tiff("c.tif", _packed(), _with_scales), ALL, None),
    "tiff with the domain of ENVI": (lambda: tiff("c.tif", CUBE, _domain), KEPT, NM[KEPT]),
    "tiff with items of bands": (lambda: tiff("c.tif", CUBE, _band_items), KEPT, NM[KEPT]),
    "mat": (lambda: _mat("c.mat", data=CUBE.astype(float)), ALL, None),
    "mat of version 7.3": (lambda: _mat73("c.mat", {"data": CUBE}), ALL, None),
    "centres in the domain of a tiff": (
        lambda: tiff(
            "c.tif", CUBE, lambda file: file.update_tags(ns="ENVI", wavelengths=listed(NM))
        ),
        ALL,
        NM,
    ),
    "beside an archive of its name": (_beside_an_archive, ALL, NM),
    "tiff with a header of ENVI": (_beside_a_header, KEPT, NM[KEPT]),
    "integers without a scale": (lambda: tiff("c.tif", _packed(1e-4, 0)), ALL, None),
}
CUBES |= {
    kind: (partial(envi, "c", CUBE, header), kept, centres)
    for kind, (header, kept, centres) in HEADERS.items()
}


@pytest.mark.parametrize("kind", CUBES)
def test_a_cube_has_the_values_and_the_centres_of_its_file(kind: str) -> None:
    write, kept, centres = CUBES[kind]
    scene = add(write()).scene
    assert np.allclose(scene.cube, CUBE[:, :, kept], atol=1e-4)
    assert np.array_equal(scene.labels, LABELS)
    if centres is None:
        assert scene.wavelengths is None
    else:
        assert np.allclose(scene.wavelengths, centres, atol=0.1)


# Pixels without data.

EDGE = np.zeros((40, 32), bool)
EDGE[:3] = True


def _filled(value: float, dtype: str = "i2") -> np.ndarray:
    stored = _packed(1e-4, 0).astype(dtype)
    stored[EDGE] = value
    return stored


def _masked(inside: bool) -> str:
    import rasterio

    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside):
        return tiff("c.tif", _filled(200), lambda file: file.write_mask(~EDGE))


def _alpha() -> str:
    def transparent(file: Any) -> None:
        kinds = [ColorInterp.gray, *[ColorInterp.undefined] * 11, ColorInterp.alpha]
        file.colorinterp = kinds

    opaque = np.where(EDGE, 0, 32000).astype("i2")[:, :, None]
    return tiff("c.tif", np.concatenate([_filled(200), opaque], axis=2), transparent)


def _each_band(value: Callable[[int], int | None]) -> str:
    stored = _filled(0)
    for band in range(12):
        if (number := value(band)) is not None:
            stored[EDGE, band] = number
    told = {b: value(b) for b in range(12) if value(b) is not None}
    text(
        "c.tif.aux.xml",
        _aux(lambda b: f"<NoDataValue>{told[b]}</NoDataValue>" if b in told else ""),
    )
    return tiff("c.tif", stored)


WITHOUT_DATA: dict[str, Callable[[], str]] = {
    "in braces": lambda: envi(
        "c", np.where(EDGE[:, :, None], np.float32(-9999), CUBE), "data ignore value = {-9999}\n"
    ),
    "not a number": lambda: envi("c", np.where(EDGE[:, :, None], np.float32(np.nan), CUBE)),
    "tiff": lambda: tiff("c.tif", _filled(-9999), nodata=-9999),
    "mask inside": lambda: _masked(True),
    "mask beside": lambda: _masked(False),
    "alpha": _alpha,
    "another value in each band": lambda: _each_band(lambda band: 7000 + band % 2),
    "a value in some bands": lambda: _each_band(lambda band: 7000 if band > 5 else None),
}


@pytest.mark.parametrize("kind", WITHOUT_DATA)
def test_pixels_without_data_are_known(kind: str) -> None:
    added = add(WITHOUT_DATA[kind]())
    assert added.scene.cube.shape[2] == 12
    assert not added.scene.cube[EDGE].any() and not added.scene.labels[EDGE].any()
    assert np.allclose(added.scene.cube[~EDGE], CUBE[~EDGE], atol=1e-4)
    assert dict(added.facts)["no data"] == "96 pixels"


def test_an_undeclared_number_of_missing_data_is_named() -> None:
    cube = CUBE.copy()
    cube[:, :2] = -9999
    warnings = said(add(envi("c", cube, WAVES)))
    assert "`nodata='-9999'`" in warnings and "no reflectance" not in warnings


# Labels: (how the file is written, options, names of classes). They are read pixel for pixel.

CODES = np.array([0, 2, 5, 9], "u1")[LABELS]
CLASSES = ("class 1", "class 2", "class 3")


def _table(
    name: str, fields: list[tuple[str, int]], rows: list[tuple[object, ...]], more: str = ""
) -> str:
    heads = "".join(
        f"<FieldDefn><Name>{n}</Name><Usage>{use}</Usage></FieldDefn>" for n, use in fields
    )
    cells = ("".join(f"<F>{value}</F>" for value in row) for row in rows)
    body = "".join(f'<Row index="{i}">{row}</Row>' for i, row in enumerate(cells))
    table = f"<GDALRasterAttributeTable{more}>{heads}{body}</GDALRasterAttributeTable>"
    text(f"{name}.aux.xml", _aux(lambda _: table, 1))
    return tiff(name, CODES)


def _spots() -> list[tuple[int, int, int]]:
    return [(int(r), int(c), int(LABELS[r, c])) for r, c in np.argwhere(LABELS)]


def _csv(
    name: str,
    head: str,
    row: Callable[[int, int, int], str],
    encoding: str = "utf-8",
    first: str = "",
) -> str:
    lines = [head, *(row(*spot) for spot in _spots())]
    return text(name, first + "\r\n".join(lines) + "\r\n", encoding)


def _xy(separator: str, head: str = "x{}y{}class", **how: str) -> str:
    """A table of coordinates and words."""

    def row(r: int, c: int, k: int) -> str:
        return f'{500002.5 + 5 * c}{separator}{5399997.5 - 5 * r}{separator}"{WORDS[k - 1]}"'

    return _csv("l.csv", head.format(separator, separator), row, **how)


def _decimal_commas() -> str:
    content = Path(_xy(";")).read_text("utf-8")
    return text("l.csv", content.replace(".", ","))


WORDS = ("Gräser", "Rüben, früh", "Weg")
NAMED = dict(zip((2, 5, 9), NAMES, strict=True))
SMALL = {2: 5, 5: 9, 9: 2}
UPSIDE_DOWN = {"tiffinfo": {274: 4}}


def _png(bits: int, transparent: bool = False) -> str:
    """The labels as a grey PNG of 2 to 8 bits, with a transparent code 9 for 0 perhaps."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        size, check = (struct.pack(">I", n) for n in (len(content), zlib.crc32(kind + content)))
        return size + kind + content + check

    codes = np.where(LABELS, LABELS, 9) if transparent else LABELS
    spread = (codes[:, :, None] >> np.arange(bits)[::-1]) & 1
    data = b"".join(b"\0" + np.packbits(row.ravel()).tobytes() for row in spread)
    head = struct.pack(">IIBBBBB", 32, 40, bits, 0, 0, 0, 0)
    clear = chunk(b"tRNS", struct.pack(">H", 9)) if transparent else b""
    body = chunk(b"IHDR", head) + clear + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    Path("l.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return "l.png"


def _categories() -> str:
    names = "".join(f"<Category>{name}</Category>" for name in ("none", *NAMES))
    text("l.tif.aux.xml", _aux(lambda _: f"<CategoryNames>{names}</CategoryNames>", 1))
    return tiff("l.tif", LABELS)


def _picture(name: str, array: np.ndarray, **options: object) -> str:
    Image.fromarray(array).save(name, **options)
    return name


ZERO = {"classes": NAMES}
"""Codes 0, 1, 2 with the names of all three."""


def _region_text() -> str:
    lines = ["; ENVI Output of ROIs (5.3)", "; Number of ROIs: 3", "; File Dimension: 32 x 40"]
    for code, name in enumerate(NAMES, start=1):
        lines += [f"; ROI name: {name}", f"; ROI npts: {(code == LABELS).sum()}"]
    lines += [";   ID     X     Y"]
    for code in (1, 2, 3):
        places = enumerate(np.argwhere(code == LABELS), start=1)
        lines += [f"{i:5d}{x + 1:6d}{y + 1:6d}" for i, (y, x) in places] + [""]
    return text("l.txt", "\n".join(lines))


def _shapefile(stored: str, said: str) -> str:
    import pyogrio.raw

    words = np.array(["", "Gräser", "Rüben", "Weg"], object)[polygons()[1]]
    shapes = shapely.to_wkb(np.array(polygons()[0]))
    how = {"geometry_type": "Polygon", "crs": "EPSG:32633", "driver": "ESRI Shapefile"}
    pyogrio.raw.write("l.shp", shapes, [words], ["class"], encoding=stored, **how)
    if said:
        text("l.cpg", said)
    else:
        Path("l.cpg").unlink()
    return "l.shp"


def _excel(sheets: int) -> str:
    import pandas

    rows = pandas.DataFrame(_spots(), columns=["row", "col", "class"])
    with pandas.ExcelWriter("l.xlsx") as file:
        pandas.DataFrame({"note": ["measured in May"] * (sheets - 1)}).to_excel(
            file, sheet_name="note"
        )
        rows.to_excel(file, sheet_name="plots", index=False)
    return "l.xlsx"


def _envi_classes() -> str:
    return envi(
        "l",
        LABELS,
        "classes = 4\nclass names = {Unclassified, Gräser, Rüben, Weg}\n",
        encoding="cp1252",
    )


SHEETS: dict[str, tuple[Callable[[], str], dict[str, object], tuple[str, ...]]] = {
    "4 bits": (
        lambda: tiff("l.tif", np.where(LABELS, LABELS, 15), nbits=4, nodata=15),
        {},
        CLASSES,
    ),
    "2 bits": (lambda: tiff("l.tif", LABELS, nbits=2), {}, CLASSES),
    "white is zero": (lambda: tiff("l.tif", LABELS, photometric="MINISWHITE"), {}, CLASSES),
    "stored from bottom to top": (lambda: _picture("l.tif", LABELS, **UPSIDE_DOWN), {}, CLASSES),
    "NaN for no label": (
        lambda: tiff("l.tif", np.where(LABELS, LABELS, np.nan).astype("f4"), nodata=np.nan),
        {},
        CLASSES,
    ),
    "infinity for no label": (
        lambda: tiff("l.tif", np.where(LABELS, LABELS, np.inf).astype("f4"), nodata=np.inf),
        {},
        CLASSES,
    ),
    "png of 2 bits": (lambda: _png(2), {}, CLASSES),
    "png of 4 bits": (lambda: _png(4, transparent=True), {}, CLASSES),
    "png of 8 bits": (lambda: _png(8), {}, CLASSES),
    "categories beside a tiff": (_categories, {}, NAMES),
    "names of ENVI": (_envi_classes, {}, ("Gräser", "Rüben", "Weg")),
    "mat of doubles": (
        lambda: _mat("l.mat", gt=LABELS.astype(float), idx=np.arange(9.0)[None]),
        {"labels_key": "gt"},
        CLASSES,
    ),
    "mat, sparse": (
        lambda: _mat("l.mat", gt=scipy.sparse.csc_matrix(LABELS.astype(float))),
        {},
        CLASSES,
    ),
    "mat of version 7.3": (
        lambda: _mat73("l.mat", {"gt": LABELS.astype("i8")}, "int64"),
        {},
        CLASSES,
    ),
    "table": (
        lambda: _table("l.tif", [("Value", 5), ("Class", 2)], list(NAMED.items())),
        {},
        NAMES,
    ),
    "table, counts first": (
        lambda: _table(
            "l.tif",
            [("Count", 1), ("Value", 5), ("Class", 2)],
            [(SMALL[k], k, v) for k, v in NAMED.items()],
        ),
        {},
        NAMES,
    ),
    "table in bins": (
        lambda: _table(
            "l.tif",
            [("Class", 2)],
            [(NAMED.get(k, ""),) for k in range(1, 10)],
            ' Row0Min="1" BinSize="1"',
        ),
        {},
        NAMES,
    ),
    "table of names alone": (
        lambda: _table("l.tif", [("Class", 2)], [(NAMED.get(k, ""),) for k in range(10)]),
        {},
        ("class 2", "class 5", "class 9"),
    ),
    "rows and columns": (
        lambda: _csv("l.csv", ",row,col,class", lambda r, c, k: f"9,{r},{c},{NAMES[k - 1]}"),
        {},
        NAMES,
    ),
    "whole numbers as floats": (
        lambda: _csv("l.csv", "row,col,class", lambda r, c, k: f"{r}.0,{c}.0,{k}.0"),
        {},
        CLASSES,
    ),
    "semicolons and a mark": (lambda: _xy(";", encoding="utf-8-sig"), {}, WORDS),
    "decimal commas": (_decimal_commas, {}, WORDS),
    "utf-16": (lambda: _xy("\t", encoding="utf-16"), {}, WORDS),
    "sep=;": (lambda: _xy(";", first="sep=;\r\n"), {}, WORDS),
    "code page 1252": (lambda: _xy(";", "X{}Y{}Class", encoding="cp1252"), {}, WORDS),
    "GeoJSON": (
        lambda: geojson("l.geojson", [{"crop": NAMES[k - 1]} for k in polygons()[1]]),
        {},
        NAMES,
    ),
    "GeoPackage": (lambda: layer("l.gpkg", "GPKG", polygons()[1]), {}, CLASSES),
    "GeoPackage, from 0 on": (lambda: layer("l.gpkg", "GPKG", polygons()[1] - 1), ZERO, NAMES),
    "shapefile, from 0 on": (
        lambda: layer("l.shp", "ESRI Shapefile", polygons()[1] - 1),
        ZERO,
        NAMES,
    ),
    "GeoJSON, from 0 on": (lambda: layer("l.geojson", "GeoJSON", polygons()[1] - 1), ZERO, NAMES),
    "floats from 0 on": (lambda: layer("l.gpkg", "GPKG", polygons()[1] - 1.0), ZERO, NAMES),
    "from 0 on, as asked": (
        lambda: layer("l.gpkg", "GPKG", polygons()[1] - 1),
        {"unlabelled": ()},
        ("class 0", "class 1", "class 2"),
    ),
    "words of another encoding": (
        lambda: _shapefile("cp1252", "UTF-8"),
        {},
        ("Gräser", "Rüben", "Weg"),
    ),
    "words in UTF-8 after all": (
        lambda: _shapefile("utf-8", "ISO-8859-1"),
        {},
        ("Gräser", "Rüben", "Weg"),
    ),
    "words in UTF-8 without an encoding": (
        lambda: _shapefile("utf-8", ""),
        {},
        ("Gräser", "Rüben", "Weg"),
    ),
    "regions as text": (_region_text, {}, NAMES),
    "Excel": (lambda: _excel(1), {}, CLASSES),
    "second sheet": (lambda: _excel(2), {"labels_key": "plots"}, CLASSES),
    "FlatGeobuf in degrees": (
        lambda: layer("l.fgb", "FlatGeobuf", np.array(NAMES)[polygons()[1] - 1], "crop", 4326),
        {},
        NAMES,
    ),
    "shapefile": (lambda: layer("l.shp", "ESRI Shapefile", polygons()[1]), {}, CLASSES),
}


@pytest.mark.parametrize("kind", SHEETS)
def test_labels_are_those_of_their_file(kind: str) -> None:
    write, options, names = SHEETS[kind]
    added = add(envi("c", CUBE, UTM + WAVES), write(), **options)
    assert added.scene.class_names == names
    assert np.array_equal(added.scene.labels, LABELS)


def test_a_class_0_that_somebody_drew_is_a_class_and_is_said() -> None:
    added = add(envi("c", CUBE, UTM), layer("l.gpkg", "GPKG", polygons()[1] - 1))
    assert np.array_equal(added.scene.labels, LABELS)
    assert "0 is taken for a class: if it means no label, use `unlabelled='0'`" in said(added)
    without = add("c.hdr", "l.gpkg", unlabelled=(0,)).scene
    assert np.array_equal(without.labels, np.maximum(LABELS.astype(int) - 1, 0))


def test_marks_that_are_true_or_false_have_two_classes() -> None:
    added = add(envi("c", CUBE, UTM), layer("l.gpkg", "GPKG", polygons()[1] == 1))
    assert added.scene.class_names == ("False", "True")
    assert np.array_equal(added.scene.labels == 2, LABELS == 1)


def test_code_0_of_a_masked_raster_is_asked_about() -> None:
    tiff("l.tif", np.maximum(LABELS, 1) - 1, lambda file: file.write_mask(LABELS > 0))
    assert re.search(
        r"0 \([\d,]+ px\) counts as unlabelled too.*`unlabelled='none'`", said(add(labels="l.tif"))
    )
    added = add(labels="l.tif", classes=NAMES, unlabelled=())
    assert np.array_equal(added.scene.labels, LABELS)


@pytest.mark.parametrize("by", ["MATLAB", "another program"])
def test_a_square_array_of_version_7_3_lies_as_it_was_written(by: str) -> None:
    labels = LABELS[:32]
    cube = CUBE[:32]
    if by == "MATLAB":
        _mat73("c.mat", {"cube": cube})
        _mat73("l.mat", {"gt": labels}, "uint8")
    else:
        for name, array in (("c.mat", cube), ("l.mat", labels)):
            with h5py.File(name, "w") as file:
                file["array"] = array
    scene = add("c.mat", "l.mat").scene
    assert np.array_equal(scene.cube, cube) and np.array_equal(scene.labels, labels)


def test_integers_in_the_other_byte_order_are_asked_about() -> None:
    warnings = said(add(envi("c", _packed(1e-4, 0).astype("i2"), stored=">")))
    assert "'byte order = 1'" in warnings and "c.hdr" in warnings
    assert "byte order" not in said(add(envi("c", _packed(1e-4, 0).astype("i2"))))


@pytest.mark.parametrize(("bands", "part"), [(1, "has one band"), (3, "a picture in colours")])
def test_a_cube_that_is_hardly_one_is_asked_about(bands: int, part: str) -> None:
    cube = np.rint(CUBE[:, :, :bands] * 255).astype("u1")
    assert part in said(add(tiff("c.tif", cube)))
    np.save("c.npy", cube)
    assert part in said(add("c.npy"))


@pytest.mark.parametrize("name", ["l.npy", "l.png", "l.tif"])
def test_codes_from_0_on_are_asked_about(name: str) -> None:
    marks = np.where(LABELS, LABELS - 1, 255).astype("u1")
    np.save(name, marks) if name == "l.npy" else (
        _picture(name, marks) if name == "l.png" else tiff(name, marks, nodata=255)
    )
    warnings = said(add(labels=name))
    assert re.search(r"\b0 \([\d,]+ px\)", warnings) and "`unlabelled=" in warnings
    with pytest.raises(HsiaugError, match="unlabelled"):
        add(labels=name, classes=NAMES)


# What is refused: (cube, labels, parts of the error).


def _two_units(file: Any) -> None:
    for band, unit in enumerate(("Nanometers", "Micrometers"), start=1):
        file.update_tags(band, wavelength="0.4", wavelength_units=unit)


def _control_points() -> str:
    corners = [
        GroundControlPoint(r, c, 15 + c / 1e4, 48 - r / 1e4) for r in (0, 40) for c in (0, 32)
    ]
    empty = {"transform": None, "crs": None}
    return tiff("c.tif", CUBE, lambda file: setattr(file, "gcps", (corners, "EPSG:4326")), **empty)


def _library() -> str:
    return envi("c", CUBE, "file type = ENVI Spectral Library\n")


def _product(name: str, items: dict[str, object]) -> str:
    with h5py.File(name, "w") as file:
        for key, value in items.items():
            file[key] = value
    return name


def _cell() -> str:
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = LABELS, "made up"
    return _mat("l.mat", gt=cell)


DRAWN = {"shapes": [{"label": "hay", "points": [[0, 0], [1, 0], [1, 1]]}], "imagePath": "a.png"}
COLOURS = np.array([[0, 0, 0], [250, 50, 83], [36, 179, 83], [61, 61, 245]], "u1")
CUBE_FILE, SHEET_FILE = (lambda: "cube.npy"), (lambda: "labels.npy")
REFUSED: dict[str, tuple[Callable[[], str], Callable[[], str], tuple[str, ...]]] = {
    "spectral library": (_library, SHEET_FILE, ("spectral library",)),
    "no interleave": (lambda: envi("c", CUBE, skip="interleave"), SHEET_FILE, ("'interleave'",)),
    "cut data": (lambda: envi("c", CUBE, "lines = 44\n"), SHEET_FILE, ("61,440", "67,584")),
    "control points alone": (
        _control_points,
        lambda: text("p.csv", "lon,lat,class\n15.0001,47.9999,a\n15.0002,47.9998,b\n"),
        ("ground control points", "[Ww]arp"),
    ),
    "centres in two units": (
        lambda: tiff("c.tif", CUBE, _two_units),
        SHEET_FILE,
        ("must have one unit", "Micrometers, Nanometers"),
    ),
    "part of PRISMA": (
        lambda: _product("c.he5", {"HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube": CUBE}),
        SHEET_FILE,
        ("PRISMA",),
    ),
    "part of EMIT": (
        lambda: _product("c.nc", {"reflectance": CUBE, "sensor_band_parameters/wavelengths": NM}),
        SHEET_FILE,
        ("EMIT",),
    ),
    "two axes": (lambda: np.save("c.npy", LABELS) or "c.npy", SHEET_FILE, ("three axes",)),
    "archive": (lambda: text("c.zip", "PK\3\4"), SHEET_FILE, ("[Uu]npack",)),
    "packed archive": (lambda: text("c.tar.gz", "x"), SHEET_FILE, ("[Uu]npack",)),
    "longer data": (
        lambda: envi("c", CUBE, before=bytes(256)),
        SHEET_FILE,
        ("61,440", "61,696", "header offset"),
    ),
    "longer labels": (CUBE_FILE, lambda: envi("l", LABELS, before=bytes(9)), ("1,280", "1,289")),
    "floats in the other byte order": (
        lambda: envi("c", CUBE, stored=">"),
        SHEET_FILE,
        ("byte order", "'byte order = 1'"),
    ),
    "big endian said of little": (
        lambda: envi("c", CUBE.astype("f8"), said=1),
        SHEET_FILE,
        ("'byte order = 0'",),
    ),
    "archive with the stem of a header": (
        lambda: envi("c", CUBE) and text("c.zip", "PK\3\4"),
        SHEET_FILE,
        ("[Uu]npack",),
    ),
    "document with the stem of a header": (
        lambda: envi("c", CUBE) and text("c.pdf", "%PDF" + " " * 61436),
        SHEET_FILE,
        ("a PDF",),
    ),
    "document as labels": (
        CUBE_FILE,
        lambda: envi("l", LABELS) and text("l.docx", "PK\3\4" + " " * 1276),
        ("ZIP",),
    ),
    "two sheets": (CUBE_FILE, lambda: _excel(2), ("note, plots", "labels_key")),
    "regions of another image": (
        lambda: envi("c", CUBE[:, :31]),
        _region_text,
        ("labels 40×32, cube 40×31",),
    ),
    "struct": (CUBE_FILE, lambda: _mat("l.mat", gt={"map": LABELS}), ("gt",)),
    "cell": (CUBE_FILE, _cell, ("gt",)),
    "masks of classes": (
        CUBE_FILE,
        lambda: _mat("l.mat", hay=LABELS == 1, rye=LABELS == 2),
        ("hay", "rye"),
    ),
    "one-hot": (
        CUBE_FILE,
        lambda: _mat("l.mat", gt=np.eye(4, dtype="u1")[LABELS][:, :, 1:]),
        ("gt",),
    ),
    "one column": (CUBE_FILE, lambda: _mat("l.mat", gt=LABELS.reshape(-1, 1)), ("1280",)),
    "annotations": (CUBE_FILE, lambda: text("l.json", json.dumps(DRAWN)), ("annotations",)),
    "colours": (CUBE_FILE, lambda: _picture("l.png", COLOURS[LABELS]), ("colours|channel",)),
    "longitude without a place": (
        CUBE_FILE,
        lambda: text("l.csv", "Latitude,Longitude,class\n48.7,15.0,a\n48.8,15.1,b\n"),
        ("georeference",),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(kind: str) -> None:
    cube, labels, parts = REFUSED[kind]
    add()
    with pytest.raises(HsiaugError) as caught:
        add(cube(), labels())
    for part in parts:
        assert re.search(part, str(caught.value)), str(caught.value)
    assert caught.value.hint
    assert "damaged" not in caught.value.hint or kind == "cut data"


def test_pixels_are_counted_by_class() -> None:
    assert [row.pixels for row in add().codes][:3] == COUNTS
