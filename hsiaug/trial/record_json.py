"""Records as JSON: what is read of a file, and what is written; and the error of a failed one in a
line.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from hsiaug.base.text import one_line
from hsiaug.protocol.balance import Rate
from hsiaug.trial.content_hash import canonical_json

Record = Mapping[str, Any]

RECORD = "record.json"
"""Name of a record's file."""
RECORD_FORMAT = 1
"""Of the records that are written and read."""
DIGEST = "record_sha256"
"""Key of the digest of all other keys; records from before it have none."""
FILE_DIGEST = "npz_sha256"
"""Key of that of its file of predictions, which older records have not either."""
CHECKS = 3
"""Raise when ``fault_of`` finds what it did not find before: what was checked with another number
is checked anew.
"""
EMPTY = "empty"
"""Status of the record of a trial that was not run, because its λ asked for no sample in its draw.
"""
MAX_RECORD_BYTES = 64 * 2**20
"""Bytes of a record at most: the largest real ones, of a hundred classes, have a few hundred
thousand.
"""
JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def is_finished(record: Record) -> bool:
    """Whether a trial need not be run again: it went well, or has nothing to make."""
    return record["status"] in ("ok", EMPTY)


def preference(finished: bool, created: str) -> tuple[bool, str]:
    """Sort key of several records of one trial; the greatest is the newest that went well, else the
    newest.

    Parameters
    ----------
    finished : bool
        As of :func:`is_finished`.
    created : str
        When it was written.
    """
    return finished, created


def decode(data: bytes) -> Record:
    """The record in the bytes of a file. Raises ValueError, which says what is wrong, for anything
    but strict JSON.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise ValueError(f"more than {MAX_RECORD_BYTES // 2**20} MB")
    try:
        record: Record = json.loads(data, parse_constant=_refuse, parse_float=_finite)
        if b"\\ud" in data.lower():
            json.dumps(record, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("JSON that is nested too deeply") from error
    except UnicodeError as error:
        raise ValueError("text that is not Unicode") from error
    if not isinstance(record, dict):
        raise ValueError("JSON without spec and status")
    return record


def digest_of_record(record: Record, texts: Mapping[str, str] = MappingProxyType({})) -> str:
    """SHA-256 of a record as it was read, but for its digest: of canonical JSON, with sorted keys
    and without spaces.

    Parameters
    ----------
    texts : mapping of str to str
        The canonical JSON of values that was made before, by key.
    """
    entries = (
        f"{_key_text(key)}:{texts.get(key) or canonical_json(record[key])}"
        for key in sorted(record)
        if key != DIGEST
    )
    return hashlib.sha256(f"{{{','.join(entries)}}}".encode()).hexdigest()


_key_text = lru_cache(canonical_json)


def is_newer(record: Record) -> bool:
    """Whether a later hsiaug wrote a record, in a format that this one does not read."""
    stated = record.get("format")
    return isinstance(stated, int) and stated > RECORD_FORMAT


def _refuse(word: str) -> float:
    raise ValueError(f"{word}, which is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def encode(record: Record) -> bytes:
    """The bytes of a record's file: JSON with a line per key. Raises what :mod:`json` raises for
    what is not JSON.
    """
    return _file_of([_line(key, value) for key, value in record.items()])


def _line(key: str, value: object) -> str:
    return f"{json.dumps(key)}: {json_line(value)}"


def _file_of(lines: Sequence[str]) -> bytes:
    # A path that is not UTF-8 may stand in the message of an error: what cannot be written becomes
    # a question mark.
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8", "replace")


def json_line(value: object) -> str:
    """Encode as in a record. Raises TypeError, ValueError or RecursionError for what strict JSON
    cannot hold.
    """
    return JSON.encode(value)


def sealed(record: Record) -> tuple[Record, bytes]:
    """A record as it is written, with its digest, and the bytes of its file. Where something in it
    is no strict JSON, that is a failed record which says what and why.
    """
    undigested = {key: value for key, value in record.items() if key != DIGEST}
    try:
        lines = [_line(key, value) for key, value in undigested.items()]
    except (TypeError, ValueError, RecursionError):
        undigested = _failed(undigested)
        lines = [_line(key, value) for key, value in undigested.items()]
    # Of what will be read: keys are text there, and what no file can hold is a question mark.
    digest = digest_of_record(decode(_file_of(lines)))
    return {**undigested, DIGEST: digest}, _file_of([*lines, _line(DIGEST, digest)])


def _failed(record: Record) -> dict[str, Any]:
    """The failed record in place of one that is no strict JSON."""
    faults = {}
    for key, value in record.items():
        try:
            json_line(value)
        except (TypeError, ValueError, RecursionError) as fault:
            faults[key] = str(fault)
    faults_text = "; ".join(f"{key}: {fault}" for key, fault in faults.items())
    error = {
        "stage": "record",
        "type": "PluginError",
        "message": f"what is kept of a trial must be JSON: {faults_text}",
        "traceback": "",
    }
    replaced: Record = {key: {} if key == "provenance" else None for key in faults}
    return {
        **{key: value for key, value in record.items() if key != FILE_DIGEST},
        **replaced,
        "status": "failed",
        "error": error,
        "metrics": None,
        "predictions_sha256": None,
    }


def made_nothing(record: Record) -> bool:
    """True where a generator that adds samples was asked for none, whether its trial was run for
    that or not.

    Records from before the status "empty" hold such trials as "ok", with the numbers of ``none``.
    Samples alone do not tell them: those of masks count labelled pixels, and a synthetic pair may
    hold none; but it needed a fit.
    """
    if record["status"] == EMPTY:
        return True
    if record["status"] != "ok" or not Rate.of(record["spec"]):
        return False
    fitted = "fit_generator" in (record.get("timings") or {})
    return not fitted and not any((record.get("samples") or {}).get("synthetic") or [0])


ErrorKind = tuple[str, str, str]
"""Type, stage and first line of an error: two failures that share them have one cause."""


def error_kind(record: Record) -> ErrorKind:
    """The key by which failures are grouped."""
    error = record.get("error") or {}
    lines = str(error.get("message") or "").strip().splitlines()
    return (
        one_line(error.get("type") or "unknown error"),
        one_line(error.get("stage") or "unknown"),
        one_line(lines[0] if lines else ""),
    )


def why_failed(record: Record) -> str:
    """``PluginError in sample: no sample came back``."""
    type_, stage, line = error_kind(record)
    where = "" if stage == "unknown" else f" in {stage}"
    return f"{type_}{where}" + (f": {line}" if line else "")
