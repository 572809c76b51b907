"""Pictures of image–mask pairs: class spectra, nearest training tiles, agreement under shifts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.files import write_whole
from hsiaug.quality.figures import class_spectra, save_figures, title
from hsiaug.quality.inspection import MaskInspection
from hsiaug.quality.sheets import contact_sheet, spread
from hsiaug.tiles import DenseSamples

__all__ = ["save_pictures"]


def save_pictures(inspection: MaskInspection, folder: Path) -> list[Path]:
    """contact_sheet.png, spectra.png and .svg, nearest.png and shifts.png; returns the files."""
    data, real, made = inspection.made.data, inspection.train, inspection.synthetic
    groups = [("real", spread(real)), (inspection.made.card.name, made)]
    worst = inspection.fidelity.worst
    # Copies would look alike.
    nearest = [
        ("training tile nearest to it (turned or not)", real.take(np.array([j for _, j, _ in worst]))),
        ("synthetic", made.take(np.array([i for i, _, _ in worst]))),
    ]
    return [
        contact_sheet(folder / "contact_sheet.png", groups, data.class_names, data.wavelengths),
        *_save_spectra(inspection, folder),
        contact_sheet(folder / "nearest.png", nearest, data.class_names, data.wavelengths),
        _save_shifts(folder / "shifts.png", inspection.reliability.shifts),
    ]


def _save_spectra(inspection: MaskInspection, folder: Path) -> list[Path]:
    """Spectra of the pixels of each class; dates one after the other. As PNG, and as SVG beside it."""
    data, real, made = inspection.made.data, inspection.train, inspection.synthetic
    present = {c: name for c, name in enumerate(data.class_names, start=1) if (real.masks == c).any()}
    sets = {"real": ("tab:blue", partial(_of_class, real)), "synthetic": ("tab:orange", partial(_of_class, made))}
    figure = class_spectra(sets, present, real.dates * real.bands, data.wavelengths if real.dates == 1 else None)
    figure.supylabel(data.units, fontsize=9)
    figure.suptitle(title(inspection, "Class spectra"), fontsize=11)
    return save_figures({"spectra.png": figure, "spectra.svg": figure}, folder)


def _of_class(samples: DenseSamples, c: int) -> NDArray[np.float32]:
    """(pixels, T·B) of a class."""
    stacked = samples.images.reshape(len(samples), -1, *samples.side).transpose(0, 2, 3, 1)
    spectra: NDArray[np.float32] = stacked[samples.masks == c]
    return spectra


def _save_shifts(path: Path, shifts: Mapping[str, NDArray[np.float64]]) -> Path:
    """Agreement of probes with the mask moved by some pixels: real and synthetic should both peak in the middle."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    names = {"held": "real held-out", "made": "synthetic"}
    for panel, (name, label) in zip(figure.subplots(1, 2), names.items(), strict=True):
        grid = 100 * np.asarray(shifts[name], dtype=float)
        reach = grid.shape[0] // 2
        drawn = panel.imshow(grid, extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5), cmap="viridis")
        panel.set(title=label, xlabel="mask moved right (pixels)", ylabel="down (pixels)")
        figure.colorbar(drawn, ax=panel, label="agreement (%)", shrink=0.85)
    return write_whole(path, lambda fresh: figure.savefig(fresh, dpi=120))
