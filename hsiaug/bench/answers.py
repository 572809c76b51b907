"""Messages of a worker, read by the process that started it: plugins that ran there may have written anything.

Whatever is no message of :mod:`hsiaug.bench.worker` raises ``BadAnswer``, and costs the worker its process.
"""

from __future__ import annotations

import json
import math
import os
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hsiaug.bench.engine import PluginProgress, TrialEnded
from hsiaug.registry.progress import progress_values
from hsiaug.trial.guard import LARGEST_PROVENANCE, LONGEST_MESSAGE, LONGEST_TRACEBACK
from hsiaug.trial.run import Outcome

__all__ = ["BadAnswer", "read_answer", "without_half_messages"]

LARGEST = 32 * LARGEST_PROVENANCE
"""Bytes of a message: what a generator and a classifier may say of themselves, each character escaped, and more."""
MOST_LABELS = 2**31
"""Bytes of predicted class ids."""
DEEPEST = 200
"""Lists and mappings within one another."""
WHOLE_WITHIN = 60.0
"""Seconds in which the rest of a message follows its beginning."""


class BadAnswer(Exception):
    """The output of a worker is not a message, or the worker has ended."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Error(_Part):
    stage: Literal["load", "split", "prepare", "fit_generator", "sample", "fit_classifier", "predict"]
    type: Annotated[str, Field(max_length=2 * LONGEST_MESSAGE)]
    message: Annotated[str, Field(max_length=2 * LONGEST_MESSAGE)]
    traceback: Annotated[str, Field(max_length=2 * LONGEST_TRACEBACK)]


class _Result(_Part):
    """The part of a record that a worker says."""

    status: Literal["ok", "failed"]
    error: _Error | None
    samples: dict[str, list[int]] | None = None
    provenance: dict[str, Any] = {}
    prepared: dict[str, str | float] = {}
    classifier_facts: dict[str, Any] = {}
    device: dict[str, str | int] = {}
    scope: dict[str, str] = {}
    transductive: bool = False
    spectral_view: dict[str, Any] = {}
    notes: list[str] = []
    timings: dict[str, float]
    cpu_seconds: dict[str, float] = {}
    optimiser_steps: dict[str, int | None] = {}
    peak_memory_mb: float | None = None


class _Ended(_Part):
    result: _Result
    trial: str
    labels: bool


def without_half_messages(connection: Connection) -> None:
    """Let reading fail where the rest of a message does not follow, in place of waiting for ever."""
    if os.name == "posix":
        seconds = int(WHOLE_WITHIN), int(WHOLE_WITHIN % 1 * 1e6)
        with socket.socket(fileno=os.dup(connection.fileno())) as pipe:
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, np.array(seconds, dtype="l").tobytes())


def read_answer(connection: Connection, trial: str) -> PluginProgress | TrialEnded:
    """The next message. trial: hash of the one that runs. Raises BadAnswer."""
    said = _received(connection, LARGEST, _parsed)
    try:
        if "step" in said:
            done, total, note = said["step"]
            return PluginProgress(*progress_values(done, total, note))
        ended = _Ended.model_validate(said)
    except (TypeError, ValueError) as error:  # pydantic's too
        raise BadAnswer from error
    ok = ended.result.status == "ok"
    if ended.trial != trial or ok != ended.labels or ok != (ended.result.error is None):
        raise BadAnswer
    labels = (
        _received(connection, MOST_LABELS, lambda data: np.frombuffer(data, np.int16)) if ended.labels else None
    )
    return TrialEnded(Outcome(said["result"], labels))


def _received(connection: Connection, most: int, read: Callable[[bytes], Any]) -> Any:
    try:
        return read(connection.recv_bytes(most))
    except (EOFError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise BadAnswer from error


def _parsed(data: bytes) -> dict[str, Any]:
    said = json.loads(data, parse_constant=_finite, parse_float=_finite)
    _check_depth(said, DEEPEST)
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _check_depth(value: Any, left: int) -> None:
    if not left:
        raise ValueError("too deep")
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(one, left - 1)
