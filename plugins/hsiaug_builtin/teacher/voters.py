"""Voters on the class of a pixel that read its spectrum and what is around it.

Spectra are read in units of how much neighbouring pixels differ
(:mod:`hsiaug_builtin.teacher.noise`), which says without any label how far a class may vary. In
each of three spectral views two voters, one that reads the pixel alone and one that reads windows
of several sizes round it, give every pixel the mean of two shares: those of the distances to the
class means, and those of a support vector machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded where they are used
from numpy.typing import NDArray

from hsiaug.api import SpectralView, TrainView, train_view_seen
from hsiaug_builtin.memoise import once_the_pixels
from hsiaug_builtin.nets.projection import Projection
from hsiaug_builtin.nets.svm import Machine, fit_machine
from hsiaug_builtin.teacher.features import SIDES, LocalMeans, local_means, plane_of, windows_of
from hsiaug_builtin.teacher.noise import fit_noise_projection

VIEWS = ("raw", "unit", "continuum")
MIN_BANDS = 3
"""Bands that the views beside ``raw`` need."""
COMPONENTS = 10
"""Components per window."""
COST = 10.0
"""C of the machine."""
REACH = 0.1
"""γ of the machine times the number of features."""
TEMPERATURE = 0.2
"""Divides half the squared distance to a class mean, per feature: features do not err
independently.
"""
NEIGHBOURHOOD = 5
"""Side in pixels of the window over which shares are averaged."""
UNLIKE = 1.0
"""Distance to a neighbour, in units of noise, at which it counts e^(−1/2) times as much. All of
these, and those of the noise, were chosen on splits 100 to 103 of Indian Pines, of crops of Houston
and Pavia, of Jasper Ridge and Samson, under ``kshot:1``, ``kshot:3`` and ``issd``.
"""
LEAST_SHARE = 1e-6
"""No voter rules a class out for good."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Voter:
    """A fitted voter.

    Attributes
    ----------
    projection : Projection
        Projection of its spectral view.
    sides : tuple of int
        Its windows, in pixels.
    means : (k, d) float32
        Of the classes.
    """

    spectra: SpectralView
    projection: Projection
    sides: tuple[int, ...]
    machine: Machine
    means: NDArray[np.float32]

    def logarithms(self, features: NDArray[np.float32]) -> Floats:
        """(n, k) logarithms of the shares of pixels with features (n, d)."""
        apart = np.stack(
            [np.square(features - mean).sum(axis=1, dtype=np.float64) for mean in self.means],
            axis=1,
        )
        shares = scipy.special.softmax(-0.5 * apart / (TEMPERATURE * features.shape[1]), axis=1)
        shares = (shares + scipy.special.softmax(self.machine.scores(features), axis=1)) / 2
        return np.asarray(np.log(np.maximum(shares, LEAST_SHARE)))

    def patches(self, x: NDArray[np.float32]) -> Floats:
        """(n, k) logarithms of the shares of patches (n, B, p, p) in scene units."""
        means = LocalMeans(
            self.projection, self.sides, np.ones(self.means.shape[1], dtype=np.float32)
        )
        return self.logarithms(means.patches(self.spectra(x, axis=1)))


@dataclass(frozen=True, eq=False)
class VoterInput:
    """What a voter reads.

    Attributes
    ----------
    features : (n, d) float32
        Of pixels.
    plane : (H, W, c) float32
        Components of all pixels in its spectral view.
    """

    spectra: SpectralView
    projection: Projection
    sides: tuple[int, ...]
    plane: NDArray[np.float32]
    features: NDArray[np.float32]

    def fit(self, features: NDArray[np.float32], y: NDArray[np.int64]) -> Voter:
        """The voter that learns from features (n, d) of pixels of classes y (n,)."""
        machine = fit_machine(
            features, y, np.ones(len(y), dtype=np.float32), cost=COST, reach=REACH
        )
        means = np.stack([features[y == c].mean(axis=0) for c in np.unique(y)])
        return Voter(self.spectra, self.projection, self.sides, machine, means)


@once_the_pixels
def planes(view: TrainView) -> tuple[tuple[SpectralView, Projection, NDArray[np.float32]], ...]:
    """Each spectral view, the projection of its spectra, and the components (H, W, c) of all
    pixels; no label is read.
    """
    answer = []
    for name in VIEWS if view.bands >= MIN_BANDS else VIEWS[:1]:
        spectra = SpectralView(name, view.wavelengths)
        transformed = train_view_seen(view, spectra)
        projection = fit_noise_projection(transformed, COMPONENTS)
        answer.append((spectra, projection, plane_of(transformed, projection)))
    return tuple(answer)


def readings(view: TrainView, pixels: NDArray[np.int32]) -> Iterator[VoterInput]:
    """What each voter reads of pixels (n, 2); no label is read."""
    for spectra, projection, plane in planes(view):
        for sides in ((1,), windows_of(view, SIDES)):
            yield VoterInput(spectra, projection, sides, plane, local_means(plane, pixels, sides))


def average_alike(shares: Floats, pixels: NDArray[np.int32], plane: NDArray[np.float32]) -> Floats:
    """Shares (n, k) of pixels (n, 2), each the mean over those of its neighbourhood that are among
    the pixels.

    A neighbour counts less as it differs more (bilateral filter of Tomasi and Manduchi, ICCV 1998).

    Parameters
    ----------
    plane : (H, W, c) float32
        By which neighbours are alike.
    """
    height, width, _ = plane.shape
    reach = NEIGHBOURHOOD // 2
    # A margin of places where no pixel is.
    row = np.full((height + 2 * reach, width + 2 * reach), -1, dtype=np.int64)
    row[pixels[:, 0] + reach, pixels[:, 1] + reach] = np.arange(len(pixels))
    components = plane[pixels[:, 0], pixels[:, 1]]
    total = np.zeros(len(pixels))
    averaged = np.zeros_like(shares)
    for down in range(NEIGHBOURHOOD):
        for right in range(NEIGHBOURHOOD):
            neighbour = row[pixels[:, 0] + down, pixels[:, 1] + right]
            present = np.flatnonzero(neighbour >= 0)
            neighbour = neighbour[present]
            apart = np.square(components[present] - components[neighbour]).sum(
                axis=1, dtype=np.float64
            )
            weight = np.exp(-0.5 * apart / UNLIKE**2)
            total[present] += weight
            averaged[present] += weight[:, None] * shares[neighbour]
    return np.asarray(averaged / total[:, None])
