"""Pictures of real and synthetic patches: class spectra and principal components."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.metrics.spectra import Spectra, at_most, fit_space
from hsiaug.quality.class_means import save_class_means
from hsiaug.quality.figures import class_spectra, grid, legend, name_columns, name_panel, title
from hsiaug.quality.inspection import PixelInspection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["class_means", "pictures"]

ROLES = (("held-out", HELD_OUT), ("synthetic", SYNTHETIC), ("train", TRAIN))
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would hide them."""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
Array = NDArray[np.float64]


def pictures(inspection: PixelInspection) -> dict[str, Figure]:
    """``spectra`` and ``pca``.

    The points of the clouds are pixels in every file: ten thousand outlines would weigh several times as much.
    """
    return {"spectra": _spectra(inspection), "pca": _clouds(inspection)}


def class_means(inspection: PixelInspection, folder: Path) -> Path:
    """Write what the figure of spectra shows as spectra.csv. Raises InputError where that cannot be."""
    sets = {name: part for part, name, _ in _sets(inspection)}
    wavelengths = inspection.made.data.wavelengths
    return save_class_means(folder / "spectra.csv", sets, _classes(inspection), wavelengths)


def _sets(inspection: PixelInspection) -> tuple[tuple[Spectra, str, str], ...]:
    sets = (inspection.held, inspection.synthetic, inspection.train)
    return tuple((part, name, colour) for part, (name, colour) in zip(sets, ROLES, strict=True))


def _classes(inspection: PixelInspection) -> dict[int, str]:
    """Ids and names of the classes with training samples."""
    return {c: inspection.made.data.class_names[c - 1] for c in sorted(inspection.train.counts)}


def _spectra(inspection: PixelInspection) -> Figure:
    """Centre spectra of each class."""
    scene = inspection.made.data
    sets = {name: (colour, lambda c, part=part: part.x[part.y == c]) for part, name, colour in _sets(inspection)}
    return class_spectra(inspection, sets, _classes(inspection), scene.bands, scene.wavelengths)


def _clouds(inspection: PixelInspection) -> Figure:
    """One panel per class on the first two principal axes of the training set; all its samples pale behind."""
    classes = _classes(inspection)
    space = fit_space(inspection.train.x)
    rng = np.random.default_rng(0)
    points = []
    for part, name, colour in _sets(inspection):
        few = part.take(at_most(part.y, SHOWN, rng))
        points.append((_plane(space.project(few.x)), few.y, name, colour))
    everything = np.concatenate([plane for plane, *_ in points])
    low, high = np.percentile(everything, [0.2, 99.8], axis=0)
    room = 0.06 * (high - low) + 1e-9
    figure, panels = grid(len(classes), 1.7)
    for axes, (c, class_name) in zip(panels, classes.items(), strict=True):
        axes.scatter(
            points[-1][0][:, 0],
            points[-1][0][:, 1],
            s=2,
            color="#dddddd",
            linewidths=0,
            rasterized=True,
            label="train, all classes",
        )
        for plane, y, name, colour in points:
            own = plane[y == c]
            if name == "train":
                look: dict[str, Any] = {"s": 8, "facecolors": "none", "edgecolors": colour, "linewidths": 0.6}
            else:
                look = {"s": 4, "color": colour, "alpha": 0.45, "linewidths": 0}
            axes.scatter(own[:, 0], own[:, 1], label=name, rasterized=True, **look)
        axes.set_xlim(low[0] - room[0], high[0] + room[0])
        axes.set_ylim(low[1] - room[1], high[1] + room[1])
        counts = ", ".join(f"{name} {int((part.y == c).sum())}" for part, name, _ in _sets(inspection))
        name_panel(axes, class_name, counts)
    name_columns(panels, "PC 1 of the training spectra")
    figure.supylabel("PC 2", fontsize=8)
    figure.suptitle(title(inspection, "Real and synthetic samples"), fontsize=8)
    legend(figure, panels[0])
    return figure


def _plane(scores: Array) -> Array:
    """(n, 2): the first two scores, with 0 for an axis that is not there."""
    return np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2]
