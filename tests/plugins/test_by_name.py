"""Any classifier of scikit-learn and any over-sampler of imbalanced-learn by its name."""

from dataclasses import replace

import imblearn.over_sampling
import numpy as np
import pytest

from hsiaug.api import InputError, Patches, PluginError, derive_seed, load_plugin
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug_builtin.by_name.classifier import SklearnParams
from hsiaug_builtin.by_name.generator import ImblearnParams, build_sampler
from hsiaug_builtin.by_name.lookup import parse_options
from tests.effort import loaded

CLASSIFIERS = (
    *("ensemble.ExtraTreesClassifier", "discriminant_analysis.LinearDiscriminantAnalysis"),
    *(
        "gaussian_process.GaussianProcessClassifier",
        "linear_model.RidgeClassifier",
        "neighbors.NearestCentroid",
    ),
    *("naive_bayes.GaussianNB", "svm.SVC"),
)
SAMPLERS = ("ADASYN", "BorderlineSMOTE", "RandomOverSampler", "SMOTE", "SVMSMOTE", "KMeansSMOTE")
OPTIONS = {"KMeansSMOTE": "cluster_balance_threshold=0.1"}


def spectra(samples):
    return replace(samples, x=samples.centres[:, :, None, None])


def made(kind: str, name: str, **options: str):
    plugin = registry().find(kind, name).load()
    return plugin(build_params(plugin.card, "cpu", options))


def fit(plugin, *given, seed: int = 0):
    return plugin.fit(*given, seed=seed, device="cpu", progress=lambda *_: None)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_learns_is_repeatable_and_names_its_version(view, name: str) -> None:
    import sklearn

    toy = view((20, 9, 6))
    plugin = load_plugin("classifier", f"sklearn:{name}")
    once, again = (fit(plugin, spectra(toy.real), toy) for _ in range(2))
    shown = Patches(spectra(toy.real).x, toy.coords)
    assert (once.predict(shown) == toy.y).mean() > 0.9
    assert np.array_equal(once.predict(shown), again.predict(shown))
    assert once.facts["release"] == sklearn.__version__
    if hasattr(once, "predict_proba"):
        shares = once.predict_proba(shown)
        assert shares.shape == (35, 3) and shares.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_makes_as_many_as_are_asked_for_between_real_patches(view, name: str) -> None:
    toy = view((20, 12, 8), spread=2.0)
    plugin = made("generator", f"imblearn:{name}", options=OPTIONS.get(name, ""))
    samples = fit(plugin, toy).sample({2: 7, 3: 5}, guidance=None, seed=1)
    assert np.bincount(samples.y).tolist() == [0, 0, 7, 5]
    low, high = toy.real.x.min(), toy.real.x.max()
    assert samples.x.min() >= low - (high - low) and samples.x.max() <= high + (high - low)
    assert samples.provenance["class"] == f"imblearn:{name}" and samples.provenance["release"]


def test_a_class_of_one_is_repeated_and_the_record_says_so(view) -> None:
    toy = view((9, 1))
    samples = fit(load_plugin("generator", "imblearn:ADASYN"), toy).sample(
        {2: 3}, guidance=None, seed=0
    )
    assert (samples.x == toy.real.x[toy.y == 2]).all() and samples.provenance["duplicated"] == [2]


@pytest.mark.parametrize(
    "options", ["sampling_strategy=minority", "k_neighbors=2,sampling_strategy=nonsense"]
)
def test_an_option_that_would_be_overridden_is_refused(options: str) -> None:
    with pytest.raises(InputError, match="gets from hsiaug which samples to make"):
        made("generator", "imblearn:SMOTE", options=options)


def test_a_sampler_that_finds_no_place_for_a_sample_is_one_clear_error(view) -> None:
    toy = view((30, 2))
    plugin = made("generator", "imblearn:KMeansSMOTE", options="cluster_balance_threshold=1e9")
    with pytest.raises(
        PluginError, match="imblearn:KMeansSMOTE must be able to make 3 samples of class 2"
    ):
        fit(plugin, toy).sample({2: 3}, guidance=None, seed=0)


def test_a_classifier_that_fails_on_a_class_of_one_pixel_is_one_clear_error(view) -> None:
    toy = view((9, 1))
    plugin = made("classifier", "sklearn:calibration.CalibratedClassifierCV", options="cv=3")
    with pytest.raises(PluginError, match="learn from 10 samples of 2 classes"):
        fit(plugin, spectra(toy.real), toy)


@pytest.mark.parametrize("family", ["filtered", "fused"])
def test_one_without_shares_cannot_be_smoothed_or_pooled(view, family: str) -> None:
    toy = view((20, 9, 6))
    plugin = load_plugin("classifier", f"{family}:sklearn:linear_model.RidgeClassifier")
    with pytest.raises(
        InputError, match=rf"{family}:NAME must name a classifier that gives shares.*predict_proba"
    ):
        fit(plugin, toy.real, toy)


def test_arguments_are_set_and_change_the_result(view) -> None:
    toy = view((20, 9, 6), spread=3.0)
    name = "sklearn:neighbors.KNeighborsClassifier"
    shown = Patches(spectra(toy.real).x, toy.coords)
    one, many = (
        fit(made("classifier", name, options=text), spectra(toy.real), toy)
        for text in ("n_neighbors=1, weights=distance", "n_neighbors=20")
    )
    assert one.facts["options"] == {"n_neighbors": "1", "weights": "distance"}
    assert (one.predict(shown) == toy.y).mean() > (many.predict(shown) == toy.y).mean()


def test_options_are_literals_and_words() -> None:
    text = "n=3, rate=0.5, sizes=(50, 20), name=entropy, none=None"
    assert parse_options(text, "x") == {
        "n": 3,
        "rate": 0.5,
        "sizes": (50, 20),
        "name": "entropy",
        "none": None,
    }
    assert parse_options("", "x") == {}


@pytest.mark.parametrize(
    "text",
    ["3", "n=", "n=f(3)", "n=__import__('os')", "**{'a': 1}", "n=1) or (2", "n=[i for i in x]"],
)
def test_nothing_else_is_read_as_an_option(text: str) -> None:
    with pytest.raises(InputError, match="NAME=VALUE"):
        parse_options(text, "x")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ensemble.ExtraTreeClassifier", "ensemble.ExtraTreesClassifier"),
        ("ExtraTreesClassifier", "ensemble.ExtraTreesClassifier"),
        ("trees.DecisionTreeClassifier", "tree.DecisionTreeClassifier"),
        ("ensemble.RandomForestRegressor", "ensemble.RandomForestClassifier"),
        ("os.path", ""),
        ("ensemble._forest.ForestClassifier", ""),
    ],
)
def test_an_unknown_classifier_is_refused_with_the_nearest_names(name: str, near: str) -> None:
    with pytest.raises(InputError, match="sklearn:NAME must name") as caught:
        SklearnParams(name)
    assert near in str(caught.value)


def test_an_unknown_sampler_or_argument_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(InputError, match="BorderlineSMOTE"):
        ImblearnParams("BorderlineSmote")
    with pytest.raises(InputError, match="n_estimators"):
        SklearnParams("ensemble.ExtraTreesClassifier", "n_estimator=3")


@pytest.mark.parametrize(
    ("name", "options", "part"),
    [
        ("multiclass.OneVsRestClassifier", "", "estimator"),
        ("ensemble.StackingClassifier", "", "estimators"),
        ("ensemble.AdaBoostClassifier", "estimator=LinearSVC", "estimator"),
        ("multiclass.OneVsOneClassifier", "estimator=LinearSVC", "estimator"),
    ],
)
def test_a_classifier_of_other_estimators_is_refused_once(
    name: str, options: str, part: str
) -> None:
    with pytest.raises(InputError, match=rf"without another estimator; found {name} with {part}"):
        SklearnParams(name, options)


@pytest.mark.parametrize("name", ["SMOTEN", "SMOTENC"])
def test_a_sampler_of_categories_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}, whose features are categories"):
        ImblearnParams(name)


OVERSAMPLERS = sorted(set(imblearn.over_sampling.__all__) - {"SMOTEN", "SMOTENC"})


@pytest.mark.parametrize("name", OVERSAMPLERS)
def test_a_sampler_gives_what_imbalanced_learn_gives_of_the_same_rows(view, name: str) -> None:
    """The largest class is filled up to, as imbalanced-learn does by itself, so every sample is one
    of its own.
    """
    toy = view((20, 12, 8), spread=2.0)
    options = OPTIONS.get(name, "")
    fitted = fit(made("generator", f"imblearn:{name}", options=options), toy)
    counts = {2: 8, 3: 12}
    samples = fitted.sample(counts, guidance=None, seed=0)
    flat = np.asarray(toy.real.x.reshape(len(toy.y), -1))
    for c, count in counts.items():
        mine = samples.x[samples.y == c].reshape(count, -1)
        given = {"sampling_strategy": {c: 20}}
        sampler = build_sampler(name, options, given, derive_seed("imblearn", c, 0))
        theirs = sampler.fit_resample(flat, toy.y)[0][len(flat) :]
        if len(theirs):
            assert all(np.isclose(theirs, row, atol=1e-5).all(axis=1).any() for row in mine)


def test_names_import_nothing_outside_the_library() -> None:
    code = (
        "import sklearn.base\nfrom hsiaug_builtin.by_name.lookup import find_class\nfrom"
        " hsiaug_builtin.by_name.classifier import MODULES\nfrom hsiaug.api import InputError\nfor"
        " name in ('antigravity', 'this.that', 'ensemble.this', '..this', 'os.system',"
        " 'base.this'):\n    try: find_class('sklearn', name, MODULES,"
        " sklearn.base.ClassifierMixin)\n    except InputError: pass"
    )
    assert not {"this", "antigravity"} & loaded(code)
