"""Records as JSON: what is read of a file, and what is written; and the error of a failed one in a
line.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from hsiaug.base.text import one_line

CANONICAL = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    # A value in itself is a RecursionError; to look for one takes a fifth of the time.
    check_circular=False,
)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return CANONICAL.encode(value)


def short_hash(value: object) -> str:
    """First 16 hex digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


# Records


Record = Mapping[str, Any]

RECORD = "record.json"
"""Name of a record's file."""
RECORD_FORMAT = 1
"""Of the records that are written and read."""
DIGEST = "record_sha256"
"""Key of the digest of all other keys."""
FILE_DIGEST = "npz_sha256"
"""Key of that of its file of predictions."""
EMPTY = "empty"
"""Status of the record of a trial that was not run, because its λ asked for no sample in its split.
"""
MAX_RECORD_BYTES = 64 * 2**20
"""Bytes of a record at most: the largest real ones, of a hundred classes, have a few hundred
thousand.
"""
JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def is_finished(record: Record) -> bool:
    """Whether a trial need not be run again: it went well, or has nothing to make."""
    return record["status"] in ("ok", EMPTY)


def decode(data: bytes) -> Record:
    """The record in the bytes of a file. Raises ValueError, which says what is wrong, for anything
    but strict JSON.
    """
    record: Record = from_json(data, allow_inf_nan=False)
    if not isinstance(record, dict):
        raise ValueError("it has no spec and status")
    return record


def digest_of_record(record: Record) -> str:
    """SHA-256 of a record as it was read, but for its digest, as canonical JSON. Raises ValueError
    for a number that JSON cannot hold.
    """
    others = {key: value for key, value in record.items() if key != DIGEST}
    return hashlib.sha256(canonical_json(others).encode()).hexdigest()


def json_line(value: object) -> str:
    """Encode as in a record. Raises TypeError, ValueError or RecursionError for what strict JSON
    cannot hold."""
    return JSON.encode(value)


def encode(record: Record) -> bytes:
    """The bytes of a record's file: JSON with a line per key. Raises as :func:`json_line`.

    A path that is not UTF-8 may be part of the message of an error: what cannot be written becomes
    a question mark.
    """
    lines = (f"{json.dumps(key)}: {json_line(value)}" for key, value in record.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8", "replace")


def sealed(record: Record) -> Record:
    """A record as it is written, with its digest. Raises as :func:`json_line`."""
    content = {key: value for key, value in record.items() if key != DIGEST}
    # Of what will be read: keys are text there, and what no file can hold is a question mark.
    read = decode(encode(content))
    return {**read, DIGEST: digest_of_record(read)}


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
    """``PluginError in sample: no sample came back``, without a full stop."""
    type_, stage, line = error_kind(record)
    where = "" if stage == "unknown" else f" in {stage}"
    return f"{type_}{where}" + (f": {line.removesuffix('.')}" if line else "")
