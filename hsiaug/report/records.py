"""Records as trials (see docs/results-format.md), those of a store or any others."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.report.cells import in_order
from hsiaug.report.trials import OF_ABOUT, Decoded, Trials, settings_of
from hsiaug.trial.record import Damage
from hsiaug.trial.record_cache import uncollected
from hsiaug.trial.record_columns import (
    DIAGNOSIS,
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
            settings[text] = settings_of(text)
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
