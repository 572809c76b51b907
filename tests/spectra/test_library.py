"""The generator ``library``: real patches moved to what a spectral library says of their class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spectral.io.envi import SpectralLibrary

from hsiaug.api import InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import TrainView, train_view
from hsiaug.registry.card import build_params
from hsiaug_builtin.spectra.library import FittedLibrary, Library

NM = np.linspace(400, 2500, 40)
RISE = np.linspace(0.1, 0.6, len(NM))
COUNTS = {1: 6, 2: 3, 5: 20}
POND = 5


@pytest.fixture(scope="module")
def view(toy: Scene) -> TrainView:
    return train_view(toy, draw_split(toy, parse_protocol("issd"), 0, 5), "none")


def written(folder: Path, pond: np.ndarray) -> Path:
    """An ENVI library of five spectra, one of them of a pond."""
    flat = np.full(len(NM), 0.3)
    spectra = {
        "pond": pond,
        "meadow": flat + 0.1 * np.sin(NM / 300),
        "maize": flat + 0.1 * np.cos(NM / 300),
        "brick": flat - 0.1 * np.sin(NM / 300),
        "asphalt": flat - 0.1 * np.cos(NM / 300),
    }
    header = {"wavelength": NM.tolist(), "wavelength units": "Nanometers", "spectra names": list(spectra)}
    folder.mkdir(exist_ok=True)
    SpectralLibrary(np.array(list(spectra.values())), header).save(str(folder / "lib"))
    return folder / "lib.sli"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "library", RISE)


def plugin(**settings: Any) -> Library:
    return Library(build_params(Library.card, "cpu", {name: str(value) for name, value in settings.items()}))


def fitted(view: TrainView, **settings: Any) -> FittedLibrary:
    return plugin(**settings).fit(view, seed=0, device="cpu", progress=lambda *_: None)


def test_it_makes_what_is_asked_for_and_says_what_it_used(view: TrainView, path: Path) -> None:
    samples = fitted(view, path=path, most=1, weight=0.2).sample(COUNTS, guidance=None, seed=0)

    assert samples.y.tolist() == [1] * 6 + [2] * 3 + [5] * 20
    assert samples.x.shape == (29, *view.real.x.shape[1:]) and (samples.x > 0).all()
    assert samples.synthetic.all() and (samples.weight == np.float32(0.2)).all()
    assert samples.provenance["learnt_from"] == ["lib.sli"]
    assert {"pond", "meadow", "maize"} <= set(samples.provenance["spectra_used"])
    assert np.isfinite(samples.provenance["words_log_evidence"])


def test_every_sample_is_a_training_patch_of_its_class_times_a_smooth_factor(view: TrainView, path: Path) -> None:
    samples = fitted(view, path=path, strength=0.1).sample({POND: 10}, guidance=None, seed=0)
    real = view.real.x[view.y == POND]
    for x in samples.x:
        ratio = x / real
        same = np.abs(ratio / ratio[:, :, :1, :1] - 1).max(axis=(1, 2, 3))
        assert same.min() < 1e-4


def test_samples_move_towards_what_the_library_shows_of_their_class(view: TrainView, tmp_path: Path) -> None:
    """A pond that is bright in the infrared, and one that is dark there, draw the samples of ponds apart."""

    def slope(pond: np.ndarray) -> tuple[float, float]:
        """Infrared over blue of samples of ponds, and of meadows."""
        made = fitted(view, path=written(tmp_path / f"{pond[0]:g}", pond), strength=0.01)
        x = made.sample({1: 50, POND: 50}, guidance=None, seed=0)
        ratio = x.x[:, -3:].mean(axis=(1, 2, 3)) / x.x[:, :3].mean(axis=(1, 2, 3))
        return float(ratio[x.y == POND].mean()), float(ratio[x.y == 1].mean())

    (bright, others), (dark, same) = slope(RISE), slope(RISE[::-1])
    assert bright > 1.05 * dark
    assert bright / dark > others / same


def test_other_seeds_give_other_samples_and_a_saved_fit_gives_the_same(
    view: TrainView, path: Path, tmp_path: Path
) -> None:
    made = fitted(view, path=path, strength=0.5)
    made.save(tmp_path / "fit")
    again = plugin(path=path, strength=0.5, weight=0.9).load(tmp_path / "fit", device="cpu")
    first, other, later = (
        each.sample(COUNTS, guidance=None, seed=seed) for each, seed in ((made, 3), (again, 3), (made, 4))
    )

    assert np.array_equal(first.x, other.x) and np.array_equal(first.y, other.y)
    assert (first.weight == np.float32(0.3)).all() and (other.weight == np.float32(0.9)).all()
    assert dict(other.provenance) == dict(first.provenance)
    assert not np.array_equal(first.x, later.x)


def test_a_fit_that_was_saved_needs_the_library_no_longer(view: TrainView, path: Path, tmp_path: Path) -> None:
    made, asked = fitted(view, path=path, strength=0.5), plugin(path=path)
    made.save(tmp_path / "fit")
    path.unlink()
    again = asked.load(tmp_path / "fit", device="cpu")
    assert np.array_equal(
        again.sample(COUNTS, guidance=None, seed=0).x, made.sample(COUNTS, guidance=None, seed=0).x
    )


def test_no_unlabelled_pixel_changes_what_is_learnt(view: TrainView, toy: Scene, path: Path) -> None:
    """The card declares no scope, so nothing but training patches may be looked at."""
    assert Library.card.scope == "none"
    split = draw_split(toy, parse_protocol("issd"), 0, 5)
    cube = np.where(view.visible[:, :, None], toy.cube, np.float32(0.9))
    other = train_view(replace(toy, cube=cube), split, "none")
    one, two = (fitted(each, path=path).sample(COUNTS, guidance=None, seed=0).x for each in (view, other))
    assert np.array_equal(one, two)


def test_without_a_library_it_is_refused_with_the_option_to_give(view: TrainView) -> None:
    with pytest.raises(InputError, match=r"library\.path must name a file or folder.*`library\.path=PATH`"):
        fitted(view)


def test_a_library_that_was_replaced_since_the_trial_was_planned_is_refused(view: TrainView, path: Path) -> None:
    planned = plugin(path=path)
    written(path.parent / "new", RISE[::-1])
    path.write_bytes((path.parent / "new" / "lib.sli").read_bytes())
    with pytest.raises(InputError, match="has changed since it was first used"):
        planned.fit(view, seed=0, device="cpu", progress=lambda *_: None)


def test_a_scene_without_wavelengths_gets_its_patches_again_and_it_is_said(view: TrainView, path: Path) -> None:
    blind = replace(view, wavelengths=None)
    samples = fitted(blind, path=path).sample(COUNTS, guidance=None, seed=0)

    assert samples.provenance["no_wavelengths"] and not samples.provenance["learnt_from"]
    for x, c in zip(samples.x, samples.y, strict=True):
        assert np.isclose(view.real.x[view.y == c], x, rtol=1e-5).all(axis=(1, 2, 3)).any()


def test_a_class_without_training_pixels_cannot_be_made(view: TrainView, path: Path) -> None:
    lone = view.y != POND
    some = replace(view, coords=view.coords[lone], y=view.y[lone])
    with pytest.raises(PluginError, match="1 of class 5, which has none"):
        fitted(some, path=path, strength=0.1).sample({POND: 1}, guidance=None, seed=0)
