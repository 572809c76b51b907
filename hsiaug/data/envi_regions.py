"""Regions of interest of ENVI, whose names are classes: the XML of ENVI 5, and text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from hsiaug.base.errors import SceneError
from hsiaug.data.layers import Marks
from hsiaug.data.raw import reading
from hsiaug.data.tables import read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import Geometry

TEXT = "; ENVI Output of ROIs"
"""Begins the text."""


def read_regions(path: Path) -> Marks:
    """The shapes of XML and their classes.

    Raises SceneError for other XML, and for regions in several coordinate systems.
    """
    with reading(path, "ENVI ROI"):
        text = read_text(path, "ENVI ROI")
        if "<!DOCTYPE" in text:  # entities could grow without bounds
            raise ValueError("a document type")
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
        if root.tag != "RegionsOfInterest":
            raise SceneError(
                f"{path} must be an ENVI ROI, the only XML that holds labels",
                value=f"XML whose root is <{root.tag[:40]}>",
                hint="Save the labels as GeoJSON, CSV, ENVI ROI or a raster of class codes.",
            )
        systems = {(item.text or "none").strip() for item in root.iter("CoordSysStr")}
        if len(systems) > 1:
            raise ValueError(f"{len(systems)} coordinate systems")
        shapes = list[Any]()
        classes = list[object]()
        for region in root.iter("Region"):
            items = [item for item in region.iterfind("GeometryDef/*") if item.tag != "CoordSysStr"]
            shapes += [_geometry(item) for item in items] or [None]
            classes += [region.get("name")] * max(1, len(items))
    return Marks(shapes, {"class": classes}, "".join(systems).removeprefix("none"))


def _geometry(shape: ElementTree.Element) -> Geometry:
    """A shape, whose coordinates are texts "x y x y …"."""
    import shapely

    rings = [
        np.array((item.text or "").split(), dtype=np.float64).reshape(-1, 2)
        for item in shape.iter("Coordinates")
    ]
    if not all(np.isfinite(ring).all() for ring in rings):
        raise ValueError("a coordinate that is no finite number")
    if shape.tag == "Polygon":
        return shapely.Polygon(rings[0], rings[1:])
    if shape.tag == "Point":
        return shapely.MultiPoint(np.concatenate(rings))
    return shapely.LineString(np.concatenate(rings))  # which marks no pixel


def read_region_text(text: str) -> tuple[list[str], NDArray[np.int64], tuple[int, int] | None]:
    """The class of each pixel of a text, its row and column (n, 2) from 0 on, and the height and
    width of the image, None where the text does not say.

    Raises ValueError where the pixels are not those that the text announces.
    """
    names = [name.strip() for name in re.findall(r"(?m)^;\s*ROI name:(.*)$", text)]
    counts = [int(count) for count in re.findall(r"(?m)^;\s*ROI npts:\s*(\d+)", text)]
    size = re.search(r"(?m)^;\s*File Dimension:\s*(\d+)\s*x\s*(\d+)", text)
    comments = [line for line in text.splitlines() if line.startswith(";")]
    heads = [line.lstrip("; ").split() for line in comments if re.match(r";\s*ID\s", line)]
    if not heads or {"X", "Y"} - set(heads[0]) or len(names) != len(counts):
        raise ValueError("no columns X and Y, or regions without a name or a number of pixels")
    # "Map X" is two words, and is written behind the numbers of the pixel.
    x, y = heads[0].index("X"), heads[0].index("Y")
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != ";"]
    places = np.array([[line[y], line[x]] for line in lines], dtype=np.int64).reshape(-1, 2) - 1
    if len(places) != sum(counts):
        raise ValueError(f"{len(places)} pixels where {sum(counts)} are announced")
    classes = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    return classes, places, None if size is None else (int(size[2]), int(size[1]))
