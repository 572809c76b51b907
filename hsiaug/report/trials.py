"""Trials as a pandas frame: a row per trial, whose numbers are compared in arrays; and what many of
them share: the condition of their table, their arm and classifier. :func:`read_store` and
:func:`read_trials` make them of records (see docs/results-format.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.trial.arm import BOTH, Arm, Method
from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record import KEYS_OF_TRIAL, Damage
from hsiaug.trial.record_cache import uncollected
from hsiaug.trial.record_columns import (
    DIAGNOSIS,
    SHARED,
    UNSHOWN,
    Column,
    NamedColumns,
    Rows,
    columns_of_records,
    joined_column,
    no_record,
)
from hsiaug.trial.record_json import Record, preference
from hsiaug.trial.store import Store
from hsiaug.trial.store_columns import columns_of_folders, columns_of_pack

if TYPE_CHECKING:
    import pandas as pd


CellKey = tuple[Arm, Method]
"""An arm and a classifier."""
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""
OF_ABOUT = ("condition", "arm", "classifier", *SHARED)
"""What the column ``about`` says."""
OF_TRIAL = {*KEYS_OF_TRIAL, DIAGNOSIS}
"""Keys of a trial's specification in which trials of one table differ."""


@dataclass(frozen=True)
class Condition:
    """Properties shared by the trials of one table.

    Attributes
    ----------
    rest : str
        Canonical JSON of any further key of the specification, so that what a later version
        adds to it parts the tables instead of being averaged over.
    """

    task: str
    scene: str
    scene_sha256: str
    protocol: str
    argument: str
    buffer: str
    patch: int
    rest: str = "{}"

    @property
    def protocol_text(self) -> str:
        """``issd:0.05``: the protocol with its argument, as users write it."""
        return f"{self.protocol}:{self.argument}".removesuffix(":")


def _settings_of(text: str) -> dict[str, Any]:
    """What many records share: condition, arm, classifier, and the values of SHARED."""
    said = json.loads(text)
    spec = said.pop("spec")
    omega = spec["omega"]
    maker = Method.of(
        spec["generator"],
        None if omega is None else spec.get("omega_convention"),
        train=spec.get("train", BOTH),
    )
    return {
        "condition": _condition_of(
            {key: value for key, value in spec.items() if key not in OF_TRIAL}
        ),
        "arm": Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        "classifier": Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        **said,
    }


def _condition_of(spec: Mapping[str, Any]) -> Condition:
    """What trials must share to stand in one table.

    Parameters
    ----------
    spec : mapping of str to object
        What trials of one table share of their specifications.
    """
    rest = dict(spec)
    scene, protocol = rest.pop("scene"), rest.pop("protocol")
    task, patch = rest.pop("task"), rest.pop("patch")
    argument = protocol.get("argument")
    if rest.get("format") == 1:
        del rest["format"]
    if "version" in protocol:
        rest["protocol_version"] = protocol["version"]
    return Condition(
        task=task,
        scene=scene["name"],
        scene_sha256=scene["sha256"],
        protocol=protocol["name"],
        argument="" if argument is None else str(argument),
        buffer=str(protocol["buffer"]),
        patch=int(patch),
        rest=canonical_json(rest),
    )


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view


Value = TypeVar("Value")


class Decoded(Sequence[Any]):
    """Values of texts, each decoded when it is asked for, once."""

    def __init__(
        self, texts: Callable[[], Sequence[str]], decode: Callable[[str], Any] = json.loads
    ) -> None:
        self._read, self._decode = texts, decode
        self._values: dict[int, Any] = {}

    @cached_property
    def _texts(self) -> Sequence[str]:
        return self._read()

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, place: Any) -> Any:
        if place not in self._values:
            self._values[place] = self._decode(self._texts[place])
        return self._values[place]


class _Column(Generic[Value]):
    """A column of trials as an attribute of each trial, which has the column's name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, trial: Trial, owner: type) -> Value:
        value: Value = trial.value(self._name)
        return value


class Trial:
    """A row of trials. Values are plain Python values.

    Attributes
    ----------
    hash : str
        Name of its record.
    condition : Condition
        Of its table.
    arm : Arm
        Its generator, rate and ω.
    classifier : Method
        With its spectral view.
    seed : int
        Number of the draw.
    draw : (int, str)
        The lowest seed that drew the same pixels, and the checksum of these.
    status : {"ok", "empty", "failed"}
        How it ended.
    ok, idle, failed : bool
        Whether it gave numbers, had no sample to make, or failed.
    error : mapping or None
        Why it failed.
    audit : mapping or None
        Of its split.
    real, synthetic : list of int or None
        Samples by class.
    view_shown : str or None
        The spectral view that its classifier was shown.
    transductive : bool or None
        Whether a plugin read unlabelled pixels.
    scene_ref : str or None
        How its user named the scene.
    created : str
        When its record was written.
    """

    __slots__ = ("_row", "_trials")

    hash = _Column[str]()
    condition = _Column[Condition]()
    arm = _Column[Arm]()
    classifier = _Column[Method]()
    seed = _Column[int]()
    draw = _Column[tuple[int, str]]()
    status = _Column[str]()
    ok = _Column[bool]()
    idle = _Column[bool]()
    failed = _Column[bool]()
    error = _Column["dict[str, Any] | None"]()
    audit = _Column["dict[str, Any] | None"]()
    real = _Column["list[int] | None"]()
    synthetic = _Column["list[int] | None"]()
    view_shown = _Column["str | None"]()
    transductive = _Column["bool | None"]()
    scene_ref = _Column["str | None"]()
    created = _Column[str]()

    def __init__(self, trials: Trials, row: int) -> None:
        self._trials, self._row = trials, row

    def value(self, name: str) -> Any:
        """The value of a column, of metrics too. Raises KeyError where there is no such column."""
        return self._trials.value(name, self._row)

    def get(self, name: str) -> Any:
        """The value of a column; None where there is no such column."""
        return self.value(name) if self._trials.has(name) else None

    @property
    def recall(self) -> list[float | None] | None:
        """Of each class, None where it has no test pixel; None where the trial gave no number."""
        recalls = self._trials.recall[self._row].tolist()
        if all(math.isnan(value) for value in recalls):
            return None
        return [None if math.isnan(value) else value for value in recalls]


@dataclass(frozen=True, eq=False)
class Trials(Sequence[Trial]):
    """A sequence of trials, whose rows are made when they are asked for.

    Attributes
    ----------
    frame : DataFrame
        What every table needs, a row per trial; its index is the place of a trial among all.
        Columns of numbers are numbers, others are categories.
    shared : mapping of str to (str, sequence)
        Values that many trials share: name → the column whose categories they belong to, and a
        value for each category.
    further : mapping of str to column
        More columns, of all trials, which are read when they are asked for: arrays of numbers, NaN
        where a trial has none, of texts, or categories of JSON.
    """

    frame: pd.DataFrame
    shared: Mapping[str, tuple[str, Sequence[Any]]]
    further: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.frame)

    @overload
    def __getitem__(self, at: int) -> Trial: ...

    @overload
    def __getitem__(self, at: slice | NDArray[Any]) -> Trials: ...

    def __getitem__(self, at: Any) -> Any:
        """A trial; those of a slice or a mask as Trials."""
        if isinstance(at, int | np.integer):
            if not -len(self) <= at < len(self):
                raise IndexError(at)
            return Trial(self, int(at))
        return Trials(self.frame.iloc[at], self.shared, self.further)

    def __iter__(self) -> Iterator[Trial]:
        return (Trial(self, row) for row in range(len(self)))

    def has(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return name in self.shared or name in self.frame.columns or name in self.further

    @cached_property
    def _columns(self) -> dict[str, tuple[NDArray[Any], Sequence[Any] | None]]:
        """Columns that were asked for: numbers, or categories and the values of these."""
        return {}

    def _column(self, name: str) -> tuple[NDArray[Any], Sequence[Any] | None]:
        if name not in self._columns:
            source, values = self.shared.get(name, (name, None))
            column = self._array(source)
            codes = column if isinstance(column, np.ndarray) else column.codes
            self._columns[name] = (codes, values)
        return self._columns[name]

    def _array(self, name: str) -> Any:
        """A column of the frame or a further one, of these trials."""
        if name in self.frame.columns:
            column = self.frame[name].array
            return column if hasattr(column, "categories") else column.to_numpy()
        rows, column = self.frame.index, self.further[name]
        # Trials that follow each other are a part of the column, which is not copied.
        follow = len(rows) and rows[-1] - rows[0] == len(rows) - 1
        return column[rows[0] : rows[-1] + 1] if follow else column[rows.to_numpy()]

    def value(self, name: str, row: int) -> Any:
        """A value of a row, as a plain Python value. Raises KeyError for a name that is none."""
        numbers, values = self._column(name)
        if values is not None:
            return values[numbers[row]]
        value = numbers[row]
        return value.item() if isinstance(value, np.generic) else value

    def numbers(self, name: str) -> NDArray[Any]:
        """(n,) a column of numbers, not to be changed; NaN where there is none of that name."""
        return self._column(name)[0] if self.has(name) else np.full(len(self), np.nan)

    def codes(self, name: str) -> NDArray[Any]:
        """(n,) the places of the values of a shared column among all that there are."""
        return self._column(name)[0]

    def values(self, name: str) -> list[Any]:
        """The values of a column, row by row, as plain Python values."""
        numbers, values = self._column(name)
        listed: list[Any] = numbers.tolist()
        return listed if values is None else [values[code] for code in listed]

    def pairs(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some columns, trial by trial."""
        return zip(*(self.values(name) for name in names), strict=True)

    def parts(self, name: str) -> list[Trials]:
        """Those that follow each other with one number in a column."""
        starts = (
            [0, *(np.flatnonzero(np.diff(self.numbers(name))) + 1).tolist()] if len(self) else []
        )
        return [
            self[start:end] for start, end in zip(starts, [*starts[1:], len(self)], strict=False)
        ]

    def sums(self, name: str) -> list[int]:
        """The sum of each list in a column of lists, which trials share; without those that have
        none.
        """
        return [sum(value) for value in self.values(name) if value is not None]

    def unlike(self, name: str) -> list[Any]:
        """The different values of a shared column, in their order."""
        numbers, values = self._column(name)
        codes, first = np.unique(numbers, return_index=True)
        chosen = codes[np.argsort(first)].tolist()
        return chosen if values is None else [values[code] for code in chosen]

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(trials, classes) recall; NaN where there is none."""
        names = takewhile(self.has, (f"recall:{c}" for c in count(1)))
        columns = [self.numbers(name) for name in names]
        return np.stack(columns, axis=1) if columns else np.empty((len(self), 0))


def number_of(trial: Trial, name: str) -> float | None:
    """A number of a row; None where it has none."""
    value = trial.get(name)
    return value if isinstance(value, int | float) and value == value else None


# Trials of records


def read_store(store: Store, damaged: list[Damage]) -> Trials:
    """The trials of all records of a store.

    Columns of a pack, which never changes, are cached for that very file. Raises StoreError as it
    does.

    Parameters
    ----------
    damaged : list of Damage
        Takes in those that are not to be believed.
    """
    with uncollected():
        loose = store.loose()
        parts = [columns_of_folders(store, sorted(loose), damaged)]
        for pack in store.packs.paths():
            parts.append(columns_of_pack(store, pack, damaged))
        chosen = [_chosen(part, loose if place else ()) for place, part in enumerate(parts)]
        if not len(parts[0]["hash"]) and len(parts) > 1:
            parts, chosen = parts[1:], chosen[1:]
        trials = _trials(parts, chosen)
        damaged.sort(key=lambda damage: damage.hash)
        return trials


def read_trials(records: Iterable[Record]) -> Trials:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: those of records (:class:`hsiaug.trial.record_columns.ColumnBuilder`), the attributes
    of :class:`Trial`, and ``table`` and ``cell``, numbers of its condition, and of its arm and
    classifier.

    In the order of tables, cells, seeds and hashes. Raises StoreError for a record that is not
    as in docs/results-format.md.
    """
    columns = columns_of_records(records)
    return _trials([columns], [_chosen(columns)])


def _chosen(
    part: Mapping[str, Column], except_for: Collection[str] = ()
) -> NDArray[np.bool_] | None:
    """The rows of a part that count: none of records that lie elsewhere, nor of older trials whose
    samples were made of test labels; None = all.
    """
    chosen: NDArray[np.bool_] = ~part[DIAGNOSIS]
    if except_for:
        chosen &= np.array([hash not in except_for for hash in part["hash"]], bool)
    return None if chosen.all() else chosen


class _Ordered(NamedColumns):
    """Columns of all parts in the order of trials, each of which is read when it is asked for."""

    def __init__(
        self,
        parts: Sequence[Mapping[str, Column]],
        chosen: Sequence[Rows | None],
    ) -> None:
        super().__init__(name for part in parts for name in part if name not in UNSHOWN)
        self._parts = parts
        self._chosen = chosen
        self._known: dict[str, Column] = {}
        self.rows: NDArray[np.intp] | slice = slice(None)

    def __getitem__(self, name: str) -> Column:
        if name not in self:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self.in_any_order(name)[self.rows]
        return self._known[name]

    def texts(self, name: str) -> list[str]:
        """The categories of a column."""
        texts: list[str] = self[name].categories.tolist()
        return texts

    def in_any_order(self, name: str) -> Column:
        """A column as it stands in the parts."""
        return joined_column(self._parts, name, self._chosen)


def _trials(parts: Sequence[Mapping[str, Column]], chosen: Sequence[Rows | None]) -> Trials:
    """Trials of the columns of their records, in order, each with what it shares with others."""
    from pandas import DataFrame

    columns = _Ordered(parts, chosen)
    about = columns.in_any_order("about")
    shared = _shared_facts(_settings(about, columns))
    places = {
        key: np.array([facts[key] for facts in shared], np.int32)[about.codes]
        for key in ("table", "cell")
    }
    columns.rows = _rows_in_order(columns.in_any_order, places["table"], places["cell"])
    frame = {name: columns[name] for name in ("about", "audit", "seed", "ok", "idle")}
    frame |= {key: column[columns.rows] for key, column in places.items()}
    frame["failed"] = ~(frame["ok"] | frame["idle"])
    frame["status"] = np.where(frame["ok"], 2, frame["idle"].astype(np.int32))
    values: dict[str, tuple[str, Sequence[Any]]] = {
        name: ("about", [facts[name] for facts in shared]) for name in OF_ABOUT
    }
    audits = [json.loads(text) for text in frame["audit"].categories]
    values["audit"] = ("audit", audits)
    values["split"] = ("audit", [str((audit or {}).get("sha256", "")) for audit in audits])
    values["status"] = ("status", ("failed", "empty", "ok"))
    for name in ("real", "synthetic", "view_shown"):
        values[name] = (name, Decoded(partial(columns.texts, name)))
    values["created"] = ("created", Decoded(partial(columns.texts, "created"), str))
    return Trials(DataFrame(frame, copy=False), values, columns)


def _settings(about: Column, columns: _Ordered) -> dict[str, dict[str, Any]]:
    """What each text of a column says that many records share. Raises StoreError for a record that
    is not as in docs/results-format.md.
    """
    settings = {}
    for code, text in enumerate(about.categories):
        try:
            settings[text] = _settings_of(text)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            row = np.flatnonzero(about.codes == code)[0]
            raise no_record(columns.in_any_order("hash")[row], error) from error
    return settings


def _shared_facts(settings: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The settings, with the places of their tables and cells."""
    shared = list(settings.values())
    # By text, so that the order of records does not matter.
    by_text = [settings[text] for text in sorted(settings)]
    conditions = dict.fromkeys(facts["condition"] for facts in by_text)
    table_of = {condition: i for i, condition in enumerate(conditions)}
    cells = in_order(dict.fromkeys((facts["arm"], facts["classifier"]) for facts in by_text))
    cell_of = {key: i for i, key in enumerate(cells)}
    for facts in shared:
        facts["table"] = table_of[facts["condition"]]
        facts["cell"] = cell_of[facts["arm"], facts["classifier"]]
        # One object of those that are equal is enough, and is found faster.
        facts["arm"], facts["classifier"] = cells[facts["cell"]]
    return shared


def _rows_in_order(
    column: Callable[[str], Column], table: NDArray[np.int32], cell: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Rows by table, cell and seed; of records of one hash the one that :func:`preference` has."""
    keys = (column("seed"), cell, table)
    rows = np.lexsort(keys)
    # Records of one hash are alike in all keys.
    if not np.logical_and.reduce([np.diff(key[rows]) == 0 for key in keys]).any():
        return rows
    best: dict[str, tuple[tuple[bool, str], int]] = {}
    finished = column("ok") | column("idle")
    for row, (name, ended, created) in enumerate(
        zip(column("hash"), finished, column("created"), strict=True)
    ):
        record = {"status": "ok" if ended else "failed", "created": created}
        ranked = (preference(record), row)
        best[name] = max(best.get(name, ranked), ranked)
    chosen = np.array([row for _, row in best.values()])
    hashes = column("hash")[chosen].astype(str)
    order = np.lexsort((hashes, *(key[chosen] for key in keys)))
    return np.asarray(chosen[order])
