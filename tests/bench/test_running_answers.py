"""A benchmark has an answer after two draws, which grows with every further one."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hsiaug.bench.costs import Costs, Forecast
from hsiaug.bench.engine import Event, WorkerSettings
from hsiaug.bench.groups import divide_work
from hsiaug.bench.missing import RunRecords
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.progress import watch_trials
from hsiaug.bench.request import read_request
from hsiaug.bench.running_answer import RunningAnswer
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.report import running_answer_lines
from hsiaug.trial.record_json import Record
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Reading, Store
from tests.effort import instructions
from tests.report.report_records import record


@pytest.fixture(scope="module")
def plan(toy: Scene) -> Plan:
    """Of four draws: smote at two λ, with two classifiers, and all controls."""
    request = read_request(
        generators=["smote"],
        classifiers=["svm", "rf"],
        lambdas=[0.5, 1.0],
        draws=4,
        protocol="kshot:5",
        patch=5,
        preset="tiny",
    )
    return build_plan(toy, request, registry())


def in_order(plan: Plan) -> list[TrialSpec]:
    """The trials of a plan as a single process runs them."""
    (batch,), _ = divide_work([plan], plan.trials, Path(), WorkerSettings("cpu"), Costs(), 1)
    return batch.trials


class StoreOfAll(Store):
    """Has a record of every trial that is asked for."""

    def read(self, hashes: Iterable[str] | None = None, *, cached: bool = True) -> Reading:
        return Reading(tuple({"hash": hash} for hash in hashes or ()))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return StoreOfAll(tmp_path, create=True)


def say_draws(records: Sequence[Record], ended: str) -> list[str]:
    return [f"{len(records)} trials, {ended}"]


def answers_of(trials: Sequence[TrialSpec], running: RunningAnswer) -> list[str]:
    """The answers that there are as the trials end in their order."""
    said = []
    for trial in trials:
        if running.end(trial.hash):
            said += running.lines
    return said


def test_the_answer_grows_draw_by_draw(plan: Plan, store: Store) -> None:
    trials = in_order(plan)
    each = len(trials) // 4
    hashes = [trial.hash for trial in trials]
    running = RunningAnswer([plan], hashes, RunRecords(store), say_draws, clock=lambda: 0.0)

    assert running.now() == () and running.draws == ""
    said = answers_of(trials, running)

    assert said == [
        f"{2 * each} trials, 2 of 4 draws",
        f"{3 * each} trials, 3 of 4 draws",
    ], "of all draws the tables tell"
    assert running.draws == "4 of 4 draws"


def test_a_run_that_goes_on_counts_the_draws_that_were_there(plan: Plan, store: Store) -> None:
    trials = in_order(plan)
    later = [trial for trial in trials if trial.seed > 1]
    running = RunningAnswer([plan], [t.hash for t in later], RunRecords(store), say_draws)

    assert running.draws == "2 of 4 draws"
    assert running.now() == (f"{len(trials) // 2} trials, 2 of 4 draws",)


def test_a_run_that_is_stopped_in_its_second_draw_has_the_answer_of_the_first(
    plan: Plan, store: Store
) -> None:
    first, *others = sorted(plan.trials, key=lambda trial: trial.seed)
    draw = [trial for trial in plan.trials if trial.seed == 0]
    running = RunningAnswer(
        [plan], [t.hash for t in (first, *others)], RunRecords(store), say_draws
    )

    assert answers_of(draw, running) == [], "one draw is no answer unasked"
    assert running.now() == (f"{len(draw)} trials, 1 of 4 draws",)


def test_a_trial_that_ends_no_draw_costs_as_much_after_many_draws_as_after_few(
    plan: Plan, store: Store
) -> None:
    trials = [replace(trial, seed=seed) for seed in range(60) for trial in plan.trials]
    waiting = [trial.hash for trial in trials]
    many = replace(plan, trials=tuple(trials), samples=dict.fromkeys(waiting, (25, 75)))
    running = RunningAnswer([many], waiting, RunRecords(store), None)

    def instructions_of_the_first_trial_of_a_draw(seed: int) -> int:
        first, *others = (trial for trial in trials if trial.seed == seed)
        number = instructions(running.end, first.hash)
        for trial in others:
            running.end(trial.hash)
        return number

    first, *_, last = map(instructions_of_the_first_trial_of_a_draw, range(60))
    assert last <= 2 * first


@pytest.mark.parametrize("most", [10_000, 5])
def test_answers_and_the_last_report_read_each_record_once_as_far_as_there_is_room(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("hsiaug.bench.missing.MOST_RECORDS", most)
    read: list[str] = []

    class Read(StoreOfAll):
        def read(self, hashes: Iterable[str] | None = None, *, cached: bool = True) -> Reading:
            asked = list(hashes or ())
            read.extend(asked)
            return super().read(asked)

    records = RunRecords(Read(tmp_path, create=True))
    trials = in_order(plan)
    hashes = [trial.hash for trial in trials]
    running = RunningAnswer([plan], hashes, records, say_draws, clock=lambda: 0.0)

    assert len(answers_of(trials, running)) == 2
    assert [record["hash"] for record in records.read(hashes).records] == hashes
    assert set(read) == set(hashes)
    assert (len(read) == len(hashes)) == (most > len(hashes))
    assert len(records.read_before) == min(most, len(hashes))


def records_of(ended: Sequence[int]) -> list[Record]:
    return [
        record(aa=0.6 + 0.1 * (generator == "smote"), generator=generator, seed=seed)
        for seed in ended
        for generator in ("none", "duplicate", "smote")
    ]


def test_lines_are_marked_and_ask_for_no_draws_that_run_anyway() -> None:
    first, better, controls, use = running_answer_lines(records_of([0, 1]), "2 of 7 draws")

    assert first.endswith("after 2 of 7 draws; may change:")
    assert "TOO FEW DRAWS. At least 6 are needed; so far smote" in better
    assert "--seeds" not in better and "duplicate" in controls
    assert use.lstrip().startswith("3 Use here:")


@pytest.mark.parametrize(("quiet", "lines"), [(False, 2), (True, 0)])
def test_without_a_terminal_each_answer_is_a_line(
    plan: Plan, store: Store, quiet: bool, lines: int
) -> None:
    trials = {trial.hash: trial for trial in in_order(plan)}
    out = io.StringIO()
    running = RunningAnswer(
        [plan], trials, RunRecords(store), None if quiet else say_draws, lambda: 0.0
    )
    with watch_trials(
        Forecast(trials.values(), Costs()),
        Console(file=out, width=40),
        store.root,
        answer=running,
        quiet=quiet,
    ) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(Event("ok", hash))

    assert (
        sum(" of 4 draws" in line and "trials" in line for line in out.getvalue().splitlines())
        == lines
    )


def test_on_a_terminal_the_answer_stands_below_the_bars(plan: Plan, store: Store) -> None:
    trials = {trial.hash: trial for trial in in_order(plan)}
    screen = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    running = RunningAnswer([plan], trials, RunRecords(store), say_draws)
    with watch_trials(
        Forecast(trials.values(), Costs()), screen, store.root, answer=running
    ) as on_event:
        for hash in trials:
            on_event(Event("ok", hash))
            if running.lines:
                break
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "2 of 4 draws" in shown
