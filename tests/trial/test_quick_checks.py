"""Quick checks of many records pass none that the checks of a single record find damaged."""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import InputError
from hsiaug.tasks.task import get_task
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.quick_checks import QuickChecks
from hsiaug.trial.record import fault_of, fits_schema
from hsiaug.trial.record_json import DIGEST, Record, decode, encode, with_digest
from hsiaug.trial.store import Store
from tests.report.report_records import believable, failure
from tests.report.report_records import record as record_of
from tests.trial.test_record import WRONG, leaves, put


def matrices(number: int, classes: int, seed: int) -> Any:
    """Confusion matrices, some with classes without a test pixel."""
    counts = np.random.default_rng(seed).integers(0, 40, (number, classes, classes))
    counts[::3, -1] = 0
    counts[1::3, 0] = 0
    counts[:, 1, 1] += 1
    return counts


@pytest.mark.parametrize("task", ["pixels", "segmentation", "change"])
@pytest.mark.parametrize("parts", [False, True])
def test_metrics_of_many_records_are_those_of_each(task: str, parts: bool) -> None:
    classes = 2 if task == "change" else 4
    whole, scorer = matrices(30, classes, seed=0), get_task(task).scoring
    new = whole // 3 if parts else None
    hidden = whole // 2 if parts else None
    subsets = {"two": (1, 2), "none": (), "last": (classes,)}
    many = scorer.metrics_of_many(whole, subsets, new, hidden)

    def entry(values: Any, place: int) -> Any:
        if isinstance(values, dict):
            return {key: entry(value, place) for key, value in values.items()}
        return np.where(np.isnan(values[place]), None, values[place]).tolist()

    for place, matrix in enumerate(whole):
        of_parts = [None if counts is None else counts[place] for counts in (new, hidden)]
        alone = scorer.metrics(matrix, subsets, *of_parts)
        assert_alike(entry(many, place), alone)


def assert_alike(first: Any, second: Any) -> None:
    """Equal but for rounding."""
    if isinstance(second, dict):
        assert first.keys() == second.keys()
        for key, value in second.items():
            assert_alike(first[key], value)
    elif isinstance(second, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_alike(one, other)
    else:
        assert first == second or first == pytest.approx(second, rel=1e-12)


def passed(record: Record) -> Record | None:
    """What quick checks make of a record as hsiaug writes it."""
    return QuickChecks().passed([(str(record["hash"]), encode(record))])[0]


def of_task(task: str) -> Record:
    """A record with the metrics of that task."""
    made = believable(record_of())
    spec = {**made["spec"], "task": task}
    metrics = get_task(task).scoring.metrics(np.array([[9, 1], [2, 8]]), {})
    samples = {"real": [3, 3], "synthetic": [0, 0]}
    whole = {**made, "spec": spec, "hash": short_hash(spec), "metrics": metrics}
    return with_digest({**whole, "samples": samples, "class_names": ["a", "b"], "audit": None})


@pytest.mark.parametrize("task", ["pixels", "segmentation", "change"])
def test_records_of_every_task_pass_at_once(task: str) -> None:
    record = of_task(task)
    assert fault_of(record, record["hash"]) is None and passed(record) == record


def test_what_trials_wrote_and_failed_records_pass_at_once(filled: Store) -> None:
    records = [*filled.records(), with_digest(believable(failure()))]
    rows = [(record["hash"], encode(record)) for record in records]
    assert QuickChecks().passed(rows) == records
    old = {key: value for key, value in records[0].items() if key != DIGEST}
    assert passed(old) == old


@pytest.mark.parametrize("with_new_digest", [False, True])
@pytest.mark.parametrize("part", range(3))
def test_a_record_with_any_value_of_another_kind_passes_only_where_it_is_sound(
    filled: Store, part: int, with_new_digest: bool
) -> None:
    record = dict(next(filled.records()))
    record.pop(DIGEST)
    tried = [(keys, value) for keys in leaves(record) for value in WRONG][part::3]
    missed = []
    for keys, value in tried:
        changed = copy.deepcopy(record)
        put(*keys, value=value)(changed)
        try:
            changed = dict(with_digest(changed)) if with_new_digest else changed
            data = encode(changed)
            decode(data)
        except ValueError:
            continue
        if keys[0] == "spec":
            changed["hash"] = short_hash(changed["spec"])
        name = str(changed["hash"])
        (found,) = QuickChecks().passed([(name, encode(changed))])
        if found is not None and (found != changed or fault_of(changed, name) is not None):
            missed.append((keys, value))
    assert missed == []


def twice(lines: list[bytes]) -> list[bytes]:
    return [*lines, lines[0]]


def of_two_lines(lines: list[bytes]) -> list[bytes]:
    """A value that goes on behind the next key."""
    return [b'"odd": {"a": 1', *lines, b'"b": 2}, "c": 3']


def not_json(lines: list[bytes]) -> list[bytes]:
    return [*lines, b'"odd": NaN']


@pytest.mark.parametrize("change", [twice, of_two_lines, not_json])
def test_lines_that_are_no_single_keys_are_looked_at_more_closely(
    filled: Store, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    record = next(filled.records())
    lines = encode(record)[2:-3].split(b",\n")
    data = b"{\n%s\n}\n" % b",\n".join(change(lines))
    assert QuickChecks().passed([(record["hash"], data)]) == [None]


def test_a_record_with_metrics_of_another_is_not_passed_among_sound_ones(filled: Store) -> None:
    first, second = filled.records()
    swapped = with_digest({**second, "metrics": {**second["metrics"], "oa": 0.123}})
    rows = [(record["hash"], encode(record)) for record in (first, swapped)]
    assert QuickChecks().passed(rows) == [first, None]
    text = encode(first).replace(b'"worst_class": ', b'"worst_class": 1')
    assert QuickChecks().passed([(first["hash"], text)]) == [None]
    assert json.loads(text) != first


def test_a_task_that_is_not_known_is_left_to_the_other_checks() -> None:
    with pytest.raises(InputError):
        get_task("no task")
    record = dict(of_task("pixels"))
    spec = {**record["spec"], "task": "no task"}
    assert passed(with_digest({**record, "spec": spec, "hash": short_hash(spec)})) is None


def test_keys_of_a_later_version_have_no_schema_which_would_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert fits_schema({}), "the schema of no key is made"
    monkeypatch.setattr("hsiaug.trial.record.create_model", lambda *_, **__: pytest.fail("made"))
    assert fits_schema({"a_key_of_a_later_version": object()})
