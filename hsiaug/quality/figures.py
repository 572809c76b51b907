"""Figures of samples: class spectra, principal components, and measures over ω."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import AnyArray
from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN, class_colours, rgb_bands, stretched
from hsiaug.base.files import write_whole
from hsiaug.base.text import plotted
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.spectra import Spectra, at_most, fit_space
from hsiaug.quality.synthesis import AnySynthesis, GuidedMeasure, PixelSynthesis
from hsiaug.report.figures.charts import Block, Panel, draw_blocks
from hsiaug.report.figures.files import WIDTHS, class_legend, figure_bytes, legend_columns, new_figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"held-out": HELD_OUT, "synthetic": SYNTHETIC, "train": TRAIN}
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would hide them."""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
GAP, ACROSS = 2, 8
"""Pixels between the tiles of a contact sheet, and tiles of a row."""
Array = NDArray[np.float64]
ClassSpectra = Callable[[int], NDArray[np.floating]]
"""Gives the spectra (n, bands) of a class id."""


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write each figure under its name as PNG, and spectra as SVG too, which weighs less; returns the files.

    Raises InputError where a file cannot be written.
    """
    wanted = [(name, ending) for name in figures for ending in ("png", "svg") if ending == "png" or name == "spectra"]
    made = {f"{name}.{ending}": figure_bytes(figures[name], ending) for name, ending in wanted}
    return [write_whole(folder / name, partial(Path.write_bytes, data=data)) for name, data in made.items()]


def class_spectra(
    made: AnySynthesis,
    sets: Mapping[str, tuple[str, ClassSpectra]],
    classes: Mapping[int, str],
    bands: int,
    wavelengths: Array | None,
) -> Figure:
    """One panel per class id and name: mean ± standard deviation of each set, which has a colour and its spectra."""
    x, breaks = _band_axis(bands, wavelengths)
    panels = []
    for c, class_name in classes.items():
        own = {name: (colour, spectra_of(c)) for name, (colour, spectra_of) in sets.items()}
        counts = ", ".join(f"{name} {len(spectra)}" for name, (_, spectra) in own.items())
        panels.append(Panel((class_name, counts), partial(_draw_spectra, own, x, breaks)))
    along = "band" if wavelengths is None else "wavelength (nm)"
    block = Block("", panels, 1.7, along=along, up=made.data.units)
    return draw_blocks([block], 2, "mean ± standard deviation of the spectra of each class")


def _draw_spectra(
    sets: Mapping[str, tuple[str, AnyArray]], x: Array, breaks: NDArray[np.int64], axes: Axes
) -> dict[str, Artist]:
    entries: dict[str, Artist] = {}
    for name, (colour, own) in sets.items():
        nothing = np.full(len(x) - len(breaks), np.nan)
        mean, std = (own.mean(axis=0), own.std(axis=0)) if len(own) else (nothing, nothing)
        mean, std = (np.insert(values, breaks, np.nan) for values in (mean, std))
        axes.fill_between(x, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
        width, style = (0.8, (0, (4, 3))) if name == "train" else (1.0, "-")
        (entries[name],) = axes.plot(x, mean, color=colour, linewidth=width, linestyle=style)
    return entries


def _band_axis(bands: int, wavelengths: Array | None) -> tuple[Array, NDArray[np.int64]]:
    """Return the positions of bands, with NaN where bands are missing in between, and the places of these NaN.

    Lines must not run across what water vapour took away.
    """
    if wavelengths is None:
        return np.arange(bands, dtype=np.float64), np.empty(0, dtype=np.int64)
    steps = np.diff(wavelengths)
    breaks = np.flatnonzero((steps > 3 * np.median(steps)) | (steps <= 0)) + 1
    return np.insert(wavelengths, breaks, np.nan), breaks


def pixel_figures(made: PixelSynthesis, train: Spectra, held: Spectra, synthetic: Spectra) -> dict[str, Figure]:
    """``spectra`` and ``pca`` of the centre spectra of training, held-out and synthetic samples.

    The points of the clouds are pixels in every file: ten thousand outlines would weigh several times as much.
    """
    data, sets = made.data, dict(zip(COLOURS, (held, synthetic, train), strict=True))
    classes = {c: data.class_names[c - 1] for c in sorted(train.counts)}
    spectra = {name: (COLOURS[name], lambda c, part=part: part.x[part.y == c]) for name, part in sets.items()}
    lines = class_spectra(made, spectra, classes, data.bands, data.wavelengths)
    return {"spectra": lines, "pca": _clouds(sets, classes)}


def _clouds(sets: Mapping[str, Spectra], classes: Mapping[int, str]) -> Figure:
    """One panel per class on the first two principal axes of the training set; all its samples pale behind."""
    space, rng = fit_space(sets["train"].x), np.random.default_rng(0)
    points = {}
    for name, part in sets.items():
        few = part.take(at_most(part.y, SHOWN, rng))
        scores = space.project(few.x)
        # 0 for an axis that is not there.
        points[name] = np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2], few.y
    low, high = np.percentile(np.concatenate([plane for plane, _ in points.values()]), [0.2, 99.8], axis=0)
    room = 0.06 * (high - low) + 1e-9
    panels = []
    for c, class_name in classes.items():
        counts = ", ".join(f"{name} {int((part.y == c).sum())}" for name, part in sets.items())
        draw = partial(_draw_cloud, points, c, np.stack([low - room, high + room]))
        panels.append(Panel((class_name, counts), draw))
    block = Block("", panels, 1.7, along="PC 1 of the training spectra", up="PC 2")
    return draw_blocks([block], 2, "principal components of the training spectra")


def _draw_cloud(
    points: Mapping[str, tuple[Array, NDArray[np.int64]]], c: int, limits: Array, axes: Axes
) -> dict[str, Artist]:
    pale: dict[str, Any] = {"s": 2, "color": "#dddddd", "linewidths": 0}
    entries: dict[str, Artist] = {"train, all classes": axes.scatter(*points["train"][0].T, rasterized=True, **pale)}
    for name, (plane, y) in points.items():
        look: dict[str, Any] = {"s": 4, "color": COLOURS[name], "alpha": 0.45, "linewidths": 0}
        if name == "train":
            look = {"s": 8, "facecolors": "none", "edgecolors": COLOURS[name], "linewidths": 0.6}
        entries[name] = axes.scatter(*plane[y == c].T, rasterized=True, **look)
    axes.set_xlim(*limits[:, 0])
    axes.set_ylim(*limits[:, 1])
    return entries


def guidance_figure(points: Sequence[GuidedMeasure]) -> Figure:
    """A panel for each measure: samples over ω, and held-out ones, which do not depend on it."""
    panels = []
    for name in dict.fromkeys(point.measure for point in points):
        own = [point for point in points if point.measure == name]
        unit = f" ({own[0].unit})" if own[0].unit else ""
        panels.append(Panel((f"{name.replace('_', ' ')}{unit}",), partial(_draw_guidance, own)))
    return draw_blocks([Block("", panels, 1.9, narrowest=2.2, along="ω")], 2, "samples and held-out ones over ω")


def _draw_guidance(own: Sequence[GuidedMeasure], axes: Axes) -> dict[str, Any]:
    entries = {}
    for label, colour, look in (("held-out", HELD_OUT, "--"), ("synthetic", SYNTHETIC, "-o")):
        values = [(p.omega, p.value if label == "synthetic" else p.reference) for p in own]
        known = [(omega, value) for omega, value in values if value is not None]
        x, y = zip(*known, strict=True) if known else ((), ())
        (entries[label],) = axes.plot(x, y, look, color=colour, linewidth=1.2, markersize=4)
    axes.margins(y=0.15)
    return entries


def spread(samples: DenseSamples) -> DenseSamples:
    """Some of the samples, from the first to the last of them."""
    return samples.take(np.linspace(0, len(samples) - 1, min(ACROSS, len(samples))).round().astype(int))


def contact_sheet(
    groups: Sequence[tuple[str, DenseSamples]], classes: Sequence[str], wavelengths: NDArray[np.float64] | None
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
        shown = pairs.take(np.arange(min(ACROSS, len(pairs))))
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
    """Tiles (n, H, W, …) side by side on white, as wide as ACROSS of them."""
    room = [(0, ACROSS - len(tiles)), (0, 0), (0, GAP), *[(0, 0)] * (tiles.ndim - 3)]
    return np.hstack(list(np.pad(tiles, room, constant_values=255)))[:, :-GAP]
