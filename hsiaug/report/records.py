"""Records as trials (see docs/results-format.md), and cells: the trials of one arm with one
classifier.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.report.conditions import OF_ABOUT, settings_of
from hsiaug.report.formatting import MISSING
from hsiaug.report.packed_columns import columns_of_pack
from hsiaug.report.trial_columns import (
    Column,
    NamedColumns,
    columns_of_records,
    joined_column,
)
from hsiaug.report.trials import Decoded, Trial, Trials
from hsiaug.trial.arm import CONTROLS_OF_ALL, NONE, PIXEL_SVM, TEACHER, Arm, Method, controls_of
from hsiaug.trial.index import uncollected
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store

Audit = Mapping[str, Any]
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be
a pair.
"""


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
        parts: list[Mapping[str, Column]]
        parts = [columns_of_records(store.each(sorted(loose), damaged))]
        chosen: list[NDArray[np.bool_] | None] = [None]
        for pack in store.packs.paths():
            part = columns_of_pack(store, pack, damaged)
            parts.append(part)
            chosen.append(
                np.array([hash not in loose for hash in part["hash"]], bool) if loose else None
            )
        if not len(parts[0]["hash"]) and len(parts) > 1:
            parts, chosen = parts[1:], chosen[1:]
        trials = _trials(parts, chosen)
        damaged.sort(key=lambda damage: damage.hash)
        return trials


def read_trials(records: Iterable[Record]) -> Trials:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: ``hash``, ``seed``, ``split`` (checksum), ``created``; ``condition``, ``arm``,
    ``classifier``, and ``table`` and ``cell``, numbers of these; ``ok``, ``idle`` (λ asked for no
    sample; older records hold such a trial as ok, with the metrics of none), ``failed`` and
    ``status``; SHARED, ``view_shown`` and ``audit``; every metric as a fraction, those of parts of
    the test pixels as ``aa_new``, AA over fixed classes as ``subset:NAME``; ``recall:1`` and
    ``recall_new:1``: of each class; ``real`` and ``synthetic``: samples by class; ``seconds``,
    ``cpu_seconds``, ``steps``, ``peak_memory_mb``.

    In the order of tables, cells, seeds and hashes. Raises StoreError for a record that is not
    as in docs/results-format.md.
    """
    return _trials([columns_of_records(records)], [None])


class _Ordered(NamedColumns):
    """Columns of all parts in the order of trials, each of which is read when it is asked for."""

    def __init__(
        self,
        parts: Sequence[Mapping[str, Column]],
        chosen: Sequence[NDArray[np.bool_] | None],
    ) -> None:
        super().__init__(name for part in parts for name in part)
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


def _trials(
    parts: Sequence[Mapping[str, Column]], chosen: Sequence[NDArray[np.bool_] | None]
) -> Trials:
    """Trials of the columns of their records, in order, each with what it shares with others."""
    from pandas import DataFrame

    columns = _Ordered(parts, chosen)
    about = columns.in_any_order("about")
    shared = _shared_facts(list(about.categories))
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


def _shared_facts(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What each of the texts says that many records share, with the places of its table and its
    cell.
    """
    shared = [settings_of(text) for text in texts]
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
    column: Callable[[str], Column], table: NDArray[np.int32], cell: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Rows by table, cell and seed; of records of one hash the best alone, the newest of these."""
    keys = (column("seed"), cell, table)
    rows = np.lexsort(keys)
    # Records of one hash are alike in all keys.
    if not np.logical_and.reduce([np.diff(key[rows]) == 0 for key in keys]).any():
        return rows
    best: dict[str, tuple[tuple[bool, str], int]] = {}
    failed = ~(column("ok") | column("idle"))
    for row, (name, ill, created) in enumerate(
        zip(column("hash"), failed, column("created"), strict=True)
    ):
        best[name] = max(best.get(name, ((False, ""), -1)), ((not ill, created), row))
    chosen = np.array([row for _, row in best.values()])
    hashes = column("hash")[chosen].astype(str)
    order = np.lexsort((hashes, *(key[chosen] for key in keys)))
    return np.asarray(chosen[order])


def by_draw(trials: Trials) -> Trials:
    """The trials of one condition with ``draw``, and ``used``: that enter a mean.

    Those on the same pixels are of the same draw, whatever their seeds; of each arm, classifier and
    draw the first that went well is used.
    """
    audits, split_of_audit = trials.codes("split"), trials.shared["split"][1]
    texts, first_seeds = list(dict.fromkeys(split_of_audit)), trials.numbers("seed")
    places = {text: place for place, text in enumerate(texts)}
    splits = np.array([places[text] for text in split_of_audit], np.int32)[audits]
    lowest = np.full(len(texts), np.iinfo(np.int64).max)
    np.minimum.at(lowest, splits, first_seeds)
    seeds = np.where(np.array([not text for text in texts])[splits], first_seeds, lowest[splits])
    keys = seeds * len(texts) + splits
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    draws = [(int(seeds[row]), texts[splits[row]]) for row in first]
    ok, cells = np.flatnonzero(trials.numbers("ok")), trials.numbers("cell")
    used = np.zeros(len(trials), dtype=bool)
    _, first_of_draw = np.unique(cells[ok] * np.int64(len(draws)) + number[ok], return_index=True)
    used[ok[first_of_draw]] = True
    frame = trials.frame.assign(draw=number.astype(np.int32), used=used)
    shared = {**trials.shared, "draw": ("draw", draws)}
    return Trials(frame, shared, trials.further)


def number_of(trial: Trial, name: str) -> float | None:
    """A number of a row; None where it has none."""
    value = trial.get(name)
    return value if isinstance(value, int | float) and value == value else None


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
        used = self.trials.numbers("used")
        return self.trials if used.all() else self.trials[used]

    @property
    def without_samples(self) -> bool:
        """Whether it is a classifier without samples."""
        return self.arm.generator.name == NONE

    @property
    def is_control(self) -> bool:
        """Whether its generator is one that others are measured against: by what its record says
        of it, or by its name in older ones.
        """
        declared = self.declared.get(self.arm.generator.name, "")
        return self.arm.control or bool(declared and self.arm == self.arm.both)

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(self.trials[self.trials.numbers("failed")])

    @property
    def idle(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(self.trials[self.trials.numbers("idle")])

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
            return CONTROLS_OF_ALL
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
        return self.ok.numbers(metric).astype(np.float64)

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
        return self.ok.recall

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class id 1..C in each draw that has a test pixel of it."""
        return known(self.recall[:, class_id - 1]) if class_id <= self.recall.shape[1] else []

    @cached_property
    def drawn(self) -> NDArray[np.int32]:
        """The numbers of the draws of ``ok``; -1 of trials that had samples to make and made
        none.
        """
        return np.where(self.ok.numbers("idle"), np.int32(-1), self.ok.codes("draw"))


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
