"""Decoding of many records, whose values are mostly the same."""

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
        self._values: dict[bytes, tuple[str, Any]] = {}
        self._texts: dict[int, str] = {}

    def decode(self, data: bytes) -> Record:
        """As :func:`hsiaug.trial.record_json.decode`, but in a fraction of the time, and with an
        infinity in place of a number that is too large. What is not written as
        :func:`hsiaug.trial.record_json.encode` does has values of its own.
        """
        if len(data) > MAX_RECORD_BYTES or data[:2] != b"{\n" or data[-3:] != b"\n}\n":
            return decode(data)
        lines = data[2:-3].split(b",\n")
        try:
            record = dict(self._values.get(line) or self._entry(line) for line in lines)
        except (ValueError, RecursionError):
            return decode(data)
        return record if len(record) == len(lines) else decode(data)

    def canonical_json(self, value: object) -> str:
        """As :func:`hsiaug.trial.content_hash.canonical_json`, made once of a value that records
        have in common.
        """
        return self._texts.get(id(value)) or canonical_json(value)

    def _entry(self, line: bytes) -> tuple[str, Any]:
        """The key and value of a line. Raises ValueError where it is not one key with its value."""
        ((key, value),) = from_json(b"{%s}" % line, allow_inf_nan=False).items()
        if key not in KEYS_OF_RECORD:
            if len(self._values) >= MOST_VALUES:
                self._values.clear()
                self._texts.clear()
            # The value is kept, so that no other object has its place.
            self._values[line] = key, value
            self._texts[id(value)] = canonical_json(value)
        return key, value
