"""Pictures of image–mask pairs: class spectra, nearest training tiles, agreement under shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.files import write_whole
from hsiaug.quality.sheets import contact_sheet
from hsiaug.quality.vector import save_svg
from hsiaug.text import plotted
from hsiaug.tiles import DenseSamples

__all__ = ["save_nearest", "save_shifts", "save_spectra"]


def save_spectra(
    path: Path,
    real: DenseSamples,
    made: DenseSamples,
    classes: Sequence[str],
    wavelengths: NDArray[np.float64] | None,
) -> list[Path]:
    """Mean spectrum ± std of each class, real and synthetic; dates one after the other. As PNG, and as SVG beside it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    present = [c for c in range(1, len(classes) + 1) if (real.masks == c).any()]
    columns = min(4, len(present))
    rows = -(-len(present) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.3 * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    bands = real.dates * real.bands
    x = wavelengths if wavelengths is not None and real.dates == 1 else np.arange(bands)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, c in zip(panels, present, strict=False):
        for samples, name, colour in ((real, "real", "tab:blue"), (made, "synthetic", "tab:orange")):
            spectra = _spectra(samples, c)
            if len(spectra):
                mean, std = spectra.mean(axis=0), spectra.std(axis=0)
                panel.plot(x, mean, color=colour, label=name, linewidth=1.2)
                panel.fill_between(x, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
        panel.set_title(plotted(classes[c - 1]), fontsize=9)
        panel.tick_params(labelsize=7)
    for panel in panels[len(present) :]:
        panel.set_axis_off()
    panels[0].legend(fontsize=8, frameon=False)
    figure.supxlabel("wavelength (nm)" if x is wavelengths else "band", fontsize=9)
    drawn = write_whole(path, lambda fresh: figure.savefig(fresh, dpi=120))
    return [drawn, save_svg(figure, path.with_suffix(".svg"))]


def _spectra(samples: DenseSamples, c: int) -> NDArray[np.float32]:
    """(pixels, T·B) of a class."""
    where = samples.masks == c
    stacked = samples.images.reshape(len(samples), -1, *samples.side).transpose(0, 2, 3, 1)
    spectra: NDArray[np.float32] = stacked[where]
    return spectra


def save_nearest(
    path: Path,
    made: DenseSamples,
    train: DenseSamples,
    worst: Sequence[tuple[int, int, float]],
    classes: Sequence[str],
    wavelengths: NDArray[np.float64] | None,
) -> Path:
    """The synthetic tiles that lie nearest to a training tile, above that tile: copies would look alike."""
    rows = np.array([i for i, _, _ in worst]), np.array([j for _, j, _ in worst])
    groups = [
        ("training tile nearest to it (turned or not)", train.take(rows[1])),
        ("synthetic", made.take(rows[0])),
    ]
    return contact_sheet(path, groups, classes, wavelengths)


def save_shifts(path: Path, shifts: Mapping[str, NDArray[np.float64]]) -> Path:
    """Agreement of probes with the mask moved by some pixels: real and synthetic should both peak in the middle."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    names = {"held": "real held-out", "made": "synthetic"}
    for panel, (name, title) in zip(figure.subplots(1, 2), names.items(), strict=True):
        grid = 100 * np.asarray(shifts[name], dtype=float)
        reach = grid.shape[0] // 2
        drawn = panel.imshow(grid, extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5), cmap="viridis")
        panel.set(title=title, xlabel="mask moved right (pixels)", ylabel="down (pixels)")
        figure.colorbar(drawn, ax=panel, label="agreement (%)", shrink=0.85)
    return write_whole(path, lambda fresh: figure.savefig(fresh, dpi=120))
