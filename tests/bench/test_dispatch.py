"""How groups of trials are given to the workers of an engine."""

import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.bench.engine import Batch, Event, Job, Message, TrialEnded, WorkerLost
from hsiaug.bench.engines.local import Local
from hsiaug.bench.plan import build_plan
from hsiaug.bench.request import read_request
from hsiaug.bench.scored_records import IDLE_SPLITS, ScoredRecords
from hsiaug.bench.worker import WorkerStart
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.run import TrialOutcome, failed_outcome
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store

Answer = Callable[["ToldWorker", TrialSpec], Message]


def failure() -> TrialEnded:
    """An answer that needs no computation: what fails is recorded too."""
    return TrialEnded(failed_outcome("fit_classifier", "ValueError", "as planned"))


class ToldWorker:
    """A worker that answers as it is told. ran: the trials that it was sent."""

    stage = "split"

    def __init__(self, answer: Answer) -> None:
        self.busy, self._answer = False, answer
        self.ran: list[TrialSpec] = []

    def send(self, trial: TrialSpec, blind: object) -> None:
        assert blind is not None
        self.busy = True
        self.ran.append(trial)

    def answer(self) -> Message:
        self.busy = False
        return self._answer(self, self.ran[-1])

    def end(self) -> None:
        self.busy = False


class Seats:
    """A pool with those workers."""

    def __init__(self, *seats: ToldWorker) -> None:
        self.there, self.closed = list(seats), False

    def workers(self) -> list[ToldWorker]:
        return list(self.there)

    def wait(self) -> list[tuple[ToldWorker, Message]]:
        return [(seat, seat.answer()) for seat in self.there if seat.busy]

    def close(self) -> None:
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
    result = {
        "status": "ok",
        "error": None,
        "timings": {},
        "cpu_seconds": {},
        "peak_memory_mb": None,
    }

    def wrong(seat: ToldWorker, trial: TrialSpec) -> Message:
        split: Any = get_task("pixels").draws.split(toy, trial.protocol, trial.seed, trial.patch)
        return TrialEnded(
            TrialOutcome(
                result, np.full(split.test.sum() if right_number else 3, 9, dtype=np.int16)
            )
        )

    run(planned, toy, Seats(ToldWorker(wrong)), tmp_path)
    told = [record["error"]["message"] for record in Store(tmp_path).records()]
    assert len(told) == len(planned) and all(said in one for one in told)


class Given(Local):
    """The engine of a pool."""

    def __init__(self, pool: Seats) -> None:
        super().__init__(1)
        self._given = pool

    def pool(self, start: WorkerStart) -> Any:
        return self._given


def run(
    planned: list[TrialSpec], toy: Scene, engine: Seats, store: Path, deadline: float | None = None
) -> list[Event]:
    events: list[Event] = []
    Store(store, create=True)
    given = Given(engine)
    given.submit([Batch(toy, Job("pixels", "toy", store, "cpu"), planned, {}, {}, deadline)])
    try:
        given.wait(events.append)
    finally:
        given.cancel()
    assert engine.closed
    return events


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


def test_while_one_worker_prepares_a_generator_the_others_run_what_need_not_wait(
    toy: Scene, tmp_path: Path
) -> None:
    request = read_request(
        generators=["txt2hsi", "smote"],
        classifiers=["svm"],
        lambdas=[1.0],
        seeds=[0, 1],
        patch=5,
        preset="tiny",
    )
    trials = sorted(
        build_plan(toy, request, registry()).trials,
        key=lambda trial: trial.generator.name != "txt2hsi",
    )
    seats = ToldWorker(lambda *_: failure()), ToldWorker(lambda *_: failure())
    run(trials, toy, Seats(*seats), tmp_path)
    assert seats[0].ran[0].generator.name == "txt2hsi" != seats[1].ran[0].generator.name
    assert {trial.hash for seat in seats for trial in seat.ran} == {trial.hash for trial in trials}


def test_a_trial_whose_workers_are_lost_twice_is_recorded_as_failed(planned, toy, tmp_path):
    deadly = planned[0]

    def die(seat: ToldWorker, trial: TrialSpec) -> Message:
        return WorkerLost("left the cluster", "fit_classifier") if trial == deadly else failure()

    events = run(planned, toy, Seats(ToldWorker(die)), tmp_path)

    assert ended(events) == sorted(trial.hash for trial in planned)
    record = Store(tmp_path).sound(deadly.hash)
    assert record is not None
    assert record["error"]["message"] == "the process of this trial left the cluster, 2 times"


def test_late_work_is_not_begun(planned: list[TrialSpec], toy: Scene, tmp_path: Path) -> None:
    seat = ToldWorker(lambda *_: failure())

    assert not run(planned, toy, Seats(seat), tmp_path, deadline=0.0) and not seat.ran


def test_splits_that_are_kept_do_not_grow_with_the_draws(toy, tmp_path, monkeypatch):
    request = read_request(
        generators=["none"], classifiers=["svm"], lambdas=[1.0], seeds=range(40), patch=5
    )
    first, *others = {t.seed: t for t in build_plan(toy, request, registry()).trials}.values()
    draws = get_task("pixels").draws
    draw, drawn = draws.split, list[tuple[int, Any]]()

    def noted(scene: Any, protocol: Any, seed: int, patch: int) -> Any:
        split = draw(scene, protocol, seed, patch)
        drawn.append((seed, weakref.ref(split)))
        return split

    monkeypatch.setattr(draws, "split", noted)
    records = ScoredRecords(
        toy, Job("pixels", "toy", tmp_path, "cpu"), Store(tmp_path, create=True)
    )
    for trial in (first, *others):
        records.request(trial)
        records.write(trial, failure().outcome, "")
    records.write(others[-1], failure().outcome, "")
    records.write(first, failure().outcome, "")

    assert sum(split() is not None for _, split in drawn) <= IDLE_SPLITS + 1
    # One that is needed after all is drawn again.
    assert Counter(seed for seed, _ in drawn) == {**dict.fromkeys(range(40), 1), first.seed: 2}
