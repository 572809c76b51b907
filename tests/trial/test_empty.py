"""Trials whose λ asks for nothing: told apart, recorded without a fit, and known to the plan
beforehand.
"""

import json

import pytest

from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.outcome import empty_records


@pytest.mark.parametrize("lam", [0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("protocol", ["issd", "kshot:5"])
def test_a_split_tells_what_a_view_would_be_asked_for(
    toy: Scene, protocol: str, lam: float
) -> None:
    task = get_task("pixels")
    split = task.draws.split(toy, parse_protocol(protocol), 0, 5)
    view = task.draws.view(toy, split, "none")

    assert task.sampling.sizes(split, Rate(lam)) == (
        len(view.y),
        sum(block.total for block in task.sampling.blocks(view, Rate(lam))),
    )


@pytest.mark.parametrize("lam", [0.001, 0.25, 1.0, 3.0])
def test_pairs_are_told_from_a_split_too(toy: Scene, lam: float) -> None:
    task = get_task("segmentation")
    pairs = task.data.load("toy")
    split = task.draws.split(pairs, parse_protocol("blocks:24"), 0, 16)
    view = task.draws.view(pairs, split, "none")

    assert task.sampling.sizes(split, Rate(lam)) == (
        len(view.real),
        sum(block.total for block in task.sampling.blocks(view, Rate(lam))),
    )


def test_an_empty_record_holds_the_draw_and_its_real_samples_and_no_number(
    toy: Scene, plugins: Registry
) -> None:
    request = read_request(
        lambdas=[1.0], seeds=[0], protocol=parse_protocol("kshot:5"), classifiers=["svm"], patch=5
    )
    plan = build_plan(toy, request, plugins)
    trial = next(t for t in plan.trials if t.generator.name == "smote")
    (split,) = plan.splits.values()
    (found,) = empty_records([trial], plan.task, toy, split, "toy")

    assert (found["status"], found["metrics"], found["error"]) == ("empty", None, None)
    assert found["predictions_sha256"] is None and found["timings"] == {}
    # Nobody learned from anything: there is nothing to warn of.
    assert found["scope"] is None and found["transductive"] is None
    assert found["samples"] == {"real": [5] * 5, "synthetic": [0] * 5}
    assert found["audit"]["sha256"] == split.audit.sha256
    assert json.loads(json.dumps(found, allow_nan=False)) == found
