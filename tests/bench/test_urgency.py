"""A benchmark has an answer after two draws, which grows with every further one."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from hsiaug.bench.batches import divide_trials
from hsiaug.bench.costs import Costs
from hsiaug.bench.dispatch import groups
from hsiaug.bench.engine import Batch, Event, Job
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.progress import watch_trials
from hsiaug.bench.request import read_request
from hsiaug.bench.running_answer import RunningAnswer
from hsiaug.bench.urgency import Urgency, deciding_trials
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.report.running import running_answer_lines
from hsiaug.trial.ended_draws import EndedDraws
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


class Timed(Costs):
    """A fit of smote takes so many seconds, every trial one."""

    def __init__(self, fit: float) -> None:
        super().__init__()
        self.fit = fit

    def parts(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        made = {trial.fit_hash: (self.fit, True)} if trial.rate else {}
        return {**made, trial.hash: (1.0, True)}


def batch_of(
    plan: Plan, *, fit: float = 0.1, jobs: int = 1, deadline: float | None = None
) -> Batch:
    job = partial(Job, store=Path(), device="cpu")
    waiting = {trial.hash: trial for trial in plan.trials}
    (batch,) = divide_trials([plan], waiting, job, Timed(fit), jobs, deadline).batches
    return batch


def named(trial: TrialSpec) -> tuple[int, str, float, str]:
    return trial.seed, trial.generator.name, trial.rate.lam, trial.classifier.name


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_draws_of_the_first_arms_run_before_the_sweep(plan: Plan, jobs: int) -> None:
    ordered = [named(trial) for trial in batch_of(plan, jobs=jobs).trials]
    first_arms = {
        (seed, generator, lam, classifier)
        for seed in (0, 1)
        for generator, lam, classifier in (
            ("none", 0.0, "svm"),
            ("none", 0.0, "coords"),
            ("duplicate", 0.5, "svm"),
            ("smote", 0.5, "svm"),
        )
    }

    assert set(ordered[: len(first_arms)]) == first_arms
    assert {seed for seed, *_ in ordered[: len(ordered) // 2]} == {0, 1}
    assert sorted(ordered) == sorted(map(named, plan.trials))


def test_side_by_side_later_draws_end_one_after_the_other(toy: Scene) -> None:
    """Seven draws in two processes: two for a first answer, one, two and two."""
    request = read_request(
        generators=["smote"], classifiers=["svm"], draws=7, protocol="kshot:5", patch=5
    )
    ordered = batch_of(build_plan(toy, request, registry()), fit=9.0, jobs=2).trials
    seeds = [trial.seed for trial in ordered]
    each = len(seeds) // 7

    assert [set(seeds[start * each : end * each]) for start, end in ((0, 2), (2, 3), (3, 5))] == [
        {0, 1},
        {2},
        {3, 4},
    ]
    costly = [trial.generator.name for trial in ordered[3 * each : 3 * each + 4]]
    assert sorted(costly) == ["duplicate", "duplicate", "smote", "smote"]


def test_a_fit_that_takes_longer_than_what_waits_for_it_is_made_once(plan: Plan) -> None:
    """Three trials of one second wait for the first one of smote."""
    for fit, parted in ((0.1, True), (99.0, False)):
        batch = batch_of(plan, fit=fit)
        smote = [
            group
            for group in groups(batch.trials, batch.urgency)
            if group[0].generator.name == "smote" and group[0].seed == 0
        ]
        assert len(smote) == 1 + parted
        assert batch.urgency[smote[0][0].hash] == Urgency.DECIDING


def test_what_has_to_end_in_time_is_ordered_as_it_was(plan: Plan) -> None:
    batch = batch_of(plan, deadline=1e12)

    assert not batch.urgency
    assert [trial.seed for trial in batch.trials] == sorted(trial.seed for trial in plan.trials)


def test_each_plan_of_a_suite_is_looked_at_once_for_what_is_urgent(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def deciding(plan: Plan) -> frozenset[str]:
        looked_at.append(plan.scene_ref)
        return deciding_trials(plan)

    monkeypatch.setattr("hsiaug.bench.urgency.deciding_trials", deciding)
    plans = []
    for number in range(3):
        trials = [replace(trial, scene_sha256=f"{number}") for trial in plan.trials]
        samples = dict.fromkeys((trial.hash for trial in trials), (25, 75))
        ref = f"scene{number}.toml"
        plans.append(replace(plan, scene_ref=ref, trials=tuple(trials), samples=samples))
    waiting = {trial.hash: trial for plan in plans for trial in plan.trials}
    job = partial(Job, store=Path(), device="cpu")

    first, *others = divide_trials(plans, waiting, job, Timed(0.1), 1).batches
    assert looked_at == ["scene0.toml", "scene1.toml", "scene2.toml"]
    for batch in others:
        assert [*map(named, batch.trials)] == [*map(named, first.trials)]
        assert [batch.urgency[trial.hash] for trial in batch.trials] == [
            first.urgency[trial.hash] for trial in first.trials
        ]


class StoreOfAll(Store):
    """Has a record of every trial that is asked for."""

    def read(self, hashes: Iterable[str] | None = None, *, index: bool = True) -> Reading:
        return Reading(tuple({"hash": hash} for hash in hashes or ()))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return StoreOfAll(tmp_path, create=True)


def say_draws(records: Sequence[Record], ended: EndedDraws) -> list[str]:
    arms = "whole" if ended.whole else "first arms"
    return [f"{len(records)} trials, {ended.words}, {arms}"]


def answers_of(trials: Sequence[TrialSpec], running: RunningAnswer) -> list[str]:
    """The answers that there are as the trials end in their order."""
    said = []
    for trial in trials:
        if running.end(trial.hash):
            said += running.lines
    return said


def test_the_answer_grows_draw_by_draw(plan: Plan, store: Store) -> None:
    trials = batch_of(plan).trials
    each = len(trials) // 4
    hashes = [trial.hash for trial in trials]
    running = RunningAnswer([plan], hashes, store, say_draws, clock=lambda: 0.0)

    assert running.now() == () and running.draws == ""
    said = answers_of(trials, running)

    assert said == [
        "8 trials, 2 of 4 draws, first arms",
        f"{2 * each} trials, 2 of 4 draws, whole",
        f"{3 * each} trials, 3 of 4 draws, whole",
    ], "of all draws the tables tell"
    assert running.draws == "4 of 4 draws"


def test_a_run_that_goes_on_counts_the_draws_that_were_there(plan: Plan, store: Store) -> None:
    trials = batch_of(plan).trials
    later = [trial for trial in trials if trial.seed > 1]
    running = RunningAnswer([plan], [t.hash for t in later], store, say_draws)

    assert running.draws == "2 of 4 draws"
    assert running.now() == (f"{len(trials) // 2} trials, 2 of 4 draws, whole",)


def test_a_run_that_is_stopped_in_its_second_draw_has_the_answer_of_the_first(
    plan: Plan, store: Store
) -> None:
    first, *others = sorted(plan.trials, key=lambda trial: trial.seed)
    draw = [trial for trial in plan.trials if trial.seed == 0]
    running = RunningAnswer([plan], [t.hash for t in (first, *others)], store, say_draws)

    assert answers_of(draw, running) == [], "one draw is no answer unasked"
    assert running.now() == (f"{len(draw)} trials, 1 of 4 draws, whole",)


def test_a_trial_that_ends_no_draw_costs_as_much_after_many_draws_as_after_few(
    plan: Plan, store: Store
) -> None:
    trials = [replace(trial, seed=seed) for seed in range(60) for trial in plan.trials]
    waiting = [trial.hash for trial in trials]
    many = replace(plan, trials=tuple(trials), samples=dict.fromkeys(waiting, (25, 75)))
    running = RunningAnswer([many], waiting, store, None)

    def instructions_of_the_first_trial_of_a_draw(seed: int) -> int:
        first, *others = (trial for trial in trials if trial.seed == seed)
        number = instructions(running.end, first.hash)
        for trial in others:
            running.end(trial.hash)
        return number

    first, *_, last = map(instructions_of_the_first_trial_of_a_draw, range(60))
    assert last <= 2 * first


def records_of(ended: Sequence[int]) -> list[Record]:
    return [
        record(aa=0.6 + 0.1 * (generator == "smote"), generator=generator, seed=seed)
        for seed in ended
        for generator in ("none", "duplicate", "smote")
    ]


def test_lines_are_marked_and_ask_for_no_draws_that_run_anyway() -> None:
    ended = EndedDraws(2, 7, True)
    first, better, controls, use = running_answer_lines(records_of([0, 1]), ended)

    assert first.endswith("after 2 of 7 draws; may change:")
    assert "TOO FEW DRAWS. At least 6 are needed; so far smote" in better
    assert "--seeds" not in better and "duplicate" in controls
    assert use.lstrip().startswith("3 Use here:")


@pytest.mark.parametrize(("quiet", "lines"), [(False, 3), (True, 0)])
def test_without_a_terminal_each_answer_is_a_line(
    plan: Plan, store: Store, quiet: bool, lines: int
) -> None:
    trials = {trial.hash: trial for trial in batch_of(plan).trials}
    out = io.StringIO()
    running = RunningAnswer([plan], trials, store, None if quiet else say_draws, lambda: 0.0)
    with watch_trials(
        trials, Console(file=out, width=40), store=store, answer=running, quiet=quiet
    ) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(Event("ok", hash))

    assert sum(" of 4 draws, " in line for line in out.getvalue().splitlines()) == lines


def test_on_a_terminal_the_answer_stands_below_the_bars(plan: Plan, store: Store) -> None:
    trials = {trial.hash: trial for trial in batch_of(plan).trials}
    screen = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    running = RunningAnswer([plan], trials, store, say_draws)
    with watch_trials(trials, screen, store=store, answer=running) as on_event:
        for hash in trials:
            on_event(Event("ok", hash))
            if running.lines:
                break
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "2 of 4 draws, first arms" in shown
