"""Regions of interest of ENVI as labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import HsiaugError, SceneError
from hsiaug.data.label_source import LabelRaster, rasterise
from hsiaug.data.vector_labels import read_vector_labels

CLASSIC = """\
; ENVI Output of ROIs (5.3) [Mon Mar 02 10:11:12 2020]
; Number of ROIs: 2
; File Dimension: 7 x 5
;
; ROI name: hay
; ROI rgb value: {{255, 0, 0}}
; ROI npts: 2
; ROI name: rye
; ROI npts: 1
;   ID    X    Y
     1    6    1{0}
     2    7    5{0}

     1    2    3{0}
"""

REGION = (
    '<Region name="{0}"'
    ' color="255,0,0"><GeometryDef><CoordSysStr>{1}</CoordSysStr>{2}</GeometryDef></Region>'
)
POLYGON = "<Polygon><Exterior><LinearRing><Coordinates>{}</Coordinates></LinearRing></Exterior>{}</Polygon>"
HOLE = (
    "<Interior><LinearRing><Coordinates>2 2 3 2 3 3 2 3 2 2</Coordinates></LinearRing></Interior>"
)
POINTS = "<Point><Coordinates>5.5 0.5 6.2 4.9</Coordinates></Point>"


def xml(*regions: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<RegionsOfInterest version="1.1">'
    return f"{head}{''.join(regions)}</RegionsOfInterest>"


def labels(
    path: Path, text: str | bytes, shape: tuple[int, int] = (5, 7), **more: Any
) -> LabelRaster:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return rasterise(read_vector_labels(path, None, None), shape, more.get("ground"), (), path.name)


def placed(raster: LabelRaster) -> dict[tuple[int, int], int]:
    return {(int(r), int(c)): int(raster.codes[r, c]) for r, c in np.argwhere(raster.codes)}


def test_a_binary_file_of_regions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"plots\.roi"):
        labels(tmp_path / "plots.roi", b"\x00\x01\xff\xfe\x00ENVI")


@pytest.mark.parametrize("name", ["plots.txt", "plots.roi"])
@pytest.mark.parametrize("more", ["", "    Map X    Map Y"])
def test_the_text_of_regions_holds_column_and_row_from_1_on(
    tmp_path: Path, name: str, more: str
) -> None:
    numbers = "  500001.5  5399998.5" if more else ""
    raster = labels(tmp_path / name, CLASSIC.replace("Y\n", f"Y{more}\n").format(numbers))
    assert placed(raster) == {(0, 5): 1, (4, 6): 1, (2, 1): 2}
    assert raster.names == {1: "hay", 2: "rye"}


def test_the_text_of_regions_is_whole_and_of_the_image(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="2 pixels where 3 are announced"):
        labels(tmp_path / "plots.txt", CLASSIC.format("").rpartition("\n     1")[0])
    (tmp_path / "plots.txt").write_text(CLASSIC.format(""))
    assert read_vector_labels(tmp_path / "plots.txt", None, None).size == (5, 7)


def test_polygons_with_holes_and_points_of_the_xml_lie_on_pixels(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    square = POLYGON.format("1 1 4 1 4 4 1 4 1 1", HOLE)
    raster = labels(
        tmp_path / "plots.xml",
        xml(REGION.format("hay", "none", square), REGION.format("rye", "none", POINTS)),
    )
    ring = {(r, c): 1 for r in range(1, 4) for c in range(1, 4) if (r, c) != (2, 2)}
    assert placed(raster) == ring | {(0, 5): 2, (4, 6): 2}


def test_polygons_of_the_xml_lie_where_their_system_says(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    from hsiaug.data.georeference import Georeference

    here = rasterio.CRS.from_epsg(32633).to_wkt()
    ground = Georeference((2.0, 0.0, 500_000.0, 0.0, -2.0, 5_000_000.0), here)
    corners = "500002 4999998 500006 4999998 500006 4999994 500002 4999994 500002 4999998"
    system = here.replace('"', "&quot;")
    regions = [
        REGION.format("hay", system, POLYGON.format(corners, "")),
        '<Region name="empty" color="0,0,0"/>',
    ]
    raster = labels(tmp_path / "plots.xml", xml(*regions), ground=ground)
    assert placed(raster) == {(r, c): 1 for r in (1, 2) for c in (1, 2)}
    assert raster.notes == ("1 of 2 labels are without a class or a place: left out",)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "<kml/>",
            "must be an ENVI ROI, the only XML that holds labels; found XML whose root is <kml>",
        ),
        ("<RegionsOfInterest>", "whole ENVI ROI file"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><RegionsOfInterest/>', "document type"),
        (xml('<Region name="a"/>'), "must hold points or polygons"),
        (xml(), "class"),
        (xml(REGION.format("a", "none", POINTS.replace("4.9", ""))), "whole ENVI ROI file"),
        (xml(REGION.format("a", "none", POINTS.replace("Point", "Linestring"))), "LineString"),
        (
            xml(REGION.format("a", "none", POINTS), REGION.format("b", "UTM", POINTS)),
            "2 coordinate systems",
        ),
    ],
)
def test_an_xml_that_holds_no_regions_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(HsiaugError) as error:
        labels(tmp_path / "plots.xml", text)
    assert part in str(error.value) and "plots.xml" in str(error.value)
