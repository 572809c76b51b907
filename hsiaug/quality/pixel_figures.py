"""Pictures of real and synthetic patches, class spectra and principal components, and their numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import HELD_OUT, SYNTHETIC, TRAIN
from hsiaug.base.files import write_text_whole
from hsiaug.metrics.spectra import Spectra, at_most, fit_space
from hsiaug.quality.figures import class_spectra, grid, legend, name_columns, name_panel
from hsiaug.quality.synthesis import PixelSynthesis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {"held-out": HELD_OUT, "synthetic": SYNTHETIC, "train": TRAIN}
"""Drawn in this order: training samples on top, thin, or the synthetic ones made from them would hide them."""
SHOWN = 300
"""Points of a class and role in a cloud at most."""
COLUMNS = ("class", "set", "n", "band", "wavelength_nm", "mean", "std")
"""Columns of spectra.csv. Bands count from 1; no wavelength where the scene has none; mean, std in scene units."""
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PixelFigures:
    """Figures of the centre spectra of training, held-out and synthetic samples."""

    made: PixelSynthesis
    train: Spectra
    held: Spectra
    synthetic: Spectra

    @property
    def sets(self) -> dict[str, Spectra]:
        """Spectra by the names of COLOURS."""
        return dict(zip(COLOURS, (self.held, self.synthetic, self.train), strict=True))

    @property
    def classes(self) -> dict[int, str]:
        """Ids and names of the classes with training samples."""
        return {c: self.made.data.class_names[c - 1] for c in sorted(self.train.counts)}

    def draw(self) -> dict[str, Figure]:
        """``spectra`` and ``pca``.

        The points of the clouds are pixels in every file: ten thousand outlines would weigh several times as much.
        """
        data = self.made.data
        spectra = {
            name: (COLOURS[name], lambda c, part=part: part.x[part.y == c]) for name, part in self.sets.items()
        }
        lines = class_spectra(self.made, spectra, self.classes, data.bands, data.wavelengths)
        return {"spectra": lines, "pca": self._clouds()}

    def save_means(self, folder: Path) -> Path:
        """Write the means of the figure of spectra as spectra.csv: a row for each class, set and band.

        A class without a spectrum in a set has no row of it. Raises InputError where the file cannot be written.
        """
        wavelengths = self.made.data.wavelengths
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for c, class_name in self.classes.items():
            for name, part in self.sets.items():
                own = part.x[part.y == c]
                if not len(own):
                    continue
                for band, (mean, std) in enumerate(zip(own.mean(axis=0), own.std(axis=0), strict=True)):
                    nm = "" if wavelengths is None else f"{wavelengths[band]:.6g}"
                    writer.writerow((class_name, name, len(own), band + 1, nm, f"{mean:.5g}", f"{std:.5g}"))
        return write_text_whole(folder / "spectra.csv", out.getvalue())

    def _clouds(self) -> Figure:
        """One panel per class on the first two principal axes of the training set; all its samples pale behind."""
        classes, sets = self.classes, self.sets
        space = fit_space(self.train.x)
        rng = np.random.default_rng(0)
        points = []
        for name, part in sets.items():
            few = part.take(at_most(part.y, SHOWN, rng))
            points.append((_plane(space.project(few.x)), few.y, name, COLOURS[name]))
        everything = np.concatenate([plane for plane, *_ in points])
        low, high = np.percentile(everything, [0.2, 99.8], axis=0)
        room = 0.06 * (high - low) + 1e-9
        figure, panels = grid(len(classes), 1.7)
        for axes, (c, class_name) in zip(panels, classes.items(), strict=True):
            pale: dict[str, Any] = {"s": 2, "color": "#dddddd", "linewidths": 0}
            axes.scatter(*points[-1][0].T, rasterized=True, label="train, all classes", **pale)
            for plane, y, name, colour in points:
                own = plane[y == c]
                if name == "train":
                    look: dict[str, Any] = {"s": 8, "facecolors": "none", "edgecolors": colour, "linewidths": 0.6}
                else:
                    look = {"s": 4, "color": colour, "alpha": 0.45, "linewidths": 0}
                axes.scatter(own[:, 0], own[:, 1], label=name, rasterized=True, **look)
            axes.set_xlim(low[0] - room[0], high[0] + room[0])
            axes.set_ylim(low[1] - room[1], high[1] + room[1])
            counts = ", ".join(f"{name} {int((part.y == c).sum())}" for name, part in sets.items())
            name_panel(axes, class_name, counts)
        name_columns(panels, "PC 1 of the training spectra")
        figure.supylabel("PC 2", fontsize=8)
        legend(figure, panels[0])
        return figure


def _plane(scores: Array) -> Array:
    """(n, 2): the first two scores, with 0 for an axis that is not there."""
    return np.pad(scores, ((0, 0), (0, max(0, 2 - scores.shape[1]))))[:, :2]
