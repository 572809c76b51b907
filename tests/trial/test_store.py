"""The store: whole records or none, found by hash, merged by copying."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.errors import InputError, StoreError
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


@pytest.fixture
def filled(tmp_path: Path, spec: Callable[..., TrialSpec], run: Callable[..., Any]) -> Store:
    store = Store(tmp_path / "store", create=True)
    for seed in range(2):
        store.put(*run(spec(seed=seed)))
    return store


def test_records_come_back_as_they_were_written(filled: Store) -> None:
    records = list(filled.records())

    assert len(records) == 2
    for record in records:
        assert filled.get(record["hash"]) == record == filled.find(record["hash"][:8])
        index, label = filled.predictions(record["hash"])
        assert index.dtype == np.int32 and label.dtype == np.int16 and len(index) == len(label)


def test_a_record_can_be_replaced(filled: Store) -> None:
    record = next(filled.records())
    filled.put({**record, "command": "changed"}, filled.predictions(record["hash"]))

    assert filled.get(record["hash"])["command"] == "changed"  # type: ignore[index]
    assert len(list(filled.records())) == 2


def test_stores_of_two_machines_merge_by_copying(filled: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other", create=True)
    shutil.copytree(filled.root, other.root, dirs_exist_ok=True)

    assert list(other.records()) == list(filled.records())


def test_what_a_killed_writer_left_is_no_record_and_is_swept_once_it_is_old(filled: Store) -> None:
    half = filled.root / "records" / ".0123.abcd"
    half.mkdir()
    (half / "record.json").write_text('{"half":')
    assert len(list(filled.records())) == 2

    filled.sweep()
    assert half.exists()
    os.utime(half, (0, 0))
    filled.sweep()
    assert not half.exists() and len(list(filled.records())) == 2


def test_damage_is_named_with_its_file(filled: Store) -> None:
    record = next(filled.records())
    folder = filled.folder(record["hash"])
    (folder / "predictions.npz").write_bytes(b"cut")
    with pytest.raises(StoreError, match=r"predictions\.npz"):
        filled.predictions(record["hash"])
    (folder / "record.json").write_text("{")
    with pytest.raises(StoreError, match=r"record\.json"):
        list(filled.records())
    (folder / "record.json").write_text(json.dumps([1]))
    with pytest.raises(StoreError, match="spec and status"):
        filled.get(record["hash"])


def test_folders_that_are_no_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="no such folder"):
        Store(tmp_path / "absent")
    with pytest.raises(StoreError, match="without 'records'"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="written to"):
        Store(tmp_path / "file", create=True)


def test_hashes_that_fit_none_or_several_are_refused(filled: Store) -> None:
    with pytest.raises(InputError, match="fits 0"):
        filled.find("zzz")
    with pytest.raises(InputError, match="fits 2"):
        filled.find("")


def test_a_hash_depends_on_all_that_determines_the_result_and_on_nothing_else(
    spec: Callable[..., TrialSpec],
) -> None:
    base = spec()
    changed = [spec(lam=0.5), spec(seed=1), spec(patch=3), spec(omega=1.0)]
    changed += [spec("smote"), spec(classifier="rf")]

    assert len({trial.hash for trial in [base, *changed]}) == 7
    assert spec().hash == base.hash
