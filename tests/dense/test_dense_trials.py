"""Dense tasks through the one runner: trials, controls, λ, scores, and a generator of masks in
pixel classification.
"""

from typing import Any

import numpy as np
import pytest

from hsiaug.api import DenseSamples, Entry, PairCounts
from hsiaug.base.errors import InputError, PluginError
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.metrics.accuracy import dense_score
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Found, Registry
from hsiaug.tasks import sampling
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.trial_run import SceneContext
from tests.dense.masks import Threshold, world

pytestmark = pytest.mark.usefixtures("few_rounds")


def quiet(*_: Any) -> None:
    """A progress that nobody watches."""


@pytest.fixture
def masks(plugins: Registry) -> Registry:
    """Built-ins and dummies, and throw-away plugins for masks."""
    own = (
        ("generator", "mirror", "Mirror"),
        ("classifier", "threshold", "Threshold"),
        ("classifier", "majority", "Majority"),
    )
    found = {
        (kind, name): Found(
            Entry(kind, name, f"tests.dense.masks:{cls}", control=name == "majority"), "tests", "0"
        )
        for kind, name, cls in own
    }
    return Registry({**plugins.plugins, **found})


def plan_of(data: PairSet | Scene, masks: Registry, task: str, **asked: Any) -> Plan:
    usual = {
        "generators": ["mirror"],
        "classifiers": ["threshold"],
        "lambdas": [1.0],
        "seeds": [0],
        "patch": 16,
    }
    return build_plan(data, read_request(task=task, **{**usual, **asked}), masks)


def records_of(
    data: Any, masks: Registry, plan: Plan, task: str
) -> dict[tuple[str, str, float], Any]:
    context = SceneContext(data, get_task(task))
    Threshold.seen.clear()
    found = {}
    for trial in plan.trials:
        record, prediction = run_trial(trial, context, masks, device="cpu", progress=quiet)
        assert record["status"] == "ok", record["error"]
        found[trial.generator.name, trial.classifier.name, trial.rate.lam] = record, prediction
    return found


@pytest.mark.parametrize(("task", "dates"), [("segmentation", 1), ("change", 2)])
def test_a_benchmark_of_masks_runs_with_its_controls(
    masks: Registry, task: str, dates: int
) -> None:
    data = world(dates)
    plan = plan_of(data, masks, task, lambdas=[0.5, 2.0])
    arms = {(t.generator.name, t.rate.lam, t.classifier.name) for t in plan.trials}
    assert {
        ("none", 0.0, "majority"),
        ("duplicate", 2.0, "threshold"),
        ("mirror", 0.5, "threshold"),
    } <= arms
    assert ("duplicate-balanced", 2.0, "threshold") in arms
    assert plan.controls("mirror") == ("none", "duplicate", "duplicate-balanced")
    assert plan.trials[0].protocol.label == "places"  # the usual one of data that name their sides

    records = records_of(data, masks, plan, task)
    perfect, prediction = records["mirror", "threshold", 2.0]
    assert perfect["metrics"]["miou"] == perfect["metrics"]["oa"] == 1
    assert perfect["audit"]["centre_overlap_percent"] == 0
    real, made = (np.array(perfect["samples"][side]) for side in ("real", "synthetic"))
    assert made.sum() == pytest.approx(2 * real.sum(), rel=0.2)
    measured = perfect["provenance"]["measured"]
    assert perfect["provenance"]["made"] == "mirror" and {"mask_edges", "within_1"} <= set(measured)
    assert ("change" in measured) == (dates == 2)
    # Mirrored tiles are made of nothing but pieces of training tiles.
    assert measured["pieces_5"] > 0.9 and measured["pieces_9"] > 0.9
    # Every labelled pixel of the test place once, and no other.
    assert len(prediction[0]) == 39 * 48 and prediction[0].min() >= data.offsets[2] + 48
    none = records["none", "majority", 0.0][0]["metrics"]
    assert none["miou"] < 0.5 and none["worst_recall"] == 0


def test_samples_are_measured_once_for_all_classifiers_that_learn_from_them(
    masks: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    measure = sampling.measure_pairs

    def counting(real: Any, made: Any, held_out: Any) -> Any:
        counted.append(len(made))
        return measure(real, made, held_out)

    monkeypatch.setattr(sampling, "measure_pairs", counting)
    data = world(1)
    plan = plan_of(data, masks, "segmentation", classifiers=["threshold", "majority"])
    records = records_of(data, masks, plan, "segmentation")
    one, two = (records["mirror", name, 1.0][0]["provenance"] for name in ("threshold", "majority"))
    assert one["measured"] == two["measured"]
    assert len(counted) == len(
        {trial.samples_hash for trial in plan.trials if trial.rate.lam or trial.rate.times}
    )


@pytest.mark.parametrize(("task", "dates"), [("segmentation", 1), ("change", 2)])
def test_masks_are_learnt_from_a_spectral_view(masks: Registry, task: str, dates: int) -> None:
    data = world(dates)
    plan = plan_of(data, masks, task, views=["raw+unit"])
    assert {t.view for t in plan.trials if t.classifier.name == "majority"} == {"raw"}

    records = records_of(data, masks, plan, task)
    shown = Threshold.seen[-1]
    assert shown.images.shape[2] == 2 * data.bands
    norms = np.linalg.norm(shown.images[:, :, data.bands :], axis=2)
    assert norms[norms > 0] == pytest.approx(1, abs=1e-5)
    # The first band of this view is the raw one, which is all that the plugin reads.
    assert records["mirror", "threshold", 1.0][0]["metrics"]["miou"] == 1


def test_which_view_suits_masks_is_not_chosen(masks: Registry) -> None:
    with pytest.raises(InputError, match="Views of masks are not chosen"):
        plan_of(world(1), masks, "segmentation", views=["auto"])


def test_a_lambda_that_asks_for_less_than_half_a_pair_makes_nothing(
    masks: Registry, toy: Scene
) -> None:
    """λ is pairs for each real one here: it makes none where that rounds to none, whatever the
    classes.
    """
    pairs = get_task("segmentation").data.load("toy")
    plan = plan_of(
        pairs, masks, "segmentation", lambdas=[0.001, 1.0], protocol=parse_protocol("blocks:24")
    )
    real = len(next(iter(plan.splits.values())).train)

    assert {plan.samples[t.hash] for t in plan.trials} == {(real, 0), (real, real)}
    assert plan.nothing == {t.hash for t in plan.trials if t.rate.lam == 0.001}
    assert any("λ = 0.001 makes no synthetic sample" in note for note in plan.notes)


def test_more_pairs_begin_with_the_same_pairs(masks: Registry) -> None:
    data = world(1)
    records_of(
        data, masks, plan_of(data, masks, "segmentation", lambdas=[0.25, 1.0]), "segmentation"
    )
    few, many = (s for s in Threshold.seen if s.provenance.get("made") == "mirror")
    n = int(few.synthetic.sum())
    assert n == round(0.25 * (~few.synthetic).sum())
    np.testing.assert_array_equal(few.images[few.synthetic], many.images[many.synthetic][:n])


def test_what_a_generator_of_masks_makes_is_checked() -> None:
    data, task = world(1), get_task("segmentation")
    view = task.draws.view(data, task.draws.split(data, parse_protocol("places"), 0, 16), "none")
    real = view.real.take(np.arange(4))
    good = DenseSamples.made(real.images, real.masks)
    task.sampling.check(good, PairCounts(4), view)
    bad = DenseSamples.made(good.images[..., :8, :8], good.masks[..., :8, :8])
    for samples, asked, message in (
        (good, 5, "exactly the pairs"),
        (bad, 4, "tiles of shape"),
        (DenseSamples.made(good.images * np.nan, good.masks), 4, "finite"),
        (DenseSamples.made(good.images, good.masks + 2), 4, "ids 0..2"),
    ):
        with pytest.raises(PluginError, match=message):
            task.sampling.check(samples, PairCounts(asked), view)


def test_iou_and_f1_are_those_of_the_textbook() -> None:
    matrix = np.array([[50, 10, 0], [5, 30, 0], [0, 0, 0]])
    scores = dense_score(matrix, change=False)
    assert scores["iou"] == [pytest.approx(50 / 65), pytest.approx(30 / 45), None]
    assert scores["f1"] == [pytest.approx(100 / 115), pytest.approx(60 / 75), None]
    assert scores["miou"] == pytest.approx((50 / 65 + 30 / 45) / 2)
    change = dense_score(matrix[:2, :2], change=True)
    assert change["f1_change"] == pytest.approx(60 / 75) and change[
        "precision_change"
    ] == pytest.approx(30 / 40)
    assert dense_score(np.array([[9, 0], [1, 0]]), change=True)["precision_change"] is None


def test_a_plugin_of_another_task_is_refused(masks: Registry) -> None:
    with pytest.raises(InputError, match="must serve the task change"):
        plan_of(world(2), masks, "change", generators=["smote"])
    with pytest.raises(
        InputError, match="classifier of this benchmark must serve the task segmentation"
    ):
        plan_of(world(1), masks, "segmentation", classifiers=["svm"])
