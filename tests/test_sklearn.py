"""Generators as samplers: the checks of imbalanced-learn and scikit-learn, pipelines, and what
comes back.
"""

import numpy as np
import pytest
from imblearn.over_sampling import ADASYN
from imblearn.pipeline import make_pipeline
from imblearn.utils import estimator_checks as of_imblearn
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import estimator_checks as of_sklearn

from hsiaug import augment_scene
from hsiaug.base.errors import InputError
from hsiaug.sklearn import Augmenter

pytestmark = [
    pytest.mark.filterwarnings("ignore:a sample of .* counts"),
    pytest.mark.filterwarnings("ignore:.* also learns from unlabelled pixels"),
]

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
    sampler = Augmenter("smote", times=0, random_state=3)
    more, labels = sampler.fit_resample(x, y)

    assert np.array_equal(more[:40], x) and np.array_equal(labels[:40], y)
    assert labels[40:].tolist() == ["rye"] * 20
    assert sampler.sampling_strategy_ == {"maize": 0, "rye": 20}
    assert np.array_equal(sampler.weights_, np.ones(60))
    # Interpolated within the class.
    assert (more[40:] >= x[30:].min(axis=0) - 1e-6).all() and (
        more[40:] <= x[30:].max(axis=0) + 1e-6
    ).all()


def test_lambda_times_and_hyperparameters_are_those_of_a_benchmark(spectra):
    _, y = Augmenter("noise", lam=0.5, times=2, random_state=0).fit_resample(*spectra)
    assert np.unique(y[40:], return_counts=True)[1].tolist() == [60, 5 + 20]

    noiseless = Augmenter("noise", params={"level": 0}, random_state=0)
    with pytest.warns(UserWarning, match="are copies of real ones"):
        still, _ = noiseless.fit_resample(*spectra)
    assert {tuple(row) for row in still[40:]} <= {
        tuple(row) for row in spectra[0].astype(np.float32)
    }


def test_generators_that_learn_take_spectra_too(spectra):
    more, _ = Augmenter("cvae", times=0, preset="tiny", random_state=0).fit_resample(*spectra)

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
    with pytest.raises(
        ValueError, match="'lam' parameter of Augmenter must be a float in the range"
    ):
        Augmenter(lam=-1).fit_resample(*spectra)


@pytest.mark.parametrize("name", ["smote", "cvae", "wgan", "forest-flow", "imblearn:ADASYN"])
@pytest.mark.parametrize("exponent", [-40, 40])
def test_samples_know_no_unit(spectra, name: str, exponent: int):
    x, y = spectra
    once, again = (
        Augmenter(name, times=0, preset="tiny", random_state=0).fit_resample(
            np.ldexp(x.astype(np.float32), power), y
        )[0][40:]
        for power in (0, exponent)
    )
    assert np.allclose(np.ldexp(again, -exponent), once, rtol=1e-3, atol=1e-3)


def test_band_centres_in_micrometres_are_taken_as_such_with_a_warning(spectra):
    x, y = np.abs(spectra[0]), spectra[1]
    centres = np.linspace(400, 900, 6)
    first, _ = Augmenter("relight", wavelengths=centres, random_state=0).fit_resample(x, y)
    with pytest.warns(UserWarning, match="taken as micrometres"):
        again, _ = Augmenter("relight", wavelengths=centres / 1000, random_state=0).fit_resample(
            x, y
        )
    assert np.allclose(first, again)
    with pytest.raises(ValueError, match="wavelengths must be 6 positive numbers"):
        Augmenter("relight", wavelengths=centres[:5]).fit_resample(x, y)


def test_what_no_spectra_are_is_named(spectra):
    for unit in (1e300, 1e30, 1e-30, 1e-300):
        with pytest.raises(ValueError, match=r"float32 holds; found .*: use another unit"):
            Augmenter("gaussian").fit_resample(spectra[0] * unit, spectra[1])


def test_a_strategy_names_counts_of_each_class(spectra):
    sampler = Augmenter("noise", sampling_strategy={"rye": 25, "maize": 31}, random_state=0)
    _, y = sampler.fit_resample(*spectra)

    assert np.unique(y, return_counts=True)[1].tolist() == [31, 25]
    assert sampler.sampling_strategy_ == {"maize": 1, "rye": 15}
    with pytest.raises(ValueError, match="sampling_strategy"):
        Augmenter("noise", sampling_strategy="minority").fit_resample(*spectra)


@pytest.mark.parametrize("generator", ["noise", "smote", "mixup", "relight", "cvae"])
def test_the_same_request_makes_the_samples_of_a_benchmark(toy, generator):
    asked = {"lam": 0.5, "times": 1.5, "preset": "tiny"}
    theirs = augment_scene(toy, generator, seed=3, patch=1, **asked)
    augmenter = Augmenter(generator, random_state=3, wavelengths=toy.wavelengths, **asked)
    x, y = augmenter.fit_resample(theirs.real.centres, theirs.real.y)
    assert np.array_equal(x[len(theirs.real) :], theirs.synthetic.centres)
    assert np.array_equal(y[len(theirs.real) :], theirs.synthetic.y)
    assert np.array_equal(augmenter.weights_[len(theirs.real) :], theirs.synthetic.weight)


def test_weights_that_no_pipeline_passes_on_are_said(spectra):
    sampler = Augmenter("gaussian", random_state=0)
    with pytest.warns(UserWarning, match="weights_ has them"):
        sampler.fit_resample(*spectra)
    assert (sampler.weights_[:40] == 1).all() and (sampler.weights_[40:] < 1).all()


def test_copies_in_place_of_unlabelled_pixels_are_said(spectra):
    with pytest.warns(UserWarning) as said:
        Augmenter("pseudo", random_state=0).fit_resample(*spectra)
    texts = [str(one.message) for one in said]
    assert any("of pseudo are copies of real ones" in text for text in texts)
    assert any("pseudo also learns from unlabelled pixels" in text for text in texts)


def test_a_pipeline_with_an_augmenter_is_bagged(spectra):
    bagged = BaggingClassifier(
        make_pipeline(Augmenter(), LinearSVC()), n_estimators=2, random_state=0
    )
    assert bagged.fit(*spectra).score(*spectra) > 0.5


@pytest.mark.parametrize("generator", ["txt2hsi", "gaussian", "smote"])
def test_equal_spectra_of_all_classes_give_equal_ones(generator):
    x, y = np.full((22, 6), 0.3), np.repeat([0, 1, 2], [12, 5, 5])
    augmenter = Augmenter(generator, times=0, preset="tiny", random_state=0)
    made, labels = augmenter.fit_resample(x, y)
    assert np.bincount(labels).tolist() == [12, 12, 12]
    assert np.allclose(made, 0.3, atol=0.01)


def test_by_name_it_adds_what_imbalanced_learn_adds(spectra):
    """Of a class of four too, of which ADASYN itself would want six."""
    x, y = make_classification(
        n_samples=1000, n_classes=3, n_informative=4, weights=[0.2, 0.3, 0.5], random_state=0
    )
    counts = np.bincount(
        Augmenter("imblearn:ADASYN", times=0, random_state=0).fit_resample(x, y)[1]
    )
    theirs = np.bincount(ADASYN(random_state=0).fit_resample(x, y)[1])
    assert len(set(counts)) == 1 and np.abs(counts - theirs).max() < 20
    few = np.repeat([0, 1], [30, 4])
    rows = np.random.default_rng(0).normal(size=(34, 4)) + 0.3 * few[:, None]
    assert (
        len(Augmenter("imblearn:ADASYN", times=0, random_state=0).fit_resample(rows, few)[1]) == 60
    )
