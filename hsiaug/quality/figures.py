"""Figures of the samples of any task: panels of classes, and the class spectra of several sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.files import write_whole
from hsiaug.base.text import plotted
from hsiaug.quality.synthesis import AnySynthesis
from hsiaug.report.figures.files import WIDTHS, figure_bytes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
ClassSpectra = Callable[[int], NDArray[np.floating[Any]]]
"""Gives the spectra (n, bands) of a class id."""


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write each figure under its name as PNG, and spectra as SVG too, which weighs less; returns the files.

    Raises InputError where a file cannot be written.
    """
    wanted = [
        (name, ending) for name in figures for ending in ("png", "svg") if ending == "png" or name == "spectra"
    ]
    made = {f"{name}.{ending}": figure_bytes(figures[name], ending) for name, ending in wanted}
    return [write_whole(folder / name, partial(Path.write_bytes, data=data)) for name, data in made.items()]


def grid(panels: int, height: float, columns: int = 4) -> tuple[Figure, list[Axes]]:
    """A figure across a page of as many panels of that height in inches, and nothing in the places left over."""
    columns = min(columns, panels)
    rows = math.ceil(panels / columns)
    figure = new_figure(WIDTHS[2], height * rows + 0.7)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for spare in axes[panels:]:
        spare.set_visible(False)
    return figure, axes[:panels]


def name_columns(panels: Sequence[Axes], label: str) -> None:
    """Name the horizontal axis of the last panel of each column."""
    columns = panels[0].get_gridspec().ncols  # type: ignore[union-attr]
    for axes in panels[-columns:]:
        axes.set_xlabel(label, fontsize=7)


def legend(figure: Figure, axes: Axes) -> None:
    """The legend of one panel, below all of them."""
    handles, names = axes.get_legend_handles_labels()
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": len(names)}
    figure.legend(handles, names, fontsize=7, frameon=False, markerscale=2, **place)


def class_spectra(
    made: AnySynthesis,
    sets: Mapping[str, tuple[str, ClassSpectra]],
    classes: Mapping[int, str],
    bands: int,
    wavelengths: Array | None,
) -> Figure:
    """One panel per class id and name: mean ± standard deviation of each set, which has a colour and its spectra."""
    x, breaks = _band_axis(bands, wavelengths)
    figure, panels = grid(len(classes), 1.7)
    for axes, (c, class_name) in zip(panels, classes.items(), strict=True):
        counts = []
        for name, (colour, spectra_of) in sets.items():
            own = spectra_of(c)
            counts.append(f"{name} {len(own)}")
            mean, std = (own.mean(axis=0), own.std(axis=0)) if len(own) else (np.full(bands, np.nan),) * 2
            mean, std = (np.insert(values, breaks, np.nan) for values in (mean, std))
            axes.fill_between(x, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
            width, style = (0.8, (0, (4, 3))) if name == "train" else (1.0, "-")
            axes.plot(x, mean, color=colour, linewidth=width, linestyle=style, label=f"{name}: mean ± std")
        name_panel(axes, class_name, ", ".join(counts))
    name_columns(panels, "band" if wavelengths is None else "wavelength (nm)")
    figure.supylabel(made.data.units, fontsize=8)
    legend(figure, panels[0])
    return figure


def _band_axis(bands: int, wavelengths: Array | None) -> tuple[Array, NDArray[np.int64]]:
    """Return the positions of bands, with NaN where bands are missing in between, and the places of these NaN.

    Lines must not run across what water vapour took away.
    """
    if wavelengths is None:
        return np.arange(bands, dtype=np.float64), np.empty(0, dtype=np.int64)
    steps = np.diff(wavelengths)
    breaks = np.flatnonzero((steps > 3 * np.median(steps)) | (steps <= 0)) + 1
    return np.insert(wavelengths, breaks, np.nan), breaks


def name_panel(axes: Axes, name: str, counts: str) -> None:
    """Title a panel with its class and, below, the samples in it."""
    below = "\n".join(wrap(counts, 30))
    room = "\n" * (below.count("\n") + 1)
    axes.set_title(f"{plotted(name)}{room}", fontsize=7, fontweight="bold")
    axes.text(0.5, 1.02, below, transform=axes.transAxes, ha="center", va="bottom", fontsize=7, color="#555555")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
