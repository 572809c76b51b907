"""The loop that runs the stages of a trial, on stages made up for the purpose."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hsiaug.registry.card import Card
from hsiaug.trial.memo import Memo, MemoKey
from hsiaug.trial.pipeline import Stage, TrialRun, run_stages
from hsiaug.trial.stages import RECORDED

CARD = Card(name="plain", version="1", summary="no network")


def run_of(memo: Memo | None = None) -> TrialRun:
    """A run that no stage below reads anything of but plugins and memo."""
    plugin: Any = SimpleNamespace(card=CARD)
    context: Any = SimpleNamespace(memo=memo or Memo())
    return TrialRun(spec=None, context=context, generator=plugin, classifier=plugin)  # type: ignore[arg-type]


def test_a_stage_reads_the_outputs_of_those_before_it() -> None:
    first = Stage[int]("first", make=lambda run: 2)
    second = Stage[int]("second", make=lambda run: run[first] + 1)
    run = run_of()
    run_stages((first, second), run)
    assert run[second] == 3


def test_an_output_with_a_key_is_made_once_for_all_runs_of_its_owner() -> None:
    made: list[str] = []

    def stage(owner: str) -> Stage[None]:
        key = MemoKey("draw", owner, "split")
        return Stage("split", make=lambda run: made.append(owner), key=lambda run: key)

    memo = Memo()
    for owner in ("draw 0", "draw 0", "draw 1", "draw 0"):
        run_stages((stage(owner),), run_of(memo))
    assert made == ["draw 0", "draw 1", "draw 0"], "of one draw only is anything held"


def test_memory_is_given_back_where_a_plugin_computed_and_not_where_its_output_was_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_back: list[str] = []
    monkeypatch.setattr("hsiaug.trial.pipeline.give_back_memory", lambda: given_back.append("once"))
    key = MemoKey("fit", "smote", "fit")
    keyed = Stage[int]("fit", make=lambda run: 1, plugin="generator", key=lambda run: key)
    unkeyed = Stage[int]("predict", make=lambda run: 1, plugin="classifier")
    memo = Memo()
    for _ in range(3):
        run_stages((keyed,), run_of(memo))
    assert given_back == ["once"]
    run_stages((unkeyed,), run_of(memo))
    assert given_back == ["once"] * 2


def test_a_stage_that_a_trial_does_not_need_leaves_no_trace() -> None:
    stage = Stage("sample", make=lambda run: 1, plugin="generator", needed=lambda run: False)
    run = run_of()
    run_stages((stage,), run)
    assert stage not in run and run.clock.seconds == {}


def test_a_failure_is_that_of_the_last_stage_in_which_a_plugin_computed() -> None:
    def fail(run: TrialRun) -> None:
        raise ValueError("on purpose")

    sample = Stage("sample", make=lambda run: 1, plugin="generator")
    run = run_of()
    with pytest.raises(ValueError, match="on purpose"):
        run_stages((sample, Stage("join", make=fail)), run)
    assert run.clock.stage == "sample" and set(run.clock.seconds) == {"sample"}
    assert set(run.clock.cpu) == {"sample"}


def test_the_process_is_as_before_after_a_stage_of_a_plugin() -> None:
    def disturb(run: TrialRun) -> float:
        np.seterr(all="ignore")
        return float(np.random.random())

    before = np.geterr()
    stage = Stage("sample", make=disturb, plugin="generator")
    runs = [run_of(), run_of()]
    for run in runs:
        run_stages((stage,), run)
        np.random.random()
    assert np.geterr() == before and runs[0][stage] == runs[1][stage]


def test_facts_before_a_faulty_one_are_in_the_record() -> None:
    def facts(run: TrialRun, output: int) -> Any:
        yield "samples", output
        raise ValueError("no JSON")

    run = run_of()
    with pytest.raises(ValueError, match="no JSON"):
        run_stages((Stage("join", make=lambda run: 4, facts=facts),), run)
    assert run.facts == {"samples": 4}


def test_records_know_the_stages_by_these_names() -> None:
    assert RECORDED == (
        "load",
        "split",
        "prepare",
        "fit_generator",
        "sample",
        "fit_classifier",
        "predict",
    )
