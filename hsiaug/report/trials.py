"""Trials as a tidy frame of pandas, a row per trial: its numbers, and what it shares with others,
as the condition of its table, its configuration and classifier. :func:`trials_of_store` and
:func:`trials_of_records` make it of records (see docs/results-format.md).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import StoreError
from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.report.formatting import count
from hsiaug.trial.arm import BOTH, Arm, Method
from hsiaug.trial.record import COLUMNS, KEYS_OF_TRIAL, KEYS_READ_WHOLE, Damage
from hsiaug.trial.record_json import (
    EMPTY,
    RECORD_FORMAT,
    Record,
    canonical_json,
    json_line,
)
from hsiaug.trial.store import Store

if TYPE_CHECKING:
    from pandas import DataFrame, Series


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

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Condition:
        """That of a trial, from its specification as records keep it."""
        rest = {key: spec[key] for key in spec if key not in KEYS_OF_TRIAL}
        scene, protocol = rest.pop("scene"), rest.pop("protocol")
        task, patch = rest.pop("task"), rest.pop("patch")
        argument = protocol.get("argument")
        if rest.get("format") == 1:
            del rest["format"]
        if "version" in protocol:
            rest["protocol_version"] = protocol["version"]
        return cls(
            task=task,
            scene=scene["name"],
            scene_sha256=scene["sha256"],
            protocol=protocol["name"],
            argument="" if argument is None else str(argument),
            buffer=str(protocol["buffer"]),
            patch=int(patch),
            rest=canonical_json(rest),
        )


# Trials


CellKey = tuple[Arm, Method]
"""A configuration and a classifier."""
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""
COLUMNS_OF_TRIALS = (
    *("hash", "created", "audit", "real", "synthetic", "view_shown", "seed", "ok", "idle"),
    *("status", "condition", "arm", "classifier", "command", *KEYS_READ_WHOLE),
)
"""Columns of trials that are no numbers of a record."""


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by configuration, controls first, then by classifier."""
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
    view_shown : str or None
        The view that the classifier was shown; of ``auto`` the one that was chosen.
    seed : int
        Of the split.
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
    view_shown: str | None
    seed: int
    draw: DrawKey
    status: str
    error: dict[str, Any] | None
    audit: dict[str, Any] | None
    scene_ref: str | None

    @property
    def error_type(self) -> str | None:
        """The name of the exception; None of a trial that did not fail."""
        return (self.error or {}).get("type")

    @property
    def error_message(self) -> str:
        """What it said, on one line."""
        return " ".join(str((self.error or {}).get("message") or "").split())


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
    numbered = (f"{metric}:{c}" for c in range(1, trials.shape[1] + 1))
    names = list(takewhile(trials.columns.__contains__, numbered))
    values: NDArray[np.float64] = trials[names].to_numpy(np.float64)
    return values


# Trials of records


def trials_of_store(store: Store) -> tuple[DataFrame, list[Damage]]:
    """The trials of all sound records of a store, and the records that are not to be believed.
    Raises StoreError as it does.
    """
    damaged = list[Damage]()
    return trials_of_records(store.each(damaged=damaged)), damaged


def trials_of_records(records: Iterable[Record]) -> DataFrame:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: the numbers of records (:func:`hsiaug.report.trials.numbers_of`), the attributes
    of :class:`Trial` but for the split, KEYS_READ_WHOLE, ``split`` (the checksum of its split),
    ``real`` and ``synthetic`` (samples by class), ``view_shown``, and ``table`` and ``cell``,
    numbers of its condition, and of its configuration and classifier.

    In the order of tables, cells, seeds and hashes. Trials that were made with older code of a
    plugin of another package are left out; ``attrs["older"]`` has a sentence on those of each
    plugin. Raises StoreError for a record that is not
    as in docs/results-format.md.
    """
    from pandas import DataFrame, concat

    rows: dict[str, dict[str, Any]] = {}
    shared: dict[str, dict[str, Any]] = {}
    audits: dict[str, Any] = {}
    for record in records:
        try:
            row = _row(record, shared, audits)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _no_record(record, error) from error
        known = rows.get(row["hash"])
        if known is None or _rank(known) < _rank(row):
            rows[row["hash"]] = row
    older = _drop_older_code(rows)
    # As objects: texts stay texts, and what is not there stays None.
    frame = DataFrame([*rows.values()], columns=COLUMNS_OF_TRIALS, dtype=object)
    frame = frame.astype({"seed": np.int64, "ok": bool, "idle": bool})
    numbers = DataFrame([row["numbers"] for row in rows.values()], dtype=np.float64)
    # A metric that somebody called as one of the others is left out.
    numbers = numbers.drop(columns=numbers.columns.intersection(frame.columns))
    if "recall_spread" not in numbers:
        numbers["recall_spread"] = np.nan
    texts = sorted(shared)
    conditions = dict.fromkeys(shared[text]["condition"] for text in texts)
    table_of = {condition: number for number, condition in enumerate(conditions)}
    keys = in_order(
        dict.fromkeys((shared[text]["arm"], shared[text]["classifier"]) for text in texts)
    )
    cell_of = {key: number for number, key in enumerate(keys)}
    cells = [cell_of[key] for key in zip(frame["arm"], frame["classifier"], strict=True)]
    of_tables = [table_of[condition] for condition in frame["condition"]]
    frame = concat([frame, numbers], axis="columns").assign(
        split=[str((audit or {}).get("sha256", "")) for audit in frame["audit"]],
        table=np.array(of_tables, np.int32),
        cell=np.array(cells, np.int32),
        failed=~(frame["ok"] | frame["idle"]),
    )
    frame = frame.sort_values(["table", "cell", "seed"], kind="stable", ignore_index=True)
    frame.attrs["older"] = older
    return frame


def _drop_older_code(rows: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Leave out the trials that were made with other code of a plugin than the newest trial of that
    plugin and version; a sentence on those of each plugin.

    Parameters
    ----------
    rows : dict of str to dict
        By hash; changed in place.
    """
    newest: dict[tuple[str, str, str], tuple[str, str]] = {}
    for row in rows.values():
        for key, digest in row["code"].items():
            newest[key] = max(newest.get(key, ("", "")), (row["created"], digest))
    number: Counter[tuple[str, str, str]] = Counter()
    for hash, row in list(rows.items()):
        others = [key for key, digest in row["code"].items() if newest[key][1] != digest]
        number.update(others)
        if others:
            del rows[hash]
    return tuple(
        f"{count(n, 'trial')} made with older code of {kind} {name}: left out"
        for (kind, name, _), n in number.items()
    )


def objects(values: Sequence[Any], places: NDArray[Any]) -> NDArray[Any]:
    """(n,) the objects at these places of the values."""
    chosen: NDArray[Any] = np.fromiter(values, object, len(values))[places]
    return chosen


def _row(
    record: Record, shared: dict[str, dict[str, Any]], audits: dict[str, Any]
) -> dict[str, Any]:
    """A row, with what it shares with others.

    Parameters
    ----------
    shared, audits : dict
        Take what rows share, by its text.
    """
    if record.get("format") != RECORD_FORMAT:
        raise ValueError(f"format {record.get('format')!r}, not {RECORD_FORMAT}")
    spec = {key: value for key, value in record["spec"].items() if key != "seed"}
    # Without its seed, so that the commands of a configuration are one text.
    command = re.sub(r" --seeds \S+", "", str(record.get("command") or ""))
    about: dict[str, Any] = {"spec": spec, "command": command}
    about |= {key: record.get(key) for key in KEYS_READ_WHOLE}
    if (text := json_line(about)) not in shared:
        shared[text] = _said(about)
    audit = record.get("audit")
    samples = record.get("samples") or {}
    ok, idle = went_well(record), record["status"] == EMPTY
    return {
        **shared[text],
        "hash": record["hash"],
        "created": str(record.get("created", "")),
        "audit": audits.setdefault(json_line(audit), audit),
        "real": samples.get("real"),
        "synthetic": samples.get("synthetic"),
        "view_shown": (record.get("spectral_view") or {}).get("name"),
        "seed": int(record["spec"]["seed"]),
        "ok": ok,
        "idle": idle,
        "status": "ok" if ok else EMPTY if idle else "failed",
        "numbers": numbers_of(record),
        "code": {
            (kind, record["spec"][kind]["name"], str(record["spec"][kind].get("version"))): digest
            for kind, code in (record.get("code") or {}).items()
            if (digest := code["sha256"]) is not None
        },
    }


def _said(about: dict[str, Any]) -> dict[str, Any]:
    spec = about.pop("spec")
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
        **about,
    }


def _rank(row: Mapping[str, Any]) -> tuple[bool, str]:
    return row["ok"] or row["idle"], row["created"]


def _no_record(record: Record, error: Exception) -> StoreError:
    """The error where a record has other parts than a record has."""
    return StoreError(
        f"record {record.get('hash', 'without a hash')} must hold what docs/results-format.md"
        " names",
        value=f"{type(error).__name__} {error}",
        hint="Delete the record's folder and run its trial again.",
    )


# The numbers of a record


PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones.
"""


def went_well(record: Record) -> bool:
    """Whether a record has metrics."""
    return record["status"] == "ok" and record.get("metrics") is not None


def numbers_of(record: Record) -> dict[str, float | None]:
    """The numbers of a record: every metric as a fraction, those of PARTS of the test pixels as
    ``aa_new``, AA over fixed classes as ``subset:NAME``; ``recall:1`` and ``recall_new:1`` of each
    class, as of every other metric that is a list of fractions, and ``recall_spread`` over recalls;
    ``steps`` of the classifier, and the columns that fields of a record declare.
    """
    metrics = record["metrics"] if went_well(record) else {}
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    parts = {f"_{part}": several[part] for part in PARTS if isinstance(several.get(part), dict)}
    numbers: dict[str, float | None] = {f"has{part}": 1.0 for part in parts}
    for part, scores in {"": metrics, **parts}.items():
        for key, value in scores.items():
            if type(value) in (float, int):
                numbers[key + part] = value
            elif _is_of_each_class(value):
                numbers.update(zip(_class_names(key + part, len(value)), value, strict=True))
    for name, scores in (metrics.get("subsets") or {}).items():
        numbers[f"subset:{name}"] = scores.get("aa")
        numbers[f"oa subset:{name}"] = scores.get("oa")
    for column, field in COLUMNS.items():
        numbers[column.name] = column.value(record.get(field))
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    # Without the steps that only chose among samples.
    numbers["steps"] = None if steps is None else int(steps - aside)
    recalls = [
        value for name, value in numbers.items() if name.startswith("recall:") and value is not None
    ]
    numbers["recall_spread"] = float(np.std(recalls, ddof=1)) if len(recalls) > 1 else None
    return numbers


def _is_of_each_class(value: Any) -> bool:
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
