"""Every key that a file declares has a rule, or is said to be unknown; the docs have the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy.io import savemat

import hsiaug
from hsiaug.data import readers_envi, toy_scene
from hsiaug.data.data_arrays import unpacked
from hsiaug.data.declared_keys import declared_keys
from hsiaug.data.envi_header import BAND_FIELDS
from hsiaug.data.key_rules import key_rules
from hsiaug.data.products import product_place, read_product
from hsiaug.data.products.contents import Contents
from hsiaug.data.readers import read_cube_file
from tests.data.made_products import Made, emit, enmap, hypso, prisma, tanager_basic, tanager_ortho
from tests.in_process import hsiaug as command

FARM = toy_scene(seed=3, height=40, width=32, bands=6, classes=3)


def test_no_key_of_a_format_has_two_rules() -> None:
    keys = [(rule.format, key) for rule in key_rules() for key in rule.keys]
    assert len(set(keys)) == len(keys)


def envi(folder: Path) -> None:
    FARM.cube.tofile(folder / "c.img")
    (folder / "c.hdr").write_text(
        "ENVI\nsamples = 32\nlines = 40\nbands = 6\ndata type = 4\ninterleave = bip\n"
        "byte order = 0\nwavelength = {1, 2}\nwavelength units = nm\nfwhm = 3\n"
        "mood of the pilot = good\nsensor type = Unknown\n"
    )
    np.save(folder / "l.npy", FARM.labels)


def test_info_lists_each_key_with_what_became_of_it(tmp_path: Path) -> None:
    envi(tmp_path)
    added = command("datasets", "add", "c.hdr", "--labels", "l.npy", cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    lines = command("datasets", "info", "c.toml", cwd=tmp_path).stdout.splitlines()
    rows = {
        line.split("\t")[1]: line.split("\t")[3] for line in lines if line.startswith("c.hdr\t")
    }
    assert rows["samples"] == "applied: layout of the numbers"
    assert rows["mood of the pilot"] == "ignored: no such key is known"
    assert rows["sensor type"].startswith("ignored: ")
    assert "2 entries for 6 bands" in rows["wavelength"]
    assert "no list of band centres" in rows["fwhm"]


def test_all_tags_of_a_geotiff_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "c.tif"
    size = {"height": 40, "width": 32, "count": 6, "dtype": "float32"}
    place = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
    with rasterio.open(path, "w", driver="GTiff", **size, **place, nodata=-1) as file:
        file.write(FARM.cube.transpose(2, 0, 1))
        file.update_tags(PILOT="Ada")
        file.update_tags(ns="FLIGHT", height="900")
        file.update_tags(ns="ENVI", bbl="{1, 1, 1, 1, 1, 0}")
        file.update_tags(2, wavelength="500", mood="good")
        file.scales = [0.5] * 6
    beside = tmp_path / "c.tif.aux.xml"
    beside.write_text(
        '<PAMDataset><PAMRasterBand band="2"><Scale>2</Scale><Odd/></PAMRasterBand></PAMDataset>'
    )
    listed = {(key.file, key.key): key.outcome for key in declared_keys(path)}
    for name, outcome in {
        "PILOT": "ignored",
        "FLIGHT:height": "ignored",
        "ENVI:bbl": "applied",
        "band:wavelength": "applied",
        "band:mood": "ignored",
        "scale": "applied",
        "no data": "applied",
        "CRS": "applied",
    }.items():
        assert listed["c.tif", name].startswith(outcome), name
    assert listed["c.tif.aux.xml", "Scale"].startswith("applied")
    assert listed["c.tif.aux.xml", "Odd"].startswith("ignored")


def test_of_a_damaged_file_nothing_is_listed(tmp_path: Path) -> None:
    (tmp_path / "c.tif").write_bytes(b"II*\0broken")
    (tmp_path / "c.mat").write_bytes(b"x" * 200)
    assert not declared_keys(tmp_path / "c.tif") and not declared_keys(tmp_path / "c.mat")


class Asked(dict[str, object]):
    """Items of a file, and which of them were asked for."""

    def __init__(self, items: dict[str, object]) -> None:
        super().__init__(items)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> object:
        self.asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "maker", [prisma, emit, tanager_ortho, tanager_basic, hypso], ids=lambda maker: maker.__name__
)
def test_of_a_product_those_keys_are_applied_that_its_reader_asks_for(
    maker: Callable[[Path], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = maker(tmp_path).path
    listed = declared_keys(path)
    applied = {key.key for key in listed if key.outcome.startswith("applied")}
    asked: set[str] = set()
    begin, value = Contents.__init__, Contents.value

    def opened(self: Contents, path: Path, items: dict[str, object]) -> None:
        watched = Asked(items)
        watched.asked = asked
        begin(self, path, watched)

    def valued(self: Contents, address: str) -> object:
        asked.add(address)
        return value(self, address)

    monkeypatch.setattr(Contents, "__init__", opened)
    monkeypatch.setattr(Contents, "value", valued)
    read_product(path)
    product_place(path)
    assert applied == asked & {key.key for key in listed}


def test_every_key_of_a_product_is_listed(tmp_path: Path) -> None:
    path = hypso(tmp_path).path
    listed = {key.key: key.outcome for key in declared_keys(path)}
    assert listed["products/rhot"].startswith("applied")
    assert listed["products/rhot@long_name"].startswith("ignored")
    assert listed["metadata/capture_config@frame_count"].startswith("ignored")
    assert listed["navigation/latitude"].startswith("ignored")


def test_metadata_beside_an_image_are_listed(tmp_path: Path) -> None:
    made = enmap(tmp_path)
    listed = {key.key: key.outcome for key in declared_keys(made.path) if key.file.endswith("XML")}
    assert listed["wavelengthcenterofband"].startswith("applied")
    assert listed["backgroundvalue"].startswith("applied")
    assert listed["mean"] == "ignored: no such key is known"


def test_of_arrays_pictures_and_tables_nothing_is_listed(tmp_path: Path) -> None:
    np.save(tmp_path / "c.npy", FARM.cube)
    savemat(tmp_path / "c.mat", {"cube": FARM.cube})
    Image.fromarray(FARM.labels.astype(np.uint8)).save(tmp_path / "l.png")
    (tmp_path / "c.csv").write_text("row,col,450.5\n0,0,1\n")
    for path in tmp_path.iterdir():
        assert not declared_keys(path)


def test_attributes_of_a_data_array_are_applied_or_named(tmp_path: Path) -> None:
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    cube = xr.DataArray(
        FARM.cube,
        dims=("y", "x", "band"),
        coords={"wavelength": ("band", np.linspace(420, 970, 6))},
        attrs={"units": "radiance", "long_name": "a farm", "mood": "good", "scale_factor": 0.5},
    )
    added = hsiaug.add_scene(cube, FARM.labels, "farm", folder=tmp_path)
    assert added.scene.units == "radiance"
    assert np.allclose(added.scene.cube, 0.5 * FARM.cube)
    assert "attributes that are not used: mood" in added.warnings


class Watched(dict[str, object]):
    """Fields or attributes; those that are asked for by name are noted in ``asked``."""

    asked: ClassVar[set[str]] = set()

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)

    def __getitem__(self, key: str) -> object:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: object = None) -> object:
        self.asked.add(key)
        return super().get(key, default)


def applied(format: str) -> set[str]:
    return {key for rule in key_rules() if rule.format == format for key in rule.keys} - {
        key
        for rule in key_rules()
        if rule.format == format and rule.outcome != "applied"
        for key in rule.keys
    }


OF_GDAL = {"map info", "projection info", "coordinate system string", "geo points"}
"""Fields of a header that GDAL reads."""


def test_fields_of_an_envi_header_that_are_asked_for_are_those_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    envi(tmp_path)
    header = readers_envi.read_header(tmp_path / "c.hdr")
    monkeypatch.setattr(Watched, "asked", set())
    # The names of bands are looked at where there is no list of centres.
    for centres in ({"wavelength": list("456789")}, {"wavelength": None}):
        fields = {key: value for key, value in {**header, **centres}.items() if value}
        monkeypatch.setattr(readers_envi, "read_header", lambda _, fields=fields: Watched(fields))
        read_cube_file(tmp_path / "c.hdr")
    # The names of classes are asked for with labels.
    assert Watched.asked == applied("ENVI header") - OF_GDAL - {"class names"}


def test_attributes_of_a_data_array_that_are_asked_for_are_those_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    attributes = xr.DataArray.attrs
    monkeypatch.setattr(Watched, "asked", set())
    watched = property(lambda array: Watched(attributes.fget(array)), attributes.fset)
    cube = xr.DataArray(
        FARM.cube,
        dims=("y", "x", "band"),
        coords={"wavelength": ("band", np.linspace(420, 970, 6)), "spatial_ref": 0},
    )
    labels = xr.DataArray(FARM.labels, dims=("y", "x"))
    with monkeypatch.context() as looked:
        looked.setattr(xr.DataArray, "attrs", watched)
        unpacked(cube, labels, {})
    known = {"coordinate wavelength", "its units", "dimension band", "coordinates of pixels"}
    assert applied("DataArray") - known - BAND_FIELDS == Watched.asked
    assert applied("DataArray") >= BAND_FIELDS - {"fwhm"}
