"""Records are not trusted: what does not follow from the spec is named, and left
out.
"""

import copy
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import StoreError
from hsiaug.metrics.accuracy import dense_score, score
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.card import NoParams
from hsiaug.report import build_report
from hsiaug.report.render_data import data_frame, data_rows
from hsiaug.report.trials import numbers_of
from hsiaug.trial.record import (
    COLUMNS,
    PartialRecord,
    TrialRecord,
    fault_of,
    not_reached,
)
from hsiaug.trial.record_json import (
    DIGEST,
    MAX_RECORD_BYTES,
    Record,
    digest_of_record,
    sealed,
    short_hash,
)
from hsiaug.trial.spec import PluginSpec, TrialSpec
from hsiaug.trial.store import Store
from tests.report.report_records import believable
from tests.report.report_records import record as record_of


def edited(store: Store, change: Callable[[Record], object]) -> str:
    """Change the first record of a store on disk; returns its hash."""
    record = copy.deepcopy(next(store.each()))
    change(record)
    # Else its digest would tell of every change.
    with suppress(ValueError):
        record[DIGEST] = digest_of_record(record)
    hash = next(store.each())["hash"]
    (store.folder(hash) / "record.json").write_text(json.dumps(record))
    return str(hash)


def put(*keys: Any, value: Any) -> Callable[[Record], None]:
    """A change: one value by its keys."""

    def change(record: Record) -> None:
        place: Any = record
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


UNTESTED = {"n_classes": 0, "oa": None, "aa": None}
"""Scores of a subset without a test pixel."""


def without(*keys: Any) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        place: Any = record
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def test_what_a_trial_wrote_is_believed(filled: Store) -> None:
    assert len(filled.read().records) == 2 and filled.read().damaged == ()


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (put("metrics", "oa", value=7), ("metrics.oa (7)",)),
        (put("metrics", "kappa", value="x"), ("metrics.kappa ('x')",)),
        (put("metrics", "recall", value=[0.5]), ("metrics.recall must have",)),
        (put("metrics", "worst_class", value=99), ("metrics.worst_class and",)),
        (put("metrics", "confusion", 0, 0, value=-1), ("metrics.confusion.0.0 (-1)",)),
        (put("metrics", "confusion", value=[[1]]), ("class_names",)),
        (put("metrics", "confusion", value=[[0] * 5] * 5), ("counts no pixel",)),
        (
            put("metrics", "subsets", value={"x": {"classes": [9], **UNTESTED}}),
            ("metrics.subsets must name classes 1 to 5",),
        ),
        (
            put("metrics", "fields", "new_confusion", value=[[1]]),
            ("metrics.fields.new_confusion must be",),
        ),
        (
            without("metrics", "fields", "new_confusion"),
            ("metrics.fields.new_confusion: field required",),
        ),
        (without("metrics"), ("metrics: field required",)),
        (put("metrics", value=None), ("metrics must be there",)),
        (put("status", value="great"), ("status ('great')",)),
        (put("status", value="failed"), ("status states 'failed'",)),
        (
            put("error", value={"stage": "x", "type": "x", "message": "x", "traceback": "x"}),
            ("error must be",),
        ),
        (put("spec", "seed", value=5), ("where its spec gives",)),
        (put("spec", "seed", value="1"), ("spec.seed ('1')",)),
        (put("spec", "lambda", value=True), ("spec.lambda (True)",)),
        (without("spec", "classifier"), ("spec.classifier: field required",)),
        (without("spec"), ("JSON without spec and status",)),
        (put("hash", value="0" * 16), ("where its folder is",)),
        (put("format", value=2), ("format states 2",)),
        (put("samples", "synthetic", value=[1]), ("samples.synthetic must have",)),
        (put("audit", "leaky", value="no"), ("audit.leaky ('no')",)),
        (put("audit", "lost_classes", value=[99]), ("audit.lost_classes must name classes 1 to",)),
        (put("audit", "seen_counts", value=[1]), ("audit.seen_counts must have",)),
        (put("audit", "n_train", value=0), ("audit.n_train (0)",)),
        (put("metrics", "oa", value=10**400), ("metrics.oa (1000",)),
        (
            put("spectral_view", value={"name": "raw", "scores": "nan"}),
            ("spectral_view.scores ('nan')",),
        ),
        (
            put("environment", "versions", "numpy", value="<script>"),
            ("environment.versions.numpy",),
        ),
        (put("timings", "total", value=-1), ("timings.total (-1)",)),
        (put("provenance", value={"a": "\ud800"}), ("is no JSON",)),
    ],
)
def test_a_changed_record_is_named_with_its_key_and_left_out(filled, change, parts):
    hash = edited(filled, change)
    read = filled.read()

    assert [record["hash"] for record in read.records] == [r for r in filled.hashes() if r != hash]
    (damage,) = read.damaged
    assert damage.hash == hash
    for part in parts:
        assert part in damage.fault
    assert filled.sound(hash) is None
    with pytest.raises(StoreError) as error:
        filled.find(hash)
    assert parts[0] in str(error.value) and str(filled.folder(hash) / "record.json") in str(
        error.value
    )


@pytest.mark.parametrize("task", ["pixels", "segmentation", "change"])
def test_records_of_every_task_are_sound(task: str) -> None:
    record = of_task(task)
    assert fault_of(record, record["hash"]) is None


def test_a_record_of_masks_without_their_scores_is_damaged() -> None:
    record = of_task("change")
    del record["metrics"]["f1_change"]
    assert fault_of(record, record["hash"]) == "metrics.f1_change is missing"


def test_a_record_of_a_task_that_is_not_known_is_damaged() -> None:
    record = of_task("pixels")
    spec = {**record["spec"], "task": "no task"}
    fault = fault_of({**record, "spec": spec, "hash": short_hash(spec)}, short_hash(spec))
    assert "no task" in (fault or "")


def of_task(task: str) -> Record:
    """A record with the metrics of that task."""
    made = believable(record_of())
    spec = {**made["spec"], "task": task}
    matrix = np.array([[9, 1], [2, 8]])
    metrics = (
        dense_score(matrix, change=task == "change") if task != "pixels" else score(matrix, {})
    )
    samples = {"real": [3, 3], "synthetic": [0, 0]}
    whole = {**made, "spec": spec, "hash": short_hash(spec), "metrics": metrics}
    return dict(sealed({**whole, "samples": samples, "class_names": ["a", "b"], "audit": None}))


def test_older_records_without_fields_are_believed(filled: Store) -> None:
    hash = edited(filled, without("metrics", "fields"))
    assert filled.read().damaged == () and "fields" not in filled.find(hash)["metrics"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no JSON"),
        ("null", "no spec and status"),
        ("[" * 100_000, "recursion"),
        ('{"spec": {}, "status": "ok", "x": NaN}', "no JSON"),
        ('{"spec": {}, "status": "ok", "x": -Infinity}', "no JSON"),
        ("\xff", "no JSON"),
    ],
)
def test_what_is_no_record_at_all_costs_the_others_nothing(
    filled: Store, text: str, part: str
) -> None:
    hash = next(filled.each())["hash"]
    (filled.folder(hash) / "record.json").write_text(text, encoding="latin-1")
    read = filled.read()

    assert len(read.records) == 1
    assert read.damaged[0].hash == hash and part in read.damaged[0].fault


def test_a_huge_file_is_not_read(filled: Store) -> None:
    hash = next(filled.each())["hash"]
    with (filled.folder(hash) / "record.json").open("wb") as file:
        file.truncate(MAX_RECORD_BYTES + 1)
    assert "less than 64 MB" in filled.read().damaged[0].fault


def test_a_draw_in_which_nothing_was_made_is_a_record_too(filled: Store) -> None:
    nothing = {"status": "empty", "metrics": None, "error": None, "predictions_sha256": None}
    hash = edited(filled, lambda record: record.update(nothing))
    assert filled.sound(hash) is not None and filled.read().damaged == ()


def test_predictions_that_power_failure_emptied_are_damage(filled: Store) -> None:
    hash = next(filled.each())["hash"]
    (filled.folder(hash) / "predictions.npz").write_bytes(b"")
    (damage,) = filled.read().damaged
    assert damage.hash == hash and damage.fault == "predictions.npz is empty"


@pytest.mark.parametrize("name", ["record.json", "predictions.npz"])
def test_a_pipe_in_place_of_a_file_is_named(name: str, filled: Store) -> None:
    hash = next(filled.each())["hash"]
    (path := filled.folder(hash) / name).unlink()
    os.mkfifo(path)
    (damage,) = filled.read().damaged
    assert (damage.hash, damage.fault) == (hash, f"{name} is no plain file but a pipe")


def leaves(value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys of everything in a record, of lists their first entry."""
    if keys:
        yield keys
    for key in (
        value
        if isinstance(value, dict)
        else range(min(1, len(value)))
        if isinstance(value, list)
        else ()
    ):
        yield from leaves(value[key], (*keys, key))


def test_the_form_of_a_spec_names_every_key_that_a_trial_writes() -> None:
    plugin = PluginSpec("noise", "1", NoParams(), text="0123")
    spec = TrialSpec(
        task="pixels",
        scene="farm",
        scene_sha256="0123",
        protocol=parse_protocol("issd"),
        patch=9,
        seed=0,
        generator=plugin,
        classifier=plugin,
        rate=Rate(1.0, 3.0),
        omega=1.0,
        draws="0123",
        view="unit",
        train="synthetic",
    )
    form: Any = TrialRecord.model_fields["spec"].annotation
    read = form.model_validate(spec.as_json())
    for part in (read, read.scene, read.protocol, read.generator, read.classifier):
        assert part.model_extra == {}


def test_a_trial_that_reached_nothing_has_every_field_that_a_record_must_have() -> None:
    for model in (PartialRecord, TrialRecord):
        required = {name for name, field in model.model_fields.items() if field.is_required()}
        assert not_reached(model).keys() >= required


def test_a_field_that_declares_a_column_stands_in_columns_frames_and_csv():
    record = record_of()
    record["timings"] = {**record["timings"], "fit_generator": 0.25}
    numbers = numbers_of(record)
    ((row, *_), names) = data_rows(build_report([record])), [c.name for c in COLUMNS]

    without_a_row = data_frame(build_report([]))

    assert {"seconds", "cpu_seconds", "peak_memory_mb"} <= set(names) <= set(without_a_row)
    for column, field in COLUMNS.items():
        value = record[field][column.key] if column.key else record[field]
        assert numbers[column.name] == value and row[column.name] == value
