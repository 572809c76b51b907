"""Trials by column: numbers of many records take little memory, and are compared in arrays."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.files import open_plain

KINDS: Mapping[str, Any] = {"seed": np.int64, "ok": bool, "idle": bool}
"""Of the columns of numbers that are no fractions or seconds."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of texts or objects of which many are equal.

    Attributes
    ----------
    codes : (n,) int32
        Places among the different ones, values.
    """

    codes: NDArray[np.int32]
    values: Sequence[Any]

    @classmethod
    def of(cls, column: Iterable[Any]) -> "Coded":
        """The column of these values."""
        known: dict[Any, int] = {}
        codes = [known.setdefault(value, len(known)) for value in column]
        return cls(np.array(codes, np.int32), list(known))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, at: Any) -> Any:
        """A value; those of a slice, a mask or places as Coded."""
        return (
            self.values[self.codes[at]]
            if isinstance(at, int | np.integer)
            else Coded(self.codes[at], self.values)
        )

    def tolist(self) -> list[Any]:
        """The values, row by row."""
        return [self.values[code] for code in self.codes.tolist()]


Column = Any
"""(n,) numbers or texts, as an array or Coded."""


class Columns(dict[str, Any]):
    """Columns by name, as ``recall:1`` … ``recall:C``; one that was not asked for yet is a function
    that makes it.
    """

    def made(self, name: str) -> Any:
        """A column, which is not kept."""
        column = super().__getitem__(name)
        return column() if callable(column) else column

    def __getitem__(self, name: str) -> Any:
        column = self[name] = self.made(name)
        return column


def rows_of(columns: Columns, at: Any) -> Columns:
    """Columns of a slice, a mask or places."""
    return Columns({name: lambda name=name: columns[name][at] for name in columns})


class Trial:
    """A row of trials: the values of the columns are its attributes, as plain Python values."""

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: Columns, row: int) -> None:
        self._columns, self._row = columns, row

    def __getattr__(self, name: str) -> Any:
        try:
            value = self._columns[name][self._row]
        except KeyError:
            raise AttributeError(name) from None
        return value.item() if isinstance(value, np.generic) else value

    @property
    def recall(self) -> list[float | None] | None:
        """Of each class, None where it has no test pixel; None where the trial gave no number."""
        recalls = recall_of(self._columns, slice(self._row, self._row + 1))[0].tolist()
        if all(math.isnan(value) for value in recalls):
            return None
        return [None if math.isnan(value) else value for value in recalls]


class Trials(Sequence[Any]):
    """A sequence of trials, whose rows are made when they are asked for.

    Attributes
    ----------
    columns : Columns
        By name.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns["about"])

    def __getitem__(self, at: Any) -> Any:
        """A trial; those of a slice, a mask or places as Trials."""
        if isinstance(at, int | np.integer):
            if not -len(self) <= at < len(self):
                raise IndexError(at)
            return Trial(self.columns, int(at))
        return Trials(rows_of(self.columns, at))

    def __iter__(self) -> Iterator[Any]:
        return (Trial(self.columns, row) for row in range(len(self)))

    def parts(self, name: str) -> list["Trials"]:
        """Those that follow each other with one number in a column."""
        starts = (
            [0, *(np.flatnonzero(np.diff(self.columns[name])) + 1).tolist()] if len(self) else []
        )
        return [
            self[start:end] for start, end in zip(starts, [*starts[1:], len(self)], strict=False)
        ]

    def pairs(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, trial by trial."""
        return zip(*(self.columns[name].tolist() for name in names), strict=True)

    def sums(self, name: str) -> list[int]:
        """The sum of each list in a column of lists, which trials share; without those that have
        none.
        """
        return [sum(value) for value in self.columns[name].tolist() if value is not None]

    def unlike(self, name: str) -> list[Any]:
        """The different values of a column, in their order."""
        column = self.columns[name]
        codes, first = np.unique(column.codes, return_index=True)
        return [column.values[code] for code in codes[np.argsort(first)]]


def recall_of(columns: Columns, rows: slice = slice(None)) -> NDArray[np.float64]:
    """(trials, classes) recall; NaN where there is none."""
    names = takewhile(columns.__contains__, (f"recall:{c}" for c in count(1)))
    found = [columns[name][rows] for name in names]
    return np.stack(found, axis=1) if found else np.empty((len(columns["about"][rows]), 0))


def columns_of(
    rows: Sequence[Mapping[str, Any]], texts: Sequence[str], shared: Sequence[str]
) -> Columns:
    """The values of rows by column; a number that a row lacks is NaN.

    Parameters
    ----------
    texts, shared : sequence of str
        Names of what is no number.
    """
    made = Columns({name: np.array([row[name] for row in rows], dtype=str) for name in texts})
    made |= {name: Coded.of(row[name] for row in rows) for name in shared}
    for name in dict.fromkeys(name for row in rows for name in row if name not in made):
        made[name] = np.array([row.get(name) for row in rows], dtype=KINDS.get(name, np.float64))
    return made


def joined(parts: Sequence[Columns], name: str) -> Column:
    """A column of all parts, one below the other."""
    found: list[Any] = [
        part.made(name) if name in part else np.full(len(part["about"]), np.nan) for part in parts
    ]
    if not isinstance(found[0], Coded):
        return np.concatenate(found)
    known: dict[Any, int] = {}
    places = [
        np.array([known.setdefault(v, len(known)) for v in one.values], np.int32)[one.codes]
        for one in found
    ]
    return Coded(np.concatenate(places), list(known))


def packed(columns: Columns) -> tuple[bytes, bytes]:
    """A line of JSON that tells of columns, and their bytes, one behind the other."""
    header = {}
    data = bytearray()
    for name in columns:
        column = columns[name]
        values = None
        if isinstance(column, Coded):
            values = column.values
            column = column.codes
        if column.dtype.kind == "U":
            with suppress(UnicodeEncodeError):
                column = column.astype("S")  # a byte a letter
        content = column.tobytes()
        digest = sha256(content).hexdigest()
        header[name] = (column.dtype.str, len(data), column.nbytes, digest, values)
        data += content
    return json.dumps(header).encode() + b"\n", bytes(data)


def unpacked(path: Path, line: bytes, start: int, again: Callable[[], Columns]) -> Columns:
    """The columns of that line in a file, whose bytes begin at ``start`` and are read when they are
    asked for.

    Parameters
    ----------
    again : callable
        Makes the columns, where the file is no longer what it was.

    Raises
    ------
    ValueError
        For a file of another size.
    """
    header = json.loads(line)
    if path.stat().st_size != start + sum(size for _, _, size, *_ in header.values()):
        raise ValueError("a file that was cut")

    def make(name: str) -> Column:
        kind, at, size, digest, values = header[name]
        with suppress(OSError, ValueError), open_plain(path) as file:
            file.seek(start + at)
            content = file.read(size)
            if sha256(content).hexdigest() == digest:
                array = np.frombuffer(content, kind)
                if array.dtype.kind == "S":
                    return array.astype(str)
                return array if values is None else Coded(array, values)
        return again()[name]

    return Columns({name: partial(make, name) for name in header})
