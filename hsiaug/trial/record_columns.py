"""Columns of records: what reports and plans read of them (see docs/results-format.md), and what is
cached.

A column is an array of numbers, texts or digests, or categories: texts of JSON that many records
share.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import StoreError
from hsiaug.trial.record import COLUMNS, KEYS_READ_WHOLE
from hsiaug.trial.record_json import RECORD_FORMAT, Record, json_line, made_nothing

ColumnValues = Any
"""(n,) array, or a Categorical of texts."""
Columns = dict[str, ColumnValues]
"""By name, all of the same length."""
Row = dict[str, Any]
Numbers = dict[str, float | None]
"""By column."""
Rows = NDArray[np.bool_] | NDArray[np.intp]
"""A mask of rows, or their places."""

PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones.
"""
CONTENT = "content_digest"
DIAGNOSIS = "diagnosis"
TEXTS = ("hash",)
CATEGORIES: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("about", "audit", "real", "synthetic", "view_shown"), json.loads),
    "created": str,
}
"""Columns of texts that many records share, and what reads each of these."""
DTYPES: Mapping[str, Any] = {
    CONTENT: "V16",
    "seed": np.int64,
    "ok": bool,
    "idle": bool,
    DIAGNOSIS: bool,
}
"""Of the columns of numbers that are no fractions or seconds, and of digests."""
UNSHOWN = ("about", CONTENT, DIAGNOSIS)
"""Columns that trials of reports do not have: of the first they have what it says."""
COSTS = (*(column.name for column in COLUMNS), "steps")
"""Columns of numbers that are no metrics."""
NO_COSTS = dict.fromkeys(COSTS)
COLUMNS_OF_FIELDS = {
    field: [column for column in COLUMNS if COLUMNS[column] == field]
    for field in dict.fromkeys(COLUMNS.values())
}
"""Those that a field of a record has."""
TOGETHER = 5000
"""Records whose values become arrays at once."""
MOST_TEXTS = 10_000
"""Texts of values that are remembered at most."""
NO_CONTENT = bytes(16)


class ColumnBuilder:
    """Makes columns of records that are added one by one.

    The columns: ``hash``, ``created``, ``seed``, ``ok`` and ``idle`` (λ asked for no sample; older
    records hold such a trial as ok, with the metrics of none); ``about`` (the specification and the
    command but for the seed, and KEYS_READ_WHOLE), ``audit`` and ``view_shown``; every metric as a
    fraction, those of PARTS of the test pixels as ``aa_new``, AA over fixed classes as
    ``subset:NAME``; ``recall:1`` and ``recall_new:1``: of each class, as of every other metric that
    is a list of fractions, and ``recall_spread`` over recalls; ``real`` and ``synthetic``: samples
    by class; COSTS.
    """

    def __init__(self) -> None:
        self._texts = _Texts()
        self._rows: list[Row] = []
        self._numbers: list[Numbers] = []
        self._parts: list[Columns] = []
        self.number = 0

    def add(self, record: Record, content: bytes = NO_CONTENT) -> None:
        """Add a row.

        Parameters
        ----------
        content : bytes
            A digest of what was read, of 16 bytes.

        Raises
        ------
        StoreError
            For a record that is not as in docs/results-format.md.
        """
        name = record.get("hash", "without a hash")
        if record.get("format") != RECORD_FORMAT:
            raise StoreError(
                f"record {name} must have format {RECORD_FORMAT}",
                value=f"format {record.get('format')!r}",
                hint="Read it with the version of hsiaug that wrote it.",
            )
        try:
            row, numbers = _row(record, self._texts), _numbers(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise no_record(name, error) from error
        row[CONTENT] = content
        self._rows.append(row)
        self._numbers.append(numbers)
        self.number += 1
        if len(self._rows) == TOGETHER:
            self._parts.append(_arrays(self._rows, self._numbers))
            self._rows, self._numbers = [], []

    def add_columns(self, columns: Columns) -> None:
        """Add the rows of columns."""
        self._parts.append(columns)
        self.number += len(columns["hash"])

    def columns(self) -> Columns:
        """The columns of all that were added."""
        last = [_arrays(self._rows, self._numbers)] if self._rows or not self._parts else []
        return joined([*self._parts, *last])


def columns_of_records(records: Iterable[Record]) -> Columns:
    """The columns of records. Raises StoreError as :meth:`ColumnBuilder.add` does."""
    builder = ColumnBuilder()
    for record in records:
        builder.add(record)
    return builder.columns()


def no_record(name: str, error: Exception) -> StoreError:
    """The error where a record has other parts than a record has."""
    return StoreError(
        f"record {name} must hold what docs/results-format.md names",
        value=f"{type(error).__name__} {error}",
        hint="Delete the record's folder and run its trial again.",
    )


class _Texts:
    """JSON of values, of which many are the same object."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[tuple[Any, ...], str]] = {}

    def __call__(self, *values: Any) -> str:
        """A value; several are those of KEYS_READ_WHOLE, by key."""
        key = tuple(map(id, values))
        if key not in self._known:
            if len(self._known) >= MOST_TEXTS:
                self._known.clear()
            text = json_line(
                values[0] if len(values) == 1 else dict(zip(KEYS_READ_WHOLE, values, strict=True))
            )
            # The values are remembered too, so that no other object gets their places.
            self._known[key] = (values, text)
        return self._known[key][1]


def _of_any_draw(record: Record) -> str:
    """The command of a record without its draw, so that those of an arm are one text."""
    return re.sub(r" --seeds \S+", "", str(record.get("command") or ""))


def _row(record: Record, texts: _Texts) -> Row:
    """The texts of a row, and its values of DTYPES but for the digest."""
    samples = record.get("samples") or {}
    shared = texts(*(record.get(key) for key in KEYS_READ_WHOLE))
    spec = json_line({key: value for key, value in record["spec"].items() if key != "seed"})
    return {
        "hash": record["hash"],
        "created": str(record.get("created", "")),
        "about": f'{{"spec": {spec}, "command": {json_line(_of_any_draw(record))}, {shared[1:]}',
        "audit": texts(record.get("audit")),
        "view_shown": texts((record.get("spectral_view") or {}).get("name")),
        "real": json_line(samples.get("real")),
        "synthetic": json_line(samples.get("synthetic")),
        "seed": int(record["spec"]["seed"]),
        "ok": _went_well(record),
        "idle": made_nothing(record),
        # Older trials whose samples were made of test labels.
        DIAGNOSIS: bool(record["spec"].get("diagnosis")),
    }


def _went_well(record: Record) -> bool:
    return record["status"] == "ok" and record.get("metrics") is not None


def _numbers(record: Record) -> Numbers:
    """The other numbers of a row, by column."""
    metrics = record["metrics"] if _went_well(record) else {}
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    parts = {f"_{part}": several[part] for part in PARTS if isinstance(several.get(part), dict)}
    numbers: Numbers = {f"has{part}": 1.0 for part in parts}
    for part, scores in {"": metrics, **parts}.items():
        for key, value in scores.items():
            if type(value) in (float, int):
                numbers[key + part] = value
            elif _of_each_class(value):
                names = _class_names(key + part, len(value))
                numbers.update(zip(names, value, strict=True))
    for name, scores in (metrics.get("subsets") or {}).items():
        numbers[f"subset:{name}"] = scores.get("aa")
        numbers[f"oa subset:{name}"] = scores.get("oa")
    numbers.update(NO_COSTS)
    for name, columns in COLUMNS_OF_FIELDS.items():
        # Most records lack most of them.
        if (field := record.get(name)) not in (None, {}):
            numbers.update((column.name, column.value(field)) for column in columns)
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    # Without the steps that only chose among samples.
    numbers["steps"] = None if steps is None else int(steps - aside)
    return numbers


def _of_each_class(value: object) -> TypeGuard[Sequence[float | None]]:
    """Whether a metric is a list of fractions, one of each class, and none of a class that has no
    test pixel.
    """
    if not isinstance(value, list):
        return False
    kinds = {type(one) for one in value}
    return float in kinds and kinds <= {float, int, type(None)}


@cache
def _class_names(metric: str, classes: int) -> tuple[str, ...]:
    return tuple(f"{metric}:{c}" for c in range(1, classes + 1))


def _arrays(rows: Sequence[Row], numbers: Sequence[Numbers]) -> Columns:
    """The values of rows by column; a number that a row lacks is NaN."""
    columns: Columns = {name: np.array([row[name] for row in rows], object) for name in TEXTS}
    columns |= {name: _categories([row[name] for row in rows]) for name in CATEGORIES}
    columns |= {name: np.array([row[name] for row in rows], DTYPES[name]) for name in DTYPES}
    # A metric that somebody called as one of these is left out.
    others = _columns_of_numbers(numbers)
    columns |= {name: others[name] for name in others if name not in columns}
    recalls = [column for name, column in columns.items() if name.startswith("recall:")]
    columns["recall_spread"] = _spreads(recalls, len(rows))
    return columns


def _columns_of_numbers(numbers: Sequence[Numbers]) -> Columns:
    """Numbers of rows by column. Rows with the same columns, as most have, become one array."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(numbers):
        alike.setdefault(tuple(row), []).append(place)
    columns = {name: column for column, name in enumerate(dict.fromkeys(chain(*alike)))}
    table = np.full((len(columns), len(numbers)), np.nan)
    for names, places in alike.items():
        values = np.array([list(numbers[place].values()) for place in places], np.float64)
        table[np.ix_([columns[name] for name in names], places)] = values.T
    table[~np.isfinite(table)] = np.nan
    return {name: table[column] for name, column in columns.items()}


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


def _categories(texts: Iterable[str]) -> ColumnValues:
    """Texts as categories, in the order in which they first appear."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return categorical(np.array(codes, np.int32), list(places))


def categorical(codes: NDArray[Any], texts: Sequence[str]) -> ColumnValues:
    """Categories of texts, each once, by their places in these."""
    from pandas import Categorical, Index

    return Categorical.from_codes(codes, categories=Index(texts, dtype=object), validate=False)


def joined(parts: Sequence[Mapping[str, ColumnValues]]) -> Columns:
    """Columns of all parts, one below the other."""
    names = dict.fromkeys(name for part in parts for name in part)
    return (
        dict(parts[0]) if len(parts) == 1 else {name: joined_column(parts, name) for name in names}
    )


def joined_column(
    parts: Sequence[Mapping[str, ColumnValues]],
    name: str,
    chosen: Sequence[Rows | None] = (),
) -> ColumnValues:
    """A column of all parts, one below the other; NaN of a part that lacks it.

    Parameters
    ----------
    chosen : sequence of (array or None)
        The rows of each part; all of them where it is None.
    """
    columns = []
    for place, part in enumerate(parts):
        column = part[name] if name in part else np.full(len(part["seed"]), np.nan)
        rows = chosen[place] if chosen else None
        columns.append(column if rows is None else some_rows(column, rows))
    return _joined(columns)


def some_rows(column: ColumnValues, rows: Rows) -> ColumnValues:
    """Rows of a column, with the categories of these alone."""
    chosen = column[rows]
    return chosen if isinstance(chosen, np.ndarray) else chosen.remove_unused_categories()


class NamedColumns(Mapping[str, ColumnValues]):
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


def _joined(columns: Sequence[ColumnValues]) -> ColumnValues:
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
    return categorical(np.concatenate(codes), list(places))
