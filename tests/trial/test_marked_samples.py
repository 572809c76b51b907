"""Samples of a generator that are not marked synthetic would be counted as real ones, and complex
ones would lose a half: they are refused.
"""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.base.errors import PluginError
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import get_task


@pytest.mark.parametrize("marks", [np.zeros(2, bool), np.array([True, False]), np.ones(2, int)])
def test_patches_that_are_not_all_marked_are_refused(marks: np.ndarray, toy: Scene) -> None:
    task = get_task("pixels")
    view = task.draws.view(toy, task.draws.split(toy, parse_protocol("issd"), 0, 3), "none")
    made = PatchSamples.made(np.zeros((2, toy.bands, 3, 3), np.float32), np.array([1, 1]))
    task.sampling.check(made, {1: 2}, view)

    with pytest.raises(PluginError, match="must mark all of its samples as synthetic"):
        task.sampling.check(replace(made, synthetic=marks), {1: 2}, view)


def test_tiles_that_are_not_all_marked_are_refused() -> None:
    from hsiaug.core.tiles import PairCounts

    tiles = DenseSamples(
        np.zeros((1, 1, 2, 4, 4), np.float32),
        np.ones((1, 4, 4), int),
        np.zeros(1, bool),
        np.ones(1, np.float32),
    )
    task = get_task("segmentation")

    class View:
        real, class_names = tiles, ("a",)

    with pytest.raises(PluginError, match="must mark all of its samples as synthetic"):
        task.sampling.check(tiles, PairCounts(1), View())  # type: ignore[arg-type]
    task.sampling.check(replace(tiles, synthetic=np.ones(1, bool)), PairCounts(1), View())  # type: ignore[arg-type]


def test_samples_of_complex_numbers_are_refused() -> None:
    patches = np.zeros((1, 4, 3, 3), complex)
    with pytest.raises(PluginError, match="must be real numbers; found an array of complex128"):
        PatchSamples.made(patches, np.ones(1, int))
    with pytest.raises(PluginError, match="must be real numbers"):
        DenseSamples.made(patches[:, None], np.ones((1, 3, 3), int))
