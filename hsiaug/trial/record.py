"""A record: its fields, in one place, and what makes it damaged.

Reading checks form, hash and digest (:func:`fault_of`).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from hsiaug.base.errors import HsiaugError
from hsiaug.base.record_form import RECORD_FORM, Count
from hsiaug.protocol.audit import Audit
from hsiaug.registry.card import ControlOf
from hsiaug.registry.hookspecs import Kind
from hsiaug.tasks.class_metrics import ClassMetrics, Counts, short_value
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


def _names_of(model: type[BaseModel]) -> str:
    """The keys of a part, in words: those of its own parts in braces, and when each is present."""
    words = []
    for name, field in model.model_fields.items():
        part = field.annotation
        inner = ""
        if isinstance(part, type) and issubclass(part, _Part):
            inner = f" {{{_names_of(part)}}}"
        note = f" ({field.description})" if field.description and model is not ClassMetrics else ""
        words.append(f"`{field.alias or name}`{inner}{note}")
    return ", ".join(words)


class _Plugin(_Part):
    name: str
    version: str
    params: dict[str, Any]
    text: str | None = Field(None, description="only if it reads texts: their hash")


class _Scene(_Part):
    name: str
    sha256: str


class _Protocol(_Part):
    name: str
    argument: str | None = None
    buffer: str
    version: str | None = Field(None, description="only of a plugin, from its second version on")


READ_WHOLE = "read whole"
"""Marks the fields that reports read as they are; many records share each of their values."""
OF_TRIAL = "of a trial"
"""Marks the keys of a specification in which trials of one table differ."""


class _Spec(_Part):
    """What :meth:`hsiaug.trial.spec.TrialSpec.as_json` writes. A key that is not OF_TRIAL parts
    tables of reports.
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
    times: Annotated[float, Field(ge=0, le=1e12), OF_TRIAL] = Field(0.0, description="unless 0")
    omega: Annotated[Annotated[float, Field(ge=-1e12, le=1e12)] | None, OF_TRIAL] = Field(
        description="or null"
    )
    omega_convention: Annotated[str | None, OF_TRIAL] = None
    view: Annotated[str, OF_TRIAL] = Field("", description="unless `raw`")
    train: Annotated[Literal["both", "synthetic"], OF_TRIAL] = Field(
        "both", description="unless `both`"
    )
    draws: str | None = Field(
        None, description="only of your own scenes: the checksum from which splits are seeded"
    )


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
    commit: str | None = Field(None, description="of hsiaug, where it is a checkout")
    versions: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9.+!_-]*$")]]


class PartialRecord(_Part):
    """The part of a record that a worker writes, which needs no test label."""

    status: Literal["ok", "failed", "empty"] = Field(
        description="`ok`, `failed`, or `empty` (no synthetic sample to make)."
    )
    error: Annotated[TrialError | None, READ_WHOLE] = Field(
        description=f"null, or {{{_names_of(TrialError)}}}."
    )
    samples: _Samples | None = Field(description="`real` and `synthetic`: C counts each.")
    provenance: dict[str, object] = Field(
        description="what the generator reports about its samples. For masks also `measured` and"
        " `measured_real`: spatial structure of synthetic and of real training pairs (`within_1`"
        " to `within_3`, `edges`, `mask_edges`, `beside_edges`, `change`, `change_rank`, `n`; for"
        " synthetic ones also `pieces_5`, `pieces_9` and `pieces_17`; [what they"
        " measure](quality.md#images-with-masks))."
    )
    prepared: dict[str, str | Amount] = Field(
        default_factory=dict,
        description="{`key`, `seconds`} of the pre-training on the scene.",
    )
    notes: list[str] = Field(
        default_factory=list,
        description="problems with saved fits; what plugins opened, started and called outside of"
        " their package.",
    )
    code: dict[Kind, _Code] = Field(
        default_factory=dict,
        description=f"of the plugins by kind: {{{_names_of(_Code)}}}; the digest is of all files of"
        " the package, null for plugins of hsiaug, whose versions count.",
    )
    scope: Annotated[dict[str, str] | None, READ_WHOLE] = Field(
        description="unlabelled pixels used: {`generator`, `classifier`}, each `none` or `scene`."
    )
    baseline: Annotated[str, READ_WHOLE] = Field(
        "",
        description="the baseline that the card of the generator names: the method without its"
        " main part.",
    )
    control_of: Annotated[dict[Literal["generator", "classifier"], ControlOf], READ_WHOLE] = Field(
        default_factory=dict,
        description="of the plugins that are controls, by kind (`generator`, `classifier`): `all`,"
        " `transductive` or `masks`.",
    )
    control_text: Annotated[dict[Literal["generator", "classifier"], str], READ_WHOLE] = Field(
        default_factory=dict,
        description="of the same plugins, by kind: what each is, in a few words.",
    )
    transductive: Annotated[bool | None, READ_WHOLE] = Field(
        description="true where either scope is `scene`."
    )
    spectral_view: _Shown | None = Field(
        None,
        description="{`name`, `scores`}: the classifier's spectral view, and the scores `auto`"
        " chose by.",
    )
    classifier_facts: dict[str, object] = Field(
        default_factory=dict, description="what the classifier reports about its fit."
    )
    timings: Annotated[
        dict[str, Amount],
        Column("seconds", "total", "seconds"),
        Column("fit_seconds", "fit_generator", "seconds of generator's fit"),
    ] = Field(
        description="wall-clock time of"
        f" {', '.join(f'`{name}`' for name, stage in STAGES.items() if stage.plugin)}, `total`."
    )
    cpu_seconds: Annotated[dict[str, Amount], Column("cpu_seconds", "total", "CPU seconds")] = (
        Field(default_factory=dict, description="processor time of the same.")
    )
    optimiser_steps: dict[str, Count | None] | None = Field(
        None, description="of `fit_generator` and `fit_classifier`, counted by the runner."
    )
    peak_memory_mb: Annotated[
        Amount | None,
        Column("peak_memory_mb", heading="highest memory (MB)", over_trials="max"),
    ] = Field(description="peak resident memory, or null.")
    device: Annotated[dict[str, object] | None, READ_WHOLE] = Field(
        description="{`requested`, `generator`, `classifier`, `threads`}."
    )


class TrialRecord(PartialRecord):
    """All fields of ``record.json``."""

    format: int = Field(ge=RECORD_FORMAT, le=RECORD_FORMAT, description=f"{RECORD_FORMAT}.")
    hash: str = Field(
        description="first 16 hex digits of the SHA-256 of `spec` as canonical JSON (sorted keys,"
        " no spaces)."
    )
    spec: _Spec = Field(description=f"everything that determines the result: {_names_of(_Spec)}.")
    scene_ref: Annotated[str, READ_WHOLE] = Field("", description="the scene as it was typed.")
    class_names: Annotated[list[str], READ_WHOLE] = Field(description="names of class ids 1..C.")
    metrics: dict[str, Any] | None = Field(
        description="null unless `ok`:"
        f" {_names_of(ClassMetrics)}; some for segmentation or change only."
    )
    audit: Audit | None = Field(
        description=f"the split's audit: {_names_of(Audit)}. `thin_classes` have 1 to 24 test"
        " pixels."
    )
    environment: Annotated[_Environment, READ_WHOLE] = Field(
        description=f"{_names_of(_Environment)}."
    )
    predictions_sha256: str | None = Field(description="checksum of the predicted labels.")
    npz_sha256: Annotated[str, Field(pattern=SHA256)] | None = Field(
        None, description="SHA-256 of `predictions.npz`; null without one."
    )
    record_sha256: Annotated[str, Field(pattern=SHA256)] = Field(
        description="SHA-256 of all other keys as canonical JSON (sorted keys, no spaces).",
    )
    created: str = Field(description="UTC time, ISO 8601.")
    command: str = Field(description="the command that reruns this trial, with its controls.")


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


def described_fields(
    model: type[BaseModel] = TrialRecord, prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """The fields of a record in words, those of a part after the part."""
    # The worker's part comes last.
    names = sorted(model.model_fields, key=lambda name: name in PartialRecord.model_fields)
    for name in names:
        if description := model.model_fields[name].description:
            yield f"{prefix}{name}", description
        if not prefix and name == "metrics":
            yield from described_fields(ClassMetrics, "metrics.")


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
    # In half of the time of json; what it takes for JSON and is none has no digest.
    with suppress(ValueError):
        record: Record = from_json(data, allow_inf_nan=False)
        if isinstance(record, dict) and fault_of(record, hash) is None:
            return record
    try:
        fault = fault_of(decode(data), hash)
    except ValueError as error:
        fault = f"{RECORD} holds {error}"
    return Damage(hash, fault or f"{RECORD} holds a number that is not JSON")
