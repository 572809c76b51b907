"""A record has a digest of all that it holds."""

import json
import random
from pathlib import Path

import pytest

from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import (
    DIGEST,
    RECORD,
    Record,
    decode,
    digest_of_record,
    encode,
    sealed,
)
from hsiaug.trial.store import Store
from tests.report.report_records import believable, record

MADE = believable(record(0.5, 0.4))


def one(folder: Path, made: Record = MADE) -> tuple[Store, Path]:
    """A store with one record, and its file."""
    store = Store(folder, create=True)
    return store, store.folder(store.put(made, None)["hash"]) / RECORD


def test_every_flipped_bit_of_a_record_is_noticed(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    whole, draw, passed = file.read_bytes(), random.Random(0), []
    for place in draw.sample(range(8 * len(whole)), 400):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        found = store.look(file.parent.name)
        if not isinstance(found, Damage) and found != decode(whole):
            passed.append(bytes(flipped[place // 8 - 20 : place // 8 + 20]))
    assert passed == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("notes", ["another"]),
        ("class_names", ["a", "b"]),
        ("timings", {}),
        ("command", ""),
        ("added", 1),
    ],
)
def test_a_record_that_was_changed_in_a_key_that_no_count_decides_is_damaged(
    key: str, value: object, tmp_path: Path
) -> None:
    store, file = one(tmp_path)
    file.write_bytes(encode({**decode(file.read_bytes()), key: value}))

    found = store.look(file.parent.name)
    assert isinstance(found, Damage)
    assert DIGEST in found.fault or key in found.fault


def test_metrics_of_another_arm_are_noticed(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    other = believable(record(0.9, 0.8))["metrics"]
    file.write_bytes(encode({**decode(file.read_bytes()), "metrics": other}))

    assert isinstance(store.look(file.parent.name), Damage)


def test_a_digest_is_the_same_however_the_file_is_written(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    file.write_text(json.dumps(dict(reversed(decode(file.read_bytes()).items())), indent=4))

    assert store.sound(file.parent.name) is not None


def test_a_digest_holds_for_keys_and_texts_as_a_file_has_them() -> None:
    made = sealed({**MADE, "provenance": {2: "two", 10: "ten", "path": "\udcff"}})

    assert digest_of_record(decode(encode(made))) == made[DIGEST]
