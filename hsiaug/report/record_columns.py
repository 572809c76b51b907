"""Columns of trials: what a report reads of records (see docs/results-format.md), and what is
cached of it.

A column is an array of numbers or texts, or categories: texts of JSON that many records share.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import StoreError
from hsiaug.base.fixed_databases import open_database, write_database
from hsiaug.report.conditions import SHARED, settings_of
from hsiaug.trial.record import COLUMNS
from hsiaug.trial.record_json import Record, json_line, made_nothing

Column = Any
"""(n,) array, or a Categorical of texts."""
Columns = dict[str, Column]
"""By name, all of the same length."""

PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones.
"""
TEXTS = ("hash",)
CATEGORIES = ("about", "audit", "real", "synthetic", "view_shown", "created")
"""Columns of texts that many records share; all but the time are JSON."""
DTYPES: Mapping[str, Any] = {"seed": np.int64, "ok": bool, "idle": bool}
"""Of the columns of numbers that are no fractions or seconds."""
COSTS = (*(column.name for column in COLUMNS.values()), "steps")
"""Columns of numbers that are no metrics."""
TOGETHER = 5000
"""Records whose values become arrays at once."""
MOST_TEXTS = 10_000
"""Texts of values that are remembered at most."""
VERSION = crc32(str([9, *((c.name, f, c.key) for f, c in COLUMNS.items())]).encode()) >> 1
"""Of the columns that are cached. A column of another field is another version; raise the number
where others change.
"""
ALL_NAMES = ""
"""In place of the name of a column, in the row that lists all."""


def columns_of_records(records: Iterable[Record]) -> Columns:
    """The columns of records.

    Raises
    ------
    StoreError
        For a record that is not as in docs/results-format.md.
    """
    rows = _rows(records)
    parts = []
    while together := list(islice(rows, TOGETHER)):
        parts.append(_arrays(together))
    return joined(parts or [_arrays([])])


def _rows(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    texts = _Texts()
    checked = cache(settings_of)
    for record in records:
        if isinstance(spec := record.get("spec"), dict) and spec.get("diagnosis"):
            continue  # older trials whose samples were made of test labels
        name = record.get("hash", "without a hash")
        if record.get("format") != 1:
            raise StoreError(
                f"record {name} must have format 1",
                value=f"format {record.get('format')!r}",
                hint="Read it with the version of hsiaug that wrote it.",
            )
        try:
            row = _row(record, texts)
            checked(row["about"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            rule = f"record {name} must hold what docs/results-format.md names"
            hint = "Delete the record's folder and run its trial again."
            raise StoreError(rule, value=f"{type(error).__name__} {error}", hint=hint) from error
        yield row


class _Texts:
    """JSON of values, of which many are the same object."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[tuple[Any, ...], str]] = {}

    def __call__(self, *values: Any) -> str:
        """A value; several are those of SHARED, by key."""
        key = tuple(map(id, values))
        if key not in self._known:
            if len(self._known) >= MOST_TEXTS:
                self._known.clear()
            text = json_line(
                values[0] if len(values) == 1 else dict(zip(SHARED, values, strict=True))
            )
            # The values are remembered too, so that no other object gets their places.
            self._known[key] = (values, text)
        return self._known[key][1]


def _row(record: Record, texts: _Texts) -> dict[str, Any]:
    ok = record["status"] == "ok" and record.get("metrics") is not None
    metrics = record["metrics"] if ok else {}
    samples = record.get("samples") or {}
    shared = texts(*(record.get(key) for key in SHARED))
    spec = json_line({key: value for key, value in record["spec"].items() if key != "seed"})
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    row: dict[str, Any] = {
        "hash": record["hash"],
        "created": str(record.get("created", "")),
        "about": f'{{"spec": {spec}, {shared[1:]}',
        "audit": texts(record.get("audit")),
        "view_shown": texts((record.get("spectral_view") or {}).get("name")),
        "seed": int(record["spec"]["seed"]),
        "ok": ok,
        "idle": made_nothing(record),
    }
    parts = {f"_{part}": several[part] for part in PARTS if isinstance(several.get(part), dict)}
    for part in parts:
        row[f"has{part}"] = 1.0
    for part, scores in {"": metrics, **parts}.items():
        for key, value in scores.items():
            if type(value) in (float, int):
                row[key + part] = value
        recalls = scores.get("recall") or ()
        row.update(zip(_recall_names(part, len(recalls)), recalls, strict=True))
    for name, scores in (metrics.get("subsets") or {}).items():
        row[f"subset:{name}"] = scores.get("aa")
        row[f"oa subset:{name}"] = scores.get("oa")
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    row["real"] = json_line(samples.get("real"))
    row["synthetic"] = json_line(samples.get("synthetic"))
    for name, column in COLUMNS.items():
        row[column.name] = column.value(record.get(name))
    # Without the steps that only chose among samples.
    row["steps"] = None if steps is None else int(steps - aside)
    return row


@cache
def _recall_names(part: str, classes: int) -> tuple[str, ...]:
    return tuple(f"recall{part}:{c}" for c in range(1, classes + 1))


def _arrays(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """The values of rows by column; a number that a row lacks is NaN."""
    columns: Columns = {name: np.array([row[name] for row in rows], object) for name in TEXTS}
    columns |= {name: _categories([row[name] for row in rows]) for name in CATEGORIES}
    others = (name for row in rows for name in row if name not in columns)
    for name in dict.fromkeys([*DTYPES, *others]):
        numbers = np.array([row.get(name) for row in rows], DTYPES.get(name, np.float64))
        if numbers.dtype.kind == "f":
            numbers[~np.isfinite(numbers)] = np.nan
        columns[name] = numbers
    recalls = [column for name, column in columns.items() if name.startswith("recall:")]
    columns["recall_spread"] = _spreads(recalls, len(rows))
    return columns


def _spreads(recalls: Sequence[NDArray[np.float64]], number: int) -> NDArray[np.float64]:
    """(n,) standard deviation of n recalls of each class over the classes that have one, as of a
    sample; NaN below two classes.
    """
    spreads = np.full(number, np.nan)
    if not recalls:
        return spreads
    table = np.stack(recalls, axis=1)
    there, place = np.unique(~np.isnan(table), axis=0, return_inverse=True)
    for group_number, classes in enumerate(there):
        if classes.sum() > 1:
            group = place.ravel() == group_number
            spreads[group] = np.std(table[np.ix_(group, classes)], axis=1, ddof=1)
    return spreads


def _categories(texts: Iterable[str]) -> Column:
    """Texts as categories, in the order in which they first appear."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return _categorical(np.array(codes, np.int32), list(places))


def _categorical(codes: NDArray[Any], texts: Sequence[str]) -> Column:
    from pandas import Categorical, Index

    return Categorical.from_codes(codes, categories=Index(texts, dtype=object), validate=False)


def joined(parts: Sequence[Mapping[str, Column]]) -> Columns:
    """Columns of all parts, one below the other."""
    names = dict.fromkeys(name for part in parts for name in part)
    return (
        dict(parts[0]) if len(parts) == 1 else {name: joined_column(parts, name) for name in names}
    )


def joined_column(
    parts: Sequence[Mapping[str, Column]],
    name: str,
    chosen: Sequence[NDArray[np.bool_] | None] = (),
) -> Column:
    """A column of all parts, one below the other; NaN of a part that lacks it.

    Parameters
    ----------
    chosen : sequence of (bool array or None)
        The rows of each part; all of them where it is None.
    """
    columns = []
    for place, part in enumerate(parts):
        column = part[name] if name in part else np.full(len(part["seed"]), np.nan)
        rows = chosen[place] if chosen else None
        columns.append(column if rows is None else column[rows])
    return _joined(columns)


def _joined(columns: Sequence[Column]) -> Column:
    if len(columns) == 1:
        return columns[0]
    if isinstance(columns[0], np.ndarray):
        return np.concatenate(columns)
    places: dict[str, int] = {}
    codes = []
    for column in columns:
        texts = column.categories
        new = np.array([places.setdefault(text, len(places)) for text in texts], np.int32)
        codes.append(new[column.codes] if len(new) else new)
    return _categorical(np.concatenate(codes), list(places))


def write_columns(path: Path, columns: Columns) -> None:
    """Write columns as a database: a row for each, with its bytes and a digest, and one with the
    names of all. Raises OSError.
    """
    rows = [_packed(name, column) for name, column in columns.items()]
    rows.append((ALL_NAMES, "", _listed(columns), None, b""))
    declared = "name TEXT, dtype TEXT, data BLOB, categories TEXT, digest BLOB"
    write_database(path, VERSION, {"columns": (declared, rows)})


def _listed(names: Iterable[str]) -> bytes:
    return "\n".join(sorted(names)).encode()


def _packed(name: str, column: Column) -> tuple[Any, ...]:
    categories = None
    if not isinstance(column, np.ndarray):
        categories = json.dumps(list(column.categories))
        column = column.codes
    elif column.dtype == object:
        column = column.astype("U")
        if all(map(str.isascii, column.tolist())):
            column = column.astype("S")  # a byte a letter
    content = column.tobytes()
    digest = _digest(name, column.dtype.str, content, categories)
    return name, column.dtype.str, content, categories, digest


def _digest(name: str, dtype: str, content: bytes, categories: str | None) -> bytes:
    digest = hashlib.blake2b(f"{name} {dtype} {categories}".encode(), digest_size=16)
    digest.update(content)
    return digest.digest()


class NamedColumns(Mapping[str, Column]):
    """Columns whose names are known, and each of which is read when it is asked for.

    Parameters
    ----------
    names : iterable of str
        Of the columns, each once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class ColumnFile(NamedColumns):
    """Columns that :func:`write_columns` wrote, each of which is read when it is asked for.

    Parameters
    ----------
    again : callable
        Makes the columns where the file turns out to be damaged, or is no longer there.

    Raises
    ------
    OSError, ValueError
        For a file that is missing, no database, or of another version.
    """

    def __init__(self, path: Path, again: Callable[[], Mapping[str, Column]]) -> None:
        self._path, self._again = path, again
        self._anew: Mapping[str, Column] | None = None
        with open_database(path, VERSION) as database:
            query = "SELECT name, CASE name WHEN ? THEN data END FROM columns"
            listed = dict(database.execute(query, (ALL_NAMES,)))
        if listed.pop(ALL_NAMES, None) != _listed(listed):
            raise ValueError("names that are not those that were written")
        super().__init__(listed)

    def __getitem__(self, name: str) -> Column:
        if self._anew is None:
            try:
                return _read_column(self._path, name)
            except (OSError, ValueError):
                self._anew = self._again()
        return self._anew[name]


def _read_column(path: Path, name: str) -> Column:
    with open_database(path, VERSION) as database:
        query = "SELECT dtype, data, categories, digest FROM columns WHERE name = ?"
        row = database.execute(query, (name,)).fetchone()
    if row is None:
        raise ValueError(f"no column {name}")
    dtype, content, categories, digest = row
    if digest != _digest(name, dtype, content, categories):
        raise ValueError(f"a digest that is not that of the column {name}")
    values = np.frombuffer(content, dtype)
    if categories is not None:
        return _categorical(values, json.loads(categories))
    return values.astype(str).astype(object) if values.dtype.kind in "SU" else values
