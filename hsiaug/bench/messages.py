"""The messages of a worker process on its trials, and how the process that started it reads them:
JSON, and bytes that are checked. Nothing that a plugin made is unpickled.

In order: ``{"stage": name}`` and ``{"step": […]}`` as a trial goes on; ``{"result": …, "trial":
hash, "parts": […], "columns": int}`` at its end, and then these parts, if any: labels, the
predicted class ids (int16, or ``columns`` values of float32 a pixel), the sheet of samples, and
samples of prompts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hsiaug.base.arrays import AnyArray
from hsiaug.registry.isolation.processes import Channel, receive
from hsiaug.registry.progress import progress_values
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.plugin_calls import LARGEST_PROVENANCE
from hsiaug.trial.prompts import MAX_PROMPTED_BYTES, read_prompted
from hsiaug.trial.record import TrialError, TrialResult
from hsiaug.trial.record_json import decode
from hsiaug.trial.sheet import MAX_SHEET_BYTES, read_sheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.stage_clock import RECORDED

MAX_MESSAGE_BYTES = 32 * LARGEST_PROVENANCE
"""Bytes of a message: what a generator and a classifier may say of themselves, each character
escaped, and more.
"""
MOST_LABELS = 2**31
"""Bytes of predictions."""
MOST_COLUMNS = 4096
"""Values of the prediction of a pixel."""


@dataclass(frozen=True)
class PluginProgress:
    """Progress reported by a plugin."""

    done: int
    total: int
    note: str


@dataclass(frozen=True)
class StageBegun:
    """A stage of the trial has begun."""

    stage: str


def send_stage(channel: Channel, stage: str) -> None:
    """Send the name of a stage that begins."""
    channel.send(json.dumps({"stage": stage}).encode())


def send_step(channel: Channel, done: object, total: object, note: object) -> None:
    """Send how far a plugin is."""
    channel.send(json.dumps({"step": progress_values(done, total, note)}).encode())


def send_outcome(channel: Channel, spec: TrialSpec, outcome: TrialOutcome) -> None:
    """Send the end of a trial."""
    labels, sheet, prompted = outcome.labels, outcome.sheet, outcome.prompted
    parts = {
        "labels": None if labels is None else labels.tobytes(),
        "sheet": None if sheet is None else sheet.to_bytes(),
        "prompted": None if prompted is None else prompted.to_bytes(),
    }
    sent = {name: part for name, part in parts.items() if part is not None}
    head = {
        "result": outcome.result,
        "trial": spec.hash,
        "parts": list(sent),
        "columns": None if labels is None or labels.ndim == 1 else labels.shape[1],
    }
    channel.send(json.dumps(head).encode(), *sent.values())


class BadMessage(Exception):
    """What a worker sent is no message, or the worker has ended."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


Stage = Annotated[str, Field(pattern=f"^({'|'.join(RECORDED)})$")]


class _ErrorMessage(TrialError):
    stage: Stage


class _Result(TrialResult):
    """The part of a record that a worker says, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok", "failed"]
    error: _ErrorMessage | None


class _Ended(_Message):
    result: _Result
    trial: str
    parts: tuple[Literal["labels", "sheet", "prompted"], ...]
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)] | None = None


class _Step(_Message):
    step: tuple[object, object, object]


class _Begun(_Message):
    stage: Stage


MESSAGE: TypeAdapter[_Ended | _Step | _Begun] = TypeAdapter(_Ended | _Step | _Begun)


def read_message(connection: Connection, trial: str) -> StageBegun | PluginProgress | TrialOutcome:
    """The next message. Raises BadMessage where it is none of the trial with that hash."""
    # Of what is nested more than 200 deep the first makes an error, of a number that is not finite
    # the second.
    message, content = _received(
        connection, MAX_MESSAGE_BYTES, lambda data: (MESSAGE.validate_json(data), decode(data))
    )
    if isinstance(message, _Begun):
        return StageBegun(message.stage)
    if isinstance(message, _Step):
        return PluginProgress(*progress_values(*message.step))
    ok = message.result.status == "ok"
    no_error = message.result.error is None
    whole = ok == ("labels" in message.parts) == no_error and ok >= bool(message.parts)
    if message.trial != trial or not whole:
        raise BadMessage
    how: dict[str, tuple[int, Callable[[bytes], object]]] = {
        "labels": (MOST_LABELS, partial(_predictions, columns=message.columns)),
        "sheet": (MAX_SHEET_BYTES, read_sheet),
        "prompted": (MAX_PROMPTED_BYTES, read_prompted),
    }
    parts = {part: _received(connection, *how[part]) for part in message.parts}
    return TrialOutcome(content["result"], **{"labels": None, **parts})


def _predictions(data: bytes, columns: int | None) -> AnyArray:
    """Class ids (n,) int16, or so many columns (n, K) float32 of a task without classes."""
    if columns is None:
        return np.frombuffer(data, np.int16)
    return np.frombuffer(data, np.float32).reshape(-1, columns)


def _received(connection: Connection, most: int, read: Callable[[bytes], object]) -> Any:
    try:
        return read(receive(connection, most))
    # pydantic's is a ValueError too.
    except (EOFError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise BadMessage from error
