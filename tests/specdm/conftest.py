"""Tiles whose truth is known: Voronoi cells of classes with Gaussian spectra."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, DenseView

Make = Callable[..., DenseView]
CLASSES, CELLS = 4, 5


def class_spectra(bands: int) -> NDArray[np.float64]:
    """(4, bands) reflectance."""
    rng = np.random.default_rng(7)
    at = np.linspace(0, 1, bands)
    waves = [
        np.sin(2 * np.pi * (at * rng.uniform(0.5, 1.5) + rng.uniform())) for _ in range(CLASSES)
    ]
    return np.stack([0.35 + 0.25 * wave for wave in waves])


def voronoi_view(
    n: int = 60,
    side: int = 32,
    bands: int = 10,
    *,
    dates: int = 1,
    ignored: bool = False,
    seed: int = 0,
) -> DenseView:
    """Digital numbers up to about 6000. Class 4 is rare. Two dates: a disc changes its class (2),
    the rest does not (1).

    ignored: a cell of each tile has no label.
    """
    rng = np.random.default_rng(seed)
    spectra = class_spectra(bands)
    rows, columns = np.mgrid[:side, :side]
    images, masks = [], []
    for _ in range(n):
        centres = rng.uniform(0, side, size=(CELLS, 2))
        cell = np.argmin(
            (rows[..., None] - centres[:, 0]) ** 2 + (columns[..., None] - centres[:, 1]) ** 2,
            axis=-1,
        )
        cover = rng.choice(CLASSES, size=CELLS, p=[0.3, 0.3, 0.3, 0.1])[cell]
        row, column, radius = *rng.uniform(0, side, size=2), rng.uniform(side / 8, side / 3)
        disc = np.hypot(rows - row, columns - column) < radius
        covers = [cover, np.where(disc, (cover + 1) % CLASSES, cover)][:dates]
        images.append(
            [
                spectra[c].transpose(2, 0, 1) + 0.01 * rng.normal(size=(bands, side, side))
                for c in covers
            ]
        )
        mask = disc + 1 if dates == 2 else cover + 1
        masks.append(np.where(cell == 0, 0, mask) if ignored else mask)
    real = DenseSamples(
        images=np.array(images, dtype=np.float32) * 10_000,
        masks=np.array(masks, dtype=np.int64),
        synthetic=np.zeros(n, dtype=bool),
        weight=np.ones(n, dtype=np.float32),
    )
    names = ("unchanged", "changed") if dates == 2 else ("soil", "grass", "roof", "water")
    return DenseView(real=real, class_names=names)


def nothing(done: int, total: int, note: str = "") -> None:
    """Progress is not shown."""


def without_labels(view: DenseView) -> DenseView:
    return replace(view.nameless(), class_names=())


def learn(plugin: Any, view: DenseView, seed: int = 0) -> Any:
    """Fit a plugin, after what it prepares."""
    how: dict[str, Any] = {"seed": seed, "device": "cpu", "progress": nothing}
    prepared = (
        {"prepared": plugin.prepare(without_labels(view), **how)} if plugin.card.prepares else {}
    )
    return plugin.fit(view, **how, **prepared)


@pytest.fixture(scope="session")
def make() -> Make:
    return voronoi_view


@pytest.fixture(scope="session")
def view(make: Make) -> DenseView:
    """60 tiles of 32 × 32 pixels, 10 bands, 4 classes, one of them rare, every pixel labelled."""
    return make()
