"""What the process that started a worker takes for a message of it."""

import json
import os
import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from hsiaug.bench.worker import BadMessage, read_message
from hsiaug.registry.isolation import processes
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.record import PartialRecord, not_reached

GOOD: dict[str, Any] = {
    "record": {**not_reached(PartialRecord), "status": "ok", "timings": {"total": 1.0}},
    "trial": "a",
}
UNTIMED = {**not_reached(PartialRecord), "status": "failed"}
FAILED = {"stage": "sample", "type": "ValueError", "message": "", "traceback": ""}


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    here, there = Pipe()
    yield here, there
    here.close()
    there.close()


def test_a_trial_ends_with_its_record_and_its_labels(ends: tuple[Connection, Connection]) -> None:
    here, there = ends
    there.send_bytes(json.dumps({**GOOD, "parts": ["labels"]}).encode())
    there.send_bytes(np.array([1, 2], dtype=np.int16).tobytes())
    said = read_message(here, "a")
    assert isinstance(said, TrialOutcome) and said.labels is not None
    assert said.labels.tolist() == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        {**GOOD, "parts": ["labels"], "trial": "the one before"},
        {**GOOD, "parts": []},
        {**GOOD, "parts": ["labels"], "record": {"status": "ok", "error": None, "timings": {}}},
        {
            **GOOD,
            "parts": [],
            "record": {**UNTIMED, "error": {**FAILED, "stage": 5}},
        },
        {**GOOD, "parts": [], "record": UNTIMED},
        {**GOOD, "parts": ["labels"], "record": {**GOOD["record"], "hash": "of another record"}},
        {
            **GOOD,
            "parts": ["labels"],
            "record": {**GOOD["record"], "timings": {"total": float("inf")}},
        },
        {
            **GOOD,
            "parts": ["labels"],
            "record": {**GOOD["record"], "provenance": {"angle": float("nan")}},
        },
        {"step": [1, float("inf"), ""]},
        {"step": [1, 2]},
        {"refused": "another scene"},
        [],
        None,
    ],
)
def test_what_no_worker_says_is_no_message(
    message: Any, ends: tuple[Connection, Connection]
) -> None:
    here, there = ends
    there.send_bytes(json.dumps(message).encode())
    with pytest.raises(BadMessage):
        read_message(here, "a")


@pytest.mark.skipif(os.name != "posix", reason="pipes wait here")
def test_a_message_whose_rest_does_not_follow_is_not_waited_for(ends, monkeypatch):
    monkeypatch.setattr(processes, "WHOLE_WITHIN", 0.1)
    here, there = ends
    os.write(there.fileno(), b"\0\0\0\xff{")
    with pytest.raises(BadMessage):
        read_message(here, "a")


@pytest.mark.skipif(os.name != "posix", reason="pipes wait here")
def test_a_message_that_comes_bit_by_bit_is_not_waited_for(ends, monkeypatch):
    monkeypatch.setattr(processes, "WHOLE_WITHIN", 0.3)
    here, there = ends
    heard = threading.Event()

    def dribble() -> None:
        os.write(there.fileno(), b"\0\xff\0\0")
        while not heard.wait(0.05):
            os.write(there.fileno(), b"x")

    speaker = threading.Thread(target=dribble)
    speaker.start()
    with pytest.raises(BadMessage):
        read_message(here, "a")
    heard.set()
    speaker.join()
