"""Writers of small files as people have them, of one scene that is known."""

import json
from pathlib import Path

import numpy as np
import rasterio
import shapely

from hsiaug.data import toy_scene
from hsiaug.data.adding import Added, add_scene, import_options

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
CUBE = FARM.cube
"""(40, 32, 12) reflectance."""
LABELS = FARM.labels.astype(np.uint8)
"""(40, 32) codes 0 to 3."""
COUNTS = np.bincount(LABELS.ravel())[1:].tolist()
NAMES = ("hay", "rye", "track")
NM = np.linspace(420, 970, 12).round(2)
PLACE = {"transform": rasterio.Affine(5, 0, 500000, 0, -5, 5400000), "crs": "EPSG:32633"}
UTM = "map info = {UTM, 1, 1, 500000, 5400000, 5, 5, 33, North, WGS-84}\n"
TYPES = {"u1": 1, "i2": 2, "i4": 3, "f4": 4, "f8": 5, "u2": 12}
AXES = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}


def listed(values: object) -> str:
    return "{" + ", ".join(map(str, np.asarray(values).tolist())) + "}"


WAVES = f"wavelength units = Nanometers\nwavelength = {listed(NM)}\n"


def envi(
    stem: str,
    array: np.ndarray,
    header: str = "",
    *,
    interleave: str = "bsq",
    stored: str = "<",
    said: int = 0,
    encoding: str = "utf-8",
    skip: str = "",
    before: bytes = b"",
) -> str:
    """STEM.hdr and STEM.img. ``stored`` is the byte order of the data, ``said`` that of the header;
    ``skip`` leaves out a line, ``before`` are bytes at the start of the data.
    """
    array = np.atleast_3d(array)
    lines = {
        "samples": array.shape[1],
        "lines": array.shape[0],
        "bands": array.shape[2],
        "header offset": 0,
        "file type": "ENVI Standard",
        "data type": TYPES[array.dtype.str[1:]],
        "interleave": interleave,
        "byte order": said,
    }
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if key != skip)
    data = array.transpose(AXES[interleave]).astype(array.dtype.newbyteorder(stored))
    Path(f"{stem}.img").write_bytes(before + np.ascontiguousarray(data).tobytes())
    Path(f"{stem}.hdr").write_bytes(f"ENVI\n{text}{header}".encode(encoding))
    return f"{stem}.hdr"


def tiff(name: str, array: np.ndarray, change: object = None, **options: object) -> str:
    """A GeoTIFF of (H, W) or (H, W, B), with options of GDAL; ``change`` is called with the file."""
    bands = np.atleast_3d(array).transpose(2, 0, 1)
    size = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    profile = {**size, "dtype": bands.dtype.name, **PLACE, **options}
    with rasterio.open(name, "w", driver="GTiff", **profile) as file:
        if callable(change):
            change(file)
        file.write(bands)
    return name


def text(name: str, content: str, encoding: str = "utf-8") -> str:
    Path(name).write_bytes(content.encode(encoding))
    return name


def polygons() -> tuple[list[shapely.Geometry], np.ndarray]:
    """The connected regions of LABELS in the system of PLACE, and their codes."""
    from rasterio.features import shapes

    found = list(shapes(LABELS, mask=LABELS > 0, transform=PLACE["transform"]))
    return [shapely.geometry.shape(one) for one, _ in found], np.array([int(v) for _, v in found])


def geojson(name: str, properties: list[dict[str, object]], epsg: int | None = 32633) -> str:
    """The polygons with these properties."""
    features = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": own}
        for shape, own in zip(polygons()[0], properties, strict=True)
    ]
    content: dict[str, object] = {"type": "FeatureCollection", "features": features}
    if epsg is not None:
        content["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
    return text(name, json.dumps(content))


def layer(
    name: str, driver: str, values: np.ndarray, column: str = "class", epsg: int = 32633
) -> str:
    """The polygons as a layer of a GIS."""
    import pyogrio.raw
    from rasterio.warp import transform_geom

    shapes = polygons()[0]
    if epsg != 32633:
        moved = transform_geom("EPSG:32633", f"EPSG:{epsg}", shapes)
        shapes = [shapely.geometry.shape(one) for one in moved]
    pyogrio.raw.write(
        name,
        shapely.to_wkb(np.array(shapes)),
        [values],
        [column],
        geometry_type="Polygon",
        crs=f"EPSG:{epsg}",
        driver=driver,
    )
    return name


def add(
    cube: str = "cube.npy", labels: str = "labels.npy", out: str = "mine.toml", **options: object
) -> Added:
    """The scene of two files of this folder; cube.npy and labels.npy are written where needed."""
    for name, array in {"cube.npy": CUBE, "labels.npy": LABELS}.items():
        if not Path(name).exists():
            np.save(name, array)
    settings = import_options({"overwrite": True, **options})
    return add_scene(Path(cube), Path(labels), Path(out), settings)


def said(added: Added) -> str:
    """All that was found, and all warnings."""
    return "\n".join((*(": ".join(fact) for fact in added.facts), *added.warnings))
