"""Toy views with exactly as many training pixels per class as a test asks for."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.registry.card import build_params

WIDTH = 30
ROWS = 4


@cache
def toy_view(
    sizes: tuple[int, ...], patch: int = 3, bands: int = 6, spread: float = 0.3
) -> TrainView:
    """``sizes[c - 1]`` training pixels of class c, scattered over its own 4 rows of a scene 30
    wide.

    Class means are 1 apart in each band at random; ``spread`` is the noise. The last band is
    constant.
    """
    rng = np.random.default_rng(sum(sizes) + bands)
    labels = np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int16), ROWS * WIDTH).reshape(
        -1, WIDTH
    )
    means = rng.normal(size=(len(sizes) + 1, bands))
    cube = means[labels] + spread * rng.normal(size=(*labels.shape, bands))
    cube[..., -1] = 0.25
    train = np.zeros(labels.size, dtype=bool)
    for c, size in enumerate(sizes, start=1):
        train[rng.choice(np.flatnonzero(labels == c), size, replace=False)] = True
    train = train.reshape(labels.shape)
    names = tuple(f"class {c}" for c in range(1, len(sizes) + 1))
    scene = Scene("toy", cube.astype(np.float32), labels, names)
    split = Split(scene.labels, len(sizes), train, ~train, parse_protocol("random:0.05"), patch, 0)
    return train_view(scene, split, "none")


@pytest.fixture(scope="session")
def view() -> Callable[..., TrainView]:
    """``view((20, 5, 1))``: a train view with these class sizes; ``patch=``, ``bands=``,
    ``spread=``.
    """
    return toy_view


@pytest.fixture(scope="session")
def seen(toy: Scene) -> TrainView:
    """The toy scene under ``issd`` with 5 × 5 patches, seen whole."""
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "scene")


def no_progress(done: int, total: int, note: str = "") -> None: ...


@pytest.fixture(scope="session")
def fit() -> Callable[..., Any]:
    """``fit(Generator, view, alpha="0.5")`` or ``fit(Classifier, view, samples=…)``: a fitted
    plugin.
    """

    def run(
        plugin: Any,
        view: TrainView,
        *,
        samples: Any = None,
        seed: int = 0,
        preset: str = "cpu",
        **params: str,
    ):
        made = plugin(build_params(plugin.card, preset, params))
        given = (view,) if samples is None else (samples, view)
        return made.fit(*given, seed=seed, device="cpu", progress=no_progress)

    return run
