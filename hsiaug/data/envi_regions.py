"""Regions of interest of ENVI, whose names are classes: the XML of ENVI 5."""

from typing import Any
from xml.etree import ElementTree

Feature = tuple[dict[str, Any] | None, dict[str, object]]
"""A geometry of GeoJSON, None where there is none, and its properties."""


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
