"""Scenes that are small, of few or many bands, flat, or in unusual units."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view, view_without_labels
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry


def silent(*_: object) -> None:
    """Nobody watches."""


def scene_of(bands: int = 12, side: int = 40, unit: float = 1.0) -> Scene:
    """Blocks of 10×10 pixels of four classes, with a little noise."""
    rng = np.random.default_rng(0)
    blocks = np.arange(16).reshape(4, 4) % 4 + 1
    labels = np.kron(blocks, np.ones((10, 10), dtype=int))[:side, :side].astype(np.int16)
    place = np.linspace(0, 1, bands)
    spectra = np.stack([0.2 + 0.1 * c + 0.15 * np.sin(5 * place + 1.3 * c) for c in range(5)])
    cube = spectra[labels] + rng.normal(0, 0.03, (side, side, bands))
    return Scene(
        name="blocks",
        cube=(cube * unit).astype(np.float32),
        labels=labels,
        class_names=("one", "two", "three", "four"),
        wavelengths=None,
        gsd=None,
        units="reflectance",
    )


FEW = {"vae_steps": "5", "scene_steps": "3", "steps": "3"}
"""Of what is trained, where a test is not about how well."""


def samples_of(
    scene: Scene,
    name: str = "txt2hsi",
    patch: int = 5,
    protocol: str = "kshot:4",
    trained: bool = False,
) -> Any:
    """trained: enough for samples as wide as the scene."""
    split = draw_split(scene, parse_protocol(protocol), 0, patch)
    view = train_view(scene, split, "scene")
    plugin = registry().find("generator", name).load()
    few = {} if name == "gaussian" else FEW if not trained else {**FEW, "vae_steps": "60"}
    generator = plugin(build_params(plugin.card, "tiny", few))
    shown = view_without_labels(view)
    prepared = generator.prepare(shown, seed=0, device="cpu", progress=silent)
    fitted = generator.fit(view, seed=0, device="cpu", progress=silent, prepared=prepared)
    return fitted.sample({1: 3, 3: 4}, guidance=None, seed=0)


@pytest.mark.parametrize("name", ["txt2hsi", "gaussian"])
@pytest.mark.parametrize("patch", [1, 15])
def test_patches_of_every_odd_side_are_made(name: str, patch: int) -> None:
    samples = samples_of(scene_of(), name, patch)

    assert samples.x.shape == (7, 12, patch, patch) and np.isfinite(samples.x).all()


@pytest.mark.parametrize("name", ["txt2hsi", "gaussian"])
def test_the_unit_of_the_cube_changes_no_bit(name: str) -> None:
    small, large = (samples_of(scene_of(unit=unit), name) for unit in (2.0**-30, 2.0**30))
    assert (large.x == small.x * np.float32(2.0**60)).all()


@pytest.mark.parametrize("name", ["txt2hsi", "gaussian"])
def test_a_constant_band_stays_constant_and_spoils_nothing(name: str) -> None:
    scene = scene_of()
    cube = scene.cube.copy()
    cube[:, :, 4] = 0.3
    samples = samples_of(replace(scene, cube=cube), name, trained=True)

    assert np.isfinite(samples.x).all()
    assert (samples.x[:, 4] == np.float32(0.3)).all()
    others = np.delete(samples.x, 4, axis=1)
    assert 0.5 < others.std() / np.delete(cube, 4, axis=2).std() < 2
