"""The train view: what it shows, and that no test label can be reached from it."""

import gc
import types
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import PluginError
from hsiaug.core.fields import dilate
from hsiaug.core.samples import PatchSamples
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import SpectralView
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.registry.card import Card
from hsiaug.tasks.task import get_task


@pytest.fixture(scope="module")
def split(toy: Scene) -> Split:
    return draw_split(toy, parse_protocol("issd"), 0, 5)


def reachable(root: Any) -> list[Any]:
    """Every object that can be reached from ``root``, short of modules, classes and functions."""
    seen, queue = {}, [root]
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, types.ModuleType | type | types.FunctionType):
            continue
        seen[id(item)] = item
        queue += gc.get_referents(item)
        if isinstance(item, np.ndarray) and item.base is not None:
            queue.append(item.base)
    return list(seen.values())


@pytest.mark.parametrize("scope", ["none", "scene"])
def test_no_test_label_can_be_reached(toy: Scene, split: Split, scope: Any) -> None:
    view = train_view(toy, split, scope)
    view.real, view.normaliser  # noqa: B018
    found = reachable(view)

    assert not any(isinstance(item, Scene | Split) for item in found)
    hidden = {id(toy.labels), id(toy.cube), id(split.train), id(split.test)}
    assert not any(id(item) in hidden for item in found)
    for item in found:
        # A map of labels would be an integer array of the scene's height and width.
        assert not (
            isinstance(item, np.ndarray) and item.shape == toy.shape and item.dtype.kind in "iu"
        )
    assert len(view.y) == int(split.train.sum())


def test_labels_are_those_of_the_training_pixels(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "none")

    assert (view.y == toy.labels[view.coords[:, 0], view.coords[:, 1]]).all()
    assert split.train[view.coords[:, 0], view.coords[:, 1]].all()


def test_scope_none_shows_training_patches_only(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "none")

    assert (view.visible == dilate(split.train, 2)).all()
    assert np.isnan(view.cube[~view.visible]).all() and np.isfinite(view.cube[view.visible]).all()
    assert len(view.unlabelled) == 0


def test_scope_scene_shows_all_spectra(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "scene")

    assert (view.cube == toy.cube).all()
    assert len(view.unlabelled) == toy.labels.size - int(split.train.sum())


def test_hidden_pixels_cannot_be_cut(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "none")

    with pytest.raises(PluginError, match="all visible"):
        view.patches(np.argwhere(split.test)[:3])


def test_patches_are_centred_on_their_pixel_and_mirrored_at_edges(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "scene")
    corner = view.patches(np.array([[0, 0], [10, 20]]))

    assert corner.shape == (2, toy.bands, 5, 5)
    assert (corner[1] == toy.cube[8:13, 18:23].transpose(2, 0, 1)).all()
    assert (corner[0][:, 2, 2] == toy.cube[0, 0]).all()
    assert (corner[0][:, 0, 0] == toy.cube[2, 2]).all()


def test_the_normaliser_sees_visible_pixels_only(toy: Scene, split: Split) -> None:
    view = train_view(toy, split, "none")
    expected = toy.cube[view.visible].mean(axis=0)
    z = view.normaliser.spectra(view.cube[view.visible])

    assert view.normaliser.mean == pytest.approx(expected, rel=1e-5)
    assert z.std(axis=0) == pytest.approx(np.ones(toy.bands), abs=1e-3)
    assert view.normaliser.patches_back(view.normaliser.patches(view.real.x)) == pytest.approx(
        view.real.x, abs=1e-5
    )


def test_a_view_cannot_be_written_to(toy: Scene, split: Split) -> None:
    view: TrainView = train_view(toy, split, "scene")

    with pytest.raises(ValueError, match="read-only"):
        view.cube[0, 0] = 0


@pytest.mark.parametrize("seen", ["raw", "unit", "derivative"])
@pytest.mark.parametrize("reads", ["spectrum", "location", "patch"])
def test_samples_are_joined_as_their_classifier_reads_them(
    toy: Scene, reads: Any, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole patches of 9×9 pixels take 81 times the memory of the spectra in their centres."""
    task, card = get_task("pixels"), Card(name="own", version="1", summary="s", input=reads)
    view = task.draws.view(toy, task.draws.split(toy, parse_protocol("issd"), 0, 5), "none")
    pool = [
        PatchSamples.made(2 * view.real.x, view.real.y),
        PatchSamples.made(view.real.x[::-1], view.real.y[::-1]),
    ]
    spectra = SpectralView(seen, toy.wavelengths)
    own = task.sampling.join(view, pool, card, spectra)
    with monkeypatch.context() as patch:
        patch.setattr("hsiaug.base.arrays.LARGE", 1)
        in_file = task.sampling.join(view, pool, card, spectra)
    assert isinstance(in_file.x.base, np.memmap) == (own.x.size > 0)
    assert own.x.base is None and np.array_equal(in_file.x, own.x)

    whole = task.sampling.shown(task.sampling.join(view, pool), card, spectra)
    assert own.x.shape[2:] == ((5, 5) if reads == "patch" else (1, 1))
    assert (
        (own.x == whole.x).all() and (own.coords == whole.coords).all() and (own.y == whole.y).all()
    )
    real, made = len(view.y), np.concatenate([one.y for one in pool])
    assert (own.y[:real] == view.y).all() and (own.y[real:] == np.sort(made)).all()
