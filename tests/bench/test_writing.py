"""Where many slots answer, processes beside the dispatcher score and write the records."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.errors import HsiaugError, StoreError
from hsiaug.bench.engine import Job
from hsiaug.bench.plan import Request, build_plan
from hsiaug.bench.writing import BACKLOG, MANY_SLOTS, Answer, Writing
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.run import compute
from hsiaug.trial.store import Store

MEASURED = {"created", "timings", "cpu_seconds", "peak_memory_mb"}


@pytest.fixture(scope="module")
def answers(toy: Scene) -> list[Answer]:
    request = Request(generators=["smote"], classifiers=["svm"], lambdas=[1.0], seeds=[0, 1], patch=5)
    bench, found = Workbench(toy, get_task("pixels")), list[Answer]()
    for trial in build_plan(toy, request, registry()).trials:
        outcome = compute(trial, bench, registry(), device="cpu", progress=lambda *_: None)
        found.append((trial, outcome, bench.split(trial), f"run {trial.hash}"))
    return found


def writing(toy: Scene, store: Path, ref: str = "toy") -> Any:
    return closing(Writing(toy, Job("pixels", ref, store, "cpu"), Store(store, create=True)))


def records(store: Path) -> dict[str, Any]:
    found = {record["hash"]: dict(record) for record in Store(store).read().records}
    return {hash: {k: v for k, v in one.items() if k not in MEASURED} for hash, one in found.items()}


def test_processes_write_the_same_records_as_the_run_itself(
    toy: Scene, answers: list[Answer], tmp_path: Path
) -> None:
    for folder, slots in (("here", 1), ("there", MANY_SLOTS)):
        with writing(toy, tmp_path / folder) as to:
            for answer in answers:
                to.put(answer, slots)
            events = list(to.ended(wait=True))
        assert [event.hash for event in events] == [trial.hash for trial, *_ in answers]
        assert {event.kind for event in events} == {"ok"} and events[0].timings == answers[0][1].result["timings"]

    assert len(answers) == len(records(tmp_path / "here"))
    assert records(tmp_path / "there") == records(tmp_path / "here")
    store = Store(tmp_path / "there")
    assert all(len(store.predictions(trial.hash)[0]) for trial, *_ in answers)


def test_what_waits_is_written_when_a_run_is_stopped(toy: Scene, answers: list[Answer], tmp_path: Path) -> None:
    with writing(toy, tmp_path) as to:
        for answer in answers:
            to.put(answer, MANY_SLOTS)

    assert len(records(tmp_path)) == len(answers)


def test_few_answers_wait_to_be_written(
    toy: Scene, answers: list[Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the memory of a run would grow where the disk is slow."""
    with writing(toy, tmp_path) as to:
        for _ in range(BACKLOG + 5):
            to.put(answers[0], MANY_SLOTS)
        told = len(list(to.ended(wait=False)))

        assert told >= 5


def test_a_disk_that_refuses_a_record_ends_the_run_with_one_error(
    toy: Scene, answers: list[Answer], tmp_path: Path
) -> None:
    with writing(toy, tmp_path) as to:
        to.put(answers[0], MANY_SLOTS)
        assert len(list(to.ended(wait=True))) == 1
        (tmp_path / "records").rename(tmp_path / "aside")
        (tmp_path / "records").write_text("in the way")
        to.put(answers[1], MANY_SLOTS)
        with pytest.raises(StoreError, match="must be a folder that can be written to"):
            list(to.ended(wait=True))


def test_a_scene_that_changed_since_the_plan_is_not_scored_on(
    toy: Scene, answers: list[Answer], tmp_path: Path
) -> None:
    with writing(toy, tmp_path, "indian_pines") as to:
        to.put(answers[0], MANY_SLOTS)
        with pytest.raises(HsiaugError, match="processes that write records"):
            list(to.ended(wait=True))

    assert not records(tmp_path)
