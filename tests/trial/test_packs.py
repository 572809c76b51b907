"""Packs, which hold many records in one SQLite file, are read as folders are; a store can be
packed.
"""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hsiaug.base.errors import StoreError
from hsiaug.cli.output import read_report
from hsiaug.report import render_report
from hsiaug.trial import record_cache, store_columns, upkeep
from hsiaug.trial.packs import Packs, write_pack
from hsiaug.trial.record_cache import open_columns, write_columns
from hsiaug.trial.record_check import Damage
from hsiaug.trial.store import Store
from hsiaug.trial.upkeep import merge, verify
from hsiaug.trial.upkeep import pack as packed
from tests.report.report_records import believable, benchmark, failure
from tests.trial.test_upkeep import uncounted

TABLES = """
CREATE TABLE records (hash, status, scene, seed, oa, created, record BLOB, PRIMARY KEY (hash));
CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB);
CREATE TABLE briefs (hash PRIMARY KEY, numbers BLOB);
"""


def pack(store: Store, name: str = "0123456789abcdef") -> Path:
    """Put all records of folders into a pack, as earlier versions did."""
    (store.root / "packs").mkdir(exist_ok=True)
    path = store.root / "packs" / f"{name}.sqlite"
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript(TABLES)
        for folder in [one.parent for one in store.root.glob("records/??/*/record.json")]:
            record = store.get(folder.name)
            assert record is not None
            row = (folder.name, record["created"], (folder / "record.json").read_bytes())
            made.execute("INSERT INTO records (hash, created, record) VALUES (?, ?, ?)", row)
            if (npz := folder / "predictions.npz").exists():
                made.execute(
                    "INSERT INTO predictions VALUES (?, ?)", (folder.name, npz.read_bytes())
                )
            shutil.rmtree(folder)
    made.close()
    return path


def contents(store: Store) -> list[Any]:
    """All that a store gives, read by somebody who has not seen it before."""
    fresh = Store(store.root)
    records = list(fresh.read().records)
    assert records == list(fresh.records()) == [fresh.find(record["hash"]) for record in records]
    return [(record, *map(bytes, fresh.predictions(record["hash"]))) for record in records]


def test_a_packed_store_gives_what_it_gave_before(filled: Store, tmp_path: Path) -> None:
    before, reader = contents(filled), Store(filled.root)
    assert len(reader.read().records) == 2
    pack(filled)

    assert contents(filled) == before and list(reader.records()) == [one[0] for one in before]
    assert not list(verify(filled, uncounted))
    merged = merge(tmp_path / "merged", filled, uncounted)
    assert merged.copied == 2 and contents(Store(tmp_path / "merged")) == before


def test_a_report_of_packs_and_of_folders_is_the_same_to_the_byte(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    for record in [*benchmark(3, ("none", "duplicate", "smote")), failure(generator="mixup")]:
        store.put(believable(record), None)
    before = [
        render_report(read_report(Store(store.root)), form, "class") for form in ("md", "csv")
    ]
    pack(store)
    assert [
        render_report(read_report(Store(store.root)), form, "class") for form in ("md", "csv")
    ] == before


def test_a_record_that_is_written_again_counts_over_the_packed_one_and_of_packs_the_newest(
    filled: Store,
) -> None:
    record = next(filled.records())
    made = filled.predictions(record["hash"])
    pack(filled)
    newer = filled.put({**record, "command": "again", "created": "2999-01-01T00:00:00+00:00"}, made)
    assert filled.get(record["hash"]) == newer and len(filled.hashes()) == 2
    pack(filled, "0" * 16)
    assert Store(filled.root).get(record["hash"]) == newer


def test_a_pack_that_is_damaged_ends_with_one_sentence_and_its_name(filled: Store) -> None:
    path = pack(filled)
    path.write_bytes(b"no pack" * 1000)
    with pytest.raises(StoreError, match=path.name):
        Store(filled.root).read()
    (filled.root / "packs" / "notes.txt").write_text("not a pack")
    path.unlink()
    assert Store(filled.root).hashes() == []


def test_a_packed_record_with_flipped_bytes_is_damaged_and_can_be_written_anew(
    filled: Store,
) -> None:
    record = next(filled.records())
    made = filled.predictions(record["hash"])
    with closing(sqlite3.connect(pack(filled))) as changed, changed:
        values = (b'{"hash": "no"}', record["hash"])
        changed.execute("UPDATE records SET record = ? WHERE hash = ?", values)
    changed.close()
    store = Store(filled.root)
    assert [one.hash for one in store.read().damaged] == [record["hash"]]
    assert [one.name for one in verify(store, uncounted)] == [record["hash"]]
    store.put(record, made)
    assert not store.read().damaged and len(store.read().records) == 2


def test_a_pack_is_read_from_several_threads(filled: Store) -> None:
    pack(filled)
    store, found = Store(filled.root), []
    threads = [
        threading.Thread(target=lambda: found.append(len(store.read().records))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4


def test_a_store_is_packed_and_read_as_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    for record in [*benchmark(3, ("none", "duplicate", "smote")), failure(generator="mixup")]:
        store.put(believable(record), None)
    before = [
        render_report(read_report(Store(store.root)), form, "class") for form in ("md", "csv")
    ]
    number = len(store.hashes())
    assert packed(store, uncounted) == number - 1 and packed(store, uncounted) == 0
    # Once from the pack, once from the columns that are kept of it; spoilt ones are made anew.
    for _ in range(2):
        assert [
            render_report(read_report(Store(store.root)), form, "class") for form in ("md", "csv")
        ] == before
    (kept,) = (store.user_cache / "columns").iterdir()
    kept.write_bytes(kept.read_bytes()[:-100])
    assert [
        render_report(read_report(Store(store.root)), form, "class") for form in ("md", "csv")
    ] == before
    assert [path.parent.name for path in store.root.glob("records/??/*/record.json")] == [
        record["hash"] for record in store.records() if record["status"] == "failed"
    ]


def test_columns_of_a_store_do_not_travel_with_it(filled: Store, tmp_path: Path) -> None:
    packed(filled, uncounted)
    before = render_report(read_report(Store(filled.root)), "csv")
    (columns,) = (filled.user_cache / "columns").iterdir()
    # Of equal content, so that all of it is told by where it lies.
    shutil.copytree(filled.root, tmp_path / "copy")
    copy = Store(tmp_path / "copy")

    assert not columns.is_relative_to(filled.root) and copy.user_cache != filled.user_cache
    assert render_report(read_report(copy), "csv") == before


def changed_bytes(path: Path, old: bytes, new: bytes) -> None:
    whole = path.read_bytes()
    assert old in whole and len(old) == len(new)
    path.write_bytes(whole.replace(old, new))


def spoil_value(path: Path) -> None:
    """Change the bytes of a column, in an archive that is otherwise sound."""
    with open_columns(path) as columns:
        data = columns["aa"].tobytes()
    changed_bytes(path, data, bytes(byte ^ 1 for byte in data))


def raise_version(path: Path) -> None:
    with open_columns(path) as columns, pytest.MonkeyPatch.context() as patch:
        read = dict(columns)
        patch.setattr(record_cache, "VERSION", 99)
        write_columns(path, read)


def rename(path: Path) -> None:
    changed_bytes(path, b'"kappa"', b'"kappb"')


def leave_out(path: Path) -> None:
    changed_bytes(path, b"3.npy", b"x.npy")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    path.write_bytes(b"no archive" * 1000)


@pytest.mark.parametrize(
    "spoil",
    [spoil_value, rename, leave_out, raise_version, cut, empty, overwrite],
)
def test_columns_whose_file_was_changed_are_made_anew(
    spoil: Callable[[Path], None], filled: Store
) -> None:
    packed(filled, uncounted)
    before = render_report(read_report(Store(filled.root)), "csv")
    (columns,) = (filled.user_cache / "columns").iterdir()
    whole = columns.read_bytes()
    spoil(columns)
    assert columns.read_bytes() != whole

    assert render_report(read_report(Store(filled.root)), "csv") == before
    assert columns.read_bytes() == whole


def test_a_cache_that_is_deleted_while_a_report_is_made_costs_time_alone(filled: Store) -> None:
    packed(filled, uncounted)
    before = render_report(read_report(Store(filled.root)), "csv")
    report = read_report(Store(filled.root))
    shutil.rmtree(filled.user_cache)
    assert render_report(report, "csv") == before


def test_a_record_that_is_damaged_since_its_pack_was_cached_is_named_and_never_cached(
    filled: Store,
) -> None:
    path, (first, second) = pack(filled), filled.hashes()
    damaged: list[Damage] = []
    columns = store_columns.columns_of_pack(filled, path, damaged)
    shutil.rmtree(filled.user_cache)
    with closing(sqlite3.connect(path)) as changed, changed:
        changed.execute("UPDATE records SET record = x'7b' WHERE hash = ?", (first,))
    changed.close()
    filled.packs = Packs(path.parent)

    assert columns["hash"].tolist() == [second]
    assert [damage.hash for damage in damaged] == [first]
    assert not (filled.user_cache / "columns").exists()


def test_a_pack_without_a_record_changes_no_report_of_the_others(filled: Store) -> None:
    before = render_report(read_report(filled), "csv")
    (filled.root / "packs").mkdir()
    write_pack(filled.root / "packs" / f"{'0' * 16}.sqlite", [])
    assert render_report(read_report(filled), "csv") == before


def test_packing_leaves_what_lies_beside_other_files_and_keeps_predictions(filled: Store) -> None:
    before = contents(filled)
    first, second = filled.hashes()
    (filled.folder(first) / "notes.txt").write_text("mine")
    assert packed(filled, uncounted) == 1 and contents(filled) == before
    assert filled.folder(first).is_dir() and not filled.folder(second).exists()


HASH = "0123456789abcdef"


@pytest.mark.parametrize(
    "spoil",
    [
        "INSERT INTO records (hash, created, record) VALUES (x'ff', 't', x'00')",
        "INSERT INTO records (hash, created, record) VALUES ('../../x', 't', x'00')",
        f"INSERT INTO records (hash, created, record) VALUES ('{HASH}', 't', 7)",
        f"INSERT INTO records (hash, created, record) VALUES ('{HASH}', NULL, x'00')",
        (
            "DROP TABLE records; CREATE VIEW records AS WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL"
            " SELECT x FROM t) SELECT 'a' hash, 'b' created, x'00' record FROM t"
        ),
    ],
)
def test_a_database_that_is_no_pack_is_an_error_that_names_it(filled: Store, spoil: str) -> None:
    path = pack(filled)
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript(spoil)
    made.close()
    store = Store(filled.root)
    with pytest.raises(StoreError, match=f"{path.name} must be a pack"):
        [store.get(hash) for hash in [*store.hashes(), HASH]]


@pytest.mark.parametrize("name", ["record.json", "predictions.npz"])
def test_a_record_with_a_pipe_in_place_of_a_file_stays_where_it_is(
    name: str, filled: Store
) -> None:
    piped, other = sorted(filled.hashes())
    (path := Path(filled.place(piped), name)).unlink()
    os.mkfifo(path)
    assert packed(filled, uncounted) == 1
    assert path.is_fifo() and not Path(filled.place(other)).exists()


def test_a_pipe_in_place_of_a_pack_is_not_waited_for(filled: Store) -> None:
    pack(filled).unlink()
    os.mkfifo(path := filled.root / "packs" / f"{HASH}.sqlite")
    with pytest.raises(StoreError, match=f"{path.name} must be a pack.*no file"):
        Store(filled.root).read()


def test_a_record_that_is_written_anew_while_its_store_is_packed_stays_and_counts(
    filled: Store,
) -> None:
    first, *_ = filled.records()
    made = filled.predictions(first["hash"])
    newer = {**first, "command": "again", "created": "2999-01-01T00:00:00+00:00"}

    def write_anew(done: int, total: int) -> None:
        if done == total:
            Store(filled.root).put(newer, made)

    packed(filled, write_anew)
    kept = Store(filled.root).get(first["hash"])
    assert filled.folder(first["hash"]).is_dir() and kept is not None and kept["command"] == "again"


def test_packers_at_once_leave_every_record_readable(tmp_path: Path) -> None:
    store = Store(tmp_path, create=True)
    for made in benchmark(draws=12):
        store.put(believable(made), None)
    before, errors = store.read().records, list[Exception]()
    together = threading.Barrier(4)

    def run() -> None:
        try:
            together.wait()
            packed(Store(tmp_path), uncounted)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == [] and not store.loose()
    assert Store(tmp_path).read().records == before


@pytest.mark.parametrize("at", ["listed", "read", "moved"])
def test_a_record_that_another_packer_takes_is_passed_over(
    at: str, filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, taken = contents(filled), False

    def by_another(place: str) -> None:
        nonlocal taken
        if place == at and not taken:
            taken = True
            packed(Store(filled.root), uncounted)

    read, write = upkeep.read_plain, upkeep.write_pack

    def reading(path: Path, most: int) -> bytes:
        by_another("read")
        return read(path, most)

    def writing(path: Path, rows: Any) -> None:
        by_another("listed")
        write(path, rows)
        by_another("moved")

    monkeypatch.setattr(upkeep, "read_plain", reading)
    monkeypatch.setattr(upkeep, "write_pack", writing)

    assert packed(filled, uncounted) == 0 and taken
    assert contents(filled) == before and not filled.loose()


def test_a_disk_that_is_full_for_a_pack_is_one_error_and_keeps_the_records(
    filled: Store, tmp_path: Path
) -> None:
    before, connect = contents(filled), sqlite3.connect

    def small(*args: Any, **options: Any) -> sqlite3.Connection:
        made = connect(*args, **options)
        made.execute("PRAGMA max_page_count = 4")
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        with pytest.raises(StoreError, match="No space left on device"):
            packed(filled, uncounted)
    assert contents(filled) == before and not list((filled.root / "records").glob(".*"))
    assert packed(filled, uncounted) == 2


@pytest.fixture
def by_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs of more than one record are read by two processes."""
    monkeypatch.setattr(store_columns, "FEWEST", 1)
    monkeypatch.setattr(store_columns, "cores", lambda: 2)


@pytest.mark.usefixtures("by_processes")
def test_a_large_pack_is_read_by_several_processes_as_by_one(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = render_report(read_report(Store(filled.root)), "csv")
    packed(filled, uncounted)
    with monkeypatch.context() as patch:
        patch.setattr(store_columns, "_read_here", lambda *_: pytest.fail("read here"))
        store = Store(filled.root)
        (pack_path,) = store.packs.paths()
        columns = store_columns.columns_of_pack(store, pack_path, [])
    assert sorted(columns["hash"]) == filled.hashes()
    assert render_report(read_report(Store(filled.root)), "csv") == before


@pytest.mark.usefixtures("by_processes")
def test_a_damaged_record_of_a_large_pack_is_named_and_nothing_is_cached(filled: Store) -> None:
    path, (first, second) = pack(filled), filled.hashes()
    with closing(sqlite3.connect(path)) as changed, changed:
        changed.execute("UPDATE records SET record = x'7b' WHERE hash = ?", (first,))
    changed.close()
    report = read_report(Store(filled.root))
    assert [damage.hash for damage in report.damaged] == [first]
    assert [hash for table in report.tables for hash in table.trials["hash"]] == [second]
    assert not (filled.user_cache / "columns").exists()


@pytest.mark.usefixtures("by_processes")
def test_many_folders_are_read_by_several_processes_as_by_one(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path, *_) = filled.root.glob("records/??/*/record.json")
    path.write_text("{}")
    with monkeypatch.context() as patch:
        patch.setattr(store_columns, "cores", lambda: 1)
        before = read_report(Store(filled.root))
    with monkeypatch.context() as patch:
        patch.setattr(store_columns, "_read_here", lambda *_: pytest.fail("read here"))
        after = read_report(Store(filled.root))
    assert after.damaged == before.damaged and len(after.damaged) == 1
    assert render_report(after, "csv") == render_report(before, "csv")


@pytest.mark.usefixtures("by_processes")
def test_rows_that_a_pack_numbers_otherwise_are_read_too(filled: Store) -> None:
    path, hashes = pack(filled), filled.hashes()
    with closing(sqlite3.connect(path)) as changed, changed:
        for row in zip((-5, 2**62), hashes, strict=True):
            changed.execute("UPDATE records SET rowid = ? WHERE hash = ?", row)
    changed.close()
    report = read_report(Store(filled.root))
    assert sorted(hash for table in report.tables for hash in table.trials["hash"]) == hashes


def test_verify_names_a_pack_of_which_a_bit_is_another(filled: Store) -> None:
    assert packed(filled, uncounted) == 2
    (path,) = (filled.root / "packs").iterdir()
    whole = path.read_bytes()
    found = []
    # What SQLite leaves unused, its own numbers (the last are those by which older packs are known),
    # and records.
    for place in (*range(24, 100, 5), 68, 71, *range(200, len(whole), len(whole) // 40)):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        try:
            found.append([one.kind for one in verify(Store(filled.root), uncounted)])
        except StoreError:
            found.append(["no pack"])
    assert all(found) and ["pack"] in found
    path.write_bytes(whole)
    assert not list(verify(Store(filled.root), uncounted))


def test_of_an_older_pack_which_has_a_random_name_its_records_are_checked(filled: Store) -> None:
    assert packed(filled, uncounted) == 2
    (path,) = (filled.root / "packs").iterdir()
    path = path.rename(path.with_name(f"{'0' * 16}.sqlite"))
    assert [one.name for one in verify(Store(filled.root), uncounted)] == [path.name]
    with closing(sqlite3.connect(path)) as older:
        older.execute("PRAGMA application_id = 0")
    assert not list(verify(Store(filled.root), uncounted))
