"""Parts of a record that reports read (see docs/results-format.md): who was run, on what, and how it went."""

from __future__ import annotations

import marshal
import math
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
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
Layout = Mapping[tuple[str, str], int]
"""Part of a record and name of a number → its place."""
Source = Callable[[str], Record]
T = TypeVar("T")

FIELDS = ("seen", "new")
VISIBILITY = ("shown", "hidden")
"""Fields that hold training pixels, and fields that hold none."""

COUNTED = ("timings", "cpu_seconds", "optimiser_steps", "classifier_facts")
COMMON = ("scope", "transductive", "class_names", "environment", "scene_ref", "error")
"""Keys whose values many records share; beside them stands "view_shown", the name of the spectral view."""

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


@dataclass(frozen=True, slots=True)
class Trial:
    """What tables take from one record; a million of them must fit into memory.

    empty: λ asked for no synthetic sample; older records hold such a trial as ok, with the metrics of none.
    diagnosis: its samples were made of test labels, so it stands apart from every arm.
    draw: what two trials must share to be a pair: the very pixels, and the first seed that drew them.
    audit: None where it failed before it had a split. common: values under COMMON.
    numbers: those of the record, in the places that ``layout`` names; NaN for None.
    source: gives the whole record of a hash.
    large: ids of the classes that ``aa_large`` is over, which all trials of a table share.
    """

    hash: str
    condition: Condition
    arm: Arm
    classifier: Method
    seed: int
    ok: bool = field(compare=False)
    empty: bool = field(compare=False)
    diagnosis: bool = field(compare=False)
    draw: DrawKey = field(compare=False)
    audit: Audit | None = field(repr=False, compare=False)
    common: Mapping[str, Any] = field(repr=False, compare=False)
    layout: Layout = field(repr=False, compare=False)
    numbers: array[float] = field(repr=False, compare=False)
    created: str = field(repr=False, compare=False)
    source: Source = field(repr=False, compare=False)
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
    def lam(self) -> float:
        """Its λ."""
        return self.arm.lam

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
        found: str | None = (self.common["scope"] or {}).get("generator")
        return found

    @property
    def error_type(self) -> str:
        """The class of the exception that a failed trial ended with."""
        return str((self.common["error"] or {}).get("type", "unknown error"))

    @property
    def error(self) -> str:
        """``Type: message`` of a failed trial, on one line."""
        message = str((self.common["error"] or {}).get("message", ""))
        return " ".join(f"{self.error_type}: {message}".split()).rstrip(": ")

    def metric(self, name: str) -> float | None:
        """A metric as a fraction; None where the trial failed or the number is missing or not finite.

        name: ``oa``, ``aa``, …; ``aa_large`` for the AA over the classes that the table calls large, ``subset:NAME`` for
            that over a fixed subset; ``aa_seen`` or ``oa_new`` in seen or in new fields, likewise ``aa_hidden``.
        """
        if name.startswith("subset:"):
            return self.number("aa", name)
        if name == "aa_large":
            start, places = self.layout.get(("", "recall")), self.large
            if start is None or not places or places[-1] > self.layout["", "classes"]:
                return None
            total = math.fsum([self.numbers[start + class_id - 1] for class_id in places])
            return total / len(places) if math.isfinite(total) else None
        score, _, where = name.rpartition("_")
        return self.number(score, where) if where in (*FIELDS, *VISIBILITY) else self.number(name)

    def number(self, name: str, part: str = "") -> float | None:
        """A number of the metrics or of another part: of FIELDS, VISIBILITY, COUNTED, ``subset:NAME`` or ``samples``."""
        return self._at(self.layout.get((part, name)))

    def _at(self, place: int | None) -> float | None:
        value = math.nan if place is None else self.numbers[place]
        return value if math.isfinite(value) else None

    def has(self, part: str) -> bool:
        """Whether there are numbers of a part."""
        return (part, "") in self.layout

    def recall(self, class_id: int, where: str = "") -> float | None:
        """Recall of a class id 1..C, in one of FIELDS or in all; None where this draw has no test pixel of it there."""
        known = class_id <= self.layout.get((where, "classes"), 0)
        return self._at(self.layout[where, "recall"] + class_id - 1 if known else None)


def class_counts(audits: Iterable[Audit | None], key: str, class_id: int) -> list[int]:
    """Train or test pixels of a class (``train_counts``, ``test_counts``) in each split that counts it."""
    counts = [(audit or {}).get(key) or () for audit in audits]
    return [int(entries[class_id - 1]) for entries in counts if class_id <= len(entries)]


def read_trials(records: Iterable[Record], source: Source | None = None) -> list[Trial]:
    """Trials of the records, one per hash: the newest that went well, else the newest.

    source: gives a record again, whole, by its hash; None = the records are kept.
    """
    best: dict[str, Trial] = {}
    kept: dict[str, Record] = {}
    once = _Once()
    for record in records:
        known = best.get(record.get("hash", ""))
        if known is None or preference(record) > preference(known.record):
            trial = _read(record, once, source or kept.__getitem__)
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


class _Once:
    """Makes equal things of many records once."""

    def __init__(self) -> None:
        self.made: dict[object, Any] = {}

    def __call__(self, make: Callable[..., T], *values: Any) -> T:
        key = make, marshal.dumps(values, 2)
        if key not in self.made:
            self.made[key] = make(*values)
        made: T = self.made[key]
        return made


def _read(record: Record, once: _Once, source: Source) -> Trial:
    name = record.get("hash", "without a hash")
    if record.get("format") != 1:
        raise StoreError(
            f"record {name} must have format 1",
            value=f"format {record.get('format')!r}",
            hint="Read it with the version of hsiaug that wrote it.",
        )
    try:
        return _parse(record, record["spec"], once, source)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"record {name} must hold what docs/results-format.md names",
            value=f"{type(error).__name__} {error}",
            hint="Delete the record's folder and run its trial again.",
        ) from error


def _parse(record: Record, spec: Mapping[str, Any], once: _Once, source: Source) -> Trial:
    omega, seed, audit = spec["omega"], int(spec["seed"]), record.get("audit")
    ok = record["status"] == "ok" and record.get("metrics") is not None
    draw = seed, str((audit or {}).get("sha256", ""))
    view = (record.get("spectral_view") or {}).get("name")
    common = {key: record.get(key) for key in COMMON} | {"view_shown": view}
    layout, numbers = _numbers(record, ok, once)
    return Trial(
        hash=record["hash"],
        condition=once(condition_of, {key: value for key, value in spec.items() if key not in OF_TRIAL}),
        arm=once(
            _arm,
            spec["generator"],
            spec.get("omega_convention") if omega is not None else None,
            float(spec["lambda"]),
            None if omega is None else float(omega),
        ),
        classifier=once(Method.of, spec["classifier"], None, str(spec.get("view", RAW))),
        seed=seed,
        ok=ok,
        empty=made_nothing(record),
        diagnosis=bool(spec.get("diagnosis")),
        draw=once.made.setdefault(draw, draw),
        audit=audit,
        common=once.made.setdefault((view, *(id(common[key]) for key in COMMON)), common),
        layout=layout,
        numbers=numbers,
        created=str(record.get("created", "")),
        source=source,
    )


def _arm(generator: Mapping[str, Any], convention: object, lam: float, omega: float | None) -> Arm:
    return Arm(Method.of(generator, convention), lam, omega)


def _numbers(record: Record, ok: bool, once: _Once) -> tuple[Layout, array[float]]:
    """Numbers of a record but its counts, and the places where they are. Records with the same keys share these."""
    metrics, samples = (record["metrics"] if ok else {}), record.get("samples") or {}
    parts = {"": metrics}
    for several in ("fields", "visibility"):
        parts |= metrics.get(several) or {}
    parts |= {f"subset:{name}": one for name, one in (metrics.get("subsets") or {}).items()}
    parts |= {key: record.get(key) for key in COUNTED}
    parts["samples"] = {kind: sum(samples[kind]) for kind in ("real", "synthetic") if samples}
    parts["record"] = {"peak_memory_mb": record.get("peak_memory_mb")}
    parts = {part: found for part, found in parts.items() if isinstance(found, dict) and found}
    values: list[Any] = []
    keys: list[object] = []
    for part, found in parts.items():
        recall = found.get("recall") or ()
        keys += part, len(recall), *found
        values += found.values()
        values += recall
    layout = once.made.get(key := tuple(keys)) or once.made.setdefault(key, _places(parts))
    return layout, array("d", [value if type(value) in (float, int) else math.nan for value in values])


def _places(parts: Mapping[str, Mapping[str, Any]]) -> Layout:
    places: dict[tuple[str, str], int] = {}
    start = 0
    for part, found in parts.items():
        classes = len(found.get("recall") or ())
        places |= {(part, name): start + i for i, name in enumerate(found)}
        places |= {(part, ""): start, (part, "recall"): start + len(found), (part, "classes"): classes}
        start += len(found) + classes
    return places


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
