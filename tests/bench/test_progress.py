"""What is told while trials run: how long the rest takes, and each error as it first comes. By a
clock of its own.
"""

import io
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from hsiaug.base.terminal import progress_bars
from hsiaug.bench.costs import Costs, Forecast, TimeLeft, cost_lines
from hsiaug.bench.engine import Event, OnEvent, PluginProgress
from hsiaug.bench.progress import watch_trials
from hsiaug.bench.running_file import heard_of
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import Card, param
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Store
from tests.report.report_records import failure

SECONDS = {"coords": 0.1, "svm": 2.0, "cnn2d": 60.0}
FIT = 240.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


PREPARING = 600.0


@dataclass(frozen=True)
class Params:
    """Of a plugin that has none."""


def trial(generator: str, classifier: str, seed: int, lam: float = 1.0) -> TrialSpec:
    made, tested = (PluginSpec(name, "1", Params()) for name in (generator, classifier))
    lam = 0.0 if generator == "none" else lam
    spec = TrialSpec(
        "pixels",
        "toy",
        "0" * 64,
        parse_protocol("issd:0.05"),
        9,
        seed,
        made,
        tested,
        Rate(lam),
        None,
    )
    return replace(spec, view=spec.usual_view)


def plan(draws: int = 3, classifiers: Iterable[str] = SECONDS) -> dict[str, TrialSpec]:
    """Draw by draw; within one the quick trials come first."""
    listed = [
        trial(generator, classifier, seed)
        for seed in range(draws)
        for generator in ("none", "specdm")
        for classifier in classifiers
    ]
    return {t.hash: t for t in listed}


def timings(one: TrialSpec, first: bool) -> dict[str, float]:
    """Of a trial's record; the first of those that share a fit makes it."""
    made = {"fit_generator": FIT, "sample": 0.0} if one.rate and first else {}
    return {"fit_classifier": SECONDS[one.classifier.name], "predict": 0.0, **made}


def takes(one: TrialSpec, first: bool) -> float:
    return sum(timings(one, first).values())


def costs(trials: Mapping[str, TrialSpec]) -> dict[str, float]:
    seen: set[str] = set()
    made = {}
    for hash, one in trials.items():
        made[hash] = takes(one, one.fit_hash not in seen)
        seen.add(one.fit_hash)
    return made


class Guessed(Costs):
    """What each trial takes, so many times too much."""

    def __init__(self, times: float = 1.0) -> None:
        super().__init__()
        self.times = times

    def parts(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        made = {trial.fit_hash: FIT} if trial.rate else {}
        found = {**made, trial.hash: SECONDS[trial.classifier.name]}
        return {key: (self.times * seconds, False) for key, seconds in found.items()}


def run(forecast: Forecast, clock: Clock, trials: Mapping[str, TrialSpec], count: int) -> None:
    """The first trials of a run end one after the other, each in its time."""
    true = costs(trials)
    for hash in list(trials)[:count]:
        forecast.started(hash)
        clock.now += true[hash]
        forecast.ended(hash, ok=True)


def test_the_first_quick_trials_do_not_speak_for_the_slow_ones() -> None:
    """Two trials of 2.1 s are done; 18 minutes are left, of which their mean would make 17
    seconds.
    """
    clock, trials = Clock(), plan()
    forecast = Forecast(trials.values(), Guessed(), clock=clock)
    run(forecast, clock, trials, 2)
    left = forecast.time_left()
    assert left.seconds == pytest.approx(sum(costs(trials).values()) - 2.1, rel=0.05)
    assert not left.measured and str(left) == "ETA about 18 min"


@pytest.mark.parametrize("times", [0.2, 5.0])
def test_what_this_run_measures_counts_more_than_the_guess(times: float) -> None:
    """A machine five times as fast, or as slow, as the one that was guessed for: after a tenth of
    the run it is known.
    """
    clock, trials = Clock(), plan(20)
    forecast = Forecast(trials.values(), Guessed(times), clock=clock)
    run(forecast, clock, trials, 12)
    left = forecast.time_left()
    assert left.seconds == pytest.approx(sum(list(costs(trials).values())[12:]), rel=0.3)


class Preparing(Guessed):
    """Trials with samples wait for what the first of them prepares."""

    def parts(self, trial: TrialSpec) -> dict[str, tuple[float, bool]]:
        prepared = {"prepared": (PREPARING, False)} if trial.rate else {}
        return super().parts(trial) | prepared


@pytest.mark.parametrize("took", [0.5, PREPARING, 10 * PREPARING])
@pytest.mark.parametrize("reported", [True, False])
def test_what_is_prepared_in_no_time_or_late_does_not_speak_for_the_rest(
    took: float, reported: bool
) -> None:
    """What comes prepared is known to be so as soon as a later stage of its trial reports a step;
    at the end of that trial at the latest.
    """
    clock, trials = Clock(), plan()
    forecast = Forecast(trials.values(), Preparing(), clock=clock)
    true = costs(trials)
    rest = sum(true.values())
    assert forecast.time_left().seconds == pytest.approx(rest + PREPARING)
    for hash, trial in trials.items():
        forecast.started(hash)
        if trial.rate:
            clock.now += took
            if reported:
                forecast.prepared(hash)
                assert forecast.time_left().seconds == pytest.approx(rest, rel=0.05)
            clock.now += true[hash]
            forecast.ended(hash, ok=True)
            break
        clock.now += true[hash]
        forecast.ended(hash, ok=True)
        rest -= true[hash]
    assert forecast.time_left().seconds == pytest.approx(rest - true[hash], rel=0.05)


def test_without_a_guess_there_is_a_rough_one() -> None:
    left = Forecast(plan().values(), Costs(), clock=Clock()).time_left()
    assert left.seconds > 0 and str(left).startswith("ETA about ")


def test_a_trial_that_failed_at_once_does_not_speak_for_the_others() -> None:
    clock, trials = Clock(), plan(2, ("svm",))
    forecast = Forecast(trials.values(), Guessed(), clock=clock)
    each = forecast.time_left().seconds / 4
    for hash in list(trials)[:2]:
        forecast.started(hash)
        clock.now += 0.01
        forecast.ended(hash, ok=False)
    assert forecast.time_left() == TimeLeft(pytest.approx(2 * each), False)


def test_running_trials_count_for_what_is_left_of_them() -> None:
    clock, trials = Clock(), plan(1, ("cnn2d",))
    forecast = Forecast(trials.values(), Guessed(), clock=clock)
    before = forecast.time_left().seconds
    forecast.started(next(iter(trials)))
    clock.now += 30.0
    assert forecast.time_left() == TimeLeft(pytest.approx(before - 30.0), False)


def test_a_trial_past_its_time_is_not_nearly_done() -> None:
    """A card that says 1 s of a trial of minutes must not give ETA 0 s for minutes."""
    clock, trials = Clock(), plan(1, ("svm",))
    first = next(iter(trials))
    forecast = Forecast([trials[first]], Guessed(), clock=clock)
    forecast.started(first)
    clock.now += 400.0
    assert forecast.time_left() == TimeLeft(pytest.approx(100.0), False)


def test_processes_share_the_rest_but_not_a_fit() -> None:
    clock, trials = Clock(), plan(4, ("svm",))
    one, two = (
        Forecast(trials.values(), Guessed(), jobs=n, clock=clock).time_left().seconds
        for n in (1, 2)
    )
    assert two == pytest.approx(one / 2, rel=0.01)
    shared = {t.hash: t for lam in (0.5, 1, 2, 4) for t in [trial("specdm", "svm", 0, lam)]}
    many = Forecast(shared.values(), Guessed(), jobs=4, clock=clock).time_left().seconds
    assert many >= FIT, "nobody else can make it meanwhile"


def test_scenes_come_one_after_the_other() -> None:
    """What is left of a scene in one process cannot be overtaken by the next scene."""
    here, clock = plan(1, ("cnn2d",)), Clock()
    there = {
        t.hash: t for t in (replace(t, scene="other", scene_sha256="1" * 64) for t in here.values())
    }
    one, both = (
        Forecast(some.values(), Guessed(), jobs=8, clock=clock) for some in (here, here | there)
    )
    assert both.time_left().seconds == pytest.approx(2 * one.time_left().seconds)


def test_nothing_left_takes_no_time() -> None:
    assert Forecast([], Costs(), clock=Clock()).time_left() == TimeLeft(0.0, True)


# What is printed


def test_a_line_now_and_then_says_when_it_will_end() -> None:
    clock, trials, out = Clock(), plan(1), io.StringIO()
    true = costs(trials)
    forecast = Forecast(trials.values(), Guessed(), clock=clock)
    console = Console(file=out, width=200)
    with watch_trials(forecast, console, Path("none"), clock=clock) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            clock.now += true[hash]
            on_event(Event("ok", hash))
    assert out.getvalue().splitlines() == [
        "[3/6] none · cnn2d · draw 0: ok, ETA about 5 min",
        "[4/6] specdm λ=1 · coords · draw 0: ok, ETA about 62 s",
        "[6/6] specdm λ=1 · cnn2d · draw 0: ok",
    ]


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
    tmp_path, terminal
):
    root, trials, out = tmp_path / "my results", plan(2, ("svm", "coords")), io.StringIO()
    console = Console(file=out, width=400, force_terminal=terminal, color_system=None)
    with watch_trials(Forecast(trials.values(), Costs()), console, root, clock=Clock()) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(Event("step", hash, PluginProgress(1, 2, "[/red] note")))
            on_event(failed(trials[hash]))
    told = [
        line
        for line in out.getvalue().splitlines()
        if "failed: " in line and "See it whole" in line
    ]
    first, second = list(trials)[:2]
    assert [line[line.index("failed:") :].rstrip() for line in told] == [
        (
            "failed: none · svm · draw 0: PluginError in sample: [/] no sample came back. "
            f"See it whole: hsiaug show {first} --store '{root}'"
        ),
        (
            "failed: none · coords · draw 0: [/b]Bad in sample: [/] no sample came back. "
            f"See it whole: hsiaug show {second} --store '{root}'"
        ),
    ]
    assert "\x1b]0" not in out.getvalue() and "\u202e" not in out.getvalue()


def told(root: Path, trials: Mapping[str, TrialSpec], *, quiet: bool) -> list[str]:
    """What is printed where there is no terminal, of trials that end at once."""
    out = io.StringIO()
    with watch_trials(
        Forecast(trials.values(), Costs(), clock=Clock()),
        Console(file=out, width=40),
        root,
        quiet=quiet,
        clock=Clock(),
    ) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(failed(trials[hash]))
    return out.getvalue().splitlines()


def test_the_line_of_a_failed_trial_has_its_reason_and_quiet_still_tells_failures(
    tmp_path: Path,
) -> None:
    trials = plan(1, ("svm",))
    *_, last = told(tmp_path, trials, quiet=False)
    assert (
        last == "[2/2] specdm λ=1 · svm · draw 0: failed (PluginError in sample: [/] no sample came"
        " back)"
    )
    (only,) = told(tmp_path, trials, quiet=True)
    assert only.startswith("failed: none · svm · draw 0: PluginError in sample")


def watched(trials: dict[str, TrialSpec], store: Store) -> AbstractContextManager[OnEvent]:
    """What is told of trials of which nothing is known, on no terminal."""
    forecast = Forecast(trials.values(), Costs(), clock=Clock())
    return watch_trials(forecast, Console(file=io.StringIO()), store.root, clock=Clock())


def test_a_run_tells_other_programs_how_far_it_is_while_it_lasts(tmp_path: Path) -> None:
    store, trials = Store(tmp_path, create=True), plan(1, ("svm", "coords"))
    first, *_ = trials
    with watched(trials, store) as on_event:
        on_event(Event("start", first))
        (told,) = heard_of(store.root)
        assert told | {"left": "", "quiet": 0} == {
            "done": 0,
            "total": 4,
            "failed": 0,
            "draws": "",
            "left": "",
            "now": ["none · svm · draw 0"],
            "quiet": 0,
        }
        (path,) = (store.root / "running").iterdir()
        path.write_text("{half")
        assert heard_of(store.root) == []
        path.write_text("{}")
        os.utime(path, (0, 0))
        assert heard_of(store.root) == [], "a run that was killed is not told of for ever"
    assert not (store.root / "running").exists()
    (store.root / "running").mkdir()
    (store.root / "running" / "killed.json").write_text("{}")
    os.utime(store.root / "running" / "killed.json", (0, 0))
    with watched(trials, store):
        pass
    assert not (store.root / "running").exists(), "what a killed run left is gone"


def test_a_disk_that_refuses_what_is_told_stops_no_run(tmp_path: Path) -> None:
    store, trials = Store(tmp_path, create=True), plan(1, ("svm",))
    (tmp_path / "running").write_text("no folder")
    with watched(trials, store) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(Event("ok", hash))
    assert heard_of(store.root) == [] and (tmp_path / "running").read_text() == "no folder"


def test_a_long_name_gives_way_to_the_count_and_the_time_left() -> None:
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system=None)
    with progress_bars(console, MofNCompleteColumn(), TimeElapsedColumn(), width=24) as bars:
        bars.add_task("a class with a name as long as fields of crops have, " * 3, total=49)
        table = bars.make_tasks_table(bars.tasks)
        bars.stop()
        console.file = shown = io.StringIO()
        console.print(table)
    lines = [line for line in shown.getvalue().splitlines() if line.strip()]
    assert len(lines) == 1
    assert "0/49" in lines[0] and "0:00:0" in lines[0] and "…" in lines[0]


def test_what_is_slow_is_named_with_its_cost_before_it_begins() -> None:
    trials = plan(classifiers=("coords", "svm"))
    said = [*cost_lines(Forecast(trials.values(), Guessed()), jobs=1)]
    assert said == [
        "12 trials, about 12 min, a rough figure: not all plugins were timed here",
        "slow: generator specdm, about 12 min; all else about 13 s",
    ]
    with_network = plan(classifiers=SECONDS)
    _, *slow = cost_lines(Forecast(with_network.values(), Guessed()), jobs=1)
    assert slow == [
        "slow: generator specdm, about 12 min; all else about 6 min",
        "slow: classifier cnn2d, about 6 min; all else about 12 min",
    ]
    alone = {hash: one for hash, one in plan(classifiers=("cnn2d",)).items() if not one.rate}
    assert [*cost_lines(Forecast(alone.values(), Guessed()), jobs=1)] == [
        "3 trials, about 3 min, a rough figure: not all plugins were timed here"
    ]


@pytest.mark.parametrize(
    ("scene", "patch", "steps", "waits"),
    [
        ("0" * 64, 9, 3, False),
        ("1" * 64, 9, 3, True),
        ("0" * 64, 7, 3, True),
        ("0" * 64, 9, 4, True),
    ],
    ids=["that scene", "another scene", "other patches", "other parameters"],
)
def test_a_scene_that_comes_prepared_is_not_waited_for(
    scene: str, patch: int, steps: int, waits: bool
) -> None:
    @dataclass(frozen=True)
    class OfScene:
        steps: int = param(3, "once a scene", preparing=True)
        rate: float = param(0.1, "in a draw")

    card = Card(
        name="learner",
        version="1",
        summary="learns a scene once",
        prepares=True,
        prepare_seconds=PREPARING,
        prepared_scenes=("0" * 64,),
        params=OfScene,
    )
    asked = replace(
        trial("learner", "svm", 0),
        generator=PluginSpec("learner", "1", OfScene(steps=steps, rate=0.2)),
        scene_sha256=scene,
        patch=patch,
    )
    plan_of_it = SimpleNamespace(cards={("generator", "learner"): card}, samples={})
    found = Costs.of(plan_of_it, [])

    assert ((PREPARING, False) in found.parts(asked).values()) == waits
