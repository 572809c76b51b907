"""Quick checks of many records at once, as the first report of a store needs them.

They pass sound records in a tenth of the time that :func:`hsiaug.trial.record.fault_of` takes: what
many records have in common is checked once, and their metrics are computed again in arrays. They
never say that a record is damaged: one that they do not pass is for ``fault_of`` to judge.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json, to_json

from hsiaug.base.errors import InputError
from hsiaug.metrics.accuracy import Counts
from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record import (
    CLOSE,
    NAMES,
    PARTS,
    REQUIRED,
    fault_of_lists,
    fits_schema,
)
from hsiaug.trial.record_json import DIGEST, MAX_RECORD_BYTES, Record

DIFFERENT = (
    "hash",
    "spec",
    "samples",
    "metrics",
    "predictions_sha256",
    "record_sha256",
    "timings",
    "cpu_seconds",
    "peak_memory_mb",
    "created",
    "command",
)
"""Keys whose values differ from record to record; those of all others are mostly the same."""
WITH_SMALL_NUMBERS = ("spec", "timings", "cpu_seconds")
"""Those of which many hold a number that JSON writes with an exponent."""
MOST_LINES = 20_000
"""Lines that are remembered at most."""
NUMBERS = {int, float, type(None)}


class _Line(NamedTuple):
    """A line of ``record.json``, which holds one key.

    Attributes
    ----------
    canonical : str
        Key and value as canonical JSON; empty for those of DIFFERENT.
    fits : bool
        Not False unless the value does not fit the schema; of DIFFERENT it is checked later.
    """

    key: str
    value: Any
    canonical: str = ""
    fits: bool = True


class QuickChecks:
    """Checks that remember what they have seen of lines that records share."""

    def __init__(self) -> None:
        self._shared: dict[bytes, _Line] = {}

    def passed(self, rows: Sequence[tuple[str, bytes]]) -> list[Record | None]:
        """The sound records of names and bytes; None for each that must be looked at more closely.

        Values that records share are one object, and are not to be changed.
        """
        records = [self._without_metrics(name, data) for name, data in rows]
        forms: dict[_Form, list[int]] = defaultdict(list)
        for place, record in enumerate(records):
            if record is not None and record["status"] == "ok":
                try:
                    forms[_form(record)].append(place)
                except (KeyError, TypeError, AttributeError):
                    records[place] = None
        for form, places in forms.items():
            several = [record for place in places if (record := records[place]) is not None]
            for place, follows in zip(places, _metrics_follow(form, several), strict=True):
                if not follows:
                    records[place] = None
        return records

    def decode(self, data: bytes) -> Record:
        """The record in bytes that were found sound before, with shared values."""
        lines = self._lines(data)
        return json.loads(data) if lines is None else {line.key: line.value for line in lines}

    def _lines(self, data: bytes) -> list[_Line] | None:
        """What the lines hold; None where they are not as hsiaug writes them."""
        if len(data) > MAX_RECORD_BYTES or data[:2] != b"{\n" or data[-3:] != b"\n}\n":
            return None
        try:
            shared = self._shared
            return [shared.get(line) or self._line(line) for line in data[2:-3].split(b",\n")]
        except (ValueError, TypeError, RecursionError):
            return None

    def _line(self, text: bytes) -> _Line:
        """Raises ValueError for what is not one key with its value in strict JSON."""
        ((key, value),) = from_json(b"{%s}" % text, allow_inf_nan=False).items()
        if key in DIFFERENT:
            return _Line(key, value)
        if len(self._shared) >= MOST_LINES:
            self._shared.clear()
        canonical = f"{canonical_json(key)}:{canonical_json(value)}"
        line = _Line(key, value, canonical, fits_schema({key: value}))
        self._shared[text] = line
        return line

    def _without_metrics(self, name: str, data: bytes) -> Record | None:
        """A record all of which is sound but for its metrics; else None."""
        lines = self._lines(data)
        if lines is None or not all(line.fits for line in lines):
            return None
        record: dict[str, Any] = {line.key: line.value for line in lines}
        if len(record) != len(lines) or not record.keys() >= REQUIRED:
            return None
        if not fits_schema({key: record[key] for key in DIFFERENT if key in record}):
            return None
        try:
            texts = {line.key: line.canonical or _canonical(line) for line in lines}
            return record if _agrees(record, texts, name) else None
        except (ValueError, TypeError, RecursionError):
            return None


def _canonical(line: _Line) -> str:
    """Key and value as canonical JSON; most in a third of the time, but with ``1e-5`` for
    ``1e-05``, so that such a record is looked at more closely.
    """
    if line.key in WITH_SMALL_NUMBERS:
        return f'"{line.key}":{canonical_json(line.value)}'
    return f'"{line.key}":{to_json(_in_order(line.value)).decode()}'


def _in_order(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _in_order(inner) if isinstance(inner := value[key], dict) else inner
        for key in sorted(value)
    }


def _agrees(record: Record, texts: Mapping[str, str], name: str) -> bool:
    """Whether the parts of a record agree, and with what it was when it was written.

    Parameters
    ----------
    texts : mapping of str to str
        Every key with its value, as canonical JSON.
    name : str
        Of its folder.
    """
    spec = texts["spec"].removeprefix('"spec":').encode()
    if record["hash"] != name or hashlib.sha256(spec).hexdigest()[:16] != name:
        return False
    status = record["status"]
    if (status == "ok") != (record["metrics"] is not None):
        return False
    if (status == "failed") != (record["error"] is not None) or fault_of_lists(record):
        return False
    stated = record.get(DIGEST)
    if stated is None:
        return record.keys() <= NAMES
    whole = ",".join(texts[key] for key in sorted(texts) if key != DIGEST)
    return bool(hashlib.sha256(f"{{{whole}}}".encode()).hexdigest() == stated)


class _Form(NamedTuple):
    """What records share whose metrics can be computed together: their task, the number of classes,
    the class ids of each subset, and the parts of the test pixels that they tell of.
    """

    task: str
    classes: int
    subsets: tuple[tuple[str, tuple[int, ...]], ...]
    parts: tuple[str, ...]


def _form(record: Record) -> _Form:
    """Raises KeyError, TypeError or AttributeError where a record lacks what that says."""
    metrics = record["metrics"]
    subsets = tuple((name, tuple(subset["classes"])) for name, subset in metrics["subsets"].items())
    parts = tuple(part for part in PARTS if metrics.get(part) is not None)
    return _Form(record["spec"]["task"], len(record["class_names"]), subsets, parts)


def _metrics_follow(form: _Form, records: Sequence[Record]) -> NDArray[np.bool_]:
    """(n,) whether the metrics of records of one form follow from their confusion matrices."""
    from hsiaug.tasks.task import get_task

    nothing = np.zeros(len(records), dtype=bool)
    classes, subsets, parts = form.classes, form.subsets, form.parts
    stated = [record["metrics"] for record in records]
    try:
        matrices = _matrices([metrics["confusion"] for metrics in stated], classes)
        of_parts = {
            part: _matrices([metrics[part][PARTS[part]] for metrics in stated], classes)
            for part in parts
        }
        if any(not 1 <= c <= classes for _, ids in subsets for c in ids):
            return nothing
        counted = matrices.any(axis=(1, 2))
        for counts in of_parts.values():
            counted &= (counts <= matrices).all(axis=(1, 2))
        matrices[~counted] = 1
        found = get_task(form.task).scoring.metrics_of_many(
            matrices, dict(subsets), of_parts.get("fields"), of_parts.get("visibility")
        )
        return counted & _equal(stated, found, len(records))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, InputError):
        return nothing


def _matrices(rows: Sequence[Any], classes: int) -> Counts:
    """(n, C, C) int64. Raises ValueError for another shape."""
    return np.array(rows, dtype=np.int64).reshape(len(rows), classes, classes)


def _equal(stated: Sequence[Any], found: Any, number: int) -> NDArray[np.bool_]:
    """(n,) whether values of JSON differ from those found by no more than rounding.

    Parameters
    ----------
    found : mapping or array
        Arrays (n, …) under the keys that each value must have; NaN stands for null.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        For values that have another form.
    """
    if isinstance(found, Mapping):
        same = np.array([value.keys() == found.keys() for value in stated], dtype=bool)
        for key in found if same.all() else ():
            same &= _equal([value[key] for value in stated], found[key], number)
        return same
    values = np.array(stated)
    if values.dtype.kind == "O":
        if not set(map(type, values.flat)) <= NUMBERS:
            raise TypeError("values that are no numbers")
        values = values.astype(np.float64)
    if values.dtype.kind not in "if" or values.shape != found.shape:
        raise ValueError("numbers of another form")
    close = np.isclose(values, found, rtol=CLOSE, atol=CLOSE, equal_nan=True)
    return np.asarray(close.reshape(number, -1).all(axis=1))
