"""A record: its fields, in one place, and what makes it damaged.

Reading checks form, hash and digest (:func:`fault_of`).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, Field, ValidationError

from hsiaug.base.errors import HsiaugError
from hsiaug.protocol.audit import RECORD_FORM, Audit, Count
from hsiaug.registry.card import ControlOf
from hsiaug.registry.hookspecs import Kind
from hsiaug.tasks.class_metrics import Counts, short_value
from hsiaug.tasks.scoring import ClassScorer
from hsiaug.trial.record_json import (
    DIGEST,
    RECORD,
    RECORD_FORMAT,
    Record,
    decode,
    digest_of_record,
    short_hash,
)

SHA256 = r"^[0-9a-f]{64}$"


@dataclass(frozen=True)
class Column:
    """A column of tables that is made from a field, in addition to those of the metrics.

    Attributes
    ----------
    name : str
        Of the column.
    key : str
        Of the number in a field that has several.
    heading : str
        Of the column in the table of costs; empty: the column is in CSV and frames only.
    over_trials : {"sum", "max"}
        How that table combines the trials of a configuration.
    """

    name: str
    key: str = ""
    heading: str = ""
    over_trials: Literal["sum", "max"] = "sum"

    def value(self, field: Any) -> float | None:
        """The number in the field of a record; None if it has none."""
        value = (field or {}).get(self.key) if self.key else field
        return value if type(value) in (int, float) else None


@dataclass(frozen=True)
class Stage:
    """A stage of a trial: what comes between two of them counts to the first.

    Attributes
    ----------
    plugin : {"generator", "classifier"} or None
        Which of the trial's plugins computes in it, and is timed.
    of_fit : bool
        Whether all trials with one fit share it: what fails here fails for all of them.
    """

    plugin: Kind | None = None
    of_fit: bool = False


STAGES = {
    "load": Stage(),
    "split": Stage(),
    "prepare": Stage("generator", of_fit=True),
    "fit_generator": Stage("generator", of_fit=True),
    "sample": Stage("generator"),
    "fit_classifier": Stage("classifier"),
    "predict": Stage("classifier"),
}
"""The stages of a trial in their order, by the names that records have for them."""
Amount = Annotated[float, Field(ge=0, le=1e12)]
"""Seconds, megabytes, λ."""


class _Part(BaseModel):
    """Types are strict; fields that a later version adds are accepted."""

    model_config = RECORD_FORM


class _Plugin(_Part):
    """A plugin.

    Attributes
    ----------
    text : str or None
        Hash of the texts that it reads.
    """

    name: str
    version: str
    params: dict[str, Any]
    text: str | None = None


class _Scene(_Part):
    name: str
    sha256: str


class _Protocol(_Part):
    """A protocol.

    Attributes
    ----------
    version : str or None
        Only of a plugin, from its second version on.
    """

    name: str
    argument: str | None = None
    buffer: str
    version: str | None = None


READ_WHOLE = "read whole"
"""Marks the fields that reports read as they are; many records share each of their values."""
OF_TRIAL = "of a trial"
"""Marks the keys of a specification in which trials of one table differ."""


class _Spec(_Part):
    """What :meth:`hsiaug.trial.spec.TrialSpec.as_json` writes. A key that is not OF_TRIAL parts
    tables of reports. Keys that have a default here are left out where they have it.

    Attributes
    ----------
    draws : str or None
        Only of your own scenes: the checksum from which splits are seeded.
    """

    format: Count = 1
    task: str
    scene: _Scene
    protocol: _Protocol
    patch: Annotated[int, Field(ge=1, lt=2**40)]
    seed: Annotated[Count, OF_TRIAL]
    generator: Annotated[_Plugin, OF_TRIAL]
    classifier: Annotated[_Plugin, OF_TRIAL]
    lam: Annotated[float, Field(alias="lambda", ge=0, le=1e12), OF_TRIAL]
    times: Annotated[float, Field(ge=0, le=1e12), OF_TRIAL] = 0.0
    omega: Annotated[Annotated[float, Field(ge=-1e12, le=1e12)] | None, OF_TRIAL]
    omega_convention: Annotated[str | None, OF_TRIAL] = None
    view: Annotated[str, OF_TRIAL] = ""
    train: Annotated[Literal["both", "synthetic"], OF_TRIAL] = "both"
    draws: str | None = None


KEYS_OF_TRIAL = {
    field.alias or name for name, field in _Spec.model_fields.items() if OF_TRIAL in field.metadata
}
"""The keys of a specification that are OF_TRIAL."""


class TrialError(_Part):
    stage: str
    type: str
    message: str
    traceback: str


class _Samples(_Part):
    real: Counts
    synthetic: Counts


LISTS = {
    "samples": (tuple(_Samples.model_fields), ()),
    "audit": (
        tuple(name for name in Audit.model_fields if name.endswith("_counts")),
        tuple(name for name in Audit.model_fields if name.endswith("_classes")),
    ),
}
"""Lists of samples and of the audit: those with an entry for each class, and those of class ids."""


class _Shown(_Part):
    """The spectral view that was chosen, and the scores that it was chosen by."""

    name: str
    scores: dict[str, float] | None = None


class _Code(_Part):
    package: str
    version: str
    sha256: Annotated[str, Field(pattern=SHA256)] | None


class _Environment(_Part):
    python: str
    platform: str
    processor: str
    commit: str | None = None
    versions: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9.+!_-]*$")]]


class PartialRecord(_Part):
    """The part of a record that a worker writes, which needs no test label.

    Attributes
    ----------
    status : {"ok", "failed", "empty"}
        Empty: no synthetic sample to make.
    samples : _Samples or None
        C counts each.
    provenance : dict
        What the generator reports about its samples. For masks also ``measured`` and
        ``measured_real``: the spatial structure of synthetic and of real training pairs (see
        docs/quality.md).
    prepared : dict
        Key and seconds of the pre-training on the scene.
    notes : list of str
        Problems with saved fits; what plugins opened, started and called outside of their package.
    code : dict of _Code
        Of the plugins by kind. The digest is of all files of the package, null for plugins of
        hsiaug, whose versions count.
    scope : dict or None
        Unlabelled pixels that the generator and the classifier used: none, or scene.
    baseline : str
        The baseline that the card of the generator names: the method without its main part.
    control_of : dict
        Of the plugins that are controls, by kind.
    control_text : dict
        Of the same plugins, by kind: what each is, in a few words.
    transductive : bool or None
        True where either scope is scene.
    spectral_view : _Shown or None
        That of the classifier.
    classifier_facts : dict
        What the classifier reports about its fit.
    timings, cpu_seconds : dict
        Wall-clock and processor time of the stages that call a plugin, and in total.
    optimiser_steps : dict or None
        Of the fits, counted by the runner.
    peak_memory_mb : float or None
        Resident memory.
    device : dict or None
        What was requested, that of each plugin, and threads.
    """

    status: Literal["ok", "failed", "empty"]
    error: Annotated[TrialError | None, READ_WHOLE]
    samples: _Samples | None
    provenance: dict[str, object]
    prepared: dict[str, str | Amount] = {}
    notes: list[str] = []
    code: dict[Kind, _Code] = {}
    scope: Annotated[dict[str, str] | None, READ_WHOLE]
    baseline: Annotated[str, READ_WHOLE] = ""
    control_of: Annotated[dict[Literal["generator", "classifier"], ControlOf], READ_WHOLE] = {}
    control_text: Annotated[dict[Literal["generator", "classifier"], str], READ_WHOLE] = {}
    transductive: Annotated[bool | None, READ_WHOLE]
    spectral_view: _Shown | None = None
    classifier_facts: dict[str, object] = {}
    timings: Annotated[
        dict[str, Amount],
        Column("seconds", "total", "seconds"),
        Column("fit_seconds", "fit_generator", "seconds of generator's fit"),
    ]
    cpu_seconds: Annotated[dict[str, Amount], Column("cpu_seconds", "total", "CPU seconds")] = {}
    optimiser_steps: dict[str, Count | None] | None = None
    peak_memory_mb: Annotated[
        Amount | None,
        Column("peak_memory_mb", heading="highest memory (MB)", over_trials="max"),
    ]
    device: Annotated[dict[str, object] | None, READ_WHOLE]


class TrialRecord(PartialRecord):
    """All fields of ``record.json``.

    Attributes
    ----------
    hash : str
        First 16 hex digits of the SHA-256 of ``spec`` as canonical JSON (sorted keys, no spaces).
    spec : _Spec
        Everything that determines the result.
    scene_ref : str
        The scene as it was typed.
    class_names : list of str
        Of the class ids 1..C.
    metrics : dict or None
        None unless the trial is ok (:class:`hsiaug.tasks.class_metrics.ClassMetrics`).
    audit : Audit or None
        Of the split. ``thin_classes`` have 1 to 24 test pixels.
    predictions_sha256 : str or None
        Checksum of the predicted labels.
    npz_sha256 : str or None
        SHA-256 of ``predictions.npz``.
    record_sha256 : str
        SHA-256 of all other keys as canonical JSON.
    created : str
        UTC time, ISO 8601.
    command : str
        The command that reruns this trial, with its controls.
    """

    format: Annotated[int, Field(ge=RECORD_FORMAT, le=RECORD_FORMAT)]
    hash: str
    spec: _Spec
    scene_ref: Annotated[str, READ_WHOLE] = ""
    class_names: Annotated[list[str], READ_WHOLE]
    metrics: dict[str, Any] | None
    audit: Audit | None
    environment: Annotated[_Environment, READ_WHOLE]
    predictions_sha256: str | None
    npz_sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    record_sha256: Annotated[str, Field(pattern=SHA256)]
    created: str
    command: str


KEYS_READ_WHOLE = tuple(
    name for name, field in TrialRecord.model_fields.items() if READ_WHOLE in field.metadata
)
"""The fields that are READ_WHOLE."""
COLUMNS = {
    column: name
    for name, field in TrialRecord.model_fields.items()
    for column in field.metadata
    if isinstance(column, Column)
}
"""The field that each column is of."""


def not_reached(model: type[PartialRecord]) -> dict[str, Any]:
    """The fields of a record, or of a worker's part of one, for steps that were not reached."""
    values: dict[str, Any] = {
        name: {} if get_origin(field.annotation) is dict else None
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    return {**values, "notes": [], "spectral_view": None, "optimiser_steps": None}


def partial_record(error: Record | None = None, **facts: object) -> dict[str, Any]:
    """The part of a record that needs no test label.

    Parameters
    ----------
    error : dict or None
        What ended the trial, if anything did.
    **facts : object
        What else is known, in the order of the record.
    """
    status = "ok" if error is None else "failed"
    return {**not_reached(PartialRecord), "status": status, "error": error, **facts}


def fault_of(record: Record, name: str) -> str | None:
    """The fault of a record whose folder is called ``name``; None for a sound one."""
    try:
        parsed = TrialRecord.model_validate(record)
    except ValidationError as error:
        return _fault_of_form(error, record)
    if parsed.metrics is not None:
        try:
            scorer_of(record).model.model_validate(parsed.metrics)
        except ValidationError as error:
            return _fault_of_form(error, record, "metrics.")
        except HsiaugError as error:
            return f"spec.task: {error}"
    if record["hash"] != name:
        return f"hash states {record['hash']!r}, where its folder is {name}"
    try:
        hash_of_spec = short_hash(record["spec"])
        digest = digest_of_record(record)
    except (ValueError, RecursionError) as error:
        return f"it has no hash: {error}"
    if hash_of_spec != name:
        return f"hash states {name}, where its spec gives {hash_of_spec}"
    if (parsed.status == "ok") != (parsed.metrics is not None):
        return f"metrics must be there just where status is ok; status states {parsed.status!r}"
    if (parsed.status == "failed") != (parsed.error is not None):
        return f"error must be there just where status is failed; status states {parsed.status!r}"
    if (fault := fault_of_lists(record)) is not None:
        return fault
    if digest != record[DIGEST]:
        stated = record[DIGEST]
        return f"{DIGEST} states {stated[:12]}…, where all other keys give {digest[:12]}…"
    return None


def _fault_of_form(error: ValidationError, record: Record, part: str = "") -> str:
    if "spec" not in record or "status" not in record:
        return "JSON without spec and status"
    if record.get("format") != RECORD_FORMAT:
        stated = record.get("format")
        return f"format states {stated!r}; this version of hsiaug reads format {RECORD_FORMAT}"
    first = error.errors(include_url=False)[0]
    key = part + ".".join(str(step) for step in first["loc"])
    value = "" if first["type"] == "missing" else f" ({short_value(first['input'])})"
    return f"{key}{value}: {first['msg'][:1].lower()}{first['msg'][1:]}"


def fault_of_lists(record: Record) -> str | None:
    """The first list of a part that has not an entry for each class, or names another class."""
    classes = len(record["class_names"])
    for table, (per_class, class_ids) in LISTS.items():
        lists = record[table] or {}
        for key in per_class:
            if len(lists.get(key) or range(classes)) != classes:
                return (
                    f"{table}.{key} must have {classes} entries, as there are {classes} class_names"
                )
        for key in class_ids:
            if max(lists.get(key) or [0]) > classes:
                return f"{table}.{key} must name classes 1 to {classes}"
    metrics = record["metrics"]
    return None if metrics is None else scorer_of(record).fault_of_lists(metrics, classes)


def scorer_of(record: Record) -> ClassScorer:
    """What scores the task of a record. Raises InputError for a task that is not known."""
    from hsiaug.tasks.task import get_task

    return get_task(record["spec"]["task"]).scoring


# Records in bytes


@dataclass(frozen=True)
class Damage:
    """A record that is not to be believed.

    Attributes
    ----------
    hash : str
        Name of its folder.
    fault : str
        Which file or key, and what it holds.
    """

    hash: str
    fault: str

    def __str__(self) -> str:
        return f"{self.hash}: {self.fault}"

    @property
    def words(self) -> str:
        """The beginning of a sentence on it."""
        return f"damaged record {self}"


def checked(hash: str, data: bytes) -> Record | Damage:
    """The record of that hash in some bytes, or what is wrong with it."""
    try:
        record = decode(data)
        fault = fault_of(record, hash)
    except ValueError as error:
        return Damage(hash, f"{RECORD} is no JSON: {error}")
    return record if fault is None else Damage(hash, fault)
