"""The small world is built once for all tests of the pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs import small_world
from tests.few_prompts import ask_few_prompts
from tests.few_rounds import measure_few_rounds
from tests.few_steps import take_few_steps
from tests.in_process import run_trials_here


@pytest.fixture(autouse=True)
def trials_here(
    monkeypatch: pytest.MonkeyPatch,
    blank_pictures: None,
    few_prompts: None,
    few_rounds: None,
    few_steps: None,
) -> None:
    """Pages are about commands; tests/bench has the processes that trials run in, each of which
    loads all libraries, tests/report what pictures show, and tests/suggest what several views tell.
    """
    run_trials_here(monkeypatch)
    monkeypatch.setattr("hsiaug.suggest.committee.VIEWS", ("raw",))


@pytest.fixture(scope="session")
def world(make_once: Callable[..., Path]) -> Path:
    """See :mod:`tests.docs.small_world`; a test that writes works in a copy."""
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        ask_few_prompts(patch)
        measure_few_rounds(patch)
        take_few_steps(patch)
        return make_once("world", small_world.build)
