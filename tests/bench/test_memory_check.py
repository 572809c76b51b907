"""Samples are counted before they are made: what no memory holds is refused at once."""

import pytest

from hsiaug.base.errors import InputError
from hsiaug.bench import sample_memory as memory_check
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry


def part_of(toy: Scene, *lambdas: float) -> Plan:
    request = read_request(
        lambdas=lambdas, seeds=[0], generators=["smote"], classifiers=["svm"], patch=5
    )
    return build_plan(toy, request, registry())


def test_more_samples_than_memory_are_refused(toy: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    part = part_of(toy, 1.0, 100.0)
    monkeypatch.setattr(memory_check, "physical_memory", lambda: 20_000_000)

    with pytest.raises(InputError, match=r"`lambdas` .* GB"):
        memory_check.check_memory([part], part.trials)
    memory_check.check_memory([part], [trial for trial in part.trials if trial.rate.lam <= 1])


def test_a_system_that_does_not_tell_its_memory_is_not_asked_twice(toy, monkeypatch):
    monkeypatch.setattr(memory_check, "physical_memory", lambda: None)
    memory_check.check_samples(toy, 10**12, 9)
