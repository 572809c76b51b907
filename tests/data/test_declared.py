"""What files declare of their numbers is applied, and what cannot be is refused by name."""

import bz2
import gzip
import json
import lzma
import re
import shlex
import struct
import zlib
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
import scipy.io
import scipy.sparse
import shapely
from click.testing import CliRunner
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.rio.main import main_group

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.data import label_source, load_scene, toy_scene
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.georeference import Georeference
from hsiaug.data.vector_labels import WGS84, VectorLabels

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
LABELS = FARM.labels.astype(np.uint8)
NM = np.linspace(420, 970, 12).round(2)
PLACE = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
VALID = np.ones((40, 32), dtype=bool)
VALID[:, 26:] = False


@pytest.fixture
def add(tmp_path: Path) -> Callable[..., Added]:
    """``add("cube.tif", "labels.npy")``: the cube of FARM lies in cube.npy, its labels in
    labels.npy.
    """
    np.save(tmp_path / "cube.npy", FARM.cube)
    np.save(tmp_path / "labels.npy", FARM.labels)

    def run(cube: str = "cube.npy", labels: str = "labels.npy", **options: object) -> Added:
        paths = (tmp_path / name for name in (cube, labels, "mine.toml"))
        return add_scene(*paths, ImportOptions(overwrite=True, **options))

    return run


@pytest.fixture
def tif(tmp_path: Path) -> Callable[..., None]:
    """``tif("c.tif", array)`` of (H, W) or (H, W, B), with further options of GDAL."""

    def write(
        name: str, array: np.ndarray, change: Callable[..., None] | None = None, **options: object
    ) -> None:
        bands = np.atleast_3d(array).transpose(2, 0, 1)
        size = {
            "count": len(bands),
            "height": bands.shape[1],
            "width": bands.shape[2],
            "dtype": bands.dtype.name,
        }
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", **size, **PLACE, **options
        ) as file:
            if change is not None:
                change(file)
            file.write(bands)

    return write


@pytest.fixture
def envi(tmp_path: Path) -> Callable[..., None]:
    """``envi("c", array, "further lines")``."""

    def write(
        name: str, array: np.ndarray, header: str = "", encoding: str = "utf-8", leave: str = ""
    ) -> None:
        array = np.atleast_3d(array)
        codes = {"uint8": 1, "int16": 2, "float32": 4, "uint16": 12}
        said = {
            "samples": array.shape[1],
            "lines": array.shape[0],
            "bands": array.shape[2],
            "header offset": 0,
            "data type": codes[array.dtype.name],
            "interleave": "bip",
            "byte order": 0,
        }
        lines = [f"{key} = {value}" for key, value in said.items() if key != leave]
        (tmp_path / f"{name}.hdr").write_bytes(
            "\n".join(["ENVI", *lines, header, ""]).encode(encoding)
        )
        (tmp_path / f"{name}.img").write_bytes(np.ascontiguousarray(array).tobytes())

    return write


def said(added: Added) -> str:
    return "\n".join((*(": ".join(fact) for fact in added.facts), *added.warnings))


def listed(values: object) -> str:
    return "{" + ", ".join(map(str, np.asarray(values).tolist())) + "}"


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


@pytest.mark.parametrize(
    "options", [{"nbits": 2}, {"nbits": 4}, {"photometric": "MINISWHITE"}, {"compress": "lzw"}]
)
def test_label_tiffs_hold_the_codes_that_gdal_reads(add, tif, options):
    tif("l.tif", FARM.labels.astype(np.uint8), **options)
    assert np.array_equal(add(labels="l.tif").scene.labels, FARM.labels)


def test_a_label_tiff_that_is_stored_upside_down_is_read_as_gdal_does(add, tmp_path):
    Image.fromarray(FARM.labels.astype(np.uint8)).save(tmp_path / "l.tif", tiffinfo={274: 4})
    assert np.array_equal(add(labels="l.tif").scene.labels, FARM.labels)


def test_the_no_data_value_of_labels_of_4_bits_is_no_class(add, tif):
    tif("l.tif", np.where(FARM.labels == 0, 15, FARM.labels).astype(np.uint8), nbits=4, nodata=15)
    added = add(labels="l.tif", classes=("hay", "rye", "track"))
    assert np.array_equal(added.scene.labels, FARM.labels)
    assert ("15", "unlabelled (the file's value of no data)") in [
        (row.code, row.meaning) for row in added.codes
    ]


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


def test_a_mask_and_an_alpha_band_say_which_pixels_hold_data(add, tif, tmp_path):
    raw = np.where(VALID[:, :, None], np.round(FARM.cube * 10_000), 200).astype(np.uint16)

    def tag(file) -> None:
        for band, centre in enumerate(NM, start=1):
            file.update_tags(band, wavelength=str(centre), wavelength_units="Nanometers")

    def transparent(file) -> None:
        tag(file)
        file.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * 11, ColorInterp.alpha]

    alpha = np.where(VALID, 65535, 0).astype(np.uint16)
    tif("alpha.tif", np.concatenate([raw, alpha[:, :, None]], axis=2), transparent)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        tif("inside.tif", raw, lambda file: (tag(file), file.write_mask(VALID)))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        tif("beside.tif", raw, lambda file: (tag(file), file.write_mask(VALID)))
    for name in ("alpha.tif", "inside.tif", "beside.tif"):
        added = add(name)
        scene = load_scene(tmp_path / "mine.toml")
        assert scene.wavelengths is not None and np.array_equal(scene.wavelengths, NM), name
        assert not scene.cube[~VALID].any() and np.allclose(scene.cube[VALID], raw[VALID] * 1e-4)
        assert not scene.labels[~VALID].any() and "no data: 240 pixels" in said(added)


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


def test_a_tiff_of_several_pages_is_refused_with_the_way_to_an_array(add, tmp_path):
    first, *others = (Image.fromarray(band) for band in FARM.cube.transpose(2, 0, 1))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=others)
    name = run_hint(tmp_path, refusal(lambda: add("pages.tif")))
    assert np.array_equal(add(name).scene.cube, FARM.cube)


def test_codes_with_a_scale_are_refused_with_the_way_to_plain_ones(add, tif, tmp_path):
    tif("l.tif", FARM.labels.astype(np.uint8), lambda file: setattr(file, "scales", (0.5,)))
    message = refusal(lambda: add(labels="l.tif"))
    assert "must have no scale; found scale 0.5, offset 0" in message
    name = run_hint(tmp_path, message)
    assert np.array_equal(add(labels=name).scene.labels, FARM.labels)


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_control_points_alone_are_said_to_need_a_warp(add, tif, tmp_path):
    corners = [
        rasterio.control.GroundControlPoint(r, c, 15 + c / 1e4, 48 - r / 1e4)
        for r in (0, 40)
        for c in (0, 32)
    ]
    bands = FARM.cube.transpose(2, 0, 1)
    with rasterio.open(
        tmp_path / "c.tif", "w", driver="GTiff", count=12, height=40, width=32, dtype="float32"
    ) as file:
        file.gcps = corners, rasterio.CRS.from_epsg(4326)
        file.write(bands)
    (tmp_path / "p.csv").write_text("lon,lat,class\n15.0001,47.9999,a\n15.0002,47.9998,b\n")
    message = refusal(lambda: add("c.tif", "p.csv"))
    assert "ground control points only. Warp the cube first" in message
    run_hint(tmp_path, message)
    assert add("c_warped.tif", "p.csv").scene.class_counts.sum() == 2


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


def test_gains_and_offsets_of_an_envi_header_are_applied(add, envi, tmp_path):
    gains, offsets = np.linspace(5e-5, 9e-5, 12), np.linspace(0.02, 0.08, 12)
    raw = np.round((FARM.cube.clip(0.1) - offsets) / gains).astype(np.uint16)
    envi("c", raw, f"data gain values = {listed(gains)}\ndata offset values = {listed(offsets)}")
    add("c.hdr")
    assert np.allclose(load_scene(tmp_path / "mine.toml").cube, raw * gains + offsets, atol=1e-6)


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


def test_one_name_for_two_codes_is_refused_with_names_that_differ(add, envi):
    envi("l", LABELS, "class names = {Unclassified, hay, rye, hay}")
    found = re.search(r"`classes='(.*)'`", refusal(lambda: add(labels="l.hdr")))
    assert found is not None
    classes = tuple(found[1].split(","))
    assert add(labels="l.hdr", classes=classes).scene.class_names == ("hay_1", "rye", "hay_3")


@pytest.mark.parametrize("key", ["interleave", "data type", "bands"])
def test_a_field_that_is_missing_is_named(add, envi, key):
    envi("c", FARM.cube, leave=key)
    assert f"must give '{key}'" in refusal(lambda: add("c.hdr"))


@pytest.mark.parametrize(
    "header", ["reflectance scale factor =", "data ignore value = \nbbl =\ndefault bands = {}"]
)
def test_a_field_without_a_value_counts_as_absent(add, envi, header):
    envi("c", FARM.cube, header, leave="byte order")
    assert np.array_equal(add("c.hdr").scene.cube, FARM.cube)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig", "utf-16"])
def test_an_envi_header_may_have_any_usual_encoding(add, envi, encoding):
    envi(
        "c",
        FARM.cube,
        f"description = {{21 °C}}\nwavelength units = µm\nwavelength = {listed(NM / 1000)}",
        encoding,
    )
    names = "class names = {Unclassified, Gräser, Rüben, Weg}"
    envi("l", FARM.labels.astype(np.uint8), f"file type = ENVI Classification\n{names}", encoding)
    added = add("c.hdr", "l.hdr")
    assert added.scene.class_names == ("Gräser", "Rüben", "Weg")
    assert added.scene.wavelengths is not None and np.allclose(added.scene.wavelengths, NM)


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


@pytest.mark.parametrize(
    "kind", ["bom", "decimal comma", "utf-16", "sep", "cp1252", "index", "degrees"]
)
def test_a_table_of_any_spreadsheet_gives_the_same_labels(add, tif, tmp_path, kind):
    tif("c.tif", FARM.cube)
    by, encoding = (
        ("\t", "utf-16")
        if kind == "utf-16"
        else (";", "cp1252" if kind == "cp1252" else "utf-8-sig")
    )
    rows = [(f"{500002.5 + 5 * c}", f"{5399997.5 - 5 * r}", name) for r, c, name in marks()]
    head = ["x", "y", "class"]
    if kind == "decimal comma":
        rows = [(x.replace(".", ","), y.replace(".", ","), name) for x, y, name in rows]
    if kind == "index":
        head, rows = (
            ["", "row", "col", "class"],
            [(str(i), f"{r}.0", f"{c}.0", n) for i, (r, c, n) in enumerate(marks())],
        )
    if kind == "degrees":
        from rasterio.warp import transform

        head = ["Longitude", "Latitude", "class"]
        xs, ys = ([float(row[i]) for row in rows] for i in (0, 1))
        lon, lat = transform("EPSG:32633", "OGC:CRS84", xs, ys)
        rows = [(str(x), str(y), row[2]) for x, y, row in zip(lon, lat, rows, strict=True)]
    lines = ["sep=;"] if kind == "sep" else []
    (tmp_path / "p.csv").write_bytes(
        "\r\n".join([*lines, by.join(head), *map(by.join, rows)]).encode(encoding)
    )
    added = add("c.tif", "p.csv")
    assert np.array_equal(added.scene.labels, FARM.labels)
    assert added.scene.class_names == ("Gräser", "Rüben, früh", "Weg")


def test_rows_without_a_class_are_left_out_and_codes_may_have_decimal_commas(add, tmp_path):
    rows = [f"{r};{c};{FARM.labels[r, c]},0" for r, c, _ in marks()]
    blank = [f"39;{column};{word}" for column, word in enumerate(("nan", "NULL", "#N/A", ""))]
    (tmp_path / "p.csv").write_text("\n".join(["row;col;class", *rows, *blank]))
    added = add(labels="p.csv")
    assert np.array_equal(added.scene.labels, FARM.labels)
    assert "4 of" in said(added) and "without a class or a place: left out" in said(added)


def test_decimal_commas_between_commas_are_named(add, tif, tmp_path):
    tif("c.tif", FARM.cube)
    (tmp_path / "p.csv").write_text('x,y,class\n"500002,5","5399997,5",a\n')
    assert "or semicolons between columns with decimal commas" in refusal(
        lambda: add("c.tif", "p.csv")
    )


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


# Remedies: typed as they stand, they lead on.


def run_hint(folder: Path, message: str) -> str:
    """Do what the ``python -c`` of a message does, in a folder; returns the file to name then."""
    command = re.search(r"python -c \".*?\"|python -c '.*'", message)
    assert command is not None, message
    with chdir(folder):
        exec(shlex.split(command[0])[2], {})
    named = re.search(r"and name (\S+\.npy)", message)
    return "" if named is None else named[1]


def cell(array: np.ndarray) -> np.ndarray:
    made = np.empty((1, 2), dtype=object)
    made[0, 0], made[0, 1] = "text", array
    return made


MATLAB = {
    "struct": {"gt": {"map": LABELS, "names": "hay"}},
    "cell": {"gt": cell(LABELS)},
    "one hot": {"gt": np.eye(4, dtype=np.uint8)[LABELS][:, :, 1:]},
    "masks": {"hay": LABELS == 1, "rye": LABELS == 2, "track": LABELS == 3},
}


@pytest.mark.parametrize("kind", MATLAB)
def test_what_is_no_plain_array_of_matlab_is_refused_with_the_way_to_one(add, tmp_path, kind):
    scipy.io.savemat(tmp_path / "l.mat", MATLAB[kind])
    name = run_hint(tmp_path, refusal(lambda: add(labels="l.mat")))
    assert np.array_equal(add(labels=name).scene.labels, FARM.labels)


def test_a_struct_of_version_7_3_is_refused_with_the_way_to_an_array(add, tmp_path):
    with h5py.File(tmp_path / "l.mat", "w") as file:
        file["gt/map"] = LABELS.T
    name = run_hint(tmp_path, refusal(lambda: add(labels="l.mat")))
    assert np.array_equal(add(labels=name).scene.labels, FARM.labels)


def test_a_sparse_array_of_matlab_is_read(add, tmp_path):
    scipy.io.savemat(tmp_path / "l.mat", {"gt": scipy.sparse.csc_matrix(LABELS.astype(float))})
    assert np.array_equal(add(labels="l.mat").scene.labels, FARM.labels)


def test_of_several_arrays_the_largest_is_proposed(add, tmp_path):
    scipy.io.savemat(
        tmp_path / "l.mat", {"n": 3.0, "gt": LABELS.astype(float), "idx": np.arange(9.0)[None]}
    )
    assert "`labels_key='gt'`" in refusal(lambda: add(labels="l.mat"))
    assert np.array_equal(add(labels="l.mat", labels_key="gt").scene.labels, FARM.labels)


def test_a_cube_of_two_axes_is_refused_with_the_way_to_three(add, tmp_path):
    spectra = FARM.cube.reshape(-1, 12, order="F").T
    scipy.io.savemat(tmp_path / "c.mat", {"V": spectra, "nRow": 40, "nCol": 32})
    name = run_hint(tmp_path, refusal(lambda: add("c.mat")))
    assert np.array_equal(add(name).scene.cube, FARM.cube)


def test_labels_as_one_column_or_a_pixel_smaller_are_refused_with_the_way_on(add, tmp_path):
    np.save(tmp_path / "column.npy", LABELS.reshape(-1, 1, order="F"))
    name = run_hint(tmp_path, refusal(lambda: add(labels="column.npy")))
    assert np.array_equal(add(labels=name).scene.labels, FARM.labels)
    np.save(tmp_path / "small.npy", LABELS[:39, :31])
    name = run_hint(tmp_path, refusal(lambda: add(labels="small.npy")))
    assert np.array_equal(add(labels=name).scene.labels[:39, :31], FARM.labels[:39, :31])


@pytest.mark.parametrize("step", [2, 1])
def test_labels_on_another_grid_are_resampled_by_the_printed_command(add, tif, tmp_path, step):
    """Of half the resolution, or shifted by a pixel."""
    tif("c.tif", FARM.cube)
    coarse = FARM.labels[::step, ::step].astype(np.uint8)
    left = 500000 + 5 * (step == 1)
    with rasterio.open(
        tmp_path / "l.tif",
        "w",
        driver="GTiff",
        height=coarse.shape[0],
        width=coarse.shape[1],
        count=1,
        dtype="uint8",
        crs=PLACE["crs"],
        transform=rasterio.Affine(5 * step, 0, left, 0, -5 * step, 5400000),
    ) as file:
        file.write(coarse, 1)
    found = re.search(r"(rio warp .*), and name (\S+)\.", refusal(lambda: add("c.tif", "l.tif")))
    assert found is not None
    with chdir(tmp_path):
        result = CliRunner().invoke(main_group, shlex.split(found[1])[1:])
    assert result.exit_code == 0, result.output
    labels = add("c.tif", found[2]).scene.labels
    if step == 2:
        assert np.array_equal(labels, np.kron(coarse, np.ones((2, 2), np.uint8)))
    else:
        assert np.array_equal(labels[:, 1:], FARM.labels[:, :-1])


def test_an_archive_of_arrays_is_refused_with_the_way_to_one(add, tmp_path):
    np.savez(tmp_path / "c.npz", mask=np.ones((2, 2)), cube=FARM.cube)
    message = refusal(lambda: add("c.npz"))
    assert "mask 2×2, cube 40×32×12" in message
    name = run_hint(tmp_path, message)
    assert np.array_equal(add(name).scene.cube, FARM.cube)


def test_a_raster_that_gdal_reads_is_converted_by_the_printed_command(add, tmp_path):
    rows = "\n".join(" ".join(map(str, row)) for row in FARM.labels.tolist())
    head = "ncols 32\nnrows 40\nxllcorner 0\nyllcorner 0\ncellsize 5\n"
    (tmp_path / "l.asc").write_text(head + rows + "\n")
    found = re.search(r"(rio convert .*), and name (\S+)\.", refusal(lambda: add(labels="l.asc")))
    assert found is not None
    with chdir(tmp_path):
        result = CliRunner().invoke(main_group, shlex.split(found[1])[1:])
    assert result.exit_code == 0, result.output
    assert np.array_equal(add(labels=found[2]).scene.labels, FARM.labels)


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


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("c.zip", "python -m zipfile -e {} ."),
        ("c.tar.gz", "tar -xf {}"),
        ("c.tgz", "tar -xf {}"),
    ],
)
def test_a_packed_scene_is_refused_with_how_to_unpack_it(add, tmp_path, name, command):
    (tmp_path / name).write_bytes(b"PK")
    assert command.format(tmp_path / name) in refusal(lambda: add(name))


@pytest.mark.parametrize(("ending", "module"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_a_packed_file_is_unpacked_by_the_printed_command(add, tmp_path, ending, module):
    with module.open(tmp_path / f"l.npy{ending}", "wb") as file:
        np.save(file, FARM.labels)
    run_hint(tmp_path, refusal(lambda: add(labels=f"l.npy{ending}")))
    assert np.array_equal(add(labels="l.npy").scene.labels, FARM.labels)


ONE_HOT = np.stack([FARM.labels == code for code in (1, 2, 3)], axis=2)
OTHER_ARRAYS = {
    "objects": (FARM.cube.astype(object), FARM.cube, False),
    "a fourth axis": (FARM.cube[None], FARM.cube, False),
    "several cubes": (np.stack([FARM.cube, FARM.cube + 1]), FARM.cube, False),
    "a layer for each class": (ONE_HOT, FARM.labels, True),
}


@pytest.mark.parametrize("kind", OTHER_ARRAYS)
def test_an_array_of_another_kind_is_refused_with_the_way_to_one(add, tmp_path, kind):
    array, truth, labels = OTHER_ARRAYS[kind]
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    message = refusal(lambda: add(**{"labels" if labels else "cube": "a.npy"}))
    run_hint(tmp_path, message)
    found = re.search(r"and name (\S+\.npy)", message)
    assert found is not None
    np.testing.assert_allclose(np.load(tmp_path / found[1]), truth, rtol=1e-6)
    assert add(**{"labels" if labels else "cube": found[1]}).scene.shape == FARM.shape


def test_a_masked_array_that_was_dumped_is_refused_with_the_way_to_numbers(add, tmp_path):
    np.ma.masked_less(FARM.cube, 0.05).dump(str(tmp_path / "a.npy"))
    name = run_hint(tmp_path, refusal(lambda: add("a.npy")))
    assert add(name).scene.shape == FARM.shape


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


def test_data_without_a_header_of_envi_are_refused_with_what_to_do(add, tmp_path):
    FARM.cube.tofile(tmp_path / "c.bil")
    assert "Put its ENVI header beside it, c.hdr" in refusal(lambda: add("c.bil"))
    FARM.cube.transpose(0, 2, 1).astype("<f4").tofile(tmp_path / "c.bil")
    (tmp_path / "c.hdr").write_text(
        "BYTEORDER I\nLAYOUT BIL\nNROWS 40\nNCOLS 32\nNBANDS 12\nNBITS 32\nPIXELTYPE FLOAT\n"
        "ULXMAP 2.5\nULYMAP 197.5\nXDIM 5\nYDIM 5\n"
    )
    found = re.search(r"(rio convert .*), and name c.tif", refusal(lambda: add("c.bil")))
    assert found is not None
    with chdir(tmp_path):
        result = CliRunner().invoke(main_group, shlex.split(found[1])[1:])
    assert result.exit_code == 0, result.output
    assert np.array_equal(add("c.tif").scene.cube, FARM.cube)


@pytest.mark.parametrize("name", ["l.kml", "l.GML", "l.topojson"])
def test_layers_that_are_not_read_are_refused_with_a_command(add, tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    message = refusal(lambda: add(labels=name))
    assert f"pyogrio.raw.read({str(tmp_path / name)!r})" in message and "name l.gpkg" in message


@pytest.mark.parametrize("name", ["l.gpkg", "l.shp", "l.dbf", "l.fgb"])
def test_a_layer_that_is_none_is_refused(add, tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    (tmp_path / "l.shp").write_bytes(b"x")
    assert "must be a whole" in refusal(lambda: add(labels=name))


def test_hdf5_of_another_kind_is_refused_with_its_cubes_and_the_way_to_an_array(add, tmp_path):
    with h5py.File(tmp_path / "p.nc", "w") as file:
        file["reflectance"] = FARM.cube
    message = refusal(lambda: add("p.nc"))
    assert "reflectance 40×32×12" in message
    name = run_hint(tmp_path, message)
    assert np.array_equal(add(name).scene.cube, FARM.cube)


def test_a_cube_of_one_band_becomes_a_card(add, tmp_path):
    np.save(tmp_path / "c.npy", FARM.cube[:, :, :1])
    assert add("c.npy").scene.bands == 1


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
