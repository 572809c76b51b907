"""Parts of a record that reports read (see docs/results-format.md): who was run, on what, and how it went; and cells:
the trials of one arm with one classifier, over the draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from math import fsum, isfinite
from typing import Any

from hsiaug.base.errors import StoreError
from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.protocol.balance import Rate
from hsiaug.report.labels import MISSING
from hsiaug.tasks.task import get_task
from hsiaug.trial.arm import BOTH, CONTROLS, PIXEL_SVM, TEACHER, Arm, Method, controls_of
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.record_json import Record, json_line, made_nothing

Audit = Mapping[str, Any]
DrawKey = tuple[int, str]
"""A seed, and the checksum of the split that it drew."""
Parts = Mapping[str, Mapping[str, Any]]
"""Part of a record → its numbers by name, and the recall of every class under ``recall``."""
Source = Callable[[str], Record]

FIELDS = ("seen", "new")
VISIBILITY = ("shown", "hidden")
"""Fields that hold training pixels, and fields that hold none."""

COUNTED = ("timings", "cpu_seconds", "optimiser_steps", "classifier_facts")
COMMON = ("scope", "transductive", "class_names", "environment", "scene_ref", "error")
"""Keys whose values many records share; beside them stands "view_shown", the name of the spectral view."""
MEASURED, MEASURED_REAL = "measured", "measured_real"
"""What a generator states of its samples in their provenance, and the same of left-out real ones; see docs/plugins.md."""

OF_TRIAL = {
    "seed", "generator", "classifier", "lambda", "times", "train", "omega", "omega_convention", "view", "diagnosis"
}  # fmt: skip
"""Keys of a trial's specification in which trials of one table differ."""
SPEC = {"task", "scene", "protocol", "patch", *OF_TRIAL}


@dataclass(frozen=True)
class Condition:
    """Properties shared by the trials of one table.

    rest: canonical JSON of any further key of the specification, so that what a later version adds to it
        parts the tables instead of being averaged over.
    """

    task: str
    scene: str
    scene_sha256: str
    protocol: str
    argument: str
    buffer: str
    patch: int
    rest: str = "{}"


@dataclass(slots=True, unsafe_hash=True)
class Trial:
    """What tables take from one record; frozen ones take longer to make.

    empty: λ asked for no synthetic sample; older records hold such a trial as ok, with the metrics of none.
    draw: what two trials must share to be a pair: the very pixels, and the first seed that drew them.
    audit: None where it failed before it had a split. common: values under COMMON.
    parts: the numbers of the record: "" its metrics, FIELDS, VISIBILITY, COUNTED, MEASURED, ``subset:NAME``, ``samples``.
    source: gives the whole record of a hash.
    large: ids of the classes that ``aa_large`` is over, which all trials of a table share; nothing else is ever set.
    """

    hash: str
    seed: int
    created: str = field(repr=False, compare=False)
    draw: DrawKey = field(compare=False)
    audit: Audit | None = field(repr=False, compare=False)
    parts: Parts = field(repr=False, compare=False)
    source: Source = field(repr=False, compare=False)
    condition: Condition
    arm: Arm
    classifier: Method
    ok: bool = field(compare=False)
    empty: bool = field(compare=False)
    common: Mapping[str, Any] = field(repr=False, compare=False)
    large: tuple[int, ...] = field(default=(), compare=False)

    @property
    def record(self) -> Record:
        """The whole record, read anew where the store has it."""
        return self.source(self.hash)

    @property
    def generator(self) -> Method:
        """The generator of its arm."""
        return self.arm.generator

    @property
    def rate(self) -> Rate:
        """Its λ."""
        return self.arm.rate

    @property
    def omega(self) -> float | None:
        """Its ω."""
        return self.arm.omega

    @property
    def steps(self) -> int | None:
        """Optimiser steps that trained the classifier, without those that only chose among its samples."""
        counted = self.number("fit_classifier", "optimiser_steps")
        return None if counted is None else int(counted - (self.number("aside_steps", "classifier_facts") or 0))

    @property
    def failed(self) -> bool:
        """True where the trial gave no metrics and should have."""
        return not self.ok and not self.empty

    @property
    def status(self) -> str:
        """``ok``, ``empty`` or ``failed``."""
        return "ok" if self.ok else "empty" if self.empty else "failed"

    @property
    def scope(self) -> str | None:
        """Unlabelled pixels that its generator reads; None where the trial ended before that was known."""
        return (self.common["scope"] or {}).get("generator")

    def metric(self, name: str) -> float | None:
        """A metric as a fraction; None where the trial failed or the number is missing or not finite.

        name: ``oa``, ``aa``, …; ``aa_large`` for the AA over the classes that the table calls large, ``subset:NAME`` for
            that over a fixed subset; ``aa_seen`` or ``oa_new`` in seen or in new fields, likewise ``aa_hidden``.
        """
        if name.startswith("subset:"):
            return self.number("aa", name)
        if name == "aa_large":
            values = [self.recall(class_id) for class_id in self.large]
            known = [value for value in values if value is not None]
            return fsum(known) / len(known) if known and len(known) == len(values) else None
        score, _, where = name.rpartition("_")
        return self.number(score, where) if where in (*FIELDS, *VISIBILITY) else self.number(name)

    def number(self, name: str, part: str = "") -> float | None:
        """A number of a part; None where there is none, or none that is finite."""
        return _finite(self.parts.get(part, {}).get(name))

    def has(self, part: str) -> bool:
        """Whether there are numbers of a part."""
        return part in self.parts

    def recall(self, class_id: int, where: str = "") -> float | None:
        """Recall of a class id 1..C, in one of FIELDS or in all; None where this draw has no test pixel of it there."""
        recall = self.parts.get(where, {}).get("recall") or ()
        return _finite(recall[class_id - 1]) if class_id <= len(recall) else None


def _finite(value: Any) -> float | None:
    return value if type(value) in (float, int) and isfinite(value) else None


@dataclass(frozen=True)
class ArmCell:
    """The trials of one arm with one classifier, in the order of their seeds."""

    arm: Arm
    classifier: Method
    trials: tuple[Trial, ...]
    _columns: dict[str, list[float | None]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def ok(self) -> tuple[Trial, ...]:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only these enter a mean."""
        first: dict[DrawKey, Trial] = {}
        for trial in self.trials:
            if trial.ok:
                first.setdefault(trial.draw, trial)
        return tuple(first.values())

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(trial for trial in self.trials if trial.failed)

    @property
    def empty(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(trial for trial in self.trials if trial.empty)

    @property
    def rival(self) -> str:
        """The classifier that, without a sample, is a further control of it; "" where there is none."""
        if not self.arm.judged:
            return ""
        if self.trials[0].condition.task == "segmentation":
            return PIXEL_SVM if self.classifier.name != PIXEL_SVM else ""
        return TEACHER if any(trial.scope == "scene" for trial in self.trials) else ""

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS
        scope = next((trial.scope for trial in self.trials if trial.scope), None)
        every = controls_of(get_task(self.trials[0].condition.task), scope)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        return MISSING if self.ok else "failed" if self.failed else "nothing made"

    def values(self, metric: str) -> list[float]:
        """The metric (a fraction) of each trial that has it, in the order of the seeds."""
        return [value for value in self.column(metric) if value is not None]

    def column(self, metric: str) -> list[float | None]:
        """The metric of each trial of ``ok``."""
        if metric not in self._columns:
            self._columns[metric] = [trial.metric(metric) for trial in self.ok]
        return self._columns[metric]

    @cached_property
    def places(self) -> dict[DrawKey, int]:
        """Draw → place in ``ok``, of the trials that made samples or had none to make."""
        return {trial.draw: i for i, trial in enumerate(self.ok) if not trial.empty}

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        values = self.values(metric)
        return mean_std(values) if values else None

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class in each draw that has a test pixel of it."""
        return [value for trial in self.ok if (value := trial.recall(class_id)) is not None]


CellKey = tuple[Arm, Method]
"""An arm and a classifier."""


def make_cells(trials: Iterable[Trial]) -> dict[CellKey, ArmCell]:
    """Trials grouped by arm and classifier, controls first."""
    groups: dict[CellKey, list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.arm, trial.classifier), []).append(trial)
    return {
        key: ArmCell(*key, tuple(sorted(groups[key], key=lambda t: (t.seed, t.hash)))) for key in in_order(groups)
    }


def in_order(keys: Iterable[CellKey]) -> list[CellKey]:
    """Sort by arm, controls first, then by classifier."""
    return sorted(keys, key=lambda key: (key[0].rank, method_rank(key[1])))


def method_rank(method: Method) -> tuple[str, str, str, str]:
    """Sort key: by name, then what differs where several share it."""
    return method.name, method.version, method.params, "" if method.view == RAW else method.view


def class_counts(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts it."""
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]


About = tuple[Condition, Arm, Method, Mapping[str, Any]]
"""What many records share: condition, arm, classifier, and the values under COMMON."""


def read_trials(records: Iterable[Record], source: Source | None = None) -> list[Trial]:
    """Trials of the records, one per hash: the newest that went well, else the newest.

    source: gives a record again, whole, by its hash; None = the records are kept.
    """
    best: dict[str, Trial] = {}
    kept: dict[str, Any] = {}
    audit_of, about_of = cache(json.loads), cache(_about)
    for record in records:
        if isinstance(spec := record.get("spec"), dict) and spec.get("diagnosis"):
            continue  # older trials whose samples were made of test labels
        trial = _read(record, source or kept.__getitem__, audit_of, about_of)
        known = best.get(trial.hash)
        if known is None or (not trial.failed, trial.created) > (not known.failed, known.created):
            best[trial.hash] = trial
            if source is None:
                kept[trial.hash] = record
    return list(best.values())


def by_split(trials: Iterable[Trial]) -> list[Trial]:
    """The trials of one condition, of which those on the same pixels are of the same draw, whatever their seeds."""
    first: dict[str, int] = {}
    known = list(trials)
    for seed, split in sorted({trial.draw for trial in known}):
        if split:
            first.setdefault(split, seed)
    same = [first.get(trial.draw[1], trial.seed) for trial in known]
    return [
        t if seed == t.draw[0] else replace(t, draw=(seed, t.draw[1])) for t, seed in zip(known, same, strict=True)
    ]


def _read(
    record: Record, source: Source, audit_of: Callable[[str], Audit | None], about_of: Callable[[str], About]
) -> Trial:
    """audit_of, about_of: make what many records share once."""
    name = record.get("hash", "without a hash")
    if record.get("format") != 1:
        raise StoreError(
            f"record {name} must have format 1",
            value=f"format {record.get('format')!r}",
            hint="Read it with the version of hsiaug that wrote it.",
        )
    try:
        spec, common = dict(record["spec"]), {key: record.get(key) for key in COMMON}
        seed, ok = int(spec.pop("seed")), record["status"] == "ok" and record.get("metrics") is not None
        common["view_shown"] = (record.get("spectral_view") or {}).get("name")
        audit = audit_of(json_line(record.get("audit")))
        draw = (seed, str((audit or {}).get("sha256", "")))
        about, empty = about_of(json_line({"spec": spec, "common": common})), made_nothing(record)
        parts = _parts(record, ok)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"record {name} must hold what docs/results-format.md names",
            value=f"{type(error).__name__} {error}",
            hint="Delete the record's folder and run its trial again.",
        ) from error
    condition, arm, classifier, shared = about
    created, whose = str(record.get("created", "")), (condition, arm, classifier, ok, empty, shared)
    return Trial(name, seed, created, draw, audit, parts, source, *whose)


def _parts(record: Record, ok: bool) -> Parts:
    metrics, samples = (record["metrics"] if ok else {}), record.get("samples") or {}
    stated = record.get("provenance") or {}
    parts = {"": metrics}
    for several in ("fields", "visibility"):
        parts |= metrics.get(several) or {}
    parts |= {f"subset:{name}": one for name, one in (metrics.get("subsets") or {}).items()}
    parts |= {key: record.get(key) for key in COUNTED}
    parts |= {key: stated.get(key) for key in (MEASURED, MEASURED_REAL)}
    parts["samples"] = {kind: sum(samples[kind]) for kind in ("real", "synthetic") if samples}
    parts["record"] = {"peak_memory_mb": record.get("peak_memory_mb")}
    return {
        part: {name: v for name, v in found.items() if type(v) in (float, int) or name == "recall"}
        for part, found in parts.items()
        if isinstance(found, dict) and found
    }


def _about(text: str) -> About:
    said = json.loads(text)
    spec, omega = said["spec"], said["spec"]["omega"]
    convention = None if omega is None else spec.get("omega_convention")
    maker = Method.of(spec["generator"], convention, train=spec.get("train", BOTH))
    return (
        condition_of({key: value for key, value in spec.items() if key not in OF_TRIAL}),
        Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        said["common"],
    )


def condition_of(spec: Mapping[str, Any]) -> Condition:
    """spec: what trials of one table share of their specifications."""
    scene, protocol = spec["scene"], spec["protocol"]
    argument = protocol.get("argument")
    rest = {key: value for key, value in spec.items() if key not in SPEC and (key, value) != ("format", 1)}
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
