"""Contact sheets: images and masks of pairs side by side, real beside synthetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, class_names_shown, rgb_bands, stretched
from hsiaug.base.text import plotted
from hsiaug.core.tiles import DenseSamples
from hsiaug.report.figures.class_labels import label_classes
from hsiaug.report.figures.files import LEGEND, WIDTHS, legend_columns, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 2
COLUMNS = 8
Number = TypeVar("Number", np.uint8, np.int64)


def class_legend(figure: Figure, colours: NDArray[np.uint8], labels: Iterable[str], **place: Any) -> None:
    """A legend of colours (n, 3) and what they stand for. place: where it lies, as matplotlib takes it."""
    from matplotlib.patches import Patch

    patches = [Patch(color=colour / 255, label=label) for colour, label in zip(colours, labels, strict=True)]
    figure.legend(handles=patches, **LEGEND, **place)


def spread(samples: DenseSamples) -> DenseSamples:
    """Some of the samples, from the first to the last of them."""
    return samples.take(np.linspace(0, len(samples) - 1, min(COLUMNS, len(samples))).round().astype(int))


def contact_sheet(
    groups: Sequence[tuple[str, DenseSamples]],
    classes: Sequence[str],
    wavelengths: NDArray[np.float64] | None,
) -> Figure:
    """Draw a row of images per date and a row of masks for each (title, pairs), then the legend of classes.

    All images share one stretch, taken from the first group, so that brightness can be compared.
    """
    first = groups[0][1].images
    bands = rgb_bands(wavelengths, first.shape[2])
    seen = first[:, :, list(bands)].transpose(2, 0, 1, 3, 4).reshape(3, -1)
    low, high = (np.percentile(seen, q, axis=1).astype(np.float32) for q in (2, 98))
    colours = class_colours(len(classes))
    strips: list[tuple[str, NDArray[np.uint8], NDArray[np.int64] | None]] = []
    for title, pairs in groups:
        shown = pairs.take(np.arange(min(COLUMNS, len(pairs))))
        for date in range(shown.dates):
            when = f", date {date + 1}" if shown.dates > 1 else ""
            tiles = stretched(shown.images[:, date, list(bands)].transpose(0, 2, 3, 1), low, high)
            strips.append((f"{title}: image{when}", _strip(tiles, 255), None))
        strips.append((f"{title}: mask", _strip(colours[shown.masks], 255), _strip(shown.masks, 0)))
    shape = strips[0][1].shape
    shown_ids = sorted({int(c) for _, pairs in groups for c in np.unique(pairs.masks)})
    names = ["ignore", *map(plotted, class_names_shown(classes))]
    ncols = legend_columns(WIDTHS[2], [names[c] for c in shown_ids])
    height = WIDTHS[2] * shape[0] / shape[1]
    legend = 0.17 * -(-len(shown_ids) // ncols) + 0.2
    figure = new_figure(WIDTHS[2], (height + 0.22) * len(strips) + legend)
    panels = figure.subplots(len(strips), 1, squeeze=False)[:, 0]
    for panel, (title, strip, ids) in zip(panels, strips, strict=True):
        panel.imshow(strip, interpolation="nearest")
        if ids is not None:
            label_classes(panel, ids, len(classes))
        panel.set_title(plotted(title), fontsize=7, loc="left", pad=3)
        panel.set_axis_off()
    place = {"loc": "outside lower center", "ncols": ncols}
    class_legend(figure, colours[shown_ids], [names[c] for c in shown_ids], **place)
    return figure


def _strip(tiles: NDArray[Number], ground: int) -> NDArray[Number]:
    """Tiles (n, H, W, …) side by side on a ground, as wide as COLUMNS of them."""
    n, height, width, *more = tiles.shape
    strip = np.full((height, COLUMNS * (width + GAP) - GAP, *more), ground, dtype=tiles.dtype)
    for i in range(n):
        strip[:, i * (width + GAP) : i * (width + GAP) + width] = tiles[i]
    return strip
