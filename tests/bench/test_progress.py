"""What is told while trials run: a line with the time left and the gains so far, and each error as
it first comes. By a clock of its own.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from hsiaug.bench.engine import Event
from hsiaug.bench.groups import Costs
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.progress import Progress, cost_line, heard_of, watch_trials
from hsiaug.bench.request import read_request
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from tests.report.report_records import failure


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class StoreOfScores(Store):
    """Has a record of every trial: AA grows by 1, 2 … points with the split for smote, and by ten
    for the other classifier.
    """

    def __init__(self, root: Path, plan: Plan) -> None:
        super().__init__(root, create=True)
        self.trials = {trial.hash: trial for trial in plan.trials}

    def sound(self, hash: str) -> dict[str, object]:  # type: ignore[override]
        trial = self.trials[hash]
        gain = 0.01 * (trial.seed + 1) + 0.1 * (trial.classifier.name == "rf")
        aa = 0.5 + gain * (trial.generator.name == "smote")
        return {"status": "ok", "metrics": {"aa": aa}}


@pytest.fixture(scope="module")
def plan(toy: Scene) -> Plan:
    """Of three splits: smote, with two classifiers, and its controls."""
    request = read_request(
        generators=["smote"],
        classifiers=["svm", "rf"],
        lambdas=[0.5],
        seeds=3,
        protocol="kshot:5",
        patch=5,
        preset="tiny",
    )
    return build_plan(toy, request, registry())


def progress_of(
    plan: Plan, root: Path, clock: Clock | None = None, trials: Sequence[TrialSpec] | None = None
) -> Progress:
    """Of trials that should take ten seconds each."""
    expected = {trial.hash: 10.0 for trial in (plan.trials if trials is None else trials)}
    return Progress([plan], expected, StoreOfScores(root, plan), 2, clock or Clock())


def end(progress: Progress, clock: Clock, trials: Sequence[TrialSpec], seconds: float) -> None:
    for trial in trials:
        progress.start(trial.hash)
        clock.now += seconds
        progress.end(trial.hash, failed=False)


def test_the_line_has_the_split_the_trials_the_time_left_and_gains_of_ended_splits(
    plan: Plan, tmp_path: Path
) -> None:
    clock, total = Clock(), len(plan.trials)
    each = total // 3
    progress = progress_of(plan, tmp_path, clock)
    assert progress.line(0) == f"0 of {total} trials · 2 min left"
    by_split = [[t for t in plan.trials if t.seed == seed] for seed in range(3)]
    # Twice as slow as it should be, of two processes.
    end(progress, clock, by_split[0], 10.0)
    assert progress.seconds_left() == pytest.approx(2 * each * 10.0)
    line = progress.line(0)
    assert f"split 1 of 3 · {each} of {total} trials · " in line
    assert line.endswith("so far, not a result: +1.0 to +11.0 points of AA over no samples")
    end(progress, clock, by_split[1][:1], 10.0)
    assert "+1.0 to +11.0 points" in progress.line(0)
    end(progress, clock, by_split[1][1:], 10.0)
    assert "split 2 of 3" in progress.line(0) and "+1.5 to +11.5 points" in progress.line(0)
    assert len(progress.line(200)) == 200
    end(progress, clock, by_split[2], 10.0)
    assert "so far" not in progress.line(0) and "left" not in progress.line(0)


def test_a_run_that_goes_on_counts_the_splits_that_were_there(plan: Plan, tmp_path: Path) -> None:
    clock = Clock()
    last = [trial for trial in plan.trials if trial.seed == 2]
    progress = progress_of(plan, tmp_path, clock, last)
    end(progress, clock, last[:1], 1.0)
    assert f"split 3 of 3 · 1 of {len(last)} trials" in progress.line(0)
    assert progress.state()["draws"] == "2 of 3 splits"


def test_trials_that_are_written_count_where_the_engine_was_stopped_before_it_told(
    plan: Plan, tmp_path: Path
) -> None:
    progress = progress_of(plan, tmp_path)
    store = Store(tmp_path)
    for trial in plan.trials[:2]:
        folder = store.folder(trial.hash)
        folder.mkdir(parents=True)
        (folder / "record.json").touch()
    earlier = store.folder(plan.trials[2].hash)
    earlier.mkdir(parents=True)
    (earlier / "record.json").touch()
    os.utime(earlier / "record.json", (1, 1))
    progress.count_written()
    assert f"2 of {len(plan.trials)} trials" in progress.line(0)


def test_what_a_run_takes_is_said_before_it(plan: Plan) -> None:
    expected = Costs(plan).each(plan.trials)
    assert expected.keys() == {trial.hash for trial in plan.trials}
    assert cost_line([600.0, 600.0], 2) == (
        "2 trials, about 10 min, as the cards of the plugins say"
    )


def test_the_first_of_trials_that_share_a_fit_makes_it(plan: Plan) -> None:
    each = Costs(plan).each(plan.trials)
    first, second = (
        each[t.hash] for t in plan.trials if t.generator.name == "smote" and t.seed == 0
    )
    assert first != second
    again = Costs(plan).each(t for t in plan.trials if t.generator.name == "smote")
    assert sum(again.values()) < sum(each.values())


HOSTILE = "[/] \x1b[2J\x1b]0;title\x07 no sample\u202e came back"


def failed(one: TrialSpec) -> Event:
    """A trial failed: with the classifier svm in one way, with others in another."""
    svm = one.classifier.name == "svm"
    record = failure(
        "PluginError" if svm else "[/b]Bad", f"{HOSTILE}\nat seed {one.seed}" + "x" * 1000
    )
    return Event("failed", one.hash, error=record["error"])


@pytest.mark.parametrize("terminal", [False, True])
def test_each_error_is_told_once_as_it_comes_with_its_reason_and_where_to_see_it(
    plan: Plan, tmp_path: Path, terminal: bool
) -> None:
    root, out = tmp_path / "my results", io.StringIO()
    console = Console(file=out, width=400, force_terminal=terminal, color_system=None)
    trials = [t for t in plan.trials if t.generator.name == "smote"]
    with watch_trials(progress_of(plan, root, None, trials), console, root) as on_event:
        for one in trials:
            on_event(Event("start", one.hash))
            on_event(Event("wait"))
            on_event(failed(one))
    told = [
        line[line.index("failed: ") :].rstrip()
        for line in out.getvalue().splitlines()
        if "See it whole" in line
    ]
    first, second = trials[:2]
    assert told == [
        (
            "failed: smote λ=0.5 M=3 · svm · split 0: PluginError in sample: [/] no sample came"
            f" back. See it whole: hsiaug report --trial {first.hash} --store '{root}'"
        ),
        (
            "failed: smote λ=0.5 M=3 · rf · split 0: [/b]Bad in sample: [/] no sample came"
            f" back. See it whole: hsiaug report --trial {second.hash} --store '{root}'"
        ),
    ]
    assert "\x1b]0" not in out.getvalue() and "\u202e" not in out.getvalue()


def test_in_a_pipe_there_is_a_line_a_minute_at_most_and_one_at_the_end(
    plan: Plan, tmp_path: Path
) -> None:
    out = io.StringIO()
    console = Console(file=out, width=40)
    with watch_trials(progress_of(plan, tmp_path), console, tmp_path) as on_event:
        for one in plan.trials:
            on_event(Event("start", one.hash))
            on_event(Event("ok", one.hash))
    first, last = out.getvalue().splitlines()
    total = len(plan.trials)
    assert f"1 of {total} trials" in first and f"{total} of {total} trials" in last


def test_a_run_tells_other_programs_how_far_it_is_while_it_lasts(
    plan: Plan, tmp_path: Path
) -> None:
    first = plan.trials[0]
    with watch_trials(
        progress_of(plan, tmp_path), Console(file=io.StringIO()), tmp_path
    ) as on_event:
        on_event(Event("start", first.hash))
        (told,) = heard_of(tmp_path)
        assert told | {"left": "", "quiet": 0} == {
            "done": 0,
            "total": len(plan.trials),
            "failed": 0,
            "draws": "",
            "left": "",
            "now": ["none · svm · split 0"],
            "quiet": 0,
        }
        (path,) = (tmp_path / "running").iterdir()
        path.write_text("{half")
        assert heard_of(tmp_path) == []
        path.write_text("{}")
        os.utime(path, (0, 0))
        assert heard_of(tmp_path) == [], "a run that was killed is not told of for ever"
    assert not (tmp_path / "running").exists()


def test_a_disk_that_refuses_what_is_told_stops_no_run(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "running").write_text("no folder")
    console = Console(file=io.StringIO())
    with watch_trials(progress_of(plan, tmp_path), console, tmp_path) as on_event:
        for one in plan.trials:
            on_event(Event("start", one.hash))
            on_event(Event("ok", one.hash))
    assert heard_of(tmp_path) == [] and (tmp_path / "running").read_text() == "no folder"
