"""Files of annotation tools, which no library that hsiaug has reads: they are named for what they
are, with a command that draws their polygons onto a raster of codes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsiaug.base.errors import SceneError
from hsiaug.data.remedies import HEIGHT, WIDTH, array_file, saving, setting

LABELME, COCO, LABEL_STUDIO, VIA = "LabelMe", "COCO", "Label Studio", "VGG Image Annotator"

XML_KINDS = {
    "PAMDataset": "auxiliary metadata of GDAL, which are read with the raster beside them",
    "annotations": "annotations of CVAT",
    "annotation": "annotations of Pascal VOC",
    "kml": "KML",
    "gpx": "GPX",
    "qgis": "a style of QGIS",
    "VRTDataset": "a virtual raster of GDAL",
}
"""What XML files hold, by their root element."""

DRAW = "rasterio.features.rasterize({}, {})"
"""Python for polygons and their codes as a raster of a height and a width."""


def refuse_annotations(path: Path, content: Any) -> None:
    """Raise SceneError for JSON that an annotation tool wrote; return for all else."""
    found = _found(content)
    if found is None:
        return
    kind, classes, load, size = found
    hint = "Export masks of class codes as PNG, or polygons as GeoJSON."
    if classes and load:
        load = load.format(path=str(path), names=classes)
        further = (
            "" if any("," in name for name in classes) else setting("classes", ",".join(classes))
        )
        drawn = DRAW.format("g", size)
        command = saving(
            "json pathlib rasterio.features", load, drawn, array_file(path, "classes"), further
        )
        hint = f"Draw its polygons onto a raster: {command}"
    raise SceneError(
        f"{path} must be a raster, or points or polygons that a GIS reads",
        value=f"annotations of {kind}",
        hint=hint,
    )


def refuse_xml(path: Path, root: str) -> None:
    """Raise SceneError for XML that is no ENVI ROI, by its root element."""
    if root == "RegionsOfInterest":
        return
    name = root.rpartition("}")[2]
    hint = "Save the labels as GeoJSON, CSV, ENVI ROI or a raster of class codes."
    if name == "PAMDataset":
        hint = f"Name the raster: {path.name.removesuffix('.aux.xml')}."
    raise SceneError(
        f"{path} must be an ENVI ROI, the only XML that holds labels",
        value=XML_KINDS.get(name, f"XML whose root is <{name[:40]}>"),
        hint=hint,
    )


Found = tuple[str, list[str], str, str]
"""The tool, names of classes, Python that makes polygons ``g`` with codes, size of the raster."""


def _found(content: Any) -> Found | None:
    """What an annotation tool wrote; None for other content."""
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return _label_studio(content)
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("shapes"), list) and content.keys() & {"imagePath", "imageData"}:
        return _labelme(content)
    if isinstance(content.get("annotations"), list) and isinstance(content.get("categories"), list):
        return _coco(content)
    if "_via_img_metadata" in content or "_via_settings" in content:
        return VIA, [], "", ""
    return None


def _labelme(content: dict[str, Any]) -> Found:
    shapes = [shape for shape in content["shapes"] if isinstance(shape, dict)]
    names = sorted({str(shape.get("label")) for shape in shapes})
    plain = all(shape.get("shape_type", "polygon") == "polygon" for shape in shapes)
    load = (
        "d = json.loads(pathlib.Path({path!r}).read_text('utf-8')); n = {names!r};"
        " g = [(dict(type='Polygon', coordinates=[s['points'] + s['points'][:1]]),"
        " n.index(s['label']) + 1) for s in d['shapes']]"
    )
    return LABELME, names, load if plain else "", "(d['imageHeight'], d['imageWidth'])"


def _coco(content: dict[str, Any]) -> Found:
    categories = [item for item in content["categories"] if isinstance(item, dict)]
    names = [str(item.get("name")) for item in categories]
    plain = all(isinstance(item.get("segmentation"), list) for item in content["annotations"])
    load = (
        "d = json.loads(pathlib.Path({path!r}).read_text('utf-8'));"
        " i = d['images'][0]; c = [k['id'] for k in d['categories']];"
        " g = [(dict(type='Polygon', coordinates=[[*zip(p[::2], p[1::2]), (p[0], p[1])]]),"
        " c.index(a['category_id']) + 1) for a in d['annotations']"
        " if a['image_id'] == i['id'] for p in a['segmentation']]"
    )
    return COCO, names, load if plain else "", "(i['height'], i['width'])"


def _label_studio(content: list[dict[str, Any]]) -> Found | None:
    marked = [task for task in content if isinstance(task.get("annotations"), list)]
    if not marked:
        return None
    results = [
        item
        for mark in marked[0]["annotations"]
        for item in (mark.get("result") or [])
        if isinstance(mark, dict) and isinstance(item, dict)
    ]
    labels = [(item.get("value") or {}).get("polygonlabels") for item in results]
    names = sorted({str(label[0]) for label in labels if label})
    sized = bool(results) and all("original_width" in item for item in results)
    size = "(r[0]['original_height'], r[0]['original_width'])" if sized else f"({HEIGHT}, {WIDTH})"
    load = (
        "d = json.loads(pathlib.Path({path!r}).read_text('utf-8')); n = {names!r};"
        " r = [r for a in d[0]['annotations'] for r in a['result'] if 'points' in r['value']];"
        f" h, w = {size};"
        " g = [(dict(type='Polygon', coordinates=[[(x * w / 100, y * h / 100) for x, y in"
        " r['value']['points'] + r['value']['points'][:1]]]),"
        " n.index(r['value']['polygonlabels'][0]) + 1) for r in r]"
    )
    return LABEL_STUDIO, names, load if names else "", "(h, w)"
