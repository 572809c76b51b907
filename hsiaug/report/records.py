"""Parts of a record that reports read (see docs/results-format.md): who was run, on what, and how it went."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from hsiaug.base.errors import StoreError
from hsiaug.core.view_names import RAW
from hsiaug.trial.arm import Arm, Method
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.planned import OF_TRIAL
from hsiaug.trial.record_json import Record, made_nothing, preference

Audit = Mapping[str, Any]
DrawKey = tuple[int, str]
"""A seed, and the checksum of the split that it drew."""
T = TypeVar("T")

FIELDS = ("seen", "new")
VISIBILITY = ("shown", "hidden")
"""Fields that hold training pixels, and fields that hold none."""

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


@dataclass(frozen=True)
class Trial:
    """One record, with its identity in a form that can be grouped by.

    first: the first seed that drew the same split, where another one did: see :func:`by_split`. large: ids of the classes
    that ``aa_large`` is over, which all trials of a table share.
    """

    hash: str
    condition: Condition
    generator: Method
    classifier: Method
    lam: float
    omega: float | None
    seed: int
    record: Record = field(repr=False, compare=False)
    first: int | None = field(default=None, compare=False)
    large: tuple[int, ...] = field(default=(), compare=False)

    @property
    def arm(self) -> Arm:
        """The generator with its λ and ω."""
        return Arm(self.generator, self.lam, self.omega)

    @cached_property
    def ok(self) -> bool:
        """True where the trial gave metrics."""
        return self.record.get("status") == "ok" and self.record.get("metrics") is not None

    @cached_property
    def empty(self) -> bool:
        """True where λ asked for no synthetic sample. Older records hold such a trial as ok, with the metrics of none."""
        return made_nothing(self.record)

    @cached_property
    def steps(self) -> int | None:
        """Optimiser steps that trained the classifier, without those that only chose among its samples."""
        counted = (self.record.get("optimiser_steps") or {}).get("fit_classifier")
        aside = (self.record.get("classifier_facts") or {}).get("aside_steps", 0)
        return counted - aside if isinstance(counted, int) and isinstance(aside, int) else counted

    @cached_property
    def diagnosis(self) -> bool:
        """True where its samples were made of test labels: it stands apart from every arm."""
        return bool((self.record.get("spec") or {}).get("diagnosis"))

    @property
    def failed(self) -> bool:
        """True where the trial gave no metrics and should have."""
        return not self.ok and not self.empty

    @property
    def status(self) -> str:
        """``ok``, ``empty`` or ``failed``."""
        return "ok" if self.ok else "empty" if self.empty else "failed"

    @cached_property
    def audit(self) -> Audit | None:
        """The audit of the trial's split; None where it failed before it had one."""
        return self.record.get("audit")

    @cached_property
    def draw(self) -> DrawKey:
        """Key that two trials must share to be a pair: the very pixels, and the first seed that drew them."""
        seed = self.seed if self.first is None else self.first
        return seed, str((self.audit or {}).get("sha256", ""))

    @property
    def scope(self) -> str | None:
        """Unlabelled pixels that its generator reads; None where the trial ended before that was known."""
        found: str | None = (self.record.get("scope") or {}).get("generator")
        return found

    @property
    def error_type(self) -> str:
        """The class of the exception that a failed trial ended with."""
        return str((self.record.get("error") or {}).get("type", "unknown error"))

    @property
    def error(self) -> str:
        """``Type: message`` of a failed trial, on one line."""
        message = str((self.record.get("error") or {}).get("message", ""))
        return " ".join(f"{self.error_type}: {message}".split()).rstrip(": ")

    @cached_property
    def _metrics(self) -> Mapping[str, Any] | None:
        return self.record.get("metrics") if self.ok else None

    def metric(self, name: str) -> float | None:
        """A metric as a fraction; None where the trial failed or the number is missing or not finite.

        name: ``oa``, ``aa``, …; ``aa_large`` for the AA over the classes that the table calls large, ``subset:NAME`` for
            that over a fixed subset; ``aa_seen`` or ``oa_new`` in seen or in new fields, likewise ``aa_hidden``.
        """
        metrics = self._metrics
        if metrics is None:
            return None
        if name.startswith("subset:"):
            return finite((metrics.get("subsets") or {}).get(name.removeprefix("subset:"), {}).get("aa"))
        if name == "aa_large":
            known = [self.recall(class_id) for class_id in self.large]
            values = [value for value in known if value is not None]
            return math.fsum(values) / len(values) if values and len(values) == len(known) else None
        score, _, where = name.rpartition("_")
        return finite(self.in_fields(where).get(score) if where in (*FIELDS, *VISIBILITY) else metrics.get(name))

    def in_fields(self, where: str) -> Mapping[str, Any]:
        """The scores in one of FIELDS, or of VISIBILITY; empty where the record holds none."""
        part = "visibility" if where in VISIBILITY else "fields"
        found: Mapping[str, Any] = ((self._metrics or {}).get(part) or {}).get(where) or {}
        return found

    def recall(self, class_id: int, where: str = "") -> float | None:
        """Recall of a class id 1..C, in one of FIELDS or in all; None where this draw has no test pixel of it there."""
        entries = (self.in_fields(where) if where else self._metrics or {}).get("recall") or []
        return finite(entries[class_id - 1]) if class_id <= len(entries) else None


def class_counts(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts it."""
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]


def finite(value: object) -> float | None:
    """The number, or None where there is none to average."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def read_trials(records: Iterable[Record]) -> list[Trial]:
    """Trials of the records, one per hash: the newest that went well, else the newest."""
    best: dict[str, Trial] = {}
    once = _Once()
    for record in records:
        trial = _read(record, once)
        known = best.get(trial.hash)
        if known is None or preference(trial.record) > preference(known.record):
            best[trial.hash] = trial
    return list(best.values())


def by_split(trials: Iterable[Trial]) -> list[Trial]:
    """The trials of one condition, of which those on the same pixels are of the same draw, whatever their seeds."""
    first: dict[str, int] = {}
    known = list(trials)
    for trial in sorted(known, key=lambda trial: trial.seed):
        if split := trial.draw[1]:
            first.setdefault(split, trial.seed)
    same = [first.get(trial.draw[1], trial.seed) for trial in known]
    return [t if seed == t.seed else replace(t, first=seed) for t, seed in zip(known, same, strict=True)]


class _Once:
    """Makes equal things of many records once."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __call__(self, make: Callable[..., T], *values: object) -> T:
        key = repr((make, values))
        if key not in self._made:
            self._made[key] = make(*values)
        made: T = self._made[key]
        return made


def _read(record: Record, once: _Once) -> Trial:
    name = record.get("hash", "without a hash")
    if record.get("format") != 1:
        raise StoreError(
            f"record {name} must have format 1",
            value=f"format {record.get('format')!r}",
            hint="Read it with the version of hsiaug that wrote it.",
        )
    try:
        return _parse(record, record["spec"], once)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"record {name} must hold what docs/results-format.md names",
            value=f"{type(error).__name__} {error}",
            hint="Delete the record's folder and run its trial again.",
        ) from error


def _parse(record: Record, spec: Mapping[str, Any], once: _Once) -> Trial:
    omega = spec["omega"]
    hash, _ = record["hash"], record["status"]
    return Trial(
        hash=hash,
        condition=once(condition_of, {key: value for key, value in spec.items() if key not in OF_TRIAL}),
        generator=once(Method.of, spec["generator"], spec.get("omega_convention") if omega is not None else None),
        classifier=once(Method.of, spec["classifier"], None, str(spec.get("view", RAW))),
        lam=float(spec["lambda"]),
        omega=None if omega is None else float(omega),
        seed=int(spec["seed"]),
        record=record,
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
