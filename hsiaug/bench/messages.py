"""What a worker sends of its trials, each a line of JSON that is checked (:func:`read_message`):
nothing that a plugin made is unpickled.

In order: ``{"stage": name}`` and ``{"step": […]}`` as a trial goes on, then its outcome.
"""

import json
from base64 import b64encode
from typing import Annotated, Literal

import numpy as np
from pydantic import Base64Bytes, ConfigDict, Field, TypeAdapter

from hsiaug.base.arrays import AnyArray
from hsiaug.bench.engine import PluginProgress
from hsiaug.registry.isolation.packages import Message
from hsiaug.registry.progress import progress_values
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.plugin_calls import LARGEST_PROVENANCE
from hsiaug.trial.record import STAGES, PartialRecord, TrialError
from hsiaug.trial.record_json import decode
from hsiaug.trial.sheet import MAX_SHEET_BYTES, read_sheet

LONGEST_MESSAGE = 2**31 - 1
"""In bytes, nearly all of which are predictions."""
LONGEST_RECORD = 32 * LARGEST_PROVENANCE
"""Of its JSON: what a generator and a classifier may say of themselves, each character escaped, and
more. What is no outcome is no longer either.
"""
MOST_COLUMNS = 4096
"""Values of the prediction of a pixel."""


class BadMessage(Exception):
    """What a worker sent is no message."""


Stage = Annotated[str, Field(pattern=f"^({'|'.join(STAGES)})$")]


class _ErrorMessage(TrialError):
    stage: Stage


class _Record(PartialRecord):
    """The part of a record that a worker says, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok", "failed"]
    error: _ErrorMessage | None


class _Outcome(Message):
    """record: as JSON. labels: the predicted class ids (int16), or ``columns`` values of float32 a
    pixel. sheet: as its class writes it.
    """

    trial: str
    record: Annotated[str, Field(max_length=LONGEST_RECORD)]
    labels: Base64Bytes | None
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)] | None
    sheet: Base64Bytes | None


class _Step(Message):
    step: tuple[int, int, str]


class _Begun(Message):
    stage: Stage


MESSAGE: TypeAdapter[_Outcome | _Step | _Begun] = TypeAdapter(_Outcome | _Step | _Begun)


def outcome_message(trial: str, outcome: TrialOutcome) -> bytes:
    """What the trial with that hash came to."""
    labels, sheet = outcome.labels, outcome.sheet
    facts = {
        "trial": trial,
        "record": json.dumps(outcome.record),
        "columns": None if labels is None or labels.ndim == 1 else labels.shape[1],
    }
    parts = [
        json.dumps(facts).encode()[:-1],
        b', "labels": ',
        b"null" if labels is None else _quoted(labels.tobytes()),
        b', "sheet": ',
        b"null" if sheet is None else _quoted(sheet.to_bytes()),
        b"}",
    ]
    return b"".join(parts)


def _quoted(part: bytes) -> bytes:
    return b'"%b"' % b64encode(part)


def read_message(data: bytes, trial: str) -> str | PluginProgress | TrialOutcome:
    """A message: the name of a stage that begins, a step, or what the trial came to. Raises
    BadMessage where it is none of the trial with that hash.
    """
    try:
        message = MESSAGE.validate_json(data)
        if isinstance(message, _Outcome):
            return _outcome(message, trial)
        if len(data) > LONGEST_RECORD:
            raise ValueError("longer than any step")
        if isinstance(message, _Begun):
            return message.stage
        return PluginProgress(*progress_values(*message.step))
    # pydantic's is a ValueError too.
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadMessage from error


def _outcome(message: _Outcome, trial: str) -> TrialOutcome:
    # Of what is nested more than 200 deep the first makes an error, of a number that is not finite
    # the second.
    record = _Record.model_validate_json(message.record)
    content = decode(message.record.encode())
    labels, sheet = message.labels, message.sheet
    ok = record.status == "ok"
    whole = ok == (labels is not None) == (record.error is None)
    if message.trial != trial or not whole or (not ok and sheet):
        raise ValueError("another trial, or an outcome in part")
    if sheet is not None and len(sheet) > MAX_SHEET_BYTES:
        raise ValueError(f"more than {MAX_SHEET_BYTES:,} bytes")
    return TrialOutcome(
        content,
        None if labels is None else _predictions(labels, message.columns),
        None if sheet is None else read_sheet(sheet),
    )


def _predictions(data: bytes, columns: int | None) -> AnyArray:
    """Class ids (n,) int16, or so many columns (n, K) float32 of a task without classes."""
    if columns is None:
        return np.frombuffer(data, np.int16)
    return np.frombuffer(data, np.float32).reshape(-1, columns)
