"""Small worlds with known masks: Voronoi cells of Gaussian classes, and blobs that change between
two dates.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hsiaug.api import DenseSamples, DenseView
from hsiaug.registry.card import build_params

Toy = Callable[..., DenseView]


def _cells(n: int, side: int, classes: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n, side, side) class ids, one per Voronoi cell of six points."""
    grid = np.stack(np.mgrid[:side, :side], axis=-1)[:, :, None]
    masks = []
    for _ in range(n):
        nearest = ((grid - rng.uniform(0, side, (6, 2))) ** 2).sum(axis=-1).argmin(axis=-1)
        masks.append(rng.integers(1, classes + 1, 6)[nearest])
    return np.stack(masks)


def _seen(masks: NDArray[np.int64], bands: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, bands, side, side) reflectance: the class's mean spectrum with noise of 0.02."""
    spectra = np.random.default_rng(7).uniform(0.1, 0.5, (16, bands))
    return np.moveaxis(spectra[masks] + rng.normal(0, 0.02, (*masks.shape, bands)), -1, 1)


def _view(images: NDArray[Any], masks: NDArray[np.int64], names: tuple[str, ...]) -> DenseView:
    n = len(masks)
    real = DenseSamples(
        images=images.astype(np.float32),
        masks=masks.astype(np.int64),
        synthetic=np.zeros(n, dtype=bool),
        weight=np.ones(n, dtype=np.float32),
    )
    return DenseView(real, names)


def _segmentation(
    n: int = 12, side: int = 16, bands: int = 8, classes: int = 3, seed: int = 0
) -> DenseView:
    rng = np.random.default_rng(seed)
    masks = _cells(n, side, classes, rng)
    return _view(
        _seen(masks, bands, rng)[:, None], masks, tuple(f"class {c}" for c in range(1, classes + 1))
    )


def _change(n: int = 12, side: int = 16, bands: int = 8, seed: int = 0) -> DenseView:
    """One disc per tile shows another class at the second date."""
    rng = np.random.default_rng(seed)
    before = _cells(n, side, 3, rng)
    centre = rng.uniform(4, side - 4, (n, 2, 1, 1))
    inside = ((np.mgrid[:side, :side] - centre) ** 2).sum(axis=1) < (side / 5) ** 2
    after = np.where(inside, before + 3, before)
    images = np.stack([_seen(before, bands, rng), _seen(after, bands, rng)], axis=1)
    return _view(images, np.where(inside, 2, 1), ("unchanged", "changed"))


@pytest.fixture
def toy() -> Toy:
    """``toy(task, n=…, side=…, bands=…, seed=…)``: a view of reflectance tiles, every pixel
    labelled.
    """

    def make(task: str, **size: int) -> DenseView:
        return _segmentation(**size) if task == "segmentation" else _change(**size)

    return make


@pytest.fixture
def fit() -> Callable[..., Any]:
    """``fit(plugin, view, samples=None, seed=0, progress=…, **params)`` with the tiny preset."""

    def run(
        plugin: Any,
        view: DenseView,
        samples: DenseSamples | None = None,
        seed: int = 0,
        progress: Any = lambda done, total, note="": None,
        **params: Any,
    ) -> Any:
        made = plugin(
            build_params(plugin.card, "tiny", {name: str(value) for name, value in params.items()})
        )
        given = view.real if samples is None else samples
        return made.fit(given, view, seed=seed, device="cpu", progress=progress)

    return run
