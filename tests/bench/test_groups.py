"""The groups of a run, and the order in which they are begun."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from hsiaug.bench.engine import Group, WorkerSettings
from hsiaug.bench.groups import Costs, divide_work, group_trials
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.trial.spec import TrialSpec


@pytest.fixture(scope="module")
def plan(toy: Scene) -> Plan:
    """Of four draws: smote at two λ, with two classifiers, and all controls."""
    return planned(toy)


def planned(toy: Scene, **asked: Any) -> Plan:
    usual = {
        "generators": ["smote"],
        "classifiers": ["svm", "rf"],
        "lambdas": [0.5, 1.0],
        "seeds": 4,
        "protocol": "kshot:5",
        "patch": 5,
        "preset": "tiny",
    }
    return build_plan(toy, read_request(**{**usual, **asked}), registry())


class Timed(Costs):
    """A fit of a generator takes so many seconds, every trial one."""

    def __init__(self, plan: Plan, fits: dict[str, float]) -> None:
        super().__init__(plan)
        self.fits = fits

    def of_fit(self, trial: TrialSpec) -> float:
        return self.fits.get(trial.generator.name, 0.1) if trial.rate else 0.0

    def beyond_fit(self, trials: Iterable[TrialSpec]) -> float:
        return float(len(list(trials)))


def groups_of(
    plan: Plan, *, jobs: int = 1, deadline: float | None = None, **fits: float
) -> list[Group]:
    (batch,) = divide_work(
        [plan], plan.trials, Path(), WorkerSettings("cpu"), Timed(plan, fits), jobs, deadline
    )
    assert sorted(t.hash for t in batch.trials) == sorted(t.hash for t in plan.trials)
    return list(batch.groups)


def seeds(groups: list[Group]) -> list[int]:
    return [group[0].seed for group in groups]


def names(groups: list[Group]) -> list[str]:
    return [group[0].generator.name for group in groups]


def test_trials_of_a_group_share_a_fit_and_those_of_an_omega_follow_each_other(
    plan: Plan,
) -> None:
    smote = [replace(t, omega=w) for w in (0.0, 1.0) for t in plan.trials if t.rate]
    for group in group_trials(smote, whole=["rf"]):
        assert len({(t.fit_hash, t.generator.hash) for t in group}) == 1
        of_omegas = [omega for omega, _ in groupby(group, lambda t: t.omega)]
        assert of_omegas == [0.0, 1.0]
        for _, same in groupby(group, lambda t: t.omega):
            reads_parts = [t.classifier.name != "rf" for t in same]
            assert reads_parts == sorted(reads_parts), "what is drawn whole serves the others"


def test_what_sampling_alone_reads_parts_a_group(spec: Callable[..., TrialSpec]) -> None:
    first = spec("pseudo")
    params = replace(first.generator.params, weight=0.6)
    second = replace(first, generator=replace(first.generator, params=params))
    assert first.fit_hash == second.fit_hash
    assert group_trials([first, second]) == [(first,), (second,)]


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_two_draws_run_before_all_others_which_follow_one_after_the_other(
    plan: Plan, jobs: int
) -> None:
    ordered = seeds(groups_of(plan, jobs=jobs))
    assert set(ordered[: len(ordered) // 2]) == {0, 1}
    assert ordered[len(ordered) // 2 :] == sorted(ordered[len(ordered) // 2 :])
    if jobs == 1:
        assert ordered == sorted(ordered)


def test_of_what_is_begun_together_the_costliest_is_first(plan: Plan) -> None:
    ordered = groups_of(plan, jobs=2, smote=99.0)
    assert names(ordered)[:2] == ["smote", "smote"] and set(seeds(ordered)[:2]) == {0, 1}


def test_with_a_deadline_what_takes_longest_is_begun_before_all_others(plan: Plan) -> None:
    assert names(groups_of(plan, jobs=2, deadline=1e12, smote=99.0))[:4] == ["smote"] * 4
    assert seeds(groups_of(plan, deadline=1e12)) == sorted(seeds(groups_of(plan)))


def test_a_group_that_waits_for_what_another_prepares_comes_after_those_that_do_not(
    toy: Scene,
) -> None:
    plan = planned(toy, generators=["txt2hsi", "smote"], seeds=2)
    preparing = {name for (_, name), card in plan.cards.items() if card.prepares}
    ordered = names(groups_of(plan, jobs=2))

    assert ordered.count("txt2hsi") == 2 and "txt2hsi" in preparing
    second = ordered.index("txt2hsi", ordered.index("txt2hsi") + 1)
    assert set(ordered[second:]) <= preparing


def test_where_there_are_fewer_groups_than_processes_the_longest_are_divided(
    toy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(toy, seeds=1, lambdas=[0.25 * i for i in range(1, 25)])
    whole, parts = groups_of(plan, jobs=2), groups_of(plan, jobs=5)
    assert names(whole).count("smote") == 1 and names(parts).count("smote") > 1
    assert len(parts) <= 5
    short = planned(toy, seeds=1)
    assert len(groups_of(short, jobs=5)) == len(groups_of(short)), "seconds are not worth it"
