"""What the process that started a worker takes for a message of it."""

import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from hsiaug.bench import messages
from hsiaug.bench.messages import BadMessage, outcome_message, read_message
from hsiaug.registry.isolation import processes
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.record import PartialRecord, not_reached

RECORD = {**not_reached(PartialRecord), "status": "ok", "timings": {"total": 1.0}}
GOOD: dict[str, Any] = {
    "trial": "a",
    "record": json.dumps(RECORD),
    "labels": b64encode(np.array([1, 2], np.int16).tobytes()).decode(),
    "columns": None,
    "sheet": None,
}
UNTIMED = {**not_reached(PartialRecord), "status": "failed"}
FAILED = {"stage": "sample", "type": "ValueError", "message": "", "traceback": ""}


def of(record: object, **changed: object) -> dict[str, Any]:
    """The message of another record."""
    return {**GOOD, "record": json.dumps(record), **changed}


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    here, there = Pipe()
    yield here, there
    here.close()
    there.close()


def test_a_trial_ends_with_its_record_and_its_labels() -> None:
    said = read_message(json.dumps(GOOD).encode(), "a")
    assert isinstance(said, TrialOutcome) and said.labels is not None
    assert said.record == RECORD and said.labels.tolist() == [1, 2]


@pytest.mark.parametrize("labels", [np.array([3, 1], np.int16), np.zeros((4, 2), np.float32), None])
def test_what_is_sent_is_what_is_read(labels: Any) -> None:
    status = {"status": "ok"} if labels is not None else {"status": "failed", "error": FAILED}
    sent = TrialOutcome({**RECORD, **status}, labels)
    said = read_message(outcome_message("a", sent), "a")
    assert isinstance(said, TrialOutcome) and said.record == sent.record
    np.testing.assert_array_equal(said.labels, labels)


@pytest.mark.parametrize(
    "message",
    [
        {**GOOD, "trial": "the one before"},
        {**GOOD, "labels": None},
        {**GOOD, "labels": "AQ=="},
        {**GOOD, "columns": 0},
        {**GOOD, "sheet": "AQ=="},
        {**GOOD, "record": "{"},
        {**GOOD, "record": "[" * 1000 + "]" * 1000},
        of({"status": "ok", "error": None, "timings": {}}),
        of({**UNTIMED, "error": {**FAILED, "stage": 5}}, labels=None),
        of({**UNTIMED, "error": FAILED}, labels=None, sheet="AQ=="),
        of(UNTIMED, labels=None),
        of({**RECORD, "hash": "of another record"}),
        of({**RECORD, "timings": {"total": float("inf")}}),
        of({**RECORD, "provenance": {"angle": float("nan")}}),
        {"step": [1, float("inf"), ""]},
        {"step": [1, 2]},
        {"refused": "another scene"},
        [],
        None,
    ],
)
def test_what_no_worker_says_is_no_message(message: Any) -> None:
    with pytest.raises(BadMessage):
        read_message(json.dumps(message).encode(), "a")


@pytest.mark.skipif(os.name != "posix", reason="pipes wait here")
@pytest.mark.parametrize("part", ["record", "sheet", "step"])
def test_each_part_of_a_message_has_a_limit(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_SHEET_BYTES", 100)
    # It is bounded before it is read: it would be read otherwise.
    monkeypatch.setattr(messages, "read_sheet", lambda data: None)
    long = {
        "record": of({**RECORD, "notes": ["x" * messages.LONGEST_RECORD]}),
        "sheet": {**GOOD, "sheet": b64encode(b"x" * 101).decode()},
        "step": {"step": [1, 2, "x" * messages.LONGEST_RECORD]},
    }
    with pytest.raises(BadMessage):
        read_message(json.dumps(long[part]).encode(), "a")
    short = {
        "record": of({**RECORD, "notes": ["x"]}),
        "sheet": {**GOOD, "sheet": b64encode(b"x" * 100).decode()},
        "step": {"step": [1, 2, "x"]},
    }
    assert read_message(json.dumps(short[part]).encode(), "a")


def test_a_message_whose_rest_does_not_follow_is_not_waited_for(ends, monkeypatch):
    monkeypatch.setattr(processes, "WHOLE_WITHIN", 0.1)
    here, there = ends
    os.write(there.fileno(), b"\0\0\0\xff{")
    with pytest.raises((EOFError, OSError)):
        processes.receive(here, 2**31)


@pytest.mark.skipif(os.name != "posix", reason="pipes wait here")
def test_a_message_that_comes_bit_by_bit_is_not_waited_for(ends, monkeypatch):
    monkeypatch.setattr(processes, "WHOLE_WITHIN", 0.3)
    here, there = ends
    heard = threading.Event()

    def dribble() -> None:
        # Nobody reads any more, at the end.
        with suppress(BrokenPipeError):
            os.write(there.fileno(), b"\0\xff\0\0")
            while not heard.wait(0.05):
                os.write(there.fileno(), b"x")

    speaker = threading.Thread(target=dribble)
    speaker.start()
    with pytest.raises((EOFError, OSError)):
        processes.receive(here, 2**31)
    heard.set()
    speaker.join()
