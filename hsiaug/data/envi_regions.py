"""Regions of interest of ENVI, whose names are classes: the text that ENVI Classic exports, and the
XML of ENVI 5.
"""

import re
from typing import Any
from xml.etree import ElementTree

Feature = tuple[dict[str, Any] | None, dict[str, object]]
"""A geometry of GeoJSON, None where there is none, and its properties."""

CLASSIC = "; ENVI Output of ROIs"
"""Begins the text of "Output ROIs to ASCII"."""


def parse_classic(text: str) -> tuple[list[str], list[tuple[int, int]], tuple[int, int] | None]:
    """Class, and (row, column) from 0, of each point; (rows, columns) of the image, None where the
    file gives none.

    Raises ValueError, or as tables do, for another text, one without X and Y, or one cut short.
    """
    if not text.startswith(CLASSIC):
        raise ValueError(f"no line {CLASSIC!r}; in ENVI Classic choose File > Output ROIs to ASCII")
    heads = [line.strip("; \t\r") for line in text.splitlines() if line.startswith(";")]
    entries = [(key, value.strip()) for key, _, value in (head.partition(":") for head in heads)]
    names = [value for key, value in entries if key == "ROI name"]
    counts = [int(value) for key, value in entries if key == "ROI npts"]
    columns = re.split(r"\s{2,}|\t", heads[-1])
    if not {"X", "Y"} <= set(columns):
        raise ValueError("no columns X and Y; export the ROIs with their pixel locations")
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith(";")]
    if sum(counts) != len(rows) or len(names) != len(counts):
        raise ValueError(
            f"{len(rows):,} points, where {sum(counts):,} of {len(names)} ROIs are announced"
        )
    x, y = columns.index("X"), columns.index("Y")
    places = [(int(row[y]) - 1, int(row[x]) - 1) for row in rows]
    size = re.fullmatch(r"(\d+) x (\d+)", dict(entries).get("File Dimension", ""))
    classes = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    return classes, places, (int(size[2]), int(size[1])) if size else None


def parse_xml(text: str) -> tuple[list[Feature], str]:
    """Geometry and class of each shape; the coordinate system of all, "" for columns and rows of
    pixels.

    Raises ValueError, or as XML does, for another text, and for regions in several systems.
    """
    if "<!DOCTYPE" in text:  # entities could grow without bounds
        raise ValueError("a document type")
    root = ElementTree.fromstring(text)
    features = list[Feature]()
    systems = {(item.text or "none").strip() for item in root.iter("CoordSysStr")}
    if root.tag != "RegionsOfInterest" or len(systems) > 1:
        raise ValueError(
            f"<{root.tag[:40]}> in {len(systems)} coordinate systems, not <RegionsOfInterest>"
            " in one"
        )
    for region in root.iter("Region"):
        shapes: list[dict[str, Any] | None]
        shapes = [
            _geometry(item)
            for item in region.iterfind("GeometryDef/*")
            if item.tag != "CoordSysStr"
        ]
        features += ((shape, {"class": region.get("name")}) for shape in shapes or [None])
    return features, "".join(systems).removeprefix("none")


def _geometry(shape: ElementTree.Element) -> dict[str, Any]:
    """A shape, whose coordinates are texts "x y x y …", as GeoJSON."""
    numbers = [list(map(float, (item.text or "").split())) for item in shape.iter("Coordinates")]
    rings = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in numbers]
    places = rings if shape.tag == "Polygon" else [point for ring in rings for point in ring]
    return {"type": shape.tag.replace("Point", "MultiPoint"), "coordinates": places}
