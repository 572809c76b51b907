"""Records as trials (see docs/results-format.md), and cells: the trials of one arm with one
classifier.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import StoreError
from hsiaug.base.files import open_plain, replaced
from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.protocol.balance import Rate
from hsiaug.report.labels import MISSING
from hsiaug.report.trials import (
    Coded,
    Columns,
    Trial,
    Trials,
    columns_of,
    joined,
    packed,
    recall_of,
    rows_of,
    unpacked,
)
from hsiaug.trial.arm import BOTH, CONTROLS, NONE, PIXEL_SVM, TEACHER, Arm, Method, controls_of
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.index import LARGEST, uncollected
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import CHECKS, Record, json_line, made_nothing
from hsiaug.trial.store import Store

PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones.
"""
DIGITS = 32
"""Of the digest that a file of columns begins with."""
Audit = Mapping[str, Any]
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""
SHARED = (
    "scope",
    "baseline",
    "control_of",
    "transductive",
    "class_names",
    "environment",
    "scene_ref",
    "error",
)
"""Keys whose values many records share."""
OF_ABOUT = ("condition", "arm", "classifier", *SHARED)
TEXTS = ("about", "audit", "real", "synthetic")
"""Columns of what many records share, as JSON."""
LAYOUT = f"6.{CHECKS}"
"""Columns that another version kept are made anew."""
OF_TRIAL = {
    "seed",
    "generator",
    "classifier",
    "lambda",
    "times",
    "train",
    "omega",
    "omega_convention",
    "view",
    "diagnosis",
}
"""Keys of a trial's specification in which trials of one table differ."""
SPEC = {"task", "scene", "protocol", "patch", *OF_TRIAL}


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


def read_store(store: Store, damaged: list[Damage]) -> Trials:
    """The trials of all records of a store.

    Columns of a pack, which never changes, are in the user's cache for that very file. Raises
    StoreError as it does.

    Parameters
    ----------
    damaged : list of Damage
        Takes in those that are not to be believed.
    """
    with uncollected():
        loose = sorted(store.loose())
        parts = [raw_columns(store.each(loose, damaged))]
        for pack in store.packs.paths():
            part = _pack_columns(store, pack, damaged)
            parts.append(rows_of(part, ~np.isin(part["hash"], loose)) if loose else part)
        damaged.sort(key=lambda one: one.hash)
        return _trials([part for part in parts if len(part["about"])] or parts[:1])


def _pack_columns(store: Store, pack: Path, damaged: list[Damage]) -> Columns:
    told = pack.stat()
    path = (
        store.user_cache
        / "columns"
        # The time of the last change cannot be set, as that of the content can.
        / f"{pack.stem}-{told.st_ino}-{told.st_size}-{told.st_ctime_ns}-{LAYOUT}"
    )
    with suppress(OSError, ValueError), open_plain(path) as file:
        digest, line = file.read(DIGITS), file.readline(LARGEST)
        if digest == _digest(line):
            start = DIGITS + len(line)
            return unpacked(path, line, start, partial(_made_anew, store, pack, path, []))
    return _made_anew(store, pack, path, damaged)


def _digest(line: bytes) -> bytes:
    return hashlib.sha256(line).hexdigest()[:DIGITS].encode()


def _made_anew(store: Store, pack: Path, path: Path, damaged: list[Damage]) -> Columns:
    """The columns of a pack, which are kept in the file ``path`` unless some record is damaged."""
    faults: list[Damage] = []
    columns = raw_columns(store.each_packed(pack, faults))
    damaged += faults
    # In this order what is asked for together lies together.
    columns = rows_of(columns, np.lexsort((columns["seed"], columns["about"].codes)))
    if not faults:
        # Where it cannot be written, the pack is read once more next time.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            line, data = packed(columns)
            replaced(path, lambda fresh: fresh.write_bytes(_digest(line) + line + data))
    return columns


def read_trials(records: Iterable[Record]) -> Trials:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: ``hash``, ``seed``, ``split`` (checksum), ``created``; ``condition``, ``arm``,
    ``classifier``, and ``table`` and ``cell``, numbers of these; ``ok``, ``idle`` (λ asked for no
    sample; older records hold such a trial as ok, with the metrics of none), ``failed`` and
    ``status``; SHARED, ``view_shown`` and ``audit``; every metric as a fraction, those of PARTS as
    ``aa_new``, AA over fixed classes as ``subset:NAME``; ``recall:1`` and ``recall_new:1``: of each
    class; ``real`` and ``synthetic``: samples by class; ``seconds``, ``cpu_seconds``, ``steps``,
    ``peak_memory_mb``.

    In the order of tables, cells, seeds and hashes. Raises StoreError for a record that is not
    as in docs/results-format.md.
    """
    return _trials([raw_columns(records)])


def raw_columns(records: Iterable[Record]) -> Columns:
    """The columns of records; what many share is a text of JSON."""
    rows = []
    same = dict[str, str]()
    about_of = cache(_about)
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
            row = _row(record)
            about_of(row["about"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            rule = f"record {name} must hold what docs/results-format.md names"
            hint = "Delete the record's folder and run its trial again."
            raise StoreError(rule, value=f"{type(error).__name__} {error}", hint=hint) from error
        rows.append(row | {key: same.setdefault(row[key], row[key]) for key in TEXTS})
    return columns_of(rows, ("hash", "created"), (*TEXTS, "view_shown"))


def _trials(parts: Sequence[Columns]) -> Trials:
    """Trials of raw columns, in order, each with what it shares with others."""
    columns = Columns({name: partial(joined, parts, name) for part in parts for name in part})
    if not len(columns["about"]):
        return Trials(columns)
    shared = _shared_facts(columns["about"].values)
    codes = columns["about"].codes
    places = {
        key: np.array([facts[key] for facts in shared], np.int32)[codes]
        for key in ("table", "cell")
    }
    rows = _rows_in_order(columns, places["table"], places["cell"])
    trials = Columns({name: lambda name=name: columns.made(name)[rows] for name in columns})
    trials |= {key: column[rows] for key, column in places.items()}
    for name in OF_ABOUT:
        trials[name] = lambda name=name: Coded(
            trials["about"].codes, [facts[name] for facts in shared]
        )
    _add_derived(trials)
    return Trials(trials)


def _shared_facts(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What each of the texts says that many records share, with the places of its table and its
    cell.
    """
    shared = [_about(text) for text in texts]
    # By text, so that the order of records does not matter.
    by_text = [shared[i] for i in sorted(range(len(shared)), key=texts.__getitem__)]
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
    columns: Columns, table: NDArray[np.int32], cell: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Rows by table, cell and seed; of records of one hash the best alone, the newest of these."""
    keys = (columns["seed"], cell, table)
    rows = np.lexsort(keys)
    # Records of one hash are alike in all keys.
    if not np.logical_and.reduce([np.diff(key[rows]) == 0 for key in keys]).any():
        return rows
    best: dict[str, tuple[tuple[bool, str], int]] = {}
    failed = ~(columns["ok"] | columns["idle"])
    for row, (name, ill, created) in enumerate(
        zip(columns["hash"], failed, columns["created"], strict=True)
    ):
        best[name] = max(best.get(name, ((False, ""), -1)), ((not ill, created), row))
    chosen = np.array([row for _, row in best.values()])
    order = np.lexsort((columns["hash"][chosen], *(key[chosen] for key in keys)))
    return np.asarray(chosen[order])


def _add_derived(trials: Columns) -> None:
    """Add the columns that follow from others: what JSON says, the split, and the status."""
    for name in ("audit", "real", "synthetic"):
        column = trials[name]
        trials[name] = Coded(column.codes, [json.loads(text) for text in column.values])
    splits = Coded.of(str((audit or {}).get("sha256", "")) for audit in trials["audit"].values)
    trials["split"] = Coded(splits.codes[trials["audit"].codes], splits.values)
    trials["failed"] = ~(trials["ok"] | trials["idle"])
    trials["status"] = Coded(
        np.where(trials["ok"], 2, trials["idle"].astype(np.int32)), ("failed", "empty", "ok")
    )


def _row(record: Record) -> dict[str, Any]:
    ok = record["status"] == "ok" and record.get("metrics") is not None
    idle = made_nothing(record)
    metrics = record["metrics"] if ok else {}
    samples = record.get("samples") or {}
    audit = record.get("audit")
    shared: dict[str, Any] = {"spec": {k: v for k, v in record["spec"].items() if k != "seed"}}
    shared |= {key: record.get(key) for key in SHARED}
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    parts = {f"_{part}": several[part] for part in PARTS if isinstance(several.get(part), dict)}
    numbers = {f"has{part}": 1.0 for part in parts}
    for part, found in {"": metrics, **parts}.items():
        numbers |= {
            f"{key}{part}": _finite(v) for key, v in found.items() if type(v) in (float, int)
        }
        numbers |= {
            f"recall{part}:{c}": _finite(v)
            for c, v in enumerate(found.get("recall") or (), start=1)
        }
    numbers["recall_spread"] = spread_of_recall(metrics.get("recall") or ())
    for name, found in (metrics.get("subsets") or {}).items():
        numbers |= {
            f"subset:{name}": _finite(found.get("aa")),
            f"oa subset:{name}": _finite(found.get("oa")),
        }
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    return {
        "hash": record["hash"],
        "seed": int(record["spec"]["seed"]),
        "created": str(record.get("created", "")),
        "ok": ok,
        "idle": idle,
        "about": json_line(shared),
        "audit": json_line(audit),
        "view_shown": (record.get("spectral_view") or {}).get("name"),
        **numbers,
        "real": json_line(samples.get("real")),
        "synthetic": json_line(samples.get("synthetic")),
        "seconds": (record.get("timings") or {}).get("total"),
        "cpu_seconds": (record.get("cpu_seconds") or {}).get("total"),
        # Without the steps that only chose among samples.
        "steps": None if steps is None else int(steps - aside),
        "peak_memory_mb": record.get("peak_memory_mb"),
    }


def spread_of_recall(recalls: Iterable[float | None]) -> float:
    """Standard deviation of recalls over the classes that have one, as of a sample; NaN below two
    classes.
    """
    values = [value for value in recalls if value is not None and isfinite(value)]
    return nan if len(values) < 2 else float(np.std(values, ddof=1))


def _finite(value: float | None) -> float:
    return nan if value is None or not isfinite(value) else value


def _about(text: str) -> dict[str, Any]:
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
        "condition": condition_of(
            {key: value for key, value in spec.items() if key not in OF_TRIAL}
        ),
        "arm": Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        "classifier": Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        **said,
    }


def condition_of(spec: Mapping[str, Any]) -> Condition:
    """What trials must share to stand in one table.

    Parameters
    ----------
    spec : mapping of str to object
        What trials of one table share of their specifications.
    """
    scene, protocol = spec["scene"], spec["protocol"]
    argument = protocol.get("argument")
    rest = {
        key: value
        for key, value in spec.items()
        if key not in SPEC and (key, value) != ("format", 1)
    }
    if "version" in protocol:
        rest["protocol_version"] = protocol["version"]
    return Condition(
        task=spec["task"],
        scene=scene["name"],
        scene_sha256=scene["sha256"],
        protocol=protocol["name"],
        argument="" if argument is None else str(argument),
        buffer=str(protocol["buffer"]),
        patch=int(spec["patch"]),
        rest=canonical_json(rest),
    )


def by_draw(trials: Trials) -> Trials:
    """The trials of one condition with ``draw``, and ``used``: that enter a mean.

    Those on the same pixels are of the same draw, whatever their seeds; of each arm, classifier and
    draw the first that went well is used.
    """
    columns = trials.columns
    split, seeds = columns["split"], columns["seed"]
    lowest = np.full(len(split.values), np.iinfo(np.int64).max)
    np.minimum.at(lowest, split.codes, seeds)
    seeds = np.where(
        np.array([not text for text in split.values])[split.codes], seeds, lowest[split.codes]
    )
    keys = seeds * len(split.values) + split.codes
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    draws = [(int(seeds[row]), split[row]) for row in first]
    ok = np.flatnonzero(columns["ok"])
    used = np.zeros(len(trials), dtype=bool)
    used[
        ok[np.unique(columns["cell"][ok] * np.int64(len(draws)) + number[ok], return_index=True)[1]]
    ] = True
    return Trials(Columns(columns | {"draw": Coded(number.astype(np.int32), draws), "used": used}))


def number_of(trial: Trial, name: str) -> float | None:
    """A number of a row; None where it has none."""
    value = getattr(trial, name, None)
    return None if value is None or value != value else value


@dataclass(frozen=True, eq=False)
class ArmCell:
    """The trials of one arm with one classifier, in the order of their seeds.

    Attributes
    ----------
    declared : mapping of str to str
        What the generators of its table are controls of, by name, as their records say.
    """

    arm: Arm
    classifier: Method
    trials: Trials
    declared: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def ok(self) -> Trials:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only
        these enter a mean.
        """
        used = self.trials.columns["used"]
        return self.trials if used.all() else self.trials[used]

    @property
    def without_samples(self) -> bool:
        """Whether it is a classifier without samples."""
        return self.arm.generator.name == NONE

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(self.trials[self.trials.columns["failed"]])

    @property
    def idle(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(self.trials[self.trials.columns["idle"]])

    @property
    def scopes(self) -> list[str | None]:
        """Unlabelled pixels that its generator reads; None for trials that ended before that was
        known.
        """
        return [(scope or {}).get("generator") for scope in self.trials.unlike("scope")]

    @property
    def baseline(self) -> str:
        """The generator that is the same without its main part; "" where its card names none."""
        return next(filter(None, self.trials.unlike("baseline")), "")

    @property
    def rival(self) -> str:
        """The classifier that, without a sample, is a further control of it; "" where there is
        none.
        """
        if not self.arm.judged:
            return ""
        if self.trials[0].condition.task == "segmentation":
            return PIXEL_SVM if self.classifier.name != PIXEL_SVM else ""
        return TEACHER if "scene" in self.scopes else ""

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS
        from hsiaug.tasks.task import get_task

        task = get_task(self.trials[0].condition.task)
        scope = next(filter(None, self.scopes), None)
        every = controls_of(task, scope, self.declared)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        return MISSING if self.ok else "failed" if self.failed else "nothing made"

    def column(self, metric: str) -> NDArray[np.float64]:
        """A metric of each trial of ``ok`` as a fraction; NaN where it has none."""
        columns = self.ok.columns
        return (
            columns[metric].astype(np.float64)
            if metric in columns
            else np.full(len(self.ok), np.nan)
        )

    def values(self, metric: str) -> list[float]:
        """The metric of each trial that has it, in the order of the seeds."""
        return known(self.column(metric))

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        return summarise(self.column(metric))

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(trials, classes) recall of each trial of ``ok``; NaN where the draw has no test pixel of
        the class.
        """
        return recall_of(self.ok.columns)

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class id 1..C in each draw that has a test pixel of it."""
        return known(self.recall[:, class_id - 1]) if class_id <= self.recall.shape[1] else []

    @cached_property
    def drawn(self) -> NDArray[np.int32]:
        """The numbers of the draws of ``ok``; -1 of trials that had samples to make and made
        none.
        """
        return np.where(self.ok.columns["idle"], np.int32(-1), self.ok.columns["draw"].codes)


CellKey = tuple[Arm, Method]
"""An arm and a classifier."""


def known(values: NDArray[np.float64]) -> list[float]:
    """The values that are there."""
    return [value for value in values.tolist() if value == value]


def summarise(values: NDArray[np.float64]) -> MeanStd | None:
    """Mean, std and n of the values that are there; None without any."""
    return mean_std(found) if (found := known(values)) else None


def make_cells(trials: Trials) -> dict[CellKey, ArmCell]:
    """Trials of a table, which are in order, by arm and classifier, controls first."""
    parts = list(trials.parts("cell"))
    declared = {
        part[0].arm.generator.name: str(control_of["generator"])
        for part in parts
        for control_of in part.unlike("control_of")
        if control_of and "generator" in control_of
    }
    return {
        (part[0].arm, part[0].classifier): ArmCell(part[0].arm, part[0].classifier, part, declared)
        for part in parts
    }


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view


def class_counts(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts
    it.
    """
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]
