"""Trials as a tidy frame of pandas, a row per trial: its numbers, and what it shares with others,
as the condition of its table, its arm and classifier. :func:`trials_of_store` and
:func:`trials_of_records` make it of records (see docs/results-format.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count, pairwise, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.trial.arm import BOTH, Arm, Method
from hsiaug.trial.condition import Condition
from hsiaug.trial.record import KEYS_READ_WHOLE
from hsiaug.trial.record_cache import uncollected
from hsiaug.trial.record_check import Damage
from hsiaug.trial.record_columns import (
    CATEGORIES,
    DIAGNOSIS,
    UNSHOWN,
    ColumnValues,
    Rows,
    columns_of_records,
    joined_column,
    no_record,
)
from hsiaug.trial.record_json import Record, preference
from hsiaug.trial.store import Store
from hsiaug.trial.store_columns import columns_of_folders, columns_of_pack

if TYPE_CHECKING:
    from pandas import DataFrame, Series


CellKey = tuple[Arm, Method]
"""An arm and a classifier."""
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""
OF_ABOUT = ("condition", "arm", "classifier", "command", *KEYS_READ_WHOLE)
"""What the column ``about`` says."""


def _settings_of(text: str) -> dict[str, Any]:
    """What many records share: condition, arm, classifier, and the values of KEYS_READ_WHOLE."""
    said = json.loads(text)
    spec = said.pop("spec")
    omega = spec["omega"]
    maker = Method.of(
        spec["generator"],
        None if omega is None else spec.get("omega_convention"),
        train=spec.get("train", BOTH),
    )
    return {
        "condition": Condition.of(spec),
        "arm": Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        "classifier": Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        **said,
    }


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view


class Trial(NamedTuple):
    """A row of a frame of trials.

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
        How it ended: it gave numbers, had no sample to make, or failed.
    error : mapping or None
        Why it failed.
    audit : mapping or None
        Of its split.
    scene_ref : str or None
        How its user named the scene.
    """

    hash: str
    condition: Condition
    arm: Arm
    classifier: Method
    seed: int
    draw: DrawKey
    status: str
    error: dict[str, Any] | None
    audit: dict[str, Any] | None
    scene_ref: str | None


def rows_of(trials: DataFrame) -> list[Trial]:
    """The trials of a table row by row, without their numbers."""
    columns = (trials[name].tolist() for name in Trial._fields)
    return [Trial(*row) for row in zip(*columns, strict=True)]


def numbers(trials: DataFrame, name: str) -> NDArray[Any]:
    """(n,) a column of numbers; NaN where there is none of that name."""
    return trials[name].to_numpy() if name in trials else np.full(len(trials), np.nan)


def unlike(column: Series) -> list[Any]:
    """The objects of a column that many trials share, each once, in their order."""
    return list({id(value): value for value in column}.values())


def parts(trials: DataFrame, name: str) -> list[DataFrame]:
    """Those that follow each other with one number in a column."""
    ends = np.flatnonzero(np.diff(trials[name])) + 1
    places = [0, *ends.tolist(), len(trials)] if len(trials) else []
    return [trials.iloc[start:end] for start, end in pairwise(places)]


def of_classes(trials: DataFrame, metric: str) -> NDArray[np.float64]:
    """(trials, classes) a metric of each class, as ``recall``; NaN where there is none."""
    names = list(takewhile(trials.columns.__contains__, (f"{metric}:{c}" for c in count(1))))
    values: NDArray[np.float64] = trials[names].to_numpy(np.float64)
    return values


# Trials of records


def trials_of_store(store: Store) -> tuple[DataFrame, list[Damage]]:
    """The trials of all sound records of a store, and the records that are not to be believed.

    Columns of a pack, which never changes, are cached for that very file. Raises StoreError as it
    does.
    """
    damaged = list[Damage]()
    with uncollected():
        loose = store.loose()
        folders = columns_of_folders(store, sorted(loose), damaged)
        packs = [columns_of_pack(store, pack, damaged) for pack in store.packs.paths()]
        damaged.sort(key=lambda damage: damage.hash)
        if packs and not loose:
            return _frame(packs, [~part[DIAGNOSIS] for part in packs]), damaged
        chosen = [~folders[DIAGNOSIS]]
        for part in packs:
            # A record that has a folder too counts there.
            alone = np.array([hash not in loose for hash in part["hash"]], bool)
            chosen.append(alone & ~part[DIAGNOSIS])
        return _frame([folders, *packs], chosen), damaged


def trials_of_records(records: Iterable[Record]) -> DataFrame:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: those of records (:class:`hsiaug.trial.record_columns.ColumnBuilder`), the attributes
    of :class:`Trial` but for the draw, KEYS_READ_WHOLE, ``split`` (the checksum of its split), and
    ``table`` and ``cell``, numbers of its condition, and of its arm and classifier.

    In the order of tables, cells, seeds and hashes. Raises StoreError for a record that is not
    as in docs/results-format.md.
    """
    columns = columns_of_records(records)
    return _frame([columns], [~columns[DIAGNOSIS]])


def _frame(parts: Sequence[Mapping[str, ColumnValues]], chosen: Sequence[Rows]) -> DataFrame:
    """Trials of the columns of their records, in order.

    Parameters
    ----------
    chosen : sequence of array
        The rows of each part that count: none of records that lie elsewhere, nor of older trials
        whose samples were made of test labels.
    """
    from pandas import DataFrame, Series

    rows = [None if mask.all() else mask for mask in chosen]

    def column(name: str) -> ColumnValues:
        return joined_column(parts, name, rows)

    about = column("about")
    settings = _settings(about, column)
    places = {
        key: np.array([facts[key] for facts in settings], np.int32)[about.codes]
        for key in ("table", "cell")
    }
    order = _rows_in_order(column, places["table"], places["cell"])
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        if name in UNSHOWN:
            continue
        values = column(name)
        if name in CATEGORIES:
            columns[name] = objects(map(CATEGORIES[name], values.categories), values.codes[order])
        else:
            columns[name] = values[order]
    for name in OF_ABOUT:
        columns[name] = objects((facts[name] for facts in settings), about.codes[order])
    splits = (str((audit or {}).get("sha256", "")) for audit in columns["audit"])
    columns["split"] = np.fromiter(splits, object, len(order))
    columns |= {name: values[order] for name, values in places.items()}
    columns["failed"] = ~(columns["ok"] | columns["idle"])
    ended = np.where(columns["ok"], 2, columns["idle"].astype(np.int32))
    columns["status"] = objects(("failed", "empty", "ok"), ended)
    # As objects: texts stay texts, and what is not there stays None.
    return DataFrame({name: Series(values, dtype=values.dtype) for name, values in columns.items()})


def objects(values: Iterable[Any], places: NDArray[Any]) -> NDArray[Any]:
    """(n,) the objects at these places of the values."""
    chosen: NDArray[Any] = np.fromiter(values, object)[places]
    return chosen


def _settings(about: ColumnValues, column: Callable[[str], ColumnValues]) -> list[dict[str, Any]]:
    """What each text says that many records share, with the places of its table and cell. Raises
    StoreError for a record that is not as in docs/results-format.md.
    """
    settings = {}
    for code, text in enumerate(about.categories):
        try:
            settings[text] = _settings_of(text)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            row = np.flatnonzero(about.codes == code)[0]
            raise no_record(column("hash")[row], error) from error
    # By text, so that the order of records does not matter.
    by_text = [settings[text] for text in sorted(settings)]
    conditions = dict.fromkeys(facts["condition"] for facts in by_text)
    table_of = {condition: i for i, condition in enumerate(conditions)}
    cells = in_order(dict.fromkeys((facts["arm"], facts["classifier"]) for facts in by_text))
    cell_of = {key: i for i, key in enumerate(cells)}
    for facts in by_text:
        facts["table"] = table_of[facts["condition"]]
        facts["cell"] = cell_of[facts["arm"], facts["classifier"]]
        # One object of those that are equal is enough, and is found faster.
        facts["arm"], facts["classifier"] = cells[facts["cell"]]
    return list(settings.values())


def _rows_in_order(
    column: Callable[[str], ColumnValues], table: NDArray[np.int32], cell: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Rows by table, cell and seed; of records of one hash the one that
    :func:`hsiaug.trial.record_json.preference` has.
    """
    from pandas import DataFrame

    keys = DataFrame({"table": table, "cell": cell, "seed": column("seed")})
    names = list(keys)
    # Records of one hash are alike in all keys.
    if keys.duplicated().any():
        several = keys.index[keys.duplicated(keep=False)]
        times = column("created")
        finished = (column("ok") | column("idle"))[several].tolist()
        created = objects(times.categories, times.codes[several])
        twins = DataFrame({"hash": np.asarray(column("hash"))[several]}, index=several)
        twins["preference"] = list(map(preference, finished, created))
        twins = twins.sort_values(["hash", "preference"], kind="stable")
        keys = keys.drop(index=twins.index[twins.duplicated("hash", keep="last")])
    order: NDArray[np.intp] = keys.sort_values(names, kind="stable").index.to_numpy()
    return order
