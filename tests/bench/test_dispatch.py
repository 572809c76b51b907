"""How groups of trials are given to the workers of an engine."""

import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsiaug.bench.engine import Batch, Event, Group, WorkerSettings
from hsiaug.bench.engines.local import Local
from hsiaug.bench.groups import Costs, divide_work, group_trials
from hsiaug.bench.loops import SceneRun, run_groups
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.bench.worker_process import Message, WorkerLost
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.outcome import TrialOutcome, failed_outcome
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

Answer = Callable[["ToldWorker", TrialSpec], Message]


def failure() -> TrialOutcome:
    """An answer that needs no computation: what fails is recorded too."""
    return failed_outcome("fit_classifier", "ValueError", "as planned")


class ToldWorker:
    """A worker that answers as it is told. ran: the trials that it began."""

    stage = "split"
    runs = True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._left: list[TrialSpec] = []
        self.ran: list[TrialSpec] = []

    def send(self, start: object, trials: Group, blind: object) -> None:
        assert blind is not None and not self._left
        self._left = list(trials)

    def take_outside(self) -> list[Any]:
        return []

    def receive(self) -> Message:
        trial = self._left.pop(0)
        self.ran.append(trial)
        message = self._answer(self, trial)
        if not isinstance(message, TrialOutcome) or message.failed_learning:
            self._left.clear()
        return message

    def end(self) -> None:
        self._left.clear()


class Seats(Executor):
    """An executor with those workers, each of which runs a group in its turn."""

    def __init__(self, *seats: ToldWorker) -> None:
        self._turns = itertools.cycle(seats)
        self.closed = False

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, next(self._turns), **kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.closed = True


@pytest.fixture
def planned(toy: Scene) -> list[TrialSpec]:
    request = read_request(
        generators=["smote"],
        classifiers=["svm"],
        lambdas=[1.0],
        seeds=[0, 1],
        patch=5,
        preset="tiny",
    )
    return list(build_plan(toy, request, registry()).trials)


@pytest.mark.parametrize(
    ("right_number", "said"),
    [(False, "class ids must come back; found 3"), (True, "must lie in 1..5; found 9")],
)
def test_labels_that_no_classifier_may_give_make_a_failed_record(
    planned, toy, tmp_path, right_number, said
):
    record = {
        "status": "ok",
        "error": None,
        "timings": {},
        "cpu_seconds": {},
        "peak_memory_mb": None,
    }

    def wrong(seat: ToldWorker, trial: TrialSpec) -> Message:
        split: Any = get_task("pixels").draws.split(toy, trial.protocol, trial.seed, trial.patch)
        return TrialOutcome(
            record, np.full(split.test.sum() if right_number else 3, 9, dtype=np.int16)
        )

    run(planned, toy, Seats(ToldWorker(wrong)), tmp_path)
    told = [record["error"]["message"] for record in Store(tmp_path).each()]
    assert len(told) == len(planned) and all(said in one for one in told)


def run(
    planned: list[TrialSpec], toy: Scene, seats: Seats, store: Path, deadline: float | None = None
) -> list[Event]:
    events: list[Event] = []
    Store(store, create=True)
    engine = Local(1)
    engine.executor = seats
    batch = batch_of(toy, store, group_trials(planned), deadline)
    try:
        run_groups(engine, [batch], events.append)
    finally:
        engine.cancel()
    assert seats.closed
    return events


def batch_of(toy: Scene, store: Path, groups: list[Group], deadline: float | None = None) -> Batch:
    def split(trial: TrialSpec) -> Any:
        return get_task("pixels").draws.split(toy, trial.protocol, trial.seed, trial.patch)

    settings = WorkerSettings("cpu")
    task = get_task("pixels")
    return Batch(task, toy, "toy", store, settings, groups, split, deadline=deadline)


def ended(events: list[Event]) -> list[str]:
    return sorted(event.hash for event in events if event.kind == "failed")


def test_trials_that_share_a_fit_run_in_one_worker(
    planned: list[TrialSpec], toy: Scene, tmp_path: Path
) -> None:
    first, second = ToldWorker(lambda *_: failure()), ToldWorker(lambda *_: failure())

    events = run(planned, toy, Seats(first, second), tmp_path)

    assert ended(events) == sorted(trial.hash for trial in planned)
    fits = [{trial.fit_hash for trial in seat.ran} for seat in (first, second)]
    assert fits[0] and fits[1] and not fits[0] & fits[1]


def test_a_trial_whose_workers_are_lost_twice_is_recorded_as_failed(planned, toy, tmp_path):
    deadly = planned[0]

    def die(seat: ToldWorker, trial: TrialSpec) -> Message:
        return WorkerLost("left the cluster", "fit_classifier") if trial == deadly else failure()

    events = run(planned, toy, Seats(ToldWorker(die)), tmp_path)

    assert ended(events) == sorted(trial.hash for trial in planned)
    record = Store(tmp_path).sound(deadly.hash)
    assert record is not None
    assert record["error"]["message"] == "the process of this trial left the cluster, 2 times"


def test_a_trial_whose_worker_is_lost_once_is_run_again_with_the_rest_of_its_group(
    swept, toy, tmp_path
):
    lost = iter([swept[1]])

    def die(seat: ToldWorker, trial: TrialSpec) -> Message:
        if trial == swept[1] and next(lost, None):
            return WorkerLost("was killed", "predict")
        return failure()

    seat = ToldWorker(die)
    run(swept, toy, Seats(seat), tmp_path)

    assert seat.ran == [swept[0], swept[1], *swept[1:]]


def test_where_a_generator_cannot_learn_the_rest_of_its_group_fails_alike(swept, toy, tmp_path):
    failed = failed_outcome("fit_generator", "ValueError", "as planned")
    seat = ToldWorker(lambda *_: failed)
    run(swept, toy, Seats(seat), tmp_path)

    said = {r["hash"]: r["error"]["message"] for r in Store(tmp_path).each()}
    assert seat.ran == [swept[0]] and said[swept[0].hash] == "as planned"
    alike = f"as planned (the same fit failed in trial {swept[0].hash})"
    assert {said[trial.hash] for trial in swept[1:]} == {alike}


def test_a_group_whose_fit_failed_in_another_one_is_not_begun(swept, toy, tmp_path):
    failed = failed_outcome("fit_generator", "ValueError", "as planned")
    seat = ToldWorker(lambda *_: failed)
    batch = batch_of(toy, tmp_path, [tuple(swept[:2]), tuple(swept[2:])])
    engine = Local(1)
    engine.executor = Seats(seat)
    run_groups(engine, [batch], lambda event: None)

    assert seat.ran == [swept[0]]
    assert {r["hash"] for r in Store(tmp_path).each()} == {trial.hash for trial in swept}


@pytest.fixture
def swept(toy: Scene) -> list[TrialSpec]:
    """Trials that share the fit of smote."""
    request = read_request(
        generators=["smote"],
        classifiers=["svm", "rf"],
        lambdas=[0.5, 1.0],
        seeds=[0],
        patch=5,
        preset="tiny",
    )
    trials = build_plan(toy, request, registry()).trials
    (group,) = group_trials(trial for trial in trials if trial.generator.name == "smote")
    return list(group)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 9), max_size=6),
    more=st.integers(0, 5),
    fates=st.lists(st.sampled_from(["ok", "ok", "fit", "lost"]), min_size=1, max_size=20),
)
def test_every_trial_is_recorded_once_whatever_happens(sizes, more, fates):
    answers = {
        "ok": failure(),
        "fit": failed_outcome("fit_generator", "ValueError", "as planned"),
        "lost": WorkerLost("was killed", "predict"),
    }
    turn = iter(fates * 200)
    workers = itertools.cycle([ToldWorker(lambda *_: answers[next(turn)]) for _ in range(1 + more)])
    groups = [
        tuple(
            SimpleNamespace(hash=f"{i}-{j}", fit_hash=str(i // 2), third_party_parts=frozenset())
            for j in range(size)
        )
        for i, size in enumerate(sizes)
    ]
    batch: Any = SimpleNamespace(split=lambda _: SimpleNamespace(blind=()), deadline=None)
    written: list[str] = []

    def write(trial: Any, outcome: TrialOutcome) -> Record:
        written.append(trial.hash)
        return outcome.record

    scene: Any = SceneRun(batch, None, write)  # type: ignore[arg-type]
    for group in groups:
        scene.run(group, lambda event: None, next(workers))
    assert Counter(written) == Counter(trial.hash for group in groups for trial in group)


def test_late_work_is_not_begun(planned: list[TrialSpec], toy: Scene, tmp_path: Path) -> None:
    seat = ToldWorker(lambda *_: failure())

    assert not run(planned, toy, Seats(seat), tmp_path, deadline=0.0) and not seat.ran


def test_no_split_of_a_plan_is_drawn_again_for_its_trials(toy, tmp_path, monkeypatch):
    request = read_request(
        generators=["none"], classifiers=["svm"], lambdas=[1.0], seeds=range(3), patch=5
    )
    plan = build_plan(toy, request, registry())

    def again(*_: Any) -> Any:
        raise AssertionError("drawn again")

    monkeypatch.setattr(get_task("pixels").draws, "split", again)
    waiting = {trial.hash: trial for trial in plan.trials}
    Store(tmp_path, create=True)
    costs = Costs(plan)
    (batch,) = divide_work([plan], plan.trials, tmp_path, WorkerSettings("cpu"), costs, 1)
    engine = Local(1)
    engine.executor = Seats(ToldWorker(lambda *_: failure()))
    run_groups(engine, [batch], lambda event: None)

    assert {batch.split(trial).seed for trial in plan.trials} == {0, 1, 2}
    assert {r["hash"] for r in Store(tmp_path).each()} == waiting.keys()
