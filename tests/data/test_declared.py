"""What files declare of their numbers is applied, and what cannot be is refused by name."""

import json
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.data import label_source, load_scene
from hsiaug.data.adding import Added
from hsiaug.data.georeference import Georeference
from hsiaug.data.vector_labels import WGS84, VectorLabels
from tests.data import field_files
from tests.data.field_files import FARM, LABELS, NM, listed, said


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Added]:
    """``add("cube.tif", "labels.npy")`` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return field_files.add


@pytest.fixture
def tif(add: Callable[..., Added]) -> Callable[..., str]:
    """``tif("c.tif", array)`` of (H, W) or (H, W, B), with further options of GDAL."""
    return field_files.tiff


@pytest.fixture
def envi(add: Callable[..., Added]) -> Callable[..., str]:
    """``envi("c", array, "further lines")``."""
    return field_files.envi


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(HsiaugError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("kind", ["tif", "envi"])
def test_pixels_of_zeros_hold_no_data_whatever_the_offset_is(add, tif, envi, tmp_path, kind):
    stored = np.rint(FARM.cube * 5000).astype(np.uint16)
    stored[:3] = 0
    if kind == "tif":
        tif("c.tif", stored, lambda file: setattr(file, "offsets", [0.2] * 12), nodata=0)
    else:
        offsets = f"data offset values = {listed(np.full(12, 0.2))}\ndata ignore value = 0"
        envi("c", stored, offsets)
    cube = add(f"c.{'tif' if kind == 'tif' else 'hdr'}", units="other").scene.cube
    assert not cube[:3].any() and np.allclose(cube[3:], stored[3:] + 0.2)


# TIFF.


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -9999.0, -3.4028234663852886e38])
def test_labels_of_floats_may_have_any_value_for_no_data(add, tif, value):
    codes = np.where(FARM.labels == 0, value, FARM.labels).astype(np.float32)
    tif("l.tif", codes, nodata=value)
    assert np.array_equal(add(labels="l.tif").scene.labels, FARM.labels)
    assert np.array_equal(load_scene(add(labels="l.tif").files[0]).labels, FARM.labels)


def test_of_labels_with_two_bands_one_must_be_named(add, tif):
    other = np.where(FARM.labels > 0, 1, 0)
    tif("l.tif", np.stack([other, FARM.labels], axis=2).astype(np.uint8))
    assert "2 bands (1, 2). Name the band of the classes" in refusal(lambda: add(labels="l.tif"))
    assert np.array_equal(add(labels="l.tif", labels_key="2").scene.labels, FARM.labels)


def test_scales_and_offsets_of_single_bands_are_applied(add, tif, tmp_path):
    scales, offsets = np.linspace(1e-4, 2e-4, 12), np.linspace(0, 0.1, 12)

    def scale(file) -> None:
        file.scales, file.offsets = scales.tolist(), offsets.tolist()

    raw = np.round((FARM.cube - offsets) / scales).astype(np.int32)
    tif("c.tif", raw, scale)
    added = add("c.tif")
    assert np.allclose(added.scene.cube, raw * scales + offsets, atol=1e-6)
    assert "0.0001 to 0.0002, by band" in said(
        added
    ) and "guess: the file holds integers" not in said(added)
    stated = add("c.tif", scale=1.0, units="counts")
    assert np.array_equal(stated.scene.cube, raw) and "is not applied" in said(stated)


def test_what_lies_in_auxiliary_metadata_is_applied(add, tif, tmp_path):
    tif("c.tif", (FARM.cube * 100).astype(np.float32))
    bands = (
        f'<PAMRasterBand band="{b}"><Offset>-1</Offset><Scale>0.5</Scale></PAMRasterBand>'
        for b in range(1, 13)
    )
    (tmp_path / "c.tif.aux.xml").write_text(f"<PAMDataset>{''.join(bands)}</PAMDataset>")
    assert np.allclose(add("c.tif").scene.cube, FARM.cube * 50 - 1, atol=1e-5)
    tif("l.tif", np.where(FARM.labels == 0, 9, FARM.labels).astype(np.uint8))
    band = '<PAMRasterBand band="1"><NoDataValue>9</NoDataValue></PAMRasterBand>'
    (tmp_path / "l.tif.aux.xml").write_text(f"<PAMDataset>{band}</PAMDataset>")
    assert np.array_equal(add(labels="l.tif").scene.labels, FARM.labels)


def auxiliary(text: str) -> str:
    return f'<PAMDataset><PAMRasterBand band="1">{text}</PAMRasterBand></PAMDataset>'


CATEGORIES = "".join(f"<Category>{name}</Category>" for name in ("none", "hay", "rye, oats", "Öd"))
COLUMNS = (("Value", 5), ("Class", 2))
TABLE = "".join(
    [
        *(
            f"<FieldDefn><Name>{name}</Name><Usage>{use}</Usage></FieldDefn>"
            for name, use in COLUMNS
        ),
        *(
            f"<Row><F>{code}</F><F>{name}</F></Row>"
            for code, name in enumerate(("hay", "rye, oats", "Öd"), start=1)
        ),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        f"<CategoryNames>{CATEGORIES}</CategoryNames>",
        f"<GDALRasterAttributeTable>{TABLE}</GDALRasterAttributeTable>",
    ],
    ids=["categories", "attribute table"],
)
def test_names_of_classes_that_a_gis_keeps_beside_a_tiff_are_taken(add, tif, tmp_path, text):
    tif("l.tif", LABELS)
    (tmp_path / "l.tif.aux.xml").write_text(auxiliary(text), encoding="utf-8")
    assert add(labels="l.tif").scene.class_names == ("hay", "rye, oats", "Öd")


def test_auxiliary_metadata_of_an_envi_file_go_before_its_header(add, envi, tmp_path):
    raw = np.rint(FARM.cube * 5000).astype(np.int16)
    raw[:2] = -9
    place = "map info = {UTM, 1, 1, 500000, 5400000, 5, 5, 33, North, WGS-84}"
    envi("c", raw, f"data gain values = {{9}}\n{place}")
    bands = (
        f'<PAMRasterBand band="{band}"><Scale>0.0002</Scale><Offset>-0.5</Offset>'
        "<NoDataValue>-9</NoDataValue></PAMRasterBand>"
        for band in range(1, 13)
    )
    beside = tmp_path / "c.img.aux.xml"
    beside.write_text(f"<PAMDataset>{''.join(bands)}</PAMDataset>")
    with rasterio.open(tmp_path / "c.img", driver="ENVI") as file:
        assert (file.scales[0], file.offsets[0], file.nodata) == (0.0002, -0.5, -9)
    added = add("c.hdr")
    assert np.allclose(added.scene.cube[2:], raw[2:] * 0.0002 - 0.5, atol=1e-6)
    assert "no data: 64 pixels" in said(added) and "of c.img.aux.xml are applied" in said(added)
    beside.write_text(beside.read_text().replace("0.0002", "0", 1))
    assert "must give scales other than 0" in refusal(lambda: add("c.hdr"))


def test_what_the_header_of_a_tiff_says_of_its_bands_is_applied(add, tif, envi, tmp_path):
    raw = np.rint(FARM.cube * 10000).astype(np.int16)
    header = f"file type = TIFF\nreflectance scale factor = 10000\nwavelength = {listed(NM)}"
    envi("c", raw, f"{header}\nbbl = {listed([0] + [1] * 11)}")
    (tmp_path / "c.img").unlink()
    tif("c.tif", raw)
    added = add("c.tif")
    assert np.allclose(added.scene.cube, raw[:, :, 1:] / 10000)
    assert np.allclose(added.scene.wavelengths, NM[1:])
    assert "what c.hdr says of the bands is applied" in said(added)


# PNG.


def png(bits: int, rows: np.ndarray, transparent: int | None = None) -> bytes:
    """A grey PNG of 1 to 8 bits."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    spread = (rows[:, :, None] >> np.arange(bits)[::-1]) & 1
    data = b"".join(b"\0" + np.packbits(row.ravel()).tobytes() for row in spread)
    head = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], bits, 0, 0, 0, 0)
    clear = b"" if transparent is None else chunk(b"tRNS", struct.pack(">H", transparent))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + clear
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_png_of_any_depth_holds_its_codes(add, tmp_path, bits):
    (tmp_path / "l.png").write_bytes(png(bits, FARM.labels.astype(np.uint8)))
    assert np.array_equal(add(labels="l.png").scene.labels, FARM.labels)


def test_transparent_pixels_of_a_png_have_no_label(add, tmp_path):
    (tmp_path / "l.png").write_bytes(
        png(4, np.where(FARM.labels == 0, 9, FARM.labels).astype(np.uint8), 9)
    )
    assert np.array_equal(add(labels="l.png").scene.labels, FARM.labels)


# ENVI.


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("data gain values = {1, 2}", "'data gain values' must be 12 numbers"),
        (f"data gain values = {listed(np.zeros(12))}", "gains other than 0"),
        (
            f"data gain values = {listed(np.full(12, 2))}\nreflectance scale factor = 9",
            "must name one scale",
        ),
        ("file type = ENVI Spectral Library", "must be of an image"),
        ("data ignore value = none", "'data ignore value' must be one number"),
    ],
)
def test_what_an_envi_header_says_and_cannot_be_applied_is_refused_by_name(add, envi, header, part):
    envi("c", FARM.cube, header)
    assert part in refusal(lambda: add("c.hdr"))


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("file type = ENVI Classification", "name it as the labels"),
        ("file type = ENVI Meta File", "Export the image as ENVI Standard"),
        ("reflectance scale factor = 0", "Correct that line of the header, or delete it"),
        (f"bbl = {listed([0] * 12)}", "Correct the list of bad bands"),
    ],
)
def test_a_header_of_another_kind_is_refused_with_what_to_do(add, envi, header, hint):
    envi("c", FARM.cube, header)
    assert hint in refusal(lambda: add("c.hdr"))


def test_of_two_data_files_beside_a_header_one_must_be_named(add, envi, tmp_path):
    envi("c", FARM.cube)
    (tmp_path / "c.dat").write_bytes((tmp_path / "c.img").read_bytes())
    assert "found c.img and c.dat. Name the data file itself: c.img." in refusal(
        lambda: add("c.hdr")
    )
    assert np.array_equal(add("c.img").scene.cube, FARM.cube)


def test_a_class_of_code_0_in_a_classification_is_asked_about(add, envi):
    envi("l", LABELS, "file type = ENVI Classification\nclass names = {water, hay, rye, oats}")
    assert "say `unlabelled='none'`; if it stands for no label, `unlabelled='0'`" in refusal(
        lambda: add(labels="l.hdr")
    )
    names = ("water", "hay", "rye", "oats")
    assert add(labels="l.hdr", unlabelled=()).scene.class_names == names
    assert add(labels="l.hdr", unlabelled=(0,)).scene.class_names == names[1:]
    envi("l", LABELS, "class names = {Masked Pixels, hay, rye, oats}")
    assert add(labels="l.hdr").scene.class_names == names[1:]


def test_one_name_for_two_codes_is_refused(add, envi):
    envi("l", LABELS, "class names = {Unclassified, hay, rye, hay}")
    assert "'hay' for codes [1, 3]" in refusal(lambda: add(labels="l.hdr"))
    classes = ("hay", "rye", "oats")
    assert add(labels="l.hdr", classes=classes).scene.class_names == classes


@pytest.mark.parametrize("key", ["interleave", "data type", "bands"])
def test_a_field_that_is_missing_is_named(add, envi, key):
    envi("c", FARM.cube, skip=key)
    assert f"must give '{key}'" in refusal(lambda: add("c.hdr"))


@pytest.mark.parametrize(
    ("unit", "factor", "noted"),
    [
        ("", 1, False),
        ("", 1e-3, True),
        ("Nanometer", 1, False),
        ("Microns", 1e-3, False),
        ("Micrometers", 1, True),
        ("Nanometers", 1e-3, True),
        ("Angstroms", 10, False),
    ],
)
def test_band_centres_are_read_in_every_unit_and_a_guess_is_said(add, envi, unit, factor, noted):
    envi("c", FARM.cube, f"wavelength_units = {unit}\nwavelength = {listed(NM * factor)}")
    added = add("c.hdr")
    assert added.scene.wavelengths is not None and np.allclose(added.scene.wavelengths, NM)
    assert ("taken as" in said(added)) == noted


@pytest.mark.parametrize("flags", ["0, 1", "0.0, 1.0", "False, True"])
@pytest.mark.parametrize("first", ["0", "NaN"])
def test_a_bad_band_without_a_centre_costs_no_other_its_own(add, envi, flags, first):
    bad, good = flags.split(", ")
    centres = "{" + ", ".join([first, *map(str, NM[1:])]) + "}"
    bbl = "{" + ", ".join([bad, *[good] * 11]) + "}"
    envi("c", FARM.cube, f"wavelength units = nm\nwavelength = {centres}\nbbl = {bbl}")
    scene = add("c.hdr").scene
    assert scene.wavelengths is not None and np.array_equal(scene.wavelengths, NM[1:])


def test_a_kept_band_without_a_centre_is_named_with_the_remedy(add, envi):
    envi("c", FARM.cube, f"wavelength units = nm\nwavelength = {listed([*NM[:3], 0, *NM[4:]])}")
    assert "`bad_bands='3'`" in said(add("c.hdr"))
    assert add("c.hdr", bad_bands=(3,)).scene.wavelengths is not None


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_missing_data_that_nobody_declares_are_named_with_the_remedy(add, envi, dtype):
    cube = np.round(FARM.cube * 1000).astype(dtype)
    cube[:, :2] = -9999
    envi("c", cube)
    assert "-9999 at 80 pixels looks like missing data: if it is, say `nodata='-9999'`" in said(
        add("c.hdr", scale=1e-3)
    )
    assert "multiply them" not in said(add("c.hdr", scale=1e-3))
    assert "no data: 80 pixels" in said(add("c.hdr", scale=1e-3, nodata=-9999.0))
    envi("c", cube, "data ignore value = {-9999}")
    assert "no data: 80 pixels" in said(add("c.hdr", scale=1e-3))


# Points and polygons.


def marks() -> list[tuple[int, int, str]]:
    names = ("", "Gräser", "Rüben, früh", "Weg")
    return [(int(r), int(c), names[FARM.labels[r, c]]) for r, c in np.argwhere(FARM.labels > 0)]


def test_rows_without_a_class_are_left_out_and_codes_may_have_decimal_commas(add, tmp_path):
    rows = [f"{r};{c};{FARM.labels[r, c]},0" for r, c, _ in marks()]
    blank = [f"39;{column};{word}" for column, word in enumerate(("nan", "NULL", "#N/A", ""))]
    (tmp_path / "p.csv").write_text("\n".join(["row;col;class", *rows, *blank]))
    added = add(labels="p.csv")
    assert np.array_equal(added.scene.labels, FARM.labels)
    assert "4 of" in said(added) and "without a class or a place: left out" in said(added)


def test_names_that_differ_in_capitals_alone_are_said(add, tmp_path):
    words = ("", "Rye", "rye", "oats")
    rows = [f"{r},{c},{words[FARM.labels[r, c]]}" for r, c, _ in marks()]
    (tmp_path / "p.csv").write_text("\n".join(["row,col,class", *rows]))
    assert "differ in capital letters alone: Rye, rye" in said(add(labels="p.csv"))


def test_geojson_in_the_system_of_the_cube_is_refused_with_that_system(add, tif, tmp_path):
    tif("c.tif", FARM.cube)
    content = {"type": "FeatureCollection", "features": features(crop=CROPS)}
    (tmp_path / "p.geojson").write_text(json.dumps(content))
    message = refusal(lambda: add("c.tif", "p.geojson", field="crop"))
    found = re.search(r"`crs='(\S+)'`", message)
    assert found is not None, message
    added = add("c.tif", "p.geojson", field="crop", crs=found[1])
    assert added.scene.class_counts.tolist() == [4, 4]


def test_a_table_in_an_encoding_that_cannot_be_known_says_so(add, tmp_path):
    (tmp_path / "p.csv").write_bytes("row,col,class\n1,1,a\n2,2,b\n".encode("utf-16-le"))
    assert "save it as UTF-8" in refusal(lambda: add(labels="p.csv"))


def features(**columns: list[object]) -> list[dict[str, object]]:
    """A point on each of some pixels, with these attributes."""
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    places = [(500002.5 + 5 * i, 5399997.5 - 5 * i) for i in range(len(rows))]
    return [
        {"type": "Feature", "properties": row, "geometry": {"type": "Point", "coordinates": place}}
        for row, place in zip(rows, places, strict=True)
    ]


CROPS = ["hay", "rye"] * 4


def test_an_attribute_that_numbers_the_marks_is_asked_about(add, tif, tmp_path):
    tif("c.tif", FARM.cube)
    content = {"type": "FeatureCollection", "features": features(id=list(range(8)), crop=CROPS)}
    (tmp_path / "p.geojson").write_text(json.dumps(content))
    message = refusal(lambda: add("c.tif", "p.geojson", crs="EPSG:32633"))
    assert (
        "each of the 8 marks has its own" in message
        and "Say `field='crop'`, or `field='id'`" in message
    )
    added = add("c.tif", "p.geojson", crs="EPSG:32633", field="crop")
    assert added.scene.class_names == (
        "hay",
        "rye",
    ) and "class attribute: crop (also there: id)" in said(added)


@pytest.mark.parametrize("kind", ["sequence", "collection"])
def test_a_file_with_a_feature_on_each_line_is_read(add, tif, tmp_path, kind):
    tif("c.tif", FARM.cube)
    several = features(crop=CROPS)
    text = "\n".join(f"\x1e{json.dumps(one)}" for one in several)
    if kind == "collection":
        text = json.dumps({"type": "FeatureCollection", "features": several})
    (tmp_path / "p.geojson").write_text(text)
    assert add(
        "c.tif", "p.geojson", crs="EPSG:32633", field="crop"
    ).scene.class_counts.tolist() == [4, 4]


def test_marks_without_a_value_name_another_attribute(add, tif, tmp_path):
    tif("c.tif", FARM.cube)
    places = [(500012.5 + 10 * step, 5399987.5) for step in range(4)]
    features = [
        {
            "type": "Feature",
            "properties": {"class": None, "crop": "ab"[step % 2]},
            "geometry": {"type": "Point", "coordinates": place},
        }
        for step, place in enumerate(places)
    ]
    system = {"type": "name", "properties": {"name": "EPSG:32633"}}
    content = {"type": "FeatureCollection", "crs": system, "features": features}
    (tmp_path / "l.geojson").write_text(json.dumps(content))
    assert "another attribute: `field='crop'`" in refusal(lambda: add("c.tif", "l.geojson"))
    assert np.count_nonzero(add("c.tif", "l.geojson", field="crop").scene.labels) == 4


def test_a_cube_of_truth_values_becomes_a_card(add, tmp_path):
    truth = FARM.cube > np.median(FARM.cube)
    np.save(tmp_path / "c.npy", truth)
    assert np.array_equal(add("c.npy").scene.cube, truth)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        ("<!DOCTYPE html><html></html>", "a web page"),
    ],
)
@pytest.mark.parametrize("name", ["c.mat", "c.npy", "c.tif", "c.h5"])
def test_what_lies_in_the_place_of_a_file_is_named(add, tmp_path, name, content, part):
    (tmp_path / name).write_text(content)
    assert part in refusal(lambda: add(name))


@pytest.mark.parametrize("name", ["l.gpkg", "l.shp", "l.dbf", "l.fgb"])
def test_a_layer_that_is_none_is_refused(add, tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / "l.shp").write_bytes(b"x")
    assert "must be a whole" in refusal(lambda: add(labels=name))


def test_band_centres_given_in_micrometres_are_taken_as_such_and_said(add):
    added = add(wavelengths=tuple(NM / 1000))
    assert added.scene.wavelengths is not None and np.allclose(added.scene.wavelengths, NM)
    assert "taken as micrometres" in said(added)


def test_a_card_in_micrometres_is_refused(add, tmp_path):
    add()
    card = tmp_path / "mine.toml"
    card.write_text(card.read_text() + f"\n[sensor]\nwavelengths = {(NM / 1000).tolist()}\n")
    assert "must be in nanometres, found 0.42 to 0.97" in refusal(lambda: load_scene(card))


def test_labels_with_coordinates_on_a_cube_whose_system_cannot_be_read_are_refused() -> None:
    marks = VectorLabels(
        values=(1,),
        pixels=(),
        shapes=(shapely.Point(10.0, 50.0),),
        crs=WGS84,
        skipped=0,
    )
    damaged = Georeference((1.0, 0.0, 0.0, 0.0, -1.0, 0.0), "PROJCS[damaged")
    with pytest.raises(InputError, match="must name a coordinate system"):
        label_source._transform(marks, damaged, "cube.tif")
