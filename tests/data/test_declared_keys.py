"""Every key that a file declares has a rule, or is said to be unknown; the docs have the rules."""

from pathlib import Path

import numpy as np
import rasterio

from hsiaug.data import toy_scene
from hsiaug.data.declared_keys import RULES, declared_keys, key_table
from tests.in_process import hsiaug

FARM = toy_scene(seed=3, height=40, width=32, bands=6, classes=3)
DOCS = Path(__file__).parents[2] / "docs" / "scenes.md"


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    text = DOCS.read_text("utf-8")
    start, end = (text.index(mark) for mark in ("<!-- keys", "<!-- end of keys"))
    assert text[start:end].partition("-->\n")[2].strip() == key_table()


def test_no_key_of_a_format_has_two_rules() -> None:
    keys = [(rule.format, key) for rule in RULES for key in rule.keys]
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
    added = hsiaug("datasets", "add", "c.hdr", "--labels", "l.npy", cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    lines = hsiaug("datasets", "info", "c.toml", cwd=tmp_path).stdout.splitlines()
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
