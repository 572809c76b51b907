"""Labels as tables and GeoJSON that are damaged, or made to do harm: refused by one error, in
time.
"""

import json
import math
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import HsiaugError, InputError, SceneError
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_source import rasterise
from hsiaug.data.texts import plain_name
from hsiaug.data.vector_labels import VectorLabels, read_vector_labels

GROUND = Georeference((2.0, 0.0, 500_000.0, 0.0, -2.0, 5_000_000.0), "")
SQUARE = [[500_002, 4_999_998], [500_012, 4_999_998], [500_012, 4_999_988], [500_002, 4_999_988]]


def refusal(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HsiaugError) as error:
        read_vector_labels(path, None, None)
    assert str(path) in str(error.value) and len(str(error.value)) < 1000
    return str(error.value)


# Tables.


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ("1,1," + "x" * 200_000, "field limit"),
        ('1,1,"' + "x" * 200_000, "field limit"),
        ("9" * 5000 + ",1,a", "must be whole numbers"),
    ],
)
def test_a_table_with_endless_fields_is_refused(tmp_path: Path, rows: str, part: str) -> None:
    assert part in refusal(tmp_path / "l.csv", f"row,col,class\n{rows}\n")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_coordinates_that_are_no_numbers_are_refused(tmp_path: Path, value: str) -> None:
    assert "in line 3" in refusal(tmp_path / "l.csv", f"x,y,class\n1,1,a\n{value},1,b\n")


def test_rows_and_columns_beyond_all_arrays_lie_outside(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        f"row,col,class\n{'9' * 30},1,a\n-{'9' * 30},1,a\n1,1,a\n2,2,b\n"
    )
    rasterised = rasterise(
        read_vector_labels(tmp_path / "l.csv", None, None), (4, 4), None, (), "l.csv"
    )
    assert rasterised.notes[0].startswith("2 of 4 labels are outside the cube")
    assert (rasterised.codes > 0).sum() == 2


def test_codes_of_more_than_32_bits_are_names(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(f"row,col,class\n1,1,{2**31}\n2,2,1\n")
    assert read_vector_labels(tmp_path / "l.csv", None, None).values == (str(2**31), "1")


@pytest.mark.parametrize("classes", [range(1, 300), [f"c{i}" for i in range(300)]])
def test_hundreds_of_classes_are_refused(classes: Any) -> None:
    many = tuple(classes)
    with pytest.raises(SceneError, match="at most 256 codes"):
        rasterise(VectorLabels(many, ((0, 0),) * len(many)), (4, 4), None, (), "l.csv")


def test_labels_are_bounded_in_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hsiaug.data.tables.MOST_BYTES", 1000)
    for name in ("l.csv", "l.geojson"):
        assert "more than 1.0 kB" in refusal(tmp_path / name, " " * 2000)


# GeoJSON.


def geojson(*geometries: Any, **more: Any) -> str:
    features = [
        {"type": "Feature", "properties": {"class": "ab"[i % 2]}, "geometry": g}
        for i, g in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


@pytest.mark.parametrize(
    "coordinates",
    [
        None,
        5,
        "abc",
        {},
        [[]],
        [[["a", "b"]] * 4],
        [[[1]] * 4],
        [[[math.nan, 2], [3, 4], [5, 6], [math.nan, 2]]],
        [[[math.inf, 2], [3, 4], [5, 6], [math.inf, 2]]],
    ],
)
def test_polygons_without_sound_coordinates_alone_are_refused(
    tmp_path: Path, coordinates: Any
) -> None:
    refusal(tmp_path / "l.geojson", geojson({"type": "Polygon", "coordinates": coordinates}))


@pytest.mark.parametrize("kind", ["link", "URL"])
def test_a_coordinate_system_of_geojson_is_never_fetched(tmp_path: Path, kind: str) -> None:
    crs = {"type": kind, "properties": {"href": "http://127.0.0.1:9", "url": "http://127.0.0.1:9"}}
    point = {"type": "Point", "coordinates": [1, 2]}
    assert "never fetched" in refusal(tmp_path / "l.geojson", geojson(point, crs=crs))


def test_a_polygon_of_endless_holes_is_refused(tmp_path: Path) -> None:
    ring = [*SQUARE, SQUARE[0]]
    holes = {"type": "Polygon", "coordinates": [ring] * 10_002}
    assert "10,000 rings" in refusal(tmp_path / "l.geojson", geojson(holes))


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/crs", "https://opengis.net.example.org/def/crs/EPSG/0/4326"]
)
def test_a_coordinate_system_is_never_fetched(name: str) -> None:
    pytest.importorskip("rasterio")
    shape = (shapely.Polygon(SQUARE),)
    ground = Georeference(GROUND.transform, 'LOCAL_CS["plane",UNIT["metre",1]]')
    with pytest.raises(InputError, match="an address, which is never fetched"):
        rasterise(VectorLabels((1,), shapes=shape, crs=name), (20, 20), ground, (), "l.geojson")


def test_many_polygons_are_filled_together_as_each_would_be_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GDAL takes a millisecond to start, which 40,000 polygons feel."""
    pytest.importorskip("rasterio")
    from rasterio import Affine, features

    rng = np.random.default_rng(0)
    shapes = []
    for _ in range(200):
        x, y = rng.uniform(499_990, 500_070, 2) - (0, 500_000 - 4_999_950)
        corners = rng.uniform(0.2, 6, (4, 2)) * [[1, 1], [-1, 1], [-1, -1], [1, -1]] + (x, y)
        shapes.append(shapely.Polygon(corners))
    alone = features.geometry_mask(shapes, (40, 30), Affine(*GROUND.transform), invert=True)
    starts = []
    fill = features.rasterize
    monkeypatch.setattr(
        features, "rasterize", lambda *args, **more: starts.append(1) or fill(*args, **more)
    )
    rasterised = rasterise(
        VectorLabels((1,) * 200, shapes=tuple(shapes)), (40, 30), GROUND, (), "l"
    )
    assert len(starts) == 1
    assert np.array_equal(rasterised.codes > 0, alone) and 0 < alone.sum() < alone.size


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "l.geojson", '{"type": "FeatureCollection", "features": ' + "[" * 100_000)


def flips(content: bytes, count: int) -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        bad = bytearray(content)
        bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
        yield bytes(bad)


def test_no_flipped_bit_of_a_label_file_is_more_than_an_error(tmp_path: Path) -> None:
    text = geojson(
        {"type": "Polygon", "coordinates": [SQUARE]}, {"type": "Point", "coordinates": [1, 2]}
    ).encode()
    for name, content in (("l.geojson", text), ("l.csv", b"row,col,class\n1,1,a\n")):
        for bad in flips(content, 40):
            (tmp_path / name).write_bytes(bad)
            try:
                assert read_vector_labels(tmp_path / name, None, None).values
            except HsiaugError as error:
                assert name in str(error)


# Layers.


def write_layer(path: Path, shapes: list[Any], crops: list[str], **more: object) -> None:
    fields = {"field_data": [np.array(crops, dtype=object)], "fields": ["crop"]}
    kind = {"geometry_type": "Unknown", "crs": "EPSG:32633", "driver": "GPKG"}
    pyogrio.raw.write(path, shapely.to_wkb(np.array(shapes)), **fields, **kind, **more)


def test_of_several_layers_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "l.gpkg"
    write_layer(path, [shapely.box(0, 0, 50, 50)], ["hay"], layer="my plots")
    write_layer(path, [shapely.box(0, 0, 50, 50)], ["rye"], layer="trees", append=True)
    with pytest.raises(SceneError, match="Name one: `labels_key='my plots'`"):
        read_vector_labels(path, None, None)
    assert read_vector_labels(path, None, None, "trees").values == ("rye",)


def test_features_without_a_shape_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "l.gpkg"
    write_layer(path, [shapely.Point(1, 9), None], ["hay", "rye"])
    marks = read_vector_labels(path, None, None)
    assert marks.skipped == 1 and marks.values == ("hay",)


# Names in several spellings.

NAMES = ("Gräser", "Rüben früh", "Öde Fläche")
BLANKS = (" ", "\u00a0", "  ", "\u2009", " \u200b")


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """One of the names, as some program writes it."""
    name = draw(st.sampled_from(NAMES)).replace(" ", draw(st.sampled_from(BLANKS)))
    name = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), name)
    ends = st.sampled_from(["", "\u200b", "\ufeff", " ", "\u00a0"])
    return draw(ends) + name + draw(ends)


@given(written=st.lists(spellings(), min_size=1, max_size=12), table=st.booleans())
@settings(max_examples=25, deadline=None, database=None)
def test_a_name_in_several_spellings_is_one_class_and_that_is_said(written, table):
    with tempfile.TemporaryDirectory() as name:
        if table:
            path = Path(name) / "l.csv"
            rows = "\n".join(f'{i},0,"{text}"' for i, text in enumerate(written))
            path.write_text(f"row,col,class\n{rows}\n", encoding="utf-8")
        else:
            path = Path(name) / "l.geojson"
            features = [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [i, 0]},
                    "properties": {"class": text},
                }
                for i, text in enumerate(written)
            ]
            path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        marks = read_vector_labels(path, None, None)
    assert list(marks.values) == [plain_name(text) for text in written]
    assert set(marks.values) <= set(NAMES)
    several = len({text.strip() for text in written}) > len(set(marks.values))
    assert any("count as one" in note for note in marks.notes) == several
