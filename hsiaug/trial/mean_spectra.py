"""Mean spectra of the classes of a trial: of its real training pixels, of its synthetic ones and of
the test pixels, for a report to draw beside its samples.

They lie in ``predictions.npz`` with the thumbnails of a :mod:`~hsiaug.trial.sheet`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.samples import spread_rows
from hsiaug.core.scene import Scene

MOST_PIXELS = 2000
"""Test pixels of a class that its mean is taken of, from the first to the last of the scene."""
MOST_BANDS = 4096
Means = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MeanSpectra:
    """Mean spectra of those classes that have synthetic samples.

    Attributes
    ----------
    ids : ndarray of int16, shape (k,)
        Ids of the classes, ascending.
    bands : ndarray of float32, shape (B,)
        Wavelengths in nm; the bands' numbers from 1 where a scene has none.
    real, made : ndarray of float32, shape (k, B)
        In the units of the scene: centre pixels of real training samples, which are NaN in a class
        without any, and of synthetic ones.
    held_out : ndarray of float32, shape (k, B)
        The same of test pixels. A worker, which knows no test label, has NaN here.
    """

    ids: NDArray[np.int16]
    bands: Means
    real: Means
    made: Means
    held_out: Means

    def __post_init__(self) -> None:
        """Raise ValueError for arrays that do not belong together: they may come from a file."""
        shape = len(self.ids), len(self.bands)
        if self.ids.dtype != np.int16 or self.ids.ndim != 1 or self.bands.ndim != 1:
            raise ValueError("mean spectra without classes or bands")
        if len(self.bands) > MOST_BANDS or np.any(self.ids < 1) or np.any(np.diff(self.ids) <= 0):
            raise ValueError("mean spectra of classes or bands that cannot be")
        for field in fields(self)[1:]:
            values = getattr(self, field.name)
            if values.dtype != np.float32:
                raise ValueError(f"{field.name} is not of 32-bit floats")
            if field.name != "bands" and values.shape != shape:
                raise ValueError(f"{field.name} does not fit the classes and bands")


def mean_spectra(
    real: tuple[NDArray[np.float32], NDArray[np.int64]],
    synthetic: tuple[NDArray[np.float32], NDArray[np.int64]],
    wavelengths: NDArray[np.float64] | None,
) -> MeanSpectra:
    """Mean spectra without those of test pixels.

    Parameters
    ----------
    real, synthetic : tuple of ndarray
        Spectra (n, B) and class ids (n,) of real training pixels and of synthetic ones.
    wavelengths : ndarray of float64, shape (B,), or None
        In nm.

    Returns
    -------
    MeanSpectra
        Of the classes that ``made`` has.
    """
    ids = np.unique(synthetic[1]).astype(np.int16)
    bands = np.arange(1, synthetic[0].shape[1] + 1) if wavelengths is None else wavelengths
    of_real = _means(*real, ids)
    return MeanSpectra(
        ids=ids,
        bands=bands.astype(np.float32),
        real=of_real,
        made=_means(*synthetic, ids),
        held_out=np.full_like(of_real, np.nan),
    )


def means_of_test_pixels(
    scene: Scene, labels: NDArray[np.integer[Any]]
) -> dict[int, NDArray[np.float32]]:
    """The mean spectrum of the test pixels of each class, in the process that has their labels.

    Parameters
    ----------
    scene : Scene
        Of a cube that is read from its file window by window no pixel is taken: it would be read
        whole for each draw.
    labels : ndarray of int, shape (H, W)
        Class ids of the test pixels, 0 elsewhere.

    Returns
    -------
    dict of ndarray of float32, shape (B,)
        By class id, of the classes that have test pixels.
    """
    means: dict[int, NDArray[np.float32]] = {}
    cube = scene.pixels
    if not isinstance(cube, np.ndarray):
        return means
    for class_id in np.unique(labels[labels > 0]).tolist():
        pixels = spread_rows(np.flatnonzero(labels == class_id), MOST_PIXELS)
        rows, columns = np.unravel_index(pixels, labels.shape)
        means[class_id] = cube[rows, columns].mean(axis=0, dtype=np.float64).astype(np.float32)
    return means


def with_test_pixels(spectra: MeanSpectra, means: Mapping[int, NDArray[np.float32]]) -> MeanSpectra:
    """Mean spectra with those of test pixels.

    Parameters
    ----------
    spectra : MeanSpectra
        Of a trial.
    means : mapping
        What :func:`means_of_test_pixels` gives of its draw.

    Returns
    -------
    MeanSpectra
    """
    held_out = spectra.held_out.copy()
    for row, class_id in enumerate(spectra.ids.tolist()):
        if class_id in means:
            held_out[row] = means[class_id]
    return replace(spectra, held_out=held_out)


def _means(spectra: NDArray[np.float32], y: NDArray[np.int64], ids: NDArray[np.int16]) -> Means:
    """Means of the classes, (k, B); NaN of a class without a spectrum."""
    means = np.full((len(ids), spectra.shape[1]), np.nan, dtype=np.float32)
    for row, class_id in enumerate(ids.tolist()):
        members = spectra[y == class_id]
        if len(members):
            # Samples are finite, and their sum in double precision is too.
            means[row] = members.mean(axis=0, dtype=np.float64)
    return means
