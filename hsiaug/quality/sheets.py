"""Contact sheets: images and masks of pairs side by side, real beside synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, rgb_bands, stretched
from hsiaug.base.text import plotted
from hsiaug.core.tiles import DenseSamples
from hsiaug.report.figures.files import WIDTHS, class_legend, legend_columns, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 2
COLUMNS = 8


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
    strips: list[tuple[str, NDArray[np.uint8]]] = []
    for title, pairs in groups:
        shown = pairs.take(np.arange(min(COLUMNS, len(pairs))))
        for date in range(shown.dates):
            when = f", date {date + 1}" if shown.dates > 1 else ""
            tiles = stretched(shown.images[:, date, list(bands)].transpose(0, 2, 3, 1), low, high)
            strips.append((f"{title}: image{when}", _strip(tiles)))
        strips.append((f"{title}: mask", _strip(colours[shown.masks])))
    shape = strips[0][1].shape
    shown_ids = sorted({int(c) for _, pairs in groups for c in np.unique(pairs.masks)})
    names = ["ignore", *map(plotted, classes)]
    ncols = legend_columns(WIDTHS[2], [names[c] for c in shown_ids])
    height = WIDTHS[2] * shape[0] / shape[1]
    legend = 0.17 * -(-len(shown_ids) // ncols) + 0.2
    figure = new_figure(WIDTHS[2], (height + 0.22) * len(strips) + legend)
    panels = figure.subplots(len(strips), 1, squeeze=False)[:, 0]
    for panel, (title, strip) in zip(panels, strips, strict=True):
        panel.imshow(strip, interpolation="nearest")
        panel.set_title(plotted(title), fontsize=7, loc="left", pad=3)
        panel.set_axis_off()
    place = {"loc": "outside lower center", "ncols": ncols}
    class_legend(figure, colours[shown_ids], [names[c] for c in shown_ids], **place)
    return figure


def _strip(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tiles (n, H, W, …) side by side on white, as wide as COLUMNS of them."""
    n, height, width, *more = tiles.shape
    strip = np.full((height, COLUMNS * (width + GAP) - GAP, *more), 255, dtype=np.uint8)
    for i in range(n):
        strip[:, i * (width + GAP) : i * (width + GAP) + width] = tiles[i]
    return strip
