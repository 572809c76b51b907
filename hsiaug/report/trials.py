"""Trials by column: numbers of many records take little memory, and are compared in arrays."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import count, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Columns = dict[str, Column]
"""By name (n,) numbers or objects; the recall of class id 1..C is ``recall:1`` … ``recall:C``."""
PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones."""
KINDS: Mapping[str, Any] = {"seed": np.int64, "ok": bool, "idle": bool}
"""Of the columns of numbers that are no fractions or seconds."""


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
        found = self.recall_in().tolist()
        return [None if v != v else v for v in found] if any(v == v for v in found) else None

    def recall_in(self, part: str = "") -> NDArray[np.float64]:
        """(classes,) recall in one of PARTS or over all test pixels; NaN where there is none."""
        name = f"recall_{part}" if part else "recall"
        found: NDArray[np.float64] = recall_of(self._columns, slice(self._row, self._row + 1), name)[0]
        return found


class Trials(Sequence[Any]):
    """A sequence of trials, whose rows are made when they are asked for. columns: of equal length."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns["hash"])

    def __getitem__(self, at: Any) -> Any:
        """A trial; those of a slice, a mask or places as Trials."""
        if isinstance(at, int | np.integer):
            if not -len(self) <= at < len(self):
                raise IndexError(at)
            return Trial(self.columns, int(at))
        return Trials({name: column[at] for name, column in self.columns.items()})

    def __iter__(self) -> Iterator[Any]:
        return (Trial(self.columns, row) for row in range(len(self)))

    def parts(self, name: str) -> list["Trials"]:
        """Those that follow each other with one number in a column."""
        starts = [0, *(np.flatnonzero(np.diff(self.columns[name])) + 1).tolist()] if len(self) else []
        return [self[start:end] for start, end in zip(starts, [*starts[1:], len(self)], strict=False)]

    def pairs(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, trial by trial."""
        return zip(*(self.columns[name].tolist() for name in names), strict=True)

    def sums(self, name: str) -> list[int]:
        """The sum of each list in a column of lists, which trials share; without those that have none."""
        known = {id(value): sum(value) for value in self.unlike(name) if value is not None}
        return [known[id(value)] for value in self.columns[name].tolist() if value is not None]

    def unlike(self, name: str) -> list[Any]:
        """The different objects of a column, in their order."""
        return list({id(value): value for value in self.columns[name].tolist()}.values())


def by_class(name: str, recall: Sequence[float | None] | None) -> dict[str, float]:
    """Recall by the names of its columns."""
    return {f"{name}:{c}": np.nan if value is None else value for c, value in enumerate(recall or (), start=1)}


def recall_of(columns: Columns, rows: slice = slice(None), name: str = "recall") -> NDArray[np.float64]:
    """(trials, classes) recall; NaN where there is none."""
    names = (f"{name}:{c}" for c in count(1))
    found = [columns[one][rows] for one in takewhile(columns.__contains__, names)]
    return np.stack(found, axis=1) if found else np.empty((len(columns["hash"][rows]), 0))


def columns_of(rows: Sequence[Mapping[str, Any]], objects: Sequence[str]) -> Columns:
    """The values of rows by column; a number that a row lacks is NaN. objects: names of what is no number."""
    made = {name: as_objects(row[name] for row in rows) for name in objects}
    for name in dict.fromkeys(name for row in rows for name in row if name not in made):
        made[name] = np.array([row.get(name) for row in rows], dtype=KINDS.get(name, np.float64))
    return made


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns one below the other. The parts are emptied: they need not be in memory beside the whole."""
    sizes = [len(part["hash"]) for part in parts]
    return {
        name: np.concatenate([part.pop(name, np.full(n, np.nan)) for part, n in zip(parts, sizes, strict=True)])
        for name in dict.fromkeys(name for part in parts for name in part)
    }


def as_objects(values: Iterable[Any]) -> Column:
    """(n,) objects, lists among them."""
    found = list(values)
    return np.fromiter(found, dtype=object, count=len(found))


def coded(values: Iterable[Any], size: int) -> tuple[NDArray[np.int32], list[Any]]:
    """(n,) places in the list of different values, and that list, in their order."""
    known: dict[Any, int] = {}
    return np.fromiter((known.setdefault(value, len(known)) for value in values), np.int32, size), list(known)


def packed(columns: Columns) -> bytes:
    """An .npz of columns whose objects are texts or None: of these the different ones, and places among them."""
    arrays = {name: column for name, column in columns.items() if column.dtype != object}
    texts = {}
    for name, column in columns.items():
        if column.dtype == object:
            arrays[name], texts[name] = coded(column, len(column))
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays, __texts__=np.frombuffer(json.dumps(texts).encode(), np.uint8))
    return file.getvalue()


def unpacked(data: bytes) -> Columns:
    """The columns that :func:`packed` made bytes of."""
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        texts = json.loads(arrays["__texts__"].tobytes())
        return {
            name: as_objects(texts[name])[arrays[name]] if name in texts else arrays[name]
            for name in arrays.files
            if name != "__texts__"
        }
