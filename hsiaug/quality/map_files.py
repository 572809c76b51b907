"""Pictures and files of whole scenes: the quick look at a scene and its labels, and the map that a
classifier made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from spectral.io import envi

from hsiaug.base.arrays import Float32, Int16
from hsiaug.base.colours import class_colours, rgb_bands, true_colours
from hsiaug.base.errors import InputError
from hsiaug.base.files import PICTURES, check_targets, write_text_whole, write_whole
from hsiaug.base.marks import MARK, save_marked_array
from hsiaug.base.text import envi_text, nanometres, plotted, visible
from hsiaug.core.scene import Scene
from hsiaug.data.georeference import Georeference, quiet
from hsiaug.report.figures.files import WIDTHS, class_legend, figure_bytes, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rasterio.io import DatasetWriter

RASTERS = (".tif", ".tiff", ".hdr", ".npy")
"""Endings of map files that hold class ids."""
BESIDE = {".tif": "{0.name}.aux.xml", ".tiff": "{0.name}.aux.xml", ".hdr": "{0.stem}.img"}
"""Name of the second file of a map, by the ending of the first: class names as GDAL and QGIS look
for them, ENVI data.
"""
ENVI_FLOATS = {"header offset": 0, "data type": 4, "interleave": "bsq", "byte order": 0}
"""Fields of the header of a file of float32, little-endian."""
NO_DATA = "no data"
"""Name of class id 0."""
MAX_SIDE_PIXELS = 1400
"""Pixels of the longer side of a picture; larger scenes are thinned out to it."""
LOWEST, HIGHEST = 1.5, 8.5
"""Inches of a map: one of a strip of pixels, as high as its proportions ask for, would leave the
page.
"""
LEGEND_WIDTH = 2.1
"""Inches of a legend beside a map."""


def save_quick_look(scene: Scene, path: Path) -> None:
    """A PNG of the scene in red, green and blue, and beside it the same with the labels over it,
    and the legend.
    """
    step = picture_step(scene.shape)
    bands = rgb_bands(scene.wavelengths, scene.bands)
    rgb = true_colours(scene.pixels, scene.wavelengths, step)
    ids = _thin(scene.labels, step)
    colours = class_colours(len(scene.class_names))
    over = np.where(ids[:, :, None] > 0, colours[ids], (rgb // 2) + 40).astype(np.uint8)
    figure, panels = map_figure(rgb.shape[:2], 2, beside=LEGEND_WIDTH)
    centres = scene.wavelengths
    shown = " / ".join(
        f"{nanometres(centres[b])} nm" if centres is not None else f"band {b}" for b in bands
    )
    for panel, image, title in zip(
        panels, (rgb, over), (f"{scene.name}: {shown}", "labels"), strict=True
    ):
        panel.imshow(image, interpolation="nearest")
        panel.set_title(wrapped(plotted(title), WIDTHS[2] / 2 - LEGEND_WIDTH / 2), fontsize=8)
    counted = zip(scene.class_names, scene.class_counts, strict=True)
    labels = [f"{plotted(name)}: {count:,}" for name, count in counted]
    class_legend(figure, colours[1:], labels, loc="outside right upper")
    path.write_bytes(figure_bytes(figure, "png"))


def class_map_figure(ids: Int16, names: Sequence[str], title: str, note: str) -> Figure:
    """A map (H, W) of class ids 1..C, 0 = no data, with a legend of the classes and their shares.

    Parameters
    ----------
    title : str
        Stands above it.
    """
    colours = class_colours(len(names))
    colours[0] = 255
    step = picture_step(ids.shape)
    room = WIDTHS[2] - LEGEND_WIDTH
    counts = np.array([np.count_nonzero(ids == c) for c in range(1, len(names) + 1)])
    shares = 100 * counts / max(1, counts.sum())
    labels = [f"{plotted(name)}: {share:.1f} %" for name, share in zip(names, shares, strict=True)]
    figure, (panel,) = map_figure(ids.shape, 1, beside=LEGEND_WIDTH)
    panel.imshow(colours[ids[::step, ::step]], interpolation="nearest")
    figure.set_label(title)
    panel.set_title(wrapped(plotted(title), room, 8), fontsize=8)
    panel.set_xlabel(wrapped(note, room, 7), fontsize=7)
    class_legend(figure, colours[1:], labels, loc="outside right upper")
    return figure


def check_map_targets(paths: Sequence[Path], *, shares: bool = False) -> list[Path]:
    """All files of these maps.

    Parameters
    ----------
    shares : bool
        :func:`save_shares` is to write some beside them.

    Raises
    ------
    InputError
        Before any work, for a file that cannot be.
    """
    check_targets(paths, (*RASTERS, *PICTURES))
    rasters = [path for path in paths if path.suffix.lower() in RASTERS]
    if shares and not rasters:
        raise InputError(
            "`probabilities` needs a file of class ids",
            value=", ".join(map(str, paths)),
            hint="Name a file that ends in .tif, .hdr or .npy too.",
        )
    paths = [*paths, *map(shares_beside, rasters if shares else [])]
    return [*paths, *(second for path in paths if (second := _second_file(path)))]


def _second_file(path: Path) -> Path | None:
    name = BESIDE.get(path.suffix.lower())
    return path.with_name(name.format(path)) if name else None


def shares_beside(path: Path) -> Path:
    """The file of shares beside a map of class ids."""
    return path.with_stem(f"{path.stem}_probabilities")


def save_shares(
    path: Path, shares: Float32, names: Sequence[str], ground: Georeference | None
) -> list[Path]:
    """Write what a classifier gives each class, (C, H, W) with NaN = no data, beside the map
    ``path``, in its format: a band for each class, called by its name. Returns the files. Raises
    InputError where one cannot be written.
    """
    path = shares_beside(path)
    if path.suffix.lower() == ".npy":
        return [write_whole(path, lambda fresh: save_marked_array(fresh, shares))]
    if path.suffix.lower() != ".hdr":
        shown = list(map(visible, names))
        cloud: dict[str, Any] = {"driver": "COG", "nodata": math.nan, "compress": "deflate"}
        return [
            write_whole(
                path, lambda fresh: write_geotiff(fresh, shares, ground, shown, _mark, **cloud)
            )
        ]
    said = dict(zip(("bands", "lines", "samples"), shares.shape, strict=True)) | ENVI_FLOATS
    said |= {
        "description": MARK,
        "data ignore value": "nan",
        "band names": list(map(envi_text, names)),
        **_envi_ground(ground),
    }
    data = path.with_suffix(".img")
    write_whole(data, lambda fresh: fresh.write_bytes(shares.astype("<f4").tobytes()))
    return [write_whole(path, lambda fresh: envi.write_envi_header(str(fresh), said)), data]


def _mark(file: DatasetWriter) -> None:
    file.update_tags(SOFTWARE=MARK)


def save_map(
    path: Path,
    ids: Int16,
    names: Sequence[str],
    ground: Georeference | None,
    facts: Mapping[str, str],
    *,
    marked: bool = True,
) -> list[Path]:
    """Write a map (H, W) of class ids 1..C, 0 = no data, by the ending: GeoTIFF, ENVI
    classification (.hdr) or .npy.

    The GeoTIFF is cloud-optimised, uint8 with a colour table (int16 without one, for more than 255
    classes), with the names of the classes (CLASS_1, …) and ``facts`` as tags. The ENVI header has
    colours and names too. Both lie where ``ground`` says. Returns the files. Raises InputError
    where one cannot be written.

    Parameters
    ----------
    marked : bool
        Whether the file has the mark of what commands write: labels that a user gave have none.
    """
    second = _second_file(path)
    facts = {**facts, "SOFTWARE": MARK} if marked else facts
    if second is None:
        save = save_marked_array if marked else np.save
        return [write_whole(path, lambda fresh: save(fresh, ids))]
    image = ids.astype(np.uint8) if len(names) < 256 else ids
    if path.suffix.lower() == ".hdr":
        write_whole(second, lambda fresh: fresh.write_bytes(image.tobytes()))
        return [
            write_whole(
                path, lambda fresh: fresh.write_bytes(_envi_header(image, names, ground, facts))
            ),
            second,
        ]

    def describe(file: DatasetWriter) -> None:
        if image.dtype == np.uint8:
            colours = class_colours(len(names)).tolist()
            file.write_colormap(1, {i: (*rgb, 255 if i else 0) for i, rgb in enumerate(colours)})
        file.update_tags(**facts, **{f"CLASS_{i}": name for i, name in enumerate(names, start=1)})

    cloud = {"driver": "COG", "nodata": 0, "compress": "deflate", "overview_resampling": "nearest"}
    write_whole(
        path, lambda fresh: write_geotiff(fresh, image[None], ground, ["class"], describe, **cloud)
    )
    return [path, write_text_whole(second, _category_names(names))]


def _category_names(names: Sequence[str]) -> str:
    """GDAL's auxiliary metadata of a band: the name of each value from 0 on, of which QGIS makes
    the legend.
    """
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    listed = ElementTree.SubElement(band, "CategoryNames")
    for name in (NO_DATA, *names):
        ElementTree.SubElement(listed, "Category").text = visible(name)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _envi_header(
    image: NDArray[np.generic],
    names: Sequence[str],
    ground: Georeference | None,
    facts: Mapping[str, str],
) -> bytes:
    """The header of an ENVI classification."""
    about = "; ".join(f"{key}: {value}" for key, value in facts.items())
    about, *plain = map(envi_text, (about, NO_DATA, *names))
    said: dict[str, object] = {"description": about, "data ignore value": 0}
    with TemporaryDirectory() as folder:
        header = Path(folder) / "map.hdr"
        said |= _envi_ground(ground)
        colours = class_colours(len(names)).tolist()
        envi.save_classification(
            str(header), image, class_names=plain, class_colors=colours, metadata=said
        )
        return header.read_bytes()


def _envi_ground(ground: Georeference | None) -> dict[str, str]:
    """The fields of an ENVI header that say where it lies, as GDAL writes them."""
    if ground is None:
        return {}
    with quiet() as rasterio, TemporaryDirectory() as folder:
        path = Path(folder) / "pixel.img"
        shape = {"count": 1, "height": 1, "width": 1, "dtype": "uint8"}
        with rasterio.open(path, "w", driver="ENVI", **_placed(rasterio, ground), **shape) as file:
            file.write(np.zeros((1, 1, 1), np.uint8))
        lines = path.with_suffix(".hdr").read_text("utf-8").splitlines()
    fields = (line.partition(" = ") for line in lines)
    return {
        key: value
        for key, _, value in fields
        if key in ("map info", "projection info", "coordinate system string")
    }


def _placed(rasterio: ModuleType, ground: Georeference) -> dict[str, object]:
    return {"transform": rasterio.Affine(*ground.transform), "crs": ground.crs or None}


def write_geotiff(
    path: Path,
    image: NDArray[np.generic],
    ground: Georeference | None = None,
    bands: Sequence[str] = (),
    describe: Callable[[DatasetWriter], None] | None = None,
    **profile: object,
) -> Path:
    """Write an image (B, H, W), where ``ground`` says it lies.

    Parameters
    ----------
    bands : sequence of str
        Their names.
    describe : callable or None
        Adds colours and tags.
    """
    count, height, width = image.shape
    size = {"count": count, "height": height, "width": width, "dtype": image.dtype.name}
    with quiet() as rasterio:
        if ground is not None:
            profile.update(_placed(rasterio, ground))
        # In memory first: GDAL does not tell of a full disk when it closes a file.
        with rasterio.MemoryFile() as memory:
            with memory.open(**{"driver": "GTiff", **size, **profile}) as file:
                file.write(image)
                file.descriptions = bands or file.descriptions
                if describe is not None:
                    describe(file)
            path.write_bytes(memory.read())
    return path


def picture_step(shape: tuple[int, ...]) -> int:
    """Every how many rows and columns of a scene (H, W) are drawn, so that a picture stays below
    ``MAX_SIDE_PIXELS``.
    """
    return -(-max(shape[:2]) // MAX_SIDE_PIXELS)


def _thin(labels: Int16, step: int) -> Int16:
    """Labels of every step-th row and column, such that no labelled block looks unlabelled."""
    from scipy.ndimage import maximum_filter

    return (
        np.where(labels > 0, labels, maximum_filter(labels, step))[::step, ::step]
        if step > 1
        else labels
    )


def map_figure(
    shape: tuple[int, ...], panels: int, *, beside: float = 0.0, below: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """A figure of maps without ticks, side by side.

    Parameters
    ----------
    beside, below : float
        Inches that a legend takes.
    """
    side = (WIDTHS[2] - beside) / panels
    figure = new_figure(
        WIDTHS[2], min(HIGHEST, max(LOWEST, side * shape[0] / shape[1] + 0.6)) + below
    )
    axes = list(figure.subplots(1, panels, squeeze=False).ravel())
    for panel in axes:
        panel.set_xticks([])
        panel.set_yticks([])
    return figure, axes
