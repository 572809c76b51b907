"""The task of abundances: what a worker is sent, what is scored, and what its plugins make."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from abundance_plugins import FittedMixing, LinearMixing, MixingParams
from abundance_task import TASK, AbundanceScene, follow, with_abundances

from hsiaug.api import PluginError, Scene, parse_protocol
from hsiaug.task_api import SceneError


def scene(side: int = 12, bands: int = 6) -> AbundanceScene:
    """Three materials, which change from left to right and from top to bottom."""
    down, across = np.mgrid[:side, :side] / (side - 1)
    shares = np.stack([1 - down, down * (1 - across), down * across], axis=-1)
    spectra = np.random.default_rng(0).uniform(0, 1, (3, bands))
    labels = (1 + shares.argmax(axis=-1)).astype(np.int16)
    return AbundanceScene(
        name="toy",
        cube=(shares @ spectra).astype(np.float32),
        labels=labels,
        class_names=("rock", "tree", "water"),
        abundances=shares.astype(np.float32),
    )


def drawn(data: AbundanceScene):
    return TASK.draws.split(data, parse_protocol("kshot:5", "none"), 0, 3)


def test_a_worker_is_sent_the_abundances_of_training_pixels_alone():
    data = scene()
    split = drawn(data)
    blind = pickle.loads(pickle.dumps(split.blind))

    assert blind.train_abundances.shape == (15, 3)
    assert not hasattr(blind, "abundances") and not hasattr(data.unlabelled, "abundances")
    view = TASK.draws.view(data.unlabelled, blind, "none")
    assert np.array_equal(view.real.abundances, data.abundances[split.train])
    assert len(TASK.draws.unlabelled(data, blind, view).abundances) == 0
    assert not view.nameless().abundances.any()


def test_other_abundances_are_another_scene():
    data = scene()
    other = AbundanceScene(
        name="toy",
        cube=data.cube,
        labels=data.labels,
        class_names=data.class_names,
        abundances=data.abundances[..., [0, 2, 1]],
    )

    assert data.sha256 != other.sha256


def test_the_error_is_that_of_all_test_pixels_and_materials():
    data = scene()
    split = drawn(data)
    index = np.flatnonzero(split.test).astype(np.int32)
    guess = np.full((len(index), 3), 1 / 3, dtype=np.float32)
    metrics = TASK.scoring.score(data, split, (index, guess))

    true = data.abundances.reshape(-1, 3)[index]
    assert metrics["rmse"] == pytest.approx(np.sqrt(((guess - true) ** 2).mean()))
    assert metrics["accuracy"] == 1 - metrics["rmse"]
    assert follow(np.zeros(3), 4)["accuracy"] == 1


def test_mixtures_lie_between_training_pixels_and_sum_to_one(tmp_path: Path):
    data = scene()
    view = TASK.draws.view(data, drawn(data), "none")
    fitted = LinearMixing(MixingParams()).fit(view, seed=0, device="cpu", progress=lambda *_: None)
    made = fitted.sample({1: 4, 3: 2}, guidance=None, seed=7)
    TASK.sampling.check(made, {1: 4, 3: 2}, view)

    fitted.save(tmp_path)
    loaded: FittedMixing = LinearMixing(MixingParams()).load(tmp_path, device="cpu")
    again = loaded.sample({1: 4, 3: 2}, guidance=None, seed=7)
    assert np.array_equal(made.x, again.x) and np.array_equal(made.abundances, again.abundances)
    assert made.x.min() >= view.real.x.min() and made.x.max() <= view.real.x.max()


def test_predictions_that_do_not_sum_to_one_are_refused():
    with pytest.raises(PluginError, match="sum to 1"):
        TASK.prediction.checked(np.ones((4, 3)), 4, 3)


def test_abundances_that_do_not_fit_their_scene_are_refused(tmp_path: Path):
    data = scene()
    plain = Scene("toy", data.cube, data.labels, data.class_names)
    with pytest.raises(SceneError, match="beside the card"):
        with_abundances(plain, tmp_path / "toy_abundances.npy")
    np.save(tmp_path / "toy_abundances.npy", data.abundances * 2)
    with pytest.raises(SceneError, match="sum to 1"):
        with_abundances(plain, tmp_path / "toy_abundances.npy")
