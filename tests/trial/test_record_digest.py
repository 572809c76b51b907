"""A record has a digest of all that it holds, and one of a newer format is never replaced."""

import json
import random
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from hsiaug.base.errors import StoreError
from hsiaug.bench.missing import select_missing
from hsiaug.trial.record_check import Damage
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
from hsiaug.trial.upkeep import merge, verify
from tests.in_process import hsiaug
from tests.report.report_records import believable, record

MADE = believable(record(0.5, 0.4))
PREDICTED = np.arange(5, dtype=np.int32), np.ones(5, np.int16)


def quiet(done: int, total: int) -> None:
    """Nothing is shown."""


def one(folder: Path, made: Record = MADE) -> tuple[Store, Path]:
    """A store with one record, and its file."""
    store = Store(folder, create=True)
    return store, store.folder(store.put(made, None)["hash"]) / RECORD


def test_every_flipped_bit_of_a_record_is_noticed(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    whole, draw, passed = file.read_bytes(), random.Random(0), []
    for place in draw.sample(range(8 * len(whole)), 1500):
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

    (finding,) = verify(store, quiet)
    assert DIGEST in finding.fault or key in finding.fault


def test_metrics_of_another_arm_are_noticed(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    other = believable(record(0.9, 0.8))["metrics"]
    file.write_bytes(encode({**decode(file.read_bytes()), "metrics": other}))

    assert isinstance(store.look(file.parent.name), Damage)


def test_a_digest_is_the_same_however_the_file_is_written(tmp_path: Path) -> None:
    store, file = one(tmp_path)
    file.write_text(json.dumps(dict(reversed(decode(file.read_bytes()).items())), indent=4))

    assert list(verify(store, quiet)) == []


def test_a_digest_holds_for_keys_and_texts_as_a_file_has_them() -> None:
    made, data = sealed({**MADE, "provenance": {2: "two", 10: "ten", "path": "\udcff"}})

    assert digest_of_record(decode(data)) == made[DIGEST] and data == encode(made)


def test_a_record_from_before_digests_is_sound_and_verify_says_that_it_has_none(
    tmp_path: Path,
) -> None:
    store, file = one(tmp_path / "store")
    whole = decode(file.read_bytes())
    file.write_bytes(encode({key: value for key, value in whole.items() if key != DIGEST}))
    answer = hsiaug("store", "verify", str(store.root))

    assert answer.returncode == 0 and "nothing is damaged" in answer.stdout
    assert "1 of 1 records are from before records had a digest" in " ".join(answer.stderr.split())


def test_a_merge_leaves_old_records_without_a_digest_and_new_ones_with_theirs(
    tmp_path: Path,
) -> None:
    old, file = one(tmp_path / "old")
    whole = decode(file.read_bytes())
    without = {key: value for key, value in whole.items() if key != DIGEST}
    file.write_bytes(encode(without))
    new, _ = one(tmp_path / "new", believable(record(0.5, 0.4, seed=1)))
    for source in (old, new):
        merge(tmp_path / "all", source, quiet)

    assert sorted(DIGEST in one for one in Store(tmp_path / "all").records()) == [False, True]
    assert (
        merge(tmp_path / "all", old, quiet).equal == 1
        and list(verify(Store(tmp_path / "all"), quiet)) == []
    )


@pytest.fixture
def newer(tmp_path: Path) -> tuple[Store, Path, bytes]:
    """A store whose record is of format 2, its file, and what that holds."""
    store, file = one(tmp_path / "store")
    made = sealed({**decode(file.read_bytes()), "format": 2, "more": [1, 2]})[1]
    file.write_bytes(made)
    return store, file, made


def test_a_record_of_a_newer_format_is_not_replaced(newer: tuple[Store, Path, bytes]) -> None:
    store, file, made = newer

    with pytest.raises(StoreError, match=r"newer hsiaug wrote must not be replaced.*Update hsiaug"):
        store.put(MADE, PREDICTED)
    assert file.read_bytes() == made


def test_a_merge_keeps_a_record_of_a_newer_format_in_its_target(
    newer: tuple[Store, Path, bytes], tmp_path: Path
) -> None:
    store, file, made = newer
    found = merge(store.root, one(tmp_path / "other")[0], quiet)

    assert found.kept == 1 and file.read_bytes() == made


def test_a_run_that_would_replace_a_newer_record_is_refused_before_any_work(
    newer: tuple[Store, Path, bytes],
) -> None:
    class Trial:
        hash = newer[1].parent.name

    damaged = newer[0].read([Trial.hash]).damaged
    with pytest.raises(StoreError, match="format states 2"):
        select_missing([Trial()], (), damaged, "only-missing")  # type: ignore[list-item]
    assert select_missing([Trial()], (), damaged, "none") == []  # type: ignore[list-item]


def test_verify_calls_a_newer_record_newer(newer: tuple[Store, Path, bytes]) -> None:
    answer = hsiaug("store", "verify", str(newer[0].root))

    assert (
        answer.returncode == 1
        and "a newer hsiaug" in answer.stdout
        and "once more" not in answer.stdout
    )


def test_a_pack_of_a_newer_format_is_refused_as_such(tmp_path: Path) -> None:
    _, file = one(tmp_path)
    hsiaug("store", "pack", str(tmp_path))
    (pack,) = (tmp_path / "packs").iterdir()
    with sqlite3.connect(copy := tmp_path / "copy") as changed:
        changed.deserialize(pack.read_bytes())
        changed.execute("PRAGMA user_version = 7")
        (made := tmp_path / "made").write_bytes(changed.serialize())
    changed.close()
    shutil.copy(made, pack)

    assert not file.exists() and copy.exists()
    with pytest.raises(StoreError, match=r"format 7\. Update hsiaug"):
        Store(tmp_path).hashes()
