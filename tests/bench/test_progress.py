"""What is told while trials run: how long the rest takes, and each error as it first comes. By a clock of its own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from hsiaug.bench.eta import Forecast, TimeLeft
from hsiaug.bench.ledger import Event
from hsiaug.bench.progress import watching
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Store
from tests.report.report_records import failure

SECONDS = {"coords": 0.1, "svm": 2.0, "cnn2d": 60.0}
FIT = 240.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Params:
    """Of a plugin that has none."""


def trial(generator: str, classifier: str, seed: int, lam: float = 1.0) -> TrialSpec:
    made, tested = (PluginSpec(name, "1", Params()) for name in (generator, classifier))
    lam = 0.0 if generator == "none" else lam
    spec = TrialSpec("pixels", "toy", "0" * 64, parse_protocol("issd:0.05"), 9, seed, made, tested, lam, None)
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


def takes(one: TrialSpec, first: bool) -> float:
    return SECONDS[one.classifier.name] + (FIT if first and one.generator.name != "none" else 0.0)


def costs(trials: Mapping[str, TrialSpec]) -> dict[str, float]:
    seen: set[str] = set()
    made = {}
    for hash, one in trials.items():
        made[hash] = takes(one, one.fit_hash not in seen)
        seen.add(one.fit_hash)
    return made


def test_the_first_quick_trials_do_not_speak_for_the_slow_ones() -> None:
    """Two trials of 2.1 s are done; 18 minutes are left, of which their mean would make 17 seconds."""
    clock, trials = Clock(), plan()
    true = costs(trials)
    forecast = Forecast(trials, expected=true, clock=clock)
    for hash in list(trials)[:2]:
        forecast.started(hash)
        clock.now += true[hash]
        forecast.ended(hash, well=True)
    left = forecast.left()
    assert left is not None and left.seconds == pytest.approx(sum(true.values()) - 2.1)
    assert not left.measured and str(left) == "ETA about 18 min"


def test_without_an_estimate_there_is_no_eta_until_the_like_was_measured() -> None:
    clock, trials = Clock(), plan()
    true = costs(trials)
    forecast = Forecast(trials, clock=clock)
    said = []
    for hash in trials:
        said.append(forecast.left())
        forecast.started(hash)
        clock.now += true[hash]
        forecast.ended(hash, well=True)
    assert said[:6] == [None] * 6, "the first draw"
    rest = [sum(list(true.values())[i:]) for i in range(6, len(true))]
    assert [left.seconds for left in said[6:] if left] == pytest.approx(rest)
    assert all(left is not None and left.measured for left in said[6:])


def left_after_two(expected: float, took: float, well: bool) -> TimeLeft | None:
    """What two of four trials leave to do, all of them expected to take so long."""
    clock, trials = Clock(), plan(2, ("svm",))
    forecast = Forecast(trials, expected=dict.fromkeys(trials, expected), clock=clock)
    for hash in list(trials)[:2]:
        forecast.started(hash)
        clock.now += took
        forecast.ended(hash, well=well)
    return forecast.left()


def test_what_this_run_measures_counts_more_than_the_estimate() -> None:
    assert left_after_two(expected=1.0, took=50.0, well=True) == TimeLeft(100.0, True)


def test_a_trial_that_failed_at_once_does_not_speak_for_the_others() -> None:
    assert left_after_two(expected=100.0, took=0.01, well=False) == TimeLeft(200.0, False)


def test_running_trials_count_for_what_is_left_of_them() -> None:
    clock, trials = Clock(), plan(1, ("svm",))
    forecast = Forecast(trials, expected=dict.fromkeys(trials, 100.0), clock=clock)
    forecast.started(next(iter(trials)))
    clock.now += 30.0
    assert forecast.left() == TimeLeft(170.0, False)


def test_a_trial_past_its_time_is_not_nearly_done() -> None:
    """A card that says 1 s of a trial of minutes must not give ETA 0 s for minutes."""
    clock, trials = Clock(), plan(1, ("svm",))
    first = next(iter(trials))
    forecast = Forecast({first: trials[first]}, expected={first: 1.0}, clock=clock)
    forecast.started(first)
    clock.now += 400.0
    left = forecast.left()
    assert left is not None and left.seconds == pytest.approx(100.0) and not left.measured


def test_processes_share_the_rest_but_not_a_fit() -> None:
    clock, trials = Clock(), plan(4, ("svm",))
    alike = Forecast(trials, jobs=2, expected=dict.fromkeys(trials, 10.0), clock=clock)
    assert alike.left() == TimeLeft(40.0, False)
    shared = {t.hash: t for lam in (0.5, 1, 2, 4) for t in [trial("specdm", "svm", 0, lam)]}
    one_after_the_other = Forecast(shared, jobs=4, expected=dict.fromkeys(shared, 10.0), clock=clock)
    assert one_after_the_other.left() == TimeLeft(40.0, False)


def test_nothing_left_takes_no_time() -> None:
    assert Forecast({}, clock=Clock()).left() == TimeLeft(0.0, True)


# What is printed


def test_a_line_now_and_then_says_when_it_will_end() -> None:
    clock, trials, out = Clock(), plan(1), io.StringIO()
    true = costs(trials)
    with watching(trials, Console(file=out, width=200), expected=true, clock=clock) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            clock.now += true[hash]
            on_event(Event("ok", hash))
    assert out.getvalue().splitlines() == [
        "[3/6] none · cnn2d · draw 0: ok, ETA about 5 min",
        "[4/6] specdm λ=1 · coords · draw 0: ok, ETA about 62 s",
        "[6/6] specdm λ=1 · cnn2d · draw 0: ok",
    ]


def test_no_eta_is_said_to_be_none() -> None:
    clock, trials, out = Clock(), plan(1, ("svm",)), io.StringIO()
    with watching(trials, Console(file=out, width=200), clock=clock) as on_event:
        first = next(iter(trials))
        on_event(Event("start", first))
        clock.now += 6.0
        on_event(Event("ok", first))
    assert out.getvalue() == "[1/2] none · svm · draw 0: ok, ETA not known yet\n"


HOSTILE = "[/] \x1b[2J\x1b]0;title\x07 no sample\u202e came back"


def failing(store: Store, trials: Mapping[str, TrialSpec]) -> None:
    """Every trial failed: the classifier svm in one way, the others in another."""
    for hash, one in trials.items():
        svm = one.classifier.name == "svm"
        record = failure("PluginError" if svm else "[/b]Bad", f"{HOSTILE}\nat seed {one.seed}" + "x" * 1000)
        store.put({**record, "hash": hash}, None)


@pytest.mark.parametrize("terminal", [False, True])
def test_each_error_is_told_once_as_it_comes_with_its_reason_and_where_to_see_it(
    tmp_path: Path, terminal: bool
) -> None:
    store, trials, out = Store(tmp_path / "my results", create=True), plan(2, ("svm", "coords")), io.StringIO()
    failing(store, trials)
    console = Console(file=out, width=400, force_terminal=terminal, color_system=None)
    with watching(trials, console, store=store, clock=Clock()) as on_event:
        for hash in trials:
            on_event(Event("start", hash))
            on_event(Event("step", hash, 1, 2, "[/red] note"))
            on_event(Event("failed", hash))
    told = [line for line in out.getvalue().splitlines() if "failed: " in line and "See it whole" in line]
    first, second = list(trials)[:2]
    assert [line[line.index("failed:") :].rstrip() for line in told] == [
        f"failed: none · svm · draw 0: PluginError in sample: [/] no sample came back. "
        f"See it whole: hsiaug show {first} --store '{store.root}'",
        f"failed: none · coords · draw 0: [/b]Bad in sample: [/] no sample came back. "
        f"See it whole: hsiaug show {second} --store '{store.root}'",
    ]
    assert "\x1b]0" not in out.getvalue() and "\u202e" not in out.getvalue()
