"""The resampler and augment_scene: habits of scikit-learn and imbalanced-learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from scipy.sparse import csr_array
from sklearn.base import clone

from hsiaug.base.errors import InputError
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.quality.synthesis import PixelSynthesis
from hsiaug.resample import Resampler, _SampleScene, augment_scene


@pytest.fixture
def spectra(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y = np.array(["oats"] * 4 + ["maize"] * 30 + ["reeds"] * 9)
    return rng.normal(size=(43, 6)).astype(np.float32), y


@pytest.mark.parametrize("generator", ["smote", "mixup", "noise", "duplicate"])
def test_every_class_reaches_the_largest_and_real_samples_come_first(
    spectra: tuple[np.ndarray, np.ndarray], generator: str
) -> None:
    X, y = spectra
    resampler = Resampler(generator)
    more, labels = resampler.fit_resample(X, y)
    by_imblearn = SMOTE(random_state=0, k_neighbors=3).fit_resample(X, y)

    assert more.shape == by_imblearn[0].shape
    assert np.unique(labels, return_counts=True)[1].tolist() == [30, 30, 30]
    assert (more[:43] == X).all() and (labels[:43] == y).all()
    assert resampler.counts_ == {"maize": 0, "oats": 26, "reeds": 21}
    assert resampler.synthetic_.sum() == 47 and (resampler.weights_ == 1).all()
    assert resampler.sample_indices_.tolist() == [*range(43), *[-1] * 47]
    assert (resampler.classes_ == ["maize", "oats", "reeds"]).all() and resampler.n_features_in_ == 6


def test_patches_keep_their_shape_and_each_stands_alone(rng: np.random.Generator) -> None:
    X, y = rng.normal(size=(12, 4, 5, 5)).astype(np.float32), np.array([7] * 9 + [3] * 3)
    more, labels = Resampler("duplicate", lam=0.7).fit_resample(X, y)

    assert more.shape == (15, 4, 5, 5) and (more[:12] == X).all()
    assert labels[12:].tolist() == [3, 3, 3]
    assert all((x == X[9:]).all(axis=(1, 2, 3)).any() for x in more[12:])


def test_the_seed_decides_and_parameters_are_those_of_scikit_learn(
    spectra: tuple[np.ndarray, np.ndarray],
) -> None:
    resampler = Resampler("smote", lam=0.5, params={"neighbours": 2}, seed=1)
    first, again = (clone(resampler).fit_resample(*spectra)[0] for _ in range(2))
    other = clone(resampler).set_params(seed=2).fit_resample(*spectra)[0]

    assert (first == again).all() and not (first == other).all()
    assert resampler.get_params()["params"] == {"neighbours": 2}
    assert "neighbours" in repr(resampler)
    assert resampler.fit(*spectra) is resampler and resampler.n_features_in_ == 6


@pytest.mark.parametrize(("given", "why"), [(False, "none were given"), (True, "it could name too few of them")])
def test_copies_in_place_of_unlabelled_samples_and_lost_weights_are_told(
    spectra: tuple[np.ndarray, np.ndarray], given: bool, why: str
) -> None:
    X, y = spectra
    with pytest.warns(UserWarning) as told:
        resampler = Resampler("pseudo")
        resampler.fit_resample(X, y, unlabelled=X + 1 if given else None)
    copied, weighted = (str(warning.message) for warning in told)
    assert (
        copied.startswith("47 of the 47 synthetic samples are exact copies of samples of X: pseudo")
        and why in copied
    )
    assert "a weight of 0.05 beside 1 of real ones, which a pipeline does not pass on" in weighted
    assert all(Path(warning.filename).name == Path(__file__).name for warning in told)


def test_unlabelled_samples_reach_the_generator_only_where_its_card_says_so(
    spectra: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = spectra
    plain = Resampler("noise").fit_resample(X, y)[0]
    more = Resampler("noise").fit_resample(X, y, unlabelled=100 * X)[0]
    # The noise has the scale of all that its view shows: of scope none, nothing without a label.
    assert (more == plain).all()

    given = _SampleScene(
        np.concatenate([X, 100 * X])[:, :, None, None], np.repeat([1, 2], [20, 23]), ("a", "b"), None
    )
    hidden, seen = given.view("none"), given.view("scene")
    assert len(hidden.unlabelled) == 0 and hidden.visible.sum() == 43
    assert (seen.patches(seen.unlabelled)[:, :, 0, 0] == 100 * X).all() and seen.visible.all()
    assert (hidden.real.centres == X).all()


@pytest.mark.parametrize(
    ("X", "y", "part"),
    [
        (np.ones((4, 3, 2, 2)), np.array([1, 1, 2, 2]), "p odd"),
        (np.ones((4, 3, 3)), np.array([1, 1, 2, 2]), "p odd"),
        (np.full((4, 3), np.nan), np.array([1, 1, 2, 2]), "finite"),
        (np.ones((4, 3)), np.array([1, 1, 2]), "one label per sample"),
        (np.ones((4, 3)), np.ones(4), "two classes"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(X: np.ndarray, y: np.ndarray, part: str) -> None:
    with pytest.raises(InputError, match=part):
        Resampler().fit_resample(X, y)


@pytest.mark.parametrize(("y", "lam"), [(["a", "b"] * 10, 1.0), (["a"] * 12 + ["b"] * 8, 0.5)])
def test_where_nothing_is_asked_for_the_data_come_back_unchanged_with_a_warning(
    rng: np.random.Generator, y: list[str], lam: float
) -> None:
    X = rng.normal(size=(20, 6))
    resampler = Resampler(lam=lam)
    with pytest.warns(UserWarning, match="no sample was made: λ = .* asks for none") as caught:
        same_x, same_y = resampler.fit_resample(X, y)

    assert Path(caught[0].filename) == Path(__file__)
    assert (same_x == X).all() and same_x is not X and same_y.tolist() == y
    assert not resampler.synthetic_.any() and (resampler.sample_indices_ == np.arange(20)).all()
    assert resampler.counts_ == {"a": 0, "b": 0} and resampler.generator_ is None


def test_a_scene_is_augmented_as_the_trial_does(
    toy: Scene, make: Callable[..., PixelSynthesis], tmp_path: Path
) -> None:
    samples = augment_scene(toy, "smote", lam=0.5, times=0, seed=1, patch=5, params={"neighbours": 3})
    made = make("smote", lam=0.5, seed=1, overrides={"neighbours": "3"})

    joined = concatenate([made.real, made.synthetic])
    assert (samples.x == joined.x).all() and (samples.synthetic == joined.synthetic).all()
    assert samples.provenance["fit_hash"] == made.spec.fit_hash
    with pytest.raises(InputError, match="Did you mean toy"):
        augment_scene("toyy")


@pytest.mark.parametrize(
    "value",
    [
        np.empty((0, 4)),
        np.ma.masked_array(np.ones((6, 4)), mask=np.eye(6, 4)),
        csr_array(np.ones((6, 4))),
        np.ones((6, 4)) * 1j,
        np.full((6, 4), "a"),
        np.full((6, 4), None),
        np.full((6, 4), 1e300),
        np.zeros((6, 4), "M8[s]"),
        [[1], [1, 2]],
        None,
        object(),
    ],
    ids=range(11),
)
def test_samples_that_are_no_real_numbers_are_one_error(value: Any) -> None:
    y = np.array([0, 0, 0, 0, 1, 1])
    with pytest.raises(InputError, match="X must"):
        Resampler().fit_resample(value, y)
    with pytest.raises(InputError, match="unlabelled"):
        Resampler().fit_resample(np.ones((6, 4)), y, unlabelled=value if value is not None else "none")


@pytest.mark.parametrize(
    "y",
    [
        np.ma.masked_array([0, 0, 0, 0, 1, 1], mask=[1, 0, 0, 0, 0, 0]),
        csr_array([[0, 0, 0, 0, 1, 1]]),
        [0, 0, 0, 0, 1, np.nan],
        [0, 0, 0, "a", "b", None],
        [{}] * 6,
        None,
    ],
    ids=range(6),
)
def test_labels_that_are_none_are_one_error(y: Any) -> None:
    with pytest.raises(InputError, match="y must"):
        Resampler().fit_resample(np.ones((6, 4)), y)


@pytest.mark.parametrize(
    "settings",
    [
        {"generator": 5},
        {"lam": "1"},
        {"lam": float("nan")},
        {"omega": [1]},
        {"seed": -1},
        {"seed": 0.5},
        {"params": [1]},
        {"preset": ["cpu"]},
        {"device": None},
        {"class_names": "ab"},
        {"wavelengths": [400.0, 500.0]},
        {"wavelengths": [400.0, 500.0, 600.0, float("nan")]},
    ],
    ids=str,
)
def test_settings_of_another_kind_are_one_error(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(settings))} must be"):
        Resampler(**settings).fit_resample(np.ones((6, 4)), [0, 0, 0, 0, 1, 1])
