"""Records of one store, read one after the other: what they have in common is read and checked
once.

A record that does not pass here is looked at more closely by :func:`hsiaug.trial.record.fault_of`,
which says what is wrong with it. What passes here passes there, unless somebody wrote a record in
other letters than hsiaug does, and the digest of these.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from hsiaug.trial.content_hash import canonical_json, hash_of_json
from hsiaug.trial.record import (
    TrialRecord,
    fault_between_parts,
    fault_of_metrics_form,
    fault_without_digest,
    form_of_fields,
)
from hsiaug.trial.record_json import DIGEST, MAX_RECORD_BYTES, Record, decode, digest_of_json

UNSHARED = (
    "hash",
    "spec",
    "samples",
    "metrics",
    "said_and_seen",
    "predictions_sha256",
    "npz_sha256",
    DIGEST,
    "timings",
    "cpu_seconds",
    "peak_memory_mb",
    "created",
    "command",
)
"""Keys whose values differ from record to record; those of all others are mostly the same."""
BEGINNINGS = {f'"{key}'.encode(): key for key in UNSHARED}
"""Of their lines."""
TIMES = ("timings", "cpu_seconds")
"""Those with a number for each key."""
REQUIRED = frozenset(
    name for name, field in TrialRecord.model_fields.items() if field.is_required()
)
MOST_VALUES = 20_000
"""Values that are remembered at most."""


class _Shared(NamedTuple):
    """A key that records have in common with its value.

    Attributes
    ----------
    json : str or None
        The value as a digest has it; None of one that no sound record has.
    """

    key: str
    value: Any
    json: str | None


class RecordReader:
    """Reads records of one store. Values that they have in common are one object, and are not to be
    changed: a store of many records so takes a fraction of the memory.
    """

    def __init__(self) -> None:
        self._shared: dict[bytes, _Shared] = {}

    def decode(self, data: bytes) -> Record:
        """As :func:`hsiaug.trial.record_json.decode`, but in a fraction of the time, and with an
        infinity in place of a number that is too large. What is not written as records are has
        values of its own.
        """
        with suppress(ValueError, RecursionError):
            return self._read(data)[0]
        return decode(data)

    def sound(self, data: bytes, hash: str) -> Record | None:
        """The record in some bytes, if it is sound; None where it is to be looked at more closely.

        Parameters
        ----------
        hash : str
            Name of its folder.
        """
        with suppress(ValueError, RecursionError):
            record, shared, own = self._read(data)
            if _is_sound(record, shared, own, hash):
                return record
        return None

    def _read(self, data: bytes) -> tuple[Record, list[_Shared], dict[str, bytes]]:
        """A record, what it shares with others, and the JSON of the rest by key. Raises ValueError
        where it is not written as records are, a line a key.
        """
        if len(data) > MAX_RECORD_BYTES or data[:2] != b"{\n" or data[-3:] != b"\n}\n":
            raise ValueError("not a line a key")
        record: dict[str, Any] = {}
        shared, own = [], {}
        lines = data[2:-3].split(b",\n")
        for line in lines:
            entry = self._shared.get(line)
            if entry is None:
                colon = line.find(b'": ')
                if (key := BEGINNINGS.get(line[:colon])) is not None:
                    own[key] = line[colon + 3 :]
                    record[key] = from_json(own[key], allow_inf_nan=False)
                    continue
                entry = self._remember(line)
            record[entry.key] = entry.value
            shared.append(entry)
        if len(record) != len(lines):
            raise ValueError("a key twice")
        return record, shared, own

    def _remember(self, line: bytes) -> _Shared:
        """What a line says. Raises ValueError where it is not one key with its value."""
        ((key, value),) = from_json(b"{%s}" % line, allow_inf_nan=False).items()
        json = None
        with suppress(ValidationError):
            form_of_fields((key,)).model_validate({key: value})
            json = canonical_json(value)
        if len(self._shared) >= MOST_VALUES:
            self._shared.clear()
        self._shared[line] = _Shared(key, value, json)
        return self._shared[line]


def _is_sound(
    record: Record, shared: Sequence[_Shared], own: Mapping[str, bytes], hash: str
) -> bool:
    """Raises ValueError where a key that is not shared has another form, or a number that JSON
    cannot hold.
    """
    texts = {key: json for key, _, json in shared if json is not None}
    if len(texts) < len(shared) or not record.keys() >= REQUIRED:
        return False
    form_of_fields(tuple(own)).model_validate({key: record[key] for key in own})
    if fault_of_metrics_form(record) or fault_between_parts(record) or record["hash"] != hash:
        return False
    for key, written in own.items():
        texts[key] = _json(key, record[key], written)
    if hash_of_json(texts["spec"]) != hash:
        return False
    stated: str | None = record.get(DIGEST)
    if stated is None:
        return fault_without_digest(record) is None
    return digest_of_json(texts) == stated


def _json(key: str, value: Any, written: bytes) -> str:
    """A value as a digest has it.

    It is made of what is written where that takes a fraction of the time. What is written in
    another way, as another program would, then gives another digest, and is looked at more closely.
    """
    if type(value) is not dict:
        return written.decode()
    if key in TIMES:
        entries = written[1:-1].replace(b": ", b":").split(b", ")
        return (b"{%s}" % b",".join(sorted(entries))).decode()
    if key == "metrics":
        # Numbers below 0.0001 have another form there.
        return to_json(_sorted(value)).decode()
    return canonical_json(value)


def _sorted(value: Any) -> Any:
    if type(value) is not dict:
        return value
    return {key: _sorted(value[key]) for key in sorted(value)}
