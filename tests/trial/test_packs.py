"""Packs: finished records in one file, which is read as their folders are; nothing is lost on the way into it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import StoreError
from hsiaug.cli.main import app
from hsiaug.cli.output import read_report
from hsiaug.report import render_report
from hsiaug.trial import index as index_module
from hsiaug.trial import upkeep
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import merge, pack, verify
from tests.report.report_records import believable, benchmark, failure
from tests.trial.test_upkeep import as_failed, replace_record, uncounted

ROOT = Path(__file__).parents[2]


def packed(store: Store) -> int:
    return pack(store, uncounted)


def contents(store: Store) -> list[Any]:
    """All that a store gives, read by somebody who has not seen it before."""
    fresh = Store(store.root)
    records = list(fresh.read().records)
    assert records == list(fresh.records()) == [fresh.find(record["hash"]) for record in records]
    return [(record, *map(bytes, fresh.predictions(record["hash"]))) for record in records]


def files(store: Store) -> list[str]:
    """The files of records and of packs."""
    return sorted(path.suffix for name in ("records", "packs") for path in store.root.glob(f"{name}/**/*.*"))


REPORTS = [
    ("md", "generator"),
    ("md", "class"),
    ("md", "seed"),
    ("csv", "generator"),
    ("csv", "class"),
    ("json", "cost"),
]


def reports(store: Store) -> list[str]:
    """What somebody who has not seen the store before is told, in several formats and views."""
    report = read_report(Store(store.root))
    return [render_report(report, form, by) for form, by in REPORTS]


def change(store: Store, query: str, *values: object) -> None:
    """Change every pack of a store, as nothing of hsiaug does."""
    for path in (store.root / "packs").iterdir():
        with sqlite3.connect(path) as pack_:
            pack_.execute(query, values)
        pack_.close()


@pytest.fixture
def grid(tmp_path: Path) -> Store:
    """A store of the records of a small benchmark, of which one failed."""
    store = Store(tmp_path / "store", create=True)
    for record in [*benchmark(3, ("none", "duplicate", "smote")), failure(generator="mixup")]:
        store.put(believable(record), None)
    return store


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are written for a single record."""
    monkeypatch.setattr(index_module, "WORTH_WRITING", (1, 0))


@pytest.mark.usefixtures("eager")
def test_a_report_of_packs_and_of_folders_is_the_same_to_the_byte(grid: Store) -> None:
    before, records = reports(grid), list(grid.records())
    late = [one for one in records if one["spec"]["seed"] == 2]
    later = [one for one in records if one["spec"]["seed"] == 1]
    for record in (*late, *later):
        grid.folder(record["hash"]).rename(grid.root / record["hash"])
    packed(grid)
    for record in later:
        (grid.root / record["hash"]).rename(grid.folder(record["hash"]))
    packed(grid)
    for record in late:
        (grid.root / record["hash"]).rename(grid.folder(record["hash"]))

    assert files(grid) == [".json"] * (len(late) + 1) + [".sqlite"] * 2
    # The second is made of what the first has checked.
    assert reports(grid) == before == reports(grid)
    packed(grid)
    assert reports(grid) == before == reports(grid)


@pytest.mark.usefixtures("eager")
def test_a_trial_that_several_packs_hold_is_reported_from_its_newest_record(grid: Store) -> None:
    record = next(one for one in grid.records() if one["status"] == "ok")
    newer = {**record, "created": "2999-01-01T00:00:00+00:00", "peak_memory_mb": 12345.5}
    packed(grid)
    grid.put(newer, None)
    before = reports(grid)
    packed(grid)
    assert reports(grid) == before == reports(grid) and any("12345.5" in text for text in before)


def test_a_pack_of_a_version_that_kept_the_numbers_of_reports_apart_is_read_alike(filled: Store) -> None:
    before = contents(filled)
    packed(filled)
    change(
        filled, "CREATE TABLE briefs (hash PRIMARY KEY, created, seed, about, audit, numbers BLOB) WITHOUT ROWID"
    )
    change(filled, "CREATE TABLE shared (id INTEGER PRIMARY KEY, json)")
    assert contents(filled) == before and not list(verify(filled, uncounted))


def test_a_packed_store_gives_what_it_gave_before(filled: Store) -> None:
    before = contents(filled)

    assert packed(filled) == 2
    assert contents(filled) == before == contents(Store(filled.root))
    assert files(filled) == [".sqlite"]
    assert not list(verify(filled, uncounted))


def test_a_store_that_is_open_while_another_process_packs_it(filled: Store) -> None:
    before, reader = list(filled.records()), Store(filled.root)
    assert len(reader.read().records) == 2
    packed(filled)

    assert list(reader.records()) == before
    assert reader.find(before[0]["hash"][:8]) == before[0]


def test_packing_again_adds_what_came_since(filled: Store) -> None:
    first, second = filled.records()
    aside = filled.root / "aside"
    filled.folder(second["hash"]).rename(aside)
    assert packed(filled) == 1 and packed(filled) == 0
    aside.rename(filled.folder(second["hash"]))

    assert [record["hash"] for record in filled.records()] == [first["hash"], second["hash"]]
    assert packed(filled) == 1
    assert files(filled) == [".sqlite", ".sqlite"] and len(contents(filled)) == 2


def test_what_failed_is_damaged_or_lies_beside_files_of_others_stays_in_its_folder(filled: Store) -> None:
    first, second = filled.records()
    replace_record(filled, as_failed(first))
    note = filled.folder(second["hash"]) / "note.txt"
    note.write_text("mine")
    assert packed(filled) == 0
    note.unlink()
    (filled.folder(second["hash"]) / "predictions.npz").write_bytes(b"no predictions")
    assert packed(filled) == 0
    (filled.folder(second["hash"]) / "record.json").write_text("{")
    assert packed(filled) == 0 and not (filled.root / "packs").exists()


def test_a_record_that_is_written_again_counts_over_the_packed_one_until_it_is_packed_too(filled: Store) -> None:
    record = next(filled.records())
    made = filled.predictions(record["hash"])
    packed(filled)
    newer = {**record, "command": "again", "created": "2999-01-01T00:00:00+00:00"}
    newer = filled.put(newer, made)
    assert filled.get(record["hash"]) == newer
    assert packed(filled) == 1 and files(filled) == [".sqlite", ".sqlite"]
    assert filled.get(record["hash"]) == newer and len(filled.hashes()) == 2
    # An older one, copied from elsewhere, adds nothing.
    filled.put(record, made)
    assert packed(filled) == 1 and files(filled) == [".sqlite", ".sqlite"]
    assert filled.get(record["hash"]) == newer


def test_packs_merge_by_copying_and_by_the_command(filled: Store, tmp_path: Path) -> None:
    before = contents(filled)
    packed(filled)
    copied = Store(tmp_path / "copied", create=True)
    shutil.copytree(filled.root / "packs", copied.root / "packs")
    shutil.copytree(filled.root / "packs", copied.root / "packs", dirs_exist_ok=True)
    assert contents(copied) == before

    merged = merge(tmp_path / "merged", filled, uncounted)
    assert merged.copied == 2 and contents(Store(tmp_path / "merged")) == before
    again = merge(filled.root, Store(tmp_path / "merged"), uncounted)
    assert (again.copied, again.equal) == (0, 2)


def test_a_pack_is_read_without_hsiaug(filled: Store) -> None:
    records = list(filled.records())
    packed(filled)
    (path,) = (filled.root / "packs").iterdir()
    with sqlite3.connect(path) as pack_:
        rows = pack_.execute("SELECT hash, generator, seed, oa, record FROM records ORDER BY hash").fetchall()
        arrays = pack_.execute("SELECT npz FROM predictions").fetchall()
    pack_.close()
    for row, record in zip(rows, records, strict=True):
        spec = record["spec"]
        assert row[:4] == (record["hash"], spec["generator"]["name"], spec["seed"], record["metrics"]["oa"])
        assert json.loads(row[4]) == record
    assert len(arrays) == 2


@pytest.mark.parametrize("after", ["write_pack", "sync_folder", "_drop"])
def test_packing_that_is_killed_loses_nothing_and_goes_on(filled: Store, after: str) -> None:
    before = contents(filled)
    words = "import sys; from tests.trial.test_packs import killed_after; killed_after(*sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", words, str(filled.root), after], cwd=ROOT, check=False)
    assert done.returncode == 9

    assert contents(filled) == before
    assert packed(filled) == (1 if after == "_drop" else 2)
    filled.sweep()
    assert contents(filled) == before and files(filled) == [".sqlite"]


def killed_after(root: str, step: str) -> None:
    """Pack, and end as by a signal once a step was taken for the first time."""
    real = getattr(upkeep, step)

    def last(*given: Any) -> None:
        real(*given)
        os._exit(9)

    setattr(upkeep, step, last)
    packed(Store(Path(root)))


def test_a_record_that_is_written_while_its_folder_goes_is_kept(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = next(filled.records())
    made = filled.predictions(record["hash"])
    newer = {**record, "command": "meanwhile", "created": "2999-01-01T00:00:00+00:00"}
    drop = upkeep._drop

    def late(store: Store, hash: str, aside: Path) -> None:
        if hash == record["hash"]:
            Store(filled.root).put(newer, made)
        drop(store, hash, aside)

    monkeypatch.setattr(upkeep, "_drop", late)
    packed(filled)
    assert (Store(filled.root).get(record["hash"]) or {})["command"] == "meanwhile"
    np.testing.assert_array_equal(Store(filled.root).predictions(record["hash"])[1], made[1])


def test_a_pack_that_is_damaged_ends_with_one_sentence_and_its_name(filled: Store) -> None:
    packed(filled)
    (path,) = (filled.root / "packs").iterdir()
    path.write_bytes(b"no pack" * 1000)
    with pytest.raises(StoreError, match=path.name):
        Store(filled.root).read()
    (filled.root / "packs" / "notes.txt").write_text("not a pack")
    path.unlink()
    assert Store(filled.root).hashes() == []


def test_a_packed_record_with_flipped_bytes_is_damaged_and_can_be_written_anew(filled: Store) -> None:
    record = next(filled.records())
    made = filled.predictions(record["hash"])
    packed(filled)
    (path,) = (filled.root / "packs").iterdir()
    with sqlite3.connect(path) as pack_:
        changed = b'{"hash": "no"}'
        pack_.execute("UPDATE records SET record = ? WHERE hash = ?", (changed, record["hash"]))
    pack_.close()
    store = Store(filled.root)
    assert [one.hash for one in store.read().damaged] == [record["hash"]]
    assert [one.name for one in verify(store, uncounted)] == [record["hash"]]
    store.put(record, made)
    assert not store.read().damaged and len(store.read().records) == 2


def test_a_pack_is_read_from_several_threads(filled: Store) -> None:
    packed(filled)
    store, found = Store(filled.root), []
    threads = [threading.Thread(target=lambda: found.append(len(store.read().records))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4


def test_the_command_says_how_many_and_refuses_what_is_no_store(filled: Store, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "2 records packed" in run(app, ["store", "pack", str(filled.root)]).output
    strange = tmp_path / "strange"
    (strange / "records" / "ab").mkdir(parents=True)
    (strange / "records" / "ab" / "abc").write_text("mine")
    with pytest.raises(StoreError, match="store that hsiaug made"):
        packed(Store(strange))
    assert (strange / "records" / "ab" / "abc").read_text() == "mine"
