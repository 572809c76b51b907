"""Mean and standard deviation of the spectra of each class, as a table that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.files import write_text_whole
from hsiaug.metrics.spectra import Spectra

__all__ = ["COLUMNS", "save_class_means"]

COLUMNS = ("class", "set", "n", "band", "wavelength_nm", "mean", "std")
"""Bands count from 1; the wavelength is empty where the scene has none; mean and std are in scene units."""


def save_class_means(
    path: Path,
    sets: Mapping[str, Spectra],
    classes: Mapping[int, str],
    wavelengths: NDArray[np.float64] | None,
) -> Path:
    """Write COLUMNS, a row for each class, set and band; a class without a spectrum in a set has no row of it.

    sets: by name. classes: names by id. Raises InputError where the file cannot be written.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for c, class_name in classes.items():
        for name, part in sets.items():
            writer.writerows((class_name, name, *row) for row in _rows(part.x[part.y == c], wavelengths))
    return write_text_whole(path, out.getvalue())


def _rows(spectra: NDArray[np.float64], wavelengths: NDArray[np.float64] | None) -> Iterator[tuple[object, ...]]:
    if not len(spectra):
        return
    for band, (mean, std) in enumerate(zip(spectra.mean(axis=0), spectra.std(axis=0), strict=True)):
        nm = "" if wavelengths is None else f"{wavelengths[band]:.6g}"
        yield len(spectra), band + 1, nm, f"{mean:.5g}", f"{std:.5g}"
