"""Layers of a GIS give the labels that the same shapes give as GeoJSON."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.base.errors import HsiaugError, SceneError
from hsiaug.data.cube_check import CubeFacts
from hsiaug.data.georeference import Georeference
from hsiaug.data.label_source import labels_on_cube, read_labels
from hsiaug.data.vector_labels import read_vector_labels

DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile"}
GROUND = Georeference(
    (5.0, 0.0, 500000.0, 0.0, -5.0, 5400000.0), rasterio.CRS.from_epsg(32633).to_wkt()
)
FACTS = CubeFacts((20, 20, 3), 0.0, 1.0, (0.0, 1.0), (), (), np.zeros((20, 20), bool), unfilled=0)


def write(
    path: Path, shapes: list[shapely.Geometry], values: list[str], epsg: int = 32633, **more: object
) -> None:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, dtype=object)),
        field_data=[np.array(values, dtype=object)],
        fields=["crop"],
        geometry_type=more.pop("geometry_type", "Unknown"),
        crs=f"EPSG:{epsg}",
        driver=DRIVERS[path.suffix],
        **more,
    )


def drawn(path: Path) -> np.ndarray:
    source = read_labels(path, None, None, None)
    raster = labels_on_cube(source, FACTS, GROUND, (), (), None, str(path))
    names = np.array(["", *raster.names.values()])
    return names[raster.codes]


corner = st.integers(0, 15)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[list[shapely.Polygon], list[str]]:
    """Boxes of whole and half pixels on the cube, some of them with a hole."""
    shapes, values = [], []
    for _ in range(draw(st.integers(2, 6))):
        x, y, wide, high = (draw(corner) / 2, draw(corner) / 2, draw(corner) + 2, draw(corner) + 2)
        left, top = 500000 + 10 * x, 5400000 - 10 * y
        box = shapely.box(left, top - 5 * high, left + 5 * wide, top)
        if draw(st.booleans()):
            box = box.difference(box.buffer(-6))
        shapes.append(box)
        values.append(draw(st.sampled_from(["hay", "Öde", "rye"])))
    return shapes, values


@given(marks=boxes(), ending=st.sampled_from(sorted(DRIVERS)), degrees=st.booleans())
@settings(max_examples=25, deadline=None, database=None)
def test_a_layer_gives_the_labels_of_the_same_shapes_as_geojson(marks, ending, degrees):
    shapes, values = marks
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"l{ending}"
        epsg, given_shapes = 32633, shapes
        if degrees:
            given_shapes = [
                shapely.geometry.shape(
                    rasterio.warp.transform_geom("EPSG:32633", "EPSG:4326", shape)
                )
                for shape in shapes
            ]
            epsg = 4326
        kind = {"geometry_type": "Polygon"} if ending == ".shp" else {}
        write(path, given_shapes, values, epsg, **kind)
        system = {"type": "name", "properties": {"name": f"EPSG:{epsg}"}}
        features = [
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(shape),
                "properties": {"crop": value},
            }
            for shape, value in zip(given_shapes, values, strict=True)
        ]
        other = Path(name) / "l.geojson"
        other.write_text(
            json.dumps({"type": "FeatureCollection", "crs": system, "features": features})
        )
        try:
            expected = drawn(other)
        except SceneError:
            with pytest.raises(HsiaugError):
                drawn(path)
            return
        assert np.array_equal(drawn(path), expected)


def test_of_several_layers_one_is_named(tmp_path):
    path = tmp_path / "l.gpkg"
    box = shapely.box(500000, 5399950, 500050, 5400000)
    write(path, [box], ["hay"], layer="my plots")
    write(path, [box], ["rye"], layer="trees", append=True)
    with pytest.raises(SceneError, match="Name one: `labels_key='my plots'`"):
        read_labels(path, None, None, None)
    assert read_labels(path, "trees", None, None).values == ("rye",)


def test_features_without_a_shape_or_a_class_are_counted(tmp_path):
    path = tmp_path / "l.gpkg"
    write(path, [shapely.Point(500001, 5399999), None], ["hay", "rye"])
    marks = read_vector_labels(path, None, None)
    assert marks.skipped == 1 and marks.values == ("hay",)
