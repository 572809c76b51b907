"""Pictures and files of whole scenes: the quick look at a scene and its labels, and the map that a classifier made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, rgb_bands, true_colours
from hsiaug.base.files import write_whole
from hsiaug.base.targets import PICTURES, check_targets
from hsiaug.base.text import nanometres, plotted
from hsiaug.core.scene import Scene
from hsiaug.data.georeference import Georeference, need_geo, quiet
from hsiaug.report.figures.files import WIDTHS, class_legend, figure_bytes, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rasterio.io import DatasetWriter

RASTERS = (".tif", ".tiff", ".npy")
"""Endings of map files that hold class ids."""

LONGEST = 1400
"""Pixels of the longer side of a picture; larger scenes are thinned out to it."""

LOWEST, HIGHEST = 1.5, 8.5
"""Inches of a map: one of a strip of pixels, as high as its proportions ask for, would leave the page."""
LEGEND_WIDTH = 2.1
"""Inches of a legend beside a map."""


def save_quick_look(scene: Scene, path: Path) -> None:
    """A PNG of the scene in red, green and blue, and beside it the same with the labels over it, and the legend."""
    step = picture_step(scene.shape)
    bands = rgb_bands(scene.wavelengths, scene.bands)
    rgb = true_colours(scene.cube, scene.wavelengths, step)
    ids = _thin(scene.labels, step)
    colours = class_colours(len(scene.class_names))
    over = np.where(ids[:, :, None] > 0, colours[ids], (rgb // 2) + 40).astype(np.uint8)
    figure, panels = map_figure(rgb.shape[:2], 2, beside=LEGEND_WIDTH)
    centres = scene.wavelengths
    shown = " / ".join(f"{nanometres(centres[b])} nm" if centres is not None else f"band {b}" for b in bands)
    for panel, image, title in zip(panels, (rgb, over), (f"{scene.name}: {shown}", "labels"), strict=True):
        panel.imshow(image, interpolation="nearest")
        panel.set_title(wrapped(plotted(title), WIDTHS[2] / 2 - LEGEND_WIDTH / 2), fontsize=8)
    counted = zip(scene.class_names, scene.class_counts, strict=True)
    labels = [f"{plotted(name)}: {count:,}" for name, count in counted]
    class_legend(figure, colours[1:], labels, loc="outside right upper")
    path.write_bytes(figure_bytes(figure, "png"))


def class_map_figure(ids: NDArray[np.int16], names: Sequence[str], title: str, note: str) -> Figure:
    """A map (H, W) of class ids 1..C, 0 = no data, with a legend of the classes and their shares. title: its label."""
    colours = class_colours(len(names))
    colours[0] = 255
    step = picture_step(ids.shape)
    room = WIDTHS[2] - LEGEND_WIDTH
    counts = np.bincount(ids.ravel(), minlength=len(names) + 1)[1:]
    shares = 100 * counts / max(1, counts.sum())
    labels = [f"{plotted(name)}: {share:.1f} %" for name, share in zip(names, shares, strict=True)]
    figure, (panel,) = map_figure(ids.shape, 1, beside=LEGEND_WIDTH)
    panel.imshow(colours[ids[::step, ::step]], interpolation="nearest")
    figure.set_label(title)
    panel.set_xlabel(wrapped(note, room, 7), fontsize=7)
    class_legend(figure, colours[1:], labels, loc="outside right upper")
    return figure


def check_map_targets(paths: Sequence[Path]) -> None:
    """Raise, before any work, InputError for a file that cannot be, DataUnavailableError where rasterio is missing."""
    check_targets(paths, (*RASTERS, *PICTURES))
    if any(path.suffix.lower() in (".tif", ".tiff") for path in paths):
        need_geo("a map as GeoTIFF", "use `out` map.npy, or `out` map.png.")


def save_map(
    path: Path, ids: NDArray[np.int16], names: Sequence[str], ground: Georeference | None, facts: Mapping[str, str]
) -> None:
    """Write a map (H, W) of class ids 1..C, 0 = no data, as GeoTIFF or .npy, by the ending.

    The GeoTIFF is uint8 with a colour table (int16 without one, for more than 255 classes), lies where ``ground`` says,
    and carries the names of the classes (CLASS_1, …) and ``facts`` as tags.
    Raises InputError where the file cannot be written.
    """
    if path.suffix.lower() == ".npy":
        write_whole(path, lambda fresh: np.save(fresh, ids))
        return
    small = len(names) < 256

    def describe(file: DatasetWriter) -> None:
        if small:
            colours = class_colours(len(names)).tolist()
            file.write_colormap(1, {i: (*rgb, 255 if i else 0) for i, rgb in enumerate(colours)})
        file.update_tags(**facts, **{f"CLASS_{i}": name for i, name in enumerate(names, start=1)})
        file.set_band_description(1, "class")

    image = ids[None].astype(np.uint8 if small else np.int16)
    write_whole(path, lambda fresh: write_geotiff(fresh, image, ground, describe, nodata=0, compress="deflate"))


def write_geotiff(
    path: Path,
    image: NDArray[np.generic],
    ground: Georeference | None = None,
    describe: Callable[[DatasetWriter], None] | None = None,
    **profile: object,
) -> Path:
    """Write an image (B, H, W), where ``ground`` says it lies. describe: adds colours and tags to the open file."""
    count, height, width = image.shape
    size = {"count": count, "height": height, "width": width, "dtype": image.dtype.name}
    with quiet() as rasterio:
        if ground is not None:
            profile.update(transform=rasterio.Affine(*ground.transform), crs=ground.crs or None)
        # In memory first: GDAL does not tell of a full disk when it closes a file.
        with rasterio.MemoryFile() as memory:
            with memory.open(driver="GTiff", **size, **profile) as file:
                file.write(image)
                if describe is not None:
                    describe(file)
            path.write_bytes(memory.read())
    return path


def picture_step(shape: tuple[int, ...]) -> int:
    """Every how many rows and columns of a scene (H, W) are drawn, so that a picture stays below ``LONGEST``."""
    return -(-max(shape[:2]) // LONGEST)


def _thin(labels: NDArray[np.int16], step: int) -> NDArray[np.int16]:
    """Labels of every step-th row and column, such that no labelled block looks unlabelled."""
    from scipy.ndimage import maximum_filter

    return np.where(labels > 0, labels, maximum_filter(labels, step))[::step, ::step] if step > 1 else labels


def map_figure(
    shape: tuple[int, ...], panels: int, *, beside: float = 0.0, below: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """A figure of maps without ticks, side by side. beside, below: inches that a legend takes."""
    side = (WIDTHS[2] - beside) / panels
    figure = new_figure(WIDTHS[2], min(HIGHEST, max(LOWEST, side * shape[0] / shape[1] + 0.6)) + below)
    axes = list(figure.subplots(1, panels, squeeze=False).ravel())
    for panel in axes:
        panel.set_xticks([])
        panel.set_yticks([])
    return figure, axes
