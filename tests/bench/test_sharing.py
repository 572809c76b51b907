"""What a worker takes over from another's group of trials, and what becomes of it."""

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsiaug.bench.dispatch import Dispatch
from hsiaug.bench.engine import Event, Message, TrialEnded, WorkerLost
from hsiaug.trial.run import TrialOutcome, failed_outcome

LONG = 100.0
"""Seconds of a fit that nobody would make twice."""


def went_well(fit_seconds: float = 0.1) -> TrialEnded:
    return TrialEnded(
        TrialOutcome(
            {"status": "ok", "error": None, "timings": {"fit_generator": fit_seconds}}, None
        )
    )


def group(name: str, trials: int, generator: str = "smote", draw: str = "") -> tuple[Any, ...]:
    made = SimpleNamespace(name=generator, hash=generator)
    alike = {
        "fit_hash": name,
        "draw_hash": draw or name,
        "generator": made,
        "third_party_parts": frozenset(),
    }
    return tuple(SimpleNamespace(hash=f"{name}{i}", **alike) for i in range(trials))


class ToldWorker:
    """A worker that answers at once, as it is told. ran: the hashes of what it was sent."""

    stage = "split"

    def __init__(self, answer: Callable[[Any], Message] = lambda trial: went_well()) -> None:
        self.answer, self.busy = answer, False
        self.ran: list[str] = []
        self.now: Any = None

    def send(self, trial: Any, blind: object) -> None:
        self.busy, self.now = True, trial
        self.ran.append(trial.hash)


class Seats:
    """A pool. One worker in turn answers, so that what the others have taken stays theirs for a
    while.
    """

    def __init__(self, *seats: ToldWorker) -> None:
        self.there = list(seats)

    def workers(self) -> list[ToldWorker]:
        return list(self.there)

    def wait(self) -> list[tuple[ToldWorker, Message]]:
        worker = next(worker for worker in self.there if worker.busy)
        self.there = [*(other for other in self.there if other is not worker), worker]
        worker.busy = False
        return [(worker, worker.answer(worker.now))]

    def close(self) -> None:
        """Nothing to end."""


class RecordsByHash:
    """Records by hash, in the order in which they were written. kept: fits that the store has."""

    def __init__(self, kept: tuple[str, ...] = ()) -> None:
        self.kept, self.records = kept, list[tuple[str, str]]()

    def request(self, trial: Any) -> tuple[Any, object]:
        return trial, None

    def prepares(self, card: Any) -> bool:
        return False

    def keeps_fit(self, trial: Any) -> bool:
        return trial.fit_hash in self.kept

    def write(self, trial: Any, outcome: TrialOutcome, command: str) -> Event:
        error = outcome.result["error"]
        self.records.append((trial.hash, error["message"] if error else "ok"))
        return Event("failed" if error else "ok", trial.hash)


def run(
    pool: Seats,
    *groups: tuple[Any, ...],
    records_by_hash: RecordsByHash | None = None,
    expected: dict[str, float] | None = None,
    urgency: dict[str, int] | None = None,
) -> dict[str, str]:
    records_by_hash = records_by_hash or RecordsByHash()
    trials = [trial for group in groups for trial in group]
    batch: Any = SimpleNamespace(
        trials=trials, commands={}, expected=expected or {}, deadline=None, urgency=urgency or {}
    )
    Dispatch(batch, pool, records_by_hash, lambda event: None).run()  # type: ignore[arg-type]
    times = Counter(hash for hash, _ in records_by_hash.records)
    assert times == Counter(trial.hash for trial in trials)
    return dict(records_by_hash.records)


def test_a_free_worker_takes_the_end_of_a_group_once_its_fit_is_there() -> None:
    first, second = ToldWorker(), ToldWorker()

    run(Seats(first, second), group("a", 9))

    assert first.ran[0] == "a0" and first.ran[1] == "a1"
    assert second.ran[:4] == ["a5", "a6", "a7", "a8"]


def test_what_has_nothing_to_fit_is_shared_at_once() -> None:
    seats = ToldWorker(), ToldWorker(), ToldWorker()

    run(Seats(*seats), group("a", 8, "none"))

    assert [worker.ran[0] for worker in seats] == ["a0", "a4", "a2"]


@pytest.mark.parametrize(("kept", "shared"), [((), False), (("a",), True)])
def test_a_long_fit_is_shared_only_where_the_store_has_it(
    kept: tuple[str, ...], shared: bool
) -> None:
    first, second = (
        ToldWorker(lambda trial: went_well(LONG)),
        ToldWorker(lambda trial: went_well(LONG)),
    )

    run(Seats(first, second), group("a", 6), records_by_hash=RecordsByHash(kept))

    assert bool(second.ran) == shared


def test_what_would_take_seconds_only_stays_where_it_is() -> None:
    first, second = ToldWorker(), ToldWorker()
    trials = group("a", 9)

    run(Seats(first, second), trials, expected={trial.hash: 0.1 for trial in trials})

    assert not second.ran


def test_the_group_with_most_seconds_left_is_divided_first() -> None:
    seats = ToldWorker(), ToldWorker(), ToldWorker()
    few, many = group("few", 3, "none"), group("many", 8, "none")
    expected = {**{trial.hash: 100.0 for trial in few}, **{trial.hash: 10.0 for trial in many}}

    run(Seats(*seats), few, many, expected=expected)

    assert seats[2].ran[0] == "few2"


def test_a_worker_stays_with_its_draw_and_then_begins_one_that_no_other_has() -> None:
    first, second = ToldWorker(), ToldWorker()
    asked = [group(f"{name}{draw}", 1, draw=f"draw {draw}") for draw in range(3) for name in "abc"]

    run(Seats(first, second), *asked)

    assert first.ran == ["a00", "b00", "c00", "a20", "c20"]
    assert second.ran == ["a10", "b10", "c10", "b20"]


def test_a_worker_returns_to_draws_that_it_began_while_a_generator_was_prepared() -> None:
    first, second = ToldWorker(), ToldWorker()
    pool, records_by_hash = Seats(first, second), RecordsByHash()
    records_by_hash.prepares = lambda card: card.name == "cvae"  # type: ignore[method-assign]
    turns = iter([second, second, first])
    rotate = pool.wait

    def wait() -> list[tuple[ToldWorker, Message]]:
        if (worker := next(turns, None)) is None:
            return rotate()
        worker.busy = False
        return [(worker, worker.answer(worker.now))]

    pool.wait = wait  # type: ignore[method-assign]
    arms = [
        group(f"{draw}-{name}-", 1, name, draw) for draw in "abcde" for name in ("cvae", "smote")
    ]

    run(pool, *arms, records_by_hash=records_by_hash)

    assert second.ran[:5] == ["b-smote-0", "c-smote-0", "d-smote-0", "d-cvae-0", "b-cvae-0"]
    assert first.ran[:4] == ["a-cvae-0", "a-smote-0", "e-cvae-0", "e-smote-0"]


def test_a_fit_that_fails_elsewhere_ends_the_rest_of_its_group() -> None:
    failing = ToldWorker(
        lambda trial: TrialEnded(failed_outcome("fit_generator", "ValueError", "as planned"))
    )
    first = ToldWorker()

    said = run(Seats(first, failing), group("a", 12), group("b", 1))

    assert len(failing.ran) == 2
    assert set(said.values()) == {
        *("ok", "as planned"),
        f"as planned (the same fit failed in trial {failing.ran[-1]})",
    }


@settings(max_examples=40)
@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["none", "smote", "cvae"])), max_size=6
    ),
    more=st.integers(0, 5),
    fates=st.lists(st.sampled_from(["ok", "ok", "long", "fit", "lost"]), min_size=1, max_size=20),
)
def test_every_trial_is_recorded_once_whatever_happens(sizes, more, fates):
    answers = {
        "ok": went_well(),
        "long": went_well(LONG),
        "fit": TrialEnded(failed_outcome("fit_generator", "ValueError", "as planned")),
        "lost": WorkerLost("was killed", "predict"),
    }
    turn = iter(fates * 100)
    seats = [ToldWorker(lambda trial: answers[next(turn)]) for _ in range(1 + more)]

    run(Seats(*seats), *(group(str(i), n, name) for i, (n, name) in enumerate(sizes)))


def test_what_a_first_answer_needs_goes_before_the_rest_of_a_workers_draw() -> None:
    worker = ToldWorker()
    draws = [group(f"d{seed}", 3, "none", draw=f"d{seed}") for seed in range(3)]
    urgency = {"d00": 0, "d10": 0, "d01": 1, "d02": 1, "d11": 1, "d12": 1}
    urgency |= {trial.hash: 2 for trial in draws[2]}

    run(Seats(worker), *draws, urgency=urgency)

    assert worker.ran == ["d00", "d10", "d11", "d12", "d01", "d02", "d20", "d21", "d22"]


def test_while_one_worker_fits_a_generator_no_other_fits_it_to_the_same_draw() -> None:
    first, second = ToldWorker(lambda trial: went_well(LONG)), ToldWorker()
    trials = group("a", 2), group("b", 2)
    urgency = {"a0": 0, "a1": 1, "b0": 2, "b1": 2}

    run(Seats(first, second), *trials, urgency=urgency)

    assert first.ran[0] == "a0" and second.ran[0] == "b0"
