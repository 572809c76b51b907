"""Ceilings read test labels: their trials say so, get what they need for one trial alone, and stand apart in reports."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench.plan import Request, build_plan
from hsiaug.data import toy_scene
from hsiaug.protocol.balance import Rate, synthetic_counts
from hsiaug.protocol.split import draw_split
from hsiaug.registry.lookup import registry
from hsiaug.report import build_report, render_report, report_json
from hsiaug.report.views import pages
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.ceilings import CEILINGS, _Moments, _Patches, _Truth, equip, made
from hsiaug.trial.run import compute, finish
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

TOY = toy_scene()


def planned(
    lam: float = 1.0, wrong: str = "0", ceilings: tuple[str, ...] = ("labels", "moments")
) -> list[TrialSpec]:
    settings = {"true-labels": {"wrong": wrong}} if "labels" in ceilings else {}
    request = Request(
        lambdas=[lam],
        times=[0.0],
        seeds=[0],
        generators=["none"],
        classifiers=["svm"],
        views=["raw"],
        patch=5,
        overrides=settings,
        ceilings=ceilings,
    )
    return list(build_plan(TOY, request, registry()).trials)


def of(name: str, **asked: object) -> TrialSpec:
    return next(trial for trial in planned(**asked) if trial.generator.name == name)  # type: ignore[arg-type]


def test_other_trials_keep_their_hashes_and_a_ceiling_says_what_it_is() -> None:
    plain, more = planned(ceilings=()), planned()
    assert {trial.hash for trial in plain} == {trial.hash for trial in more if not trial.diagnosis}
    assert all("diagnosis" not in trial.as_json() for trial in plain)
    assert {t.generator.name for t in more if t.as_json().get("diagnosis")} == set(CEILINGS)


def test_each_family_runs_alone_and_an_unknown_one_is_refused() -> None:
    assert {t.generator.name for t in planned(ceilings=("labels",)) if t.diagnosis} == {
        "true-labels",
        "true-names",
    }
    assert "true-labels" not in {t.generator.name for t in planned(wrong="", ceilings=("moments",))}
    with pytest.raises(InputError, match="labels, moments"):
        planned(ceilings=("moment",))


@pytest.mark.parametrize("wrong", [0.0, 0.3])
def test_true_labels_are_of_pixels_that_are_not_trained_on_and_so_many_are_wrong(wrong: float) -> None:
    spec = of("true-labels", lam=4.0, wrong=str(wrong))
    split = draw_split(TOY, spec.protocol, 0, 5)
    given = equip(spec, TOY, split).given
    assert isinstance(given, _Patches)

    at = tuple(given.coords.T)
    assert not split.train[at].any() and (TOY.labels[at] > 0).all()
    counts = dict(enumerate(np.bincount(TOY.labels[split.train])[1:].tolist(), start=1))
    assert dict(zip(*np.unique(given.y, return_counts=True), strict=True)) == synthetic_counts(counts, Rate(4.0))
    assert np.mean(TOY.labels[at] != given.y) == pytest.approx(wrong, abs=0.1 if wrong else 0)


def test_a_smaller_lambda_takes_the_first_of_a_larger_one() -> None:
    split = draw_split(TOY, of("true-labels").protocol, 0, 5)
    few, many = (equip(of("true-labels", lam=lam, wrong="0.3"), TOY, split).given for lam in (2.0, 3.0))
    for c in TOY.class_ids:
        first, all_ = (given.coords[given.y == c] for given in (few, many))
        assert (all_[: len(first)] == first).all()


def test_true_names_are_test_pixels_that_were_named_rightly() -> None:
    spec = of("true-names")
    split = draw_split(TOY, spec.protocol, 0, 5)
    truth = TOY.labels[split.test]
    names = np.where(np.arange(len(truth)) % 2, truth, truth % len(TOY.class_names) + 1).astype(np.int16)
    names[truth == 2] = 1
    samples = made(equip(spec, TOY, split), TOY.unlabelled, {1: 3, 2: 2}, split.blind, names)

    def spectra(where: np.ndarray) -> set[bytes]:
        return {spectrum.tobytes() for spectrum in TOY.cube[tuple(where.T)]}

    named = np.argwhere(split.test)[(truth == 1) & (names == 1)]
    trained = np.argwhere(split.train & (TOY.labels == 2))
    found = [spectrum.tobytes() for spectrum in samples.centres]
    assert samples.y.tolist() == [1, 1, 1, 2, 2]
    assert len(set(found[:3])) == 3 and set(found[:3]) <= spectra(named)
    assert set(found[3:]) <= spectra(trained), "of a class that is never named rightly"


@pytest.mark.parametrize(
    ("name", "mean_of", "covariance_of"),
    [
        ("true-moments", "all", "all"),
        ("true-mean", "all", "training"),
        ("true-covariance", "training", "all"),
        ("pooled-covariance", "training", "every class"),
    ],
)
def test_gaussians_have_the_mean_and_the_covariance_of_the_pixels_that_they_are_named_after(
    name: str, mean_of: str, covariance_of: str
) -> None:
    spec = of(name)
    split = draw_split(TOY, spec.protocol, 0, 5)
    samples = made(equip(spec, TOY, split), TOY.unlabelled, {1: 20000})
    own = {"all": TOY.cube[TOY.labels == 1], "training": TOY.cube[(TOY.labels == 1) & split.train]}
    trained = np.unique(split.labels[split.train])
    classes = [TOY.cube[TOY.labels == c] for c in trained]
    rest = np.concatenate([x - x.mean(axis=0) for x in classes])
    covariances = {key: np.cov(x.T) for key, x in own.items()}
    covariances["every class"] = rest.T @ rest / (len(rest) - len(classes))
    scale = own["all"].std()
    assert np.allclose(samples.centres.mean(axis=0), own[mean_of].mean(axis=0), atol=0.05 * scale)
    assert np.allclose(np.cov(samples.centres.T), covariances[covariance_of], atol=0.05 * scale**2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of a benchmark with ceilings, computed on a scene and splits without labels."""
    folder, task = tmp_path_factory.mktemp("ceilings"), get_task("pixels")
    kept, blind = Store(folder, create=True), Workbench(TOY.unlabelled, task)
    for trial in planned():
        split = draw_split(TOY, trial.protocol, trial.seed, trial.patch)
        blind.give(trial, split.blind)
        ready = equip(trial, TOY, split) if trial.diagnosis else trial
        outcome = compute(ready, blind, registry(), device="cpu", progress=lambda *_: None)
        del ready
        gc.collect()
        assert not [o for o in gc.get_objects() if type(o) in (_Patches, _Moments, _Truth)], (
            "the worker kept test labels"
        )
        kept.put(*finish(trial, outcome, task, TOY, split, scene_ref="toy", command=""))
    return folder


def test_reports_hold_them_apart(store: Path) -> None:
    read = Store(store).read()
    assert not read.damaged and sum(bool(r.get("diagnosis")) for r in read.records) == len(CEILINGS)
    assert all(r["status"] == "ok" for r in read.records)
    report, without = (
        build_report([r for r in read.records if keep or not r.get("diagnosis")]) for keep in (True, False)
    )

    (whole,), (plain,) = report_json(report)["tables"], report_json(without)["tables"]
    assert {cell["generator"]["name"] for cell in whole.pop("diagnosis")} == set(CEILINGS)
    assert whole == plain
    assert pages(report, "generator")[0].verdict == pages(without, "generator")[0].verdict
    assert "Diagnosis, reads test labels" in render_report(report)


def test_what_needs_labels_is_not_made_without_them_nor_for_masks() -> None:
    with pytest.raises(InputError, match="was not given"):
        made(of("true-moments"), TOY.unlabelled, {1: 2})
    with pytest.raises(InputError, match="single pixels"):
        pairs = get_task("segmentation").load("toy")
        build_plan(pairs, Request(lambdas=[1.0], seeds=[0], task="segmentation", ceilings=["labels"]), registry())
