"""Generators as samplers: the checks of imbalanced-learn and scikit-learn, pipelines, and what comes back."""

import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from imblearn.utils import estimator_checks as of_imblearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.utils import estimator_checks as of_sklearn

from hsiaug.base.errors import InputError
from hsiaug.sklearn import Augmenter

CHECKS = [
    *of_imblearn.estimator_checks_generator(Augmenter(random_state=0)),
    *of_sklearn.estimator_checks_generator(Augmenter(random_state=0)),
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_it_passes_the_checks_of_estimators(estimator, check):
    check(estimator)


@pytest.fixture
def spectra() -> tuple[np.ndarray, np.ndarray]:
    """(40, 6) spectra, 30 of maize and 10 of rye."""
    rng = np.random.default_rng(0)
    y = np.repeat(["maize", "rye"], [30, 10])
    return rng.normal(size=(40, 6)) + (y == "rye")[:, None], y


def test_real_samples_come_first_as_they_were_and_classes_end_equal(spectra):
    x, y = spectra
    sampler = Augmenter("smote", random_state=3)
    more, labels = sampler.fit_resample(x, y)

    assert np.array_equal(more[:40], x) and np.array_equal(labels[:40], y)
    assert labels[40:].tolist() == ["rye"] * 20
    assert sampler.sampling_strategy_ == {"maize": 0, "rye": 20}
    assert np.array_equal(sampler.weights_, np.ones(60))
    # Interpolated within the class.
    assert (more[40:] >= x[30:].min(axis=0) - 1e-6).all() and (more[40:] <= x[30:].max(axis=0) + 1e-6).all()


def test_equal_seeds_give_equal_samples(spectra):
    first, again, other = (Augmenter("noise", random_state=seed).fit_resample(*spectra)[0] for seed in (1, 1, 2))

    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_lambda_times_and_hyperparameters_are_those_of_a_benchmark(spectra):
    _, y = Augmenter("noise", lam=0.5, times=2, random_state=0).fit_resample(*spectra)
    assert np.unique(y[40:], return_counts=True)[1].tolist() == [60, 5 + 20]

    still, _ = Augmenter("noise", params={"level": 0}, random_state=0).fit_resample(*spectra)
    assert {tuple(row) for row in still[40:]} <= {tuple(row) for row in spectra[0].astype(np.float32)}


def test_generators_that_learn_take_spectra_too(spectra):
    more, _ = Augmenter("cvae", preset="tiny", random_state=0).fit_resample(*spectra)

    assert more.shape == (60, 6) and np.isfinite(more).all()


def test_it_works_in_a_pipeline_and_a_search(spectra):
    pipeline = make_pipeline(Augmenter("smote", random_state=0), SVC())
    search = GridSearchCV(clone(pipeline), {"augmenter__lam": [0, 1]}, cv=2).fit(*spectra)

    assert set(search.predict(spectra[0])) <= {"maize", "rye"}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_what_is_wrong_is_said(spectra):
    with pytest.raises(InputError, match=r"smoat.*Did you mean smote"):
        Augmenter("smoat").fit_resample(*spectra)
    with pytest.raises(InputError, match=r"noise\.levl.*Did you mean level"):
        Augmenter("noise", params={"levl": 1}).fit_resample(*spectra)
    with pytest.raises(ValueError, match="'lam' parameter of Augmenter must be a float in the range"):
        Augmenter(lam=-1).fit_resample(*spectra)
