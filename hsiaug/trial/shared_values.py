"""Decoding of many records, whose values are mostly the same."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record import KEYS_OF_RECORD
from hsiaug.trial.record_json import MAX_RECORD_BYTES, Record, decode

MOST_VALUES = 20_000
"""Values that are remembered at most."""


class SharedValues:
    """Decodes records of one store: values that they have in common are one object, and are not to
    be changed. A store of many records so takes a fraction of the memory.
    """

    def __init__(self) -> None:
        # Key, value and canonical JSON of a line.
        self._known: dict[bytes, tuple[str, Any, str]] = {}

    def decode(self, data: bytes) -> tuple[Record, Mapping[str, str]]:
        """As :func:`hsiaug.trial.record_json.decode`, but in a fraction of the time, and with an
        infinity in place of a number that is too large. What is not written as
        :func:`hsiaug.trial.record_json.encode` does has values of its own.

        Returns
        -------
        record : Record
        texts : mapping of str to str
            Canonical JSON of values that it has in common with others, by key.
        """
        if len(data) > MAX_RECORD_BYTES or data[:2] != b"{\n" or data[-3:] != b"\n}\n":
            return decode(data), {}
        lines = data[2:-3].split(b",\n")
        record: dict[str, Any] = {}
        texts: dict[str, str] = {}
        try:
            for line in lines:
                key, value, text = self._known.get(line) or self._entry(line)
                record[key] = value
                if text:
                    texts[key] = text
        except (ValueError, RecursionError):
            return decode(data), {}
        return (record, texts) if len(record) == len(lines) else (decode(data), {})

    def _entry(self, line: bytes) -> tuple[str, Any, str]:
        """The key and value of a line, and where records have it in common its canonical JSON.
        Raises ValueError where it is not one key with its value.
        """
        ((key, value),) = from_json(b"{%s}" % line, allow_inf_nan=False).items()
        if key in KEYS_OF_RECORD:
            return key, value, ""
        if len(self._known) >= MOST_VALUES:
            self._known.clear()
        entry = self._known[line] = key, value, canonical_json(value)
        return entry
