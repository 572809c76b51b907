"""Records as one frame, with a row for each trial (see docs/results-format.md), and cells: the trials of one arm with one
classifier."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import StoreError
from hsiaug.core.view_names import RAW
from hsiaug.metrics.significance import MeanStd, mean_std
from hsiaug.protocol.balance import Rate
from hsiaug.report.labels import MISSING
from hsiaug.trial.arm import BOTH, CONTROLS, PIXEL_SVM, TEACHER, Arm, Method, controls_of
from hsiaug.trial.hashing import canonical_json
from hsiaug.trial.record_json import Record, json_line, made_nothing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

Audit = Mapping[str, Any]
DrawKey = tuple[int, str]
"""The first seed that drew a split, and the checksum of the split: what two trials must share to be a pair."""
Trial = Any
"""A row of the frame, whose columns are its attributes."""

PARTS = ("seen", "new", "shown", "hidden")
"""Test pixels in fields with and without training pixels; those that plugins saw, and hidden ones."""
SHARED = ("scope", "transductive", "class_names", "environment", "scene_ref", "error")
"""Keys whose values many records share."""
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


def read_frame(records: Iterable[Record]) -> DataFrame:
    """A row per hash: of several records the newest that went well, else the newest.

    Columns: ``hash``, ``seed``, ``split`` (checksum), ``created``; ``condition``, ``arm``, ``classifier``; ``ok``,
    ``idle`` (λ asked for no sample; older records hold such a trial as ok, with the metrics of none), ``failed`` and
    ``status``; SHARED, ``view_shown`` and ``audit``; every metric as a fraction, those of PARTS as ``aa_new``, AA over
    fixed classes as ``subset:NAME``; ``recall`` and ``recall_new``: of each class; ``confusion``;
    ``real`` and ``synthetic``: samples by class; ``seconds``, ``cpu_seconds``, ``steps``,
    ``peak_memory_mb``.

    Raises StoreError for a record that is not as in docs/results-format.md.
    """
    from pandas import DataFrame

    rows: dict[str, dict[str, Any]] = {}
    audit_of, about_of = cache(json.loads), cache(_about)
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
            shared: dict[str, Any] = {"spec": {k: v for k, v in record["spec"].items() if k != "seed"}}
            shared |= {key: record.get(key) for key in SHARED}
            row = _row(record, about_of(json_line(shared)), audit_of(json_line(record.get("audit"))))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(
                f"record {name} must hold what docs/results-format.md names",
                value=f"{type(error).__name__} {error}",
                hint="Delete the record's folder and run its trial again.",
            ) from error
        known = rows.get(name)
        if known is None or (not row["failed"], row["created"]) > (not known["failed"], known["created"]):
            rows[name] = row
    return DataFrame(list(rows.values()))


def _row(record: Record, about: Mapping[str, Any], audit: Audit | None) -> dict[str, Any]:
    import numpy as np

    ok, idle = record["status"] == "ok" and record.get("metrics") is not None, made_nothing(record)
    metrics, samples = (record["metrics"] if ok else {}), record.get("samples") or {}
    several = {**(metrics.get("fields") or {}), **(metrics.get("visibility") or {})}
    parts: dict[str, Any] = {part: several[part] for part in PARTS if isinstance(several.get(part), dict)}
    numbers = {name: _finite(value) for name, value in metrics.items() if type(value) in (float, int)}
    for part, found in parts.items():
        numbers |= {f"{name}_{part}": _finite(v) for name, v in found.items() if type(v) in (float, int)}
    for name, found in (metrics.get("subsets") or {}).items():
        numbers |= {f"subset:{name}": _finite(found.get("aa")), f"oa subset:{name}": _finite(found.get("oa"))}
    steps = (record.get("optimiser_steps") or {}).get("fit_classifier")
    aside = (record.get("classifier_facts") or {}).get("aside_steps") or 0
    return {
        "hash": record["hash"],
        "seed": int(record["spec"]["seed"]),
        "split": str((audit or {}).get("sha256", "")),
        "created": str(record.get("created", "")),
        "ok": ok,
        "idle": idle,
        "failed": not ok and not idle,
        "status": "ok" if ok else "empty" if idle else "failed",
        "audit": audit,
        **about,
        "view_shown": (record.get("spectral_view") or {}).get("name"),
        **numbers,
        "recall": metrics.get("recall"),
        **{f"recall_{part}": (parts.get(part) or {}).get("recall") for part in PARTS},
        "confusion": np.array(metrics["confusion"], dtype=np.uint32) if metrics.get("confusion") else None,
        "real": samples.get("real"),
        "synthetic": samples.get("synthetic"),
        "seconds": (record.get("timings") or {}).get("total"),
        "cpu_seconds": (record.get("cpu_seconds") or {}).get("total"),
        # Without the steps that only chose among samples.
        "steps": None if steps is None else int(steps - aside),
        "peak_memory_mb": record.get("peak_memory_mb"),
    }


def _finite(value: float | None) -> float:
    return nan if value is None or not isfinite(value) else value


def _about(text: str) -> dict[str, Any]:
    """What many records share: condition, arm, classifier, and the values of SHARED."""
    said = json.loads(text)
    spec = said.pop("spec")
    omega = spec["omega"]
    maker = Method.of(
        spec["generator"], None if omega is None else spec.get("omega_convention"), train=spec.get("train", BOTH)
    )
    return {
        "condition": condition_of({key: value for key, value in spec.items() if key not in OF_TRIAL}),
        "arm": Arm(maker, Rate.of(spec), None if omega is None else float(omega)),
        "classifier": Method.of(spec["classifier"], None, str(spec.get("view", RAW))),
        **said,
    }


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


def by_draw(trials: DataFrame) -> DataFrame:
    """The trials of one condition by seed, with ``draw``, and ``used``: that enter a mean.

    Those on the same pixels are of the same draw, whatever their seeds; of each arm, classifier and draw the first that
    went well is used.
    """
    known = trials.sort_values(["seed", "hash"], kind="stable")
    first = known[known.split != ""].groupby("split").seed.min()
    seeds = known.split.map(first).fillna(known.seed).astype(int)
    known = known.assign(draw=list(zip(seeds, known.split, strict=True)))
    first_ok = known[known.ok].drop_duplicates(["arm", "classifier", "draw"]).index
    return known.assign(used=known.index.isin(first_ok))


def rows_of(frame: DataFrame) -> tuple[Trial, ...]:
    """The rows of a frame of trials."""
    return tuple(frame.itertuples(index=False, name="Trial"))


def number_of(trial: Trial, name: str) -> float | None:
    """A number of a row; None where it has none."""
    value = getattr(trial, name, None)
    return None if value is None or value != value else value


@dataclass(frozen=True, eq=False)
class ArmCell:
    """The trials of one arm with one classifier, in the order of their seeds. frame: of those that enter a mean."""

    arm: Arm
    classifier: Method
    trials: tuple[Trial, ...]
    frame: DataFrame

    @cached_property
    def ok(self) -> tuple[Trial, ...]:
        """Trials that gave numbers, one per split: of seeds that drew the same, the first. Only these enter a mean."""
        return tuple(trial for trial in self.trials if trial.used)

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Trials that are named, and never averaged."""
        return tuple(trial for trial in self.trials if trial.failed)

    @property
    def idle(self) -> tuple[Trial, ...]:
        """Trials whose λ asked for no sample: they say nothing of the generator."""
        return tuple(trial for trial in self.trials if trial.idle)

    @property
    def rival(self) -> str:
        """The classifier that, without a sample, is a further control of it; "" where there is none."""
        if not self.arm.judged:
            return ""
        if self.trials[0].condition.task == "segmentation":
            return PIXEL_SVM if self.classifier.name != PIXEL_SVM else ""
        return TEACHER if any(scope_of(trial) == "scene" for trial in self.trials) else ""

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that the cell is measured against; for a further control, the others."""
        if not self.arm.judged:
            return CONTROLS
        from hsiaug.tasks.task import get_task

        scope = next((scope for trial in self.trials if (scope := scope_of(trial))), None)
        every = controls_of(get_task(self.trials[0].condition.task), scope)
        return tuple(name for name in every if name != self.arm.generator.name)

    @property
    def blank(self) -> str:
        """Text that stands in a table if the trials gave no number."""
        return MISSING if self.ok else "failed" if self.failed else "nothing made"

    def column(self, metric: str) -> NDArray[np.float64]:
        """A metric of each trial of ``ok`` as a fraction; NaN where it has none."""
        import numpy as np

        found = self.frame.get(metric)
        return np.full(len(self.ok), np.nan) if found is None else found.to_numpy(dtype=np.float64)

    def values(self, metric: str) -> list[float]:
        """The metric of each trial that has it, in the order of the seeds."""
        return known(self.column(metric))

    def summary(self, metric: str) -> MeanStd | None:
        """Mean, std and n of a metric; None where no trial has it."""
        return summarise(self.column(metric))

    @cached_property
    def recall(self) -> NDArray[np.float64]:
        """(trials, classes) recall of each trial of ``ok``; NaN where the draw has no test pixel of the class."""
        return recall_of(self.ok)

    def recalls(self, class_id: int) -> list[float]:
        """Recall of a class id 1..C in each draw that has a test pixel of it."""
        return known(self.recall[:, class_id - 1]) if class_id <= self.recall.shape[1] else []

    @cached_property
    def places(self) -> dict[DrawKey, int]:
        """Draw → place in ``ok``, of the trials that made samples or had none to make."""
        return {trial.draw: i for i, trial in enumerate(self.ok) if not trial.idle}


CellKey = tuple[Arm, Method]
"""An arm and a classifier."""


def recall_of(trials: Sequence[Trial], part: str = "") -> NDArray[np.float64]:
    """(trials, classes) recall, in one of PARTS or over all test pixels; NaN where there is none."""
    import numpy as np

    found = [getattr(trial, f"recall_{part}" if part else "recall") or () for trial in trials]
    classes = max(map(len, found), default=0)
    made = np.full((len(found), classes), np.nan)
    for row, own in zip(made, found, strict=True):
        row[: len(own)] = [np.nan if value is None else value for value in own]
    return made


def known(values: NDArray[np.float64]) -> list[float]:
    """The values that are there."""
    return [value for value in values.tolist() if value == value]


def summarise(values: NDArray[np.float64]) -> MeanStd | None:
    """Mean, std and n of the values that are there; None without any."""
    return mean_std(found) if (found := known(values)) else None


def scope_of(trial: Trial) -> str | None:
    """Unlabelled pixels that its generator reads; None where the trial ended before that was known."""
    return (trial.scope or {}).get("generator")


def make_cells(trials: DataFrame) -> dict[CellKey, ArmCell]:
    """Trials grouped by arm and classifier, controls first."""
    groups = trials.groupby(["arm", "classifier"], sort=False).indices
    rows, used = rows_of(trials), trials.used.to_numpy()
    numbers = trials.select_dtypes("number")
    return {
        key: ArmCell(*key, tuple(rows[i] for i in groups[key]), numbers.iloc[[i for i in groups[key] if used[i]]])
        for key in in_order(groups)
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
