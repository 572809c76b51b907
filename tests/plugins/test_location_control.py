"""``coords`` reads where a pixel lies and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from hsiaug.api import Patches, PluginError
from hsiaug.core.samples import concatenate
from hsiaug_builtin.baselines.controls import Duplicate
from hsiaug_builtin.classifiers.location import Location


def places(coords) -> Patches:
    return Patches(
        np.empty((len(coords), 0, 1, 1), dtype=np.float32), np.array(coords, dtype=np.int32)
    )


def bandless(samples):
    return replace(samples, x=samples.x[:, :0, :1, :1])


def test_it_names_the_class_of_the_nearest_training_pixel(view, fit):
    toy = view((9, 5, 3))
    asked = np.argwhere(toy.visible)
    squared = ((asked[:, None] - toy.coords) ** 2).sum(axis=2)
    found = fit(Location, toy, samples=bandless(toy.real)).predict(places(asked))
    nearest = [set(toy.y[row == row.min()]) for row in squared]
    assert all(c in classes for c, classes in zip(found, nearest, strict=True))
    assert found.dtype == np.int64


def test_spectra_and_synthetic_samples_change_nothing(view, fit):
    toy = view((9, 5, 3))
    extra = fit(Duplicate, toy).sample({2: 40, 3: 40}, guidance=None, seed=0)
    asked = places(np.argwhere(np.ones((12, 30))))
    alone = fit(Location, toy, samples=bandless(toy.real)).predict(asked)
    added = fit(Location, toy, samples=concatenate([toy.real, replace(extra, y=extra.y * 0 + 1)]))
    assert np.array_equal(alone, added.predict(asked))


def test_synthetic_samples_alone_are_refused(view, fit):
    toy = view((9, 5, 3))
    with pytest.raises(PluginError, match="lie nowhere"):
        fit(Location, toy, samples=fit(Duplicate, toy).sample({1: 4}, guidance=None, seed=0))
