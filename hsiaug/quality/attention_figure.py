"""The figure of attention: of each class a few patches, the region of the class, and a map for each word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import rgb_bands, stretched
from hsiaug.base.text import plotted, shortened
from hsiaug.quality.attention import AttentionReport, words_of
from hsiaug.quality.synthesis import AnySynthesis
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = 6
"""Words that are shown at most: those of the class's name, then those whose maps vary most."""
LETTERS = 13
"""Of a word, at most."""
COLOURS = "PuOr_r"
CAPTION = (
    "Real held-out patches of each class, with the attention to words of one prompt. Region: white = the class, black = "
    "others, grey = no label."
)


def draw_attention(report: AttentionReport, made: AnySynthesis) -> Figure:
    """A panel per class. All maps share one scale: the difference from the mean of the map, in percent of it."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shown = report.shown
    bands = list(rgb_bands(made.data.wavelengths, made.data.bands))
    rgb = np.stack([patch.x[bands].transpose(1, 2, 0) for patch in shown])
    images = stretched(rgb, *np.percentile(rgb, (2, 98), axis=(0, 1, 2)))
    change = [
        {
            word: 100 * (each / (each.mean() + 1e-9) - 1)
            for word, each in patch.maps.items()
            if word in report.content
        }
        for patch in shown
    ]
    every = np.concatenate([np.ones(1), *(each.ravel() for maps in change for each in maps.values())])
    limit = max(1.0, float(np.ceil(np.percentile(np.abs(every), 98))))
    scale = ScalarMappable(Normalize(-limit, limit), matplotlib.colormaps[COLOURS])
    side = images.shape[1] + 1
    classes = list(dict.fromkeys(patch.class_id for patch in shown))
    rows_of_panels = math.ceil(len(classes) / 2)
    figure = new_figure(WIDTHS[2], 2.05 * rows_of_panels + 0.7)
    panels = figure.subplots(rows_of_panels, 2, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, c in zip(panels, classes, strict=False):
        rows = [i for i, patch in enumerate(shown) if patch.class_id == c]
        words = _choose_words(change[rows[0]], words_of(made.data.class_names[c - 1]))
        sheet = np.full((len(rows) * side - 1, (2 + WORDS) * side - 1, 3), 255, dtype=np.uint8)
        for row, i in enumerate(rows):
            region = np.nan_to_num(255 * shown[i].region, nan=150.0).astype(np.uint8)
            maps = [scale.to_rgba(change[i][word], bytes=True)[:, :, :3] for word in words]
            for column, cell in enumerate((images[i], region[:, :, None], *maps)):
                top, left = row * side, column * side
                sheet[top : top + side - 1, left : left + side - 1] = cell
        axes.imshow(sheet, interpolation="nearest")
        axes.set_anchor("NW")
        for column, text in enumerate(("patch", "region", *(shortened(plotted(word), LETTERS) for word in words))):
            place = (column + 0.4) * side, -1.5
            axes.text(*place, text, fontsize=7, rotation=40, ha="left", va="bottom", rotation_mode="anchor")
        axes.set_title(plotted(made.data.class_names[c - 1]), fontsize=7, fontweight="bold", loc="left", pad=42)
    bar = figure.colorbar(scale, ax=panels, location="bottom", aspect=60, shrink=0.5, fraction=0.01)
    bar.set_label("attention to the word: difference from the mean of its map, %", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(wrapped(CAPTION, WIDTHS[2]), fontsize=8)
    return figure


def _choose_words(maps: dict[str, NDArray[np.float32]], name: Sequence[str]) -> list[str]:
    """The words of a class's name, then others, most varied first."""
    return sorted(maps, key=lambda word: (word not in name, -maps[word].std()))[:WORDS]
