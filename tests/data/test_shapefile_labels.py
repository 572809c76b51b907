"""Labels of a shapefile: read with the files beside it, or refused by one error."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import DataUnavailableError, HsiaugError, InputError, SceneError
from hsiaug.data import layers
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_source import rasterise
from hsiaug.data.vector_labels import VectorLabels, read_vector_labels

shapefile = pytest.importorskip("shapefile")

GROUND = Georeference((1.0, 0.0, 0.0, 0.0, -1.0, 10.0), "")
"""Rows of 1 m downwards from y = 10, columns from x = 0."""

FIELD = [[1, 9], [9, 9], [9, 1], [1, 1], [1, 9]]
POND = [[3, 7], [3, 3], [7, 3], [7, 7], [3, 7]]
PLANE = 'LOCAL_CS["plane",UNIT["metre",1]]'


def write(path: Path, kind: str = "poly", shapes: Any = ([FIELD],), crops: Any = ("rye",), **more: Any) -> Path:
    """A layer with the attributes "crop" and "area". more: of pyshp's writer."""
    with shapefile.Writer(str(path), **more) as layer:
        layer.field("crop", "C", 20)
        layer.field("area", "N", 10)
        for shape, crop in zip(shapes, crops, strict=True):
            layer.null() if shape is None else getattr(layer, kind)(shape)
            layer.record(crop, 5)
    path.with_suffix(".prj").write_text(PLANE)
    return path


def read(path: Path, field: str | None = "crop", crs: str | None = None) -> VectorLabels:
    return read_vector_labels(path, field, crs)


def refusal(path: Path, field: str | None = "crop") -> str:
    with pytest.raises(SceneError) as error:
        read(path, field)
    assert str(path) in str(error.value) and len(str(error.value)) < 1000
    return str(error.value)


ISLAND = [[4, 6], [6, 6], [6, 4], [4, 4], [4, 6]]
APART = [[0, 1], [1, 1], [1, 0], [0, 0], [0, 1]]


def test_holes_stay_holes_and_parts_stay_parts(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    marks = read(write(tmp_path / "plots.shp", shapes=([FIELD, POND, ISLAND, APART],)))
    codes = rasterise(VectorLabels(marks.values, marks.places, False, None, 0), (10, 10), GROUND, (), "l").codes

    wanted = np.zeros((10, 10), dtype=int)
    wanted[1:9, 1:9] = 1
    wanted[3:7, 3:7] = 0
    wanted[4:6, 4:6] = wanted[9, 0] = 1
    assert np.array_equal(codes, wanted)


def test_points_with_and_without_heights_and_features_without_a_place(tmp_path: Path) -> None:
    flat = read(points(tmp_path / "flat.shp", "point"))
    high = read(points(tmp_path / "high.shp", "pointz"))

    assert flat.values == high.values == ("rye", "oats") and flat.skipped == high.skipped == 1
    assert (
        flat.places == high.places == tuple({"type": "Point", "coordinates": c} for c in ((1.5, 2.5), (3.5, 4.5)))
    )


def points(path: Path, kind: str) -> Path:
    """Two points with a class and a feature without a place."""
    with shapefile.Writer(str(path)) as layer:
        layer.field("crop", "C", 20)
        for crop, place in (("rye", (1.5, 2.5)), ("oats", (3.5, 4.5)), ("rye", None)):
            layer.null() if place is None else getattr(layer, kind)(*place, *([77.0] if kind == "pointz" else []))
            layer.record(crop)
    path.with_suffix(".prj").write_text(PLANE)
    return path


def test_the_system_is_that_of_the_prj_unless_another_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp")
    assert read(path).crs == PLANE and read(path, crs="EPSG:32633").crs == "EPSG:32633"

    path.with_suffix(".prj").unlink()
    assert read(path, crs="EPSG:32633").crs == "EPSG:32633"
    assert "found no .prj" in refusal(path) and "`crs`" in refusal(path)


@pytest.mark.parametrize("ending", [".shx", ".dbf"])
def test_a_shapefile_without_a_companion_is_refused(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / "plots.shp")
    path.with_suffix(ending).unlink()
    assert f"must have .shx, .dbf, .prj of the same name beside it; found no {ending}" in refusal(path)


def test_endings_may_be_in_capitals(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp")
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_suffix(file.suffix.upper()))
    assert read(path.with_suffix(".SHP")).values == ("rye",)


def test_words_are_read_in_the_encoding_of_the_cpg(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp", crops=("Rüben",), encoding="cp1252")
    path.with_suffix(".cpg").write_text("cp1252")
    assert read(path).values == ("Rüben",)

    path.with_suffix(".cpg").unlink()
    assert "names the encoding of its words" in refusal(path)


def test_the_attribute_of_the_class_is_one_that_the_layer_has(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp")
    assert read(path, "area").values == (5,)
    with pytest.raises(InputError, match=r"`field` must name the attribute .* Did you mean crop"):
        read(path, "crops")


def test_lines_are_refused(tmp_path: Path) -> None:
    assert "points or polygons" in refusal(write(tmp_path / "plots.shp", "line"))


def test_without_pyshp_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "find_spec", lambda _: None)
    with pytest.raises(DataUnavailableError, match=r"pip install pyshp .*pip install -e '\.\[geo\]'"):
        read(write(tmp_path / "plots.shp"))


# Damaged, or made to do harm.


def test_another_format_under_the_name_of_a_shapefile_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp")
    path.write_text('<OGRVRTDataSource><OGRVRTLayer name="plots"><SrcDataSource>x.gpkg</SrcDataSource>')
    assert "whole shape file" in refusal(path)


def test_a_layer_is_bounded_in_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "plots.shp", shapes=([FIELD],) * 4, crops=("rye",) * 4)
    monkeypatch.setattr(layers, "MOST_SHAPES", 3)
    assert "found 4 labels" in refusal(path)
    monkeypatch.setattr(layers, "MOST_BYTES", 150)
    assert "plots.shx" not in refusal(path) and "may hold at most" in refusal(path)


def test_a_polygon_of_endless_rings_is_refused(tmp_path: Path) -> None:
    assert "at most 10,000 of them" in refusal(write(tmp_path / "plots.shp", shapes=([FIELD] * 10_001,)))


@pytest.mark.parametrize(
    ("ending", "at", "value"),
    [
        (".shp", 144, 2**31 - 1),  # rings of the first polygon
        (".shp", 148, 2**31 - 1),  # its points
        (".shp", 152, 7),  # where its first ring begins
        (".shp", 100 + 8, 999),  # its kind
        (".shx", 24, 2**30),
        (".dbf", 4, 2**31 - 1),
    ],
)
def test_counts_that_the_file_does_not_hold_are_refused(tmp_path: Path, ending: str, at: int, value: int) -> None:
    path = write(tmp_path / "plots.shp", shapes=([FIELD], [FIELD]), crops=("rye", "oats"))
    file = path.with_suffix(ending)
    content = bytearray(file.read_bytes())
    struct.pack_into(">I" if ending == ".shx" else "<I", content, at, value)
    file.write_bytes(content)
    message = refusal(path)
    assert any(part in message for part in ("whole shape file", "may hold at most", "three points or more"))


def test_a_row_more_than_shapes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "plots.shp")
    other = write(tmp_path / "other.shp", shapes=([FIELD],) * 2, crops=("rye", "oats"))
    other.with_suffix(".dbf").rename(path.with_suffix(".dbf"))
    assert "1 shapes with 2 rows" in refusal(path)


@pytest.mark.parametrize("ending", [".shp", ".shx", ".dbf"])
def test_no_flipped_bit_is_more_than_an_error(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / "plots.shp", shapes=([FIELD, POND], None, [FIELD]), crops=("rye", "rye", "oats"))
    file = path.with_suffix(ending)
    sound = file.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(100):
        bad = bytearray(sound)
        bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
        file.write_bytes(bad)
        try:
            assert read(path).values
        except HsiaugError as error:
            assert str(path) in str(error)
