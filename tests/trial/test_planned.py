"""Plans that a store keeps: written before the first trial, once, and what a report says of draws that came later."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import hsiaug
from hsiaug.bench.engines.local import Local
from hsiaug.bench.plan import Request, build_plan
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry
from hsiaug.report import build_report, render_html, render_report
from hsiaug.trial.planned import PLANS, PlannedDraws, read_plans, state_plan
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import merge
from tests.in_process import run_trials_here
from tests.report.report_records import benchmark as benchmark_records

LATER = "seeds 2, 3 were added on"


@pytest.fixture
def trials(toy: Scene, plugins: Registry) -> dict[int, list[TrialSpec]]:
    """By draw."""
    asked = Request(
        lambdas=[1.0],
        seeds=range(4),
        protocol=parse_protocol("issd"),
        generators=["noise"],
        classifiers=["svm"],
        patch=5,
    )
    plan = build_plan(toy, asked, plugins)
    return {seed: [t for t in plan.trials if t.seed == seed] for seed in range(4)}


def ran(trials: list[TrialSpec]) -> list[dict[str, Any]]:
    return [{"status": "ok", "spec": trial.as_json()} for trial in trials]


def test_a_plan_names_its_draws_and_those_that_had_results_and_is_never_written_again(
    trials: dict[int, list[TrialSpec]], tmp_path: Path
) -> None:
    first, more = trials[0] + trials[1], trials[2] + trials[3]
    state_plan(tmp_path, first, [])
    (path,) = (tmp_path / PLANS).iterdir()
    written = path.read_bytes()
    state_plan(tmp_path, first, ran(first))
    assert path.read_bytes() == written, "a run that goes on has the plan of before"

    state_plan(tmp_path, first + more, ran(first))
    one, two = read_plans(tmp_path)
    assert (one.seeds, one.known) == ({0, 1}, set()) and (two.seeds, two.known) == ({0, 1, 2, 3}, {0, 1})
    assert one.spec == two.spec and one.spec["protocol"]["name"] == "issd" and "seed" not in one.spec
    said = json.loads(path.read_text("utf-8"))
    assert said["trials"] == len(first) and said["plan"] == path.stem


def test_results_of_controls_alone_are_no_look(trials: dict[int, list[TrialSpec]], tmp_path: Path) -> None:
    controls = [t for t in trials[0] if t.generator.name in ("none", "duplicate")]
    state_plan(tmp_path, trials[0] + trials[1], ran(controls))
    assert read_plans(tmp_path)[0].known == set()


def test_processes_that_begin_one_plan_together_leave_one_whole_file(
    trials: dict[int, list[TrialSpec]], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: state_plan(tmp_path, trials[0], []), range(16)))
    assert len(list((tmp_path / PLANS).iterdir())) == len(read_plans(tmp_path)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"date": 3, "tables": []}', '{"date": "2026", "tables": [{}]}'])
def test_what_is_no_plan_is_left_out(trials: dict[int, list[TrialSpec]], tmp_path: Path, text: str) -> None:
    state_plan(tmp_path, trials[0], [])
    (tmp_path / PLANS / "other.json").write_text(text)
    assert len(read_plans(tmp_path)) == 1


@pytest.mark.parametrize("spec", [{}, {"scene": 3, "protocol": {}}, {"scene": {}, "protocol": None}])
def test_a_plan_of_no_table_says_nothing(spec: dict[str, Any]) -> None:
    other = PlannedDraws("2026-01-01", spec, frozenset({1}), frozenset({0}))
    assert "were added on" not in render_report(build_report(benchmark_records(2), planned=[other]))


def benchmark(store: Path, generators: str, draws: int) -> Any:
    asked = {"lambdas": [1], "views": "raw", "patch": 5, "draws": draws, "jobs": 1}
    return hsiaug.benchmark("toy", generators.split(), "svm", store=store, progress=False, **asked)


def test_a_report_says_which_draws_were_added_after_results_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_trials_here(monkeypatch)
    store = tmp_path / "store"
    with monkeypatch.context() as stopped:
        stopped.setattr(Local, "submit", lambda *words: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            benchmark(store, "noise", 2)
    assert len(read_plans(store)) == 1 and not Store(store).hashes(), "before the first trial"

    assert LATER not in render_report(benchmark(store, "noise", 2).report)
    assert LATER not in render_report(benchmark(store, "noise smote", 2).report), "another arm is no other draw"
    report = benchmark(store, "noise", 4).report
    assert f"{LATER} " in render_report(report) and LATER in render_html(report)
    assert "after results of seeds 0, 1 existed" in render_report(report)
    (look,) = json.loads(render_report(report, "json"))["tables"][0]["added_after_a_look"]
    assert (look["seeds"], look["after"]) == ([2, 3], [0, 1])

    merge(tmp_path / "copy", Store(store), lambda done, of: None)
    assert LATER in render_report(hsiaug.read_store(tmp_path / "copy").report)
    assert LATER not in render_report(build_report(Store(store).read().records)), "as of a store without plans"
