"""The cache of a store: it saves time, and is never the reason for what is read."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsiaug.cli.output import read_report
from hsiaug.report import build_report, render_report
from hsiaug.trial import record_cache, record_check
from hsiaug.trial.content_hash import short_hash
from hsiaug.trial.record_cache import (
    FOLDER,
    FOLDERS,
    content_digest,
    open_columns,
    write_columns,
)
from hsiaug.trial.record_columns import CONTENT, Columns, columns_of_records
from hsiaug.trial.record_json import Record, decode, digest_of_record, encode
from hsiaug.trial.shared_values import SharedValues
from hsiaug.trial.store import Reading, Store
from hsiaug.trial.upkeep import pack

RECORDS = 6


def as_draw(record: Record, seed: int, **changes: Any) -> dict[str, Any]:
    """The same trial on another draw."""
    spec = {**record["spec"], "seed": seed}
    return {**record, "spec": spec, "hash": short_hash(spec), **changes}


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is written for a single record."""
    monkeypatch.setattr(record_cache, "WORTH_WRITING", (1, 0))


@pytest.fixture
def several(filled: Store) -> Store:
    """A store of six records, cached where so few are."""
    record = next(filled.records())
    for seed in range(10, 10 + RECORDS - 2):
        filled.put(as_draw(record, seed), filled.predictions(record["hash"]))
    filled.read()
    return filled


def cache_file(store: Store) -> Path:
    return store.user_cache / FOLDER / FOLDERS


def read_columns(path: Path) -> Columns:
    with open_columns(path) as columns:
        return dict(columns)


def vouch(store: Store, folder: Path, of_content: dict[str, bytes]) -> None:
    """Write a cache that calls the records of a store sound that have these digests."""
    columns = read_columns(cache_file(store))
    digests = [of_content[hash] for hash in columns["hash"]]
    write_columns(folder / FOLDER / FOLDERS, {**columns, CONTENT: np.array(digests, "V16")})


def without_cache(store: Store) -> Reading:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_cache, "FOLDER", "no such folder")
        return store.read(cached=False)


def csv_of(store: Store) -> str:
    return render_report(read_report(store), "csv")


def csv_without_cache(store: Store) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_cache, "FOLDER", "no such folder")
        patch.setattr(record_cache, "WORTH_WRITING", (10**6, 0))
        return csv_of(store)


def checked(store: Store) -> list[str]:
    """Hashes of the records that a reading has to check."""
    looked: list[str] = []
    check = record_check.fault_of

    def look(record: Record, name: str, *of_values: Any) -> str | None:
        looked.append(name)
        return check(record, name, *of_values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_check, "fault_of", look)
        Store(store.root).read()
    return looked


@pytest.mark.usefixtures("eager")
def test_what_is_cached_is_not_checked_again_and_reads_the_same(several: Store) -> None:
    assert (cache_file(several)).is_file() and checked(several) == []
    read = several.read()
    assert read == without_cache(several) and len(read.records) == RECORDS
    for record in read.records:
        in_file = json.loads((several.folder(record["hash"]) / "record.json").read_text())
        assert record == in_file and list(record) == list(in_file)
    assert not list((several.root / "records").glob(".*"))


@pytest.mark.usefixtures("eager")
def test_what_is_cached_is_reported_without_decoding_its_records(several, monkeypatch):
    before = csv_without_cache(several)
    monkeypatch.setattr(record_check.SharedValues, "decode", lambda *_: pytest.fail("decoded"))
    assert csv_of(several) == before


@pytest.mark.usefixtures("eager")
def test_a_store_that_is_packed_takes_what_is_cached_of_its_records(several, monkeypatch):
    before = csv_of(several)
    pack(several, lambda done, total: None)
    monkeypatch.setattr(record_check, "fault_of", lambda *_: pytest.fail("checked again"))
    assert csv_of(Store(several.root)) == before


@pytest.mark.usefixtures("eager")
def test_the_cache_does_not_travel_with_a_store(several: Store, tmp_path: Path) -> None:
    assert checked(several) == []
    shutil.copytree(several.root, tmp_path / "copy")
    assert len(checked(Store(tmp_path / "copy"))) == RECORDS


@pytest.mark.usefixtures("eager")
def test_another_store_in_the_place_of_one_has_a_cache_of_its_own(
    several: Store, tmp_path: Path
) -> None:
    shutil.copytree(several.root, tmp_path / "other")
    several.root.rename(tmp_path / "aside")
    (tmp_path / "other").rename(several.root)
    assert len(checked(Store(several.root))) == RECORDS


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("data", [b"[]", b"{}", b"\xff" * 99, b'{"hash": 1}', b"{\n\n}\n"])
def test_a_cache_that_comes_with_a_store_vouches_for_nothing(several: Store, data: bytes) -> None:
    for hash in (hashes := several.hashes()):
        (several.folder(hash) / "record.json").write_bytes(data)
    vouch(several, several.cache, {hash: content_digest(hash, data) for hash in hashes})

    read = several.read()
    assert not read.records and [one.hash for one in read.damaged] == hashes


@pytest.mark.usefixtures("eager")
def test_a_digest_of_one_record_vouches_for_no_other(several: Store) -> None:
    first, second, *_ = several.hashes()
    columns = read_columns(cache_file(several))
    of_content = dict(zip(columns["hash"], map(bytes, columns[CONTENT]), strict=True))
    vouch(several, several.user_cache, {**of_content, second: of_content[first]})
    shutil.copyfile(several.folder(first) / "record.json", several.folder(second) / "record.json")
    assert [one.hash for one in several.read().damaged] == [second]


@pytest.mark.usefixtures("eager")
def test_a_cache_of_another_version_is_made_anew(several: Store) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_cache, "VERSION", record_cache.VERSION + 1)
        several.read()
    assert len(checked(several)) == RECORDS and checked(several) == []


def put_again(store: Store, hash: str) -> None:
    whole = Store(store.root.parent / "store")
    store.put({**(whole.get(hash) or {}), "command": "again"}, whole.predictions(hash))


def edit(store: Store, hash: str) -> None:
    path = store.folder(hash) / "record.json"
    path.write_text(path.read_text().replace('"aa": 0.', '"aa": 0.00'))


def touch(store: Store, hash: str) -> None:
    os.utime(store.folder(hash) / "record.json", (1, 1))


def cut(store: Store, hash: str) -> None:
    path = store.folder(hash) / "record.json"
    path.write_bytes(path.read_bytes()[:-40])


def swap(store: Store, hash: str) -> None:
    """Another trial's record in its place."""
    other = next(
        path for path in store.root.glob("records/??/*/record.json") if path.parent.name != hash
    )
    shutil.copyfile(other, fresh := store.root / "fresh.json")
    fresh.replace(store.folder(hash) / "record.json")


def empty_predictions(store: Store, hash: str) -> None:
    (store.folder(hash) / "predictions.npz").write_bytes(b"")


def delete(store: Store, hash: str) -> None:
    if len(store.hashes()) > 2:
        shutil.rmtree(store.folder(hash))


def read(store: Store, hash: str) -> None:
    store.read()


def read_one(store: Store, hash: str) -> None:
    store.read([hash])


CHANGES = (put_again, edit, touch, cut, swap, empty_predictions, delete, read, read_one)


def befalling(most: int) -> Any:
    """One to so many changes of a store, each of a record."""
    change = st.tuples(st.sampled_from(CHANGES), st.integers(0, RECORDS - 1))
    return given(st.lists(change, min_size=1, max_size=most))


def copy_of(several: Store) -> Store:
    """A copy whose records are cached."""
    root = several.root.parent / "changed"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(several.root, root)
    store = Store(root)
    store.read()
    return store


@pytest.mark.usefixtures("eager")
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@befalling(8)
def test_a_store_reads_the_same_with_and_without_its_cache_whatever_befalls_it(several, changes):
    store = copy_of(several)
    for change, number in changes:
        hashes = store.hashes()
        change(store, hashes[number % len(hashes)])
        assert store.read(cached=False) == without_cache(store)
    assert store.read() == without_cache(store)
    cached = csv_of(store)
    assert csv_of(store) == cached == csv_without_cache(store)


@pytest.mark.usefixtures("eager")
def test_a_record_edited_to_the_same_size_and_time_is_found_damaged(several: Store) -> None:
    path = next(several.root.glob("records/??/*/record.json"))
    told = path.stat()
    text = path.read_text()
    place = text.index('"oa": 0.') + len('"oa": 0.')
    path.write_text(f"{text[:place]}{'1' if text[place] != '1' else '2'}{text[place + 1 :]}")
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))

    assert path.stat().st_size == told.st_size
    assert [one.hash for one in several.read().damaged] == [path.parent.name]


def bytes_changed(path: Path) -> Iterator[bytes]:
    whole = path.read_bytes()
    yield b""
    yield whole[: len(whole) // 2]
    for place in range(100, len(whole), len(whole) // 40):
        yield (
            whole[:place] + bytes(b ^ 0x55 for b in whole[place : place + 64]) + whole[place + 64 :]
        )


@pytest.mark.usefixtures("eager")
def test_a_damaged_cache_changes_nothing_and_is_made_anew(several: Store) -> None:
    expected, path = without_cache(several), cache_file(several)
    for changed in bytes_changed(path):
        path.write_bytes(changed)
        assert several.read() == expected
        several.read()
        assert checked(several) == []


@pytest.mark.usefixtures("eager")
def test_a_store_that_cannot_be_written_to_is_read_without_a_cache(several, monkeypatch):
    (cache_file(several)).unlink()

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert len(several.read().records) == RECORDS and not (cache_file(several)).exists()


def test_small_stores_are_not_cached(several: Store) -> None:
    several.read()
    assert not (cache_file(several)).exists()


@pytest.mark.usefixtures("eager")
def test_a_report_is_the_same_with_and_without_the_cache(several: Store) -> None:
    def texts(read: Reading) -> list[str]:
        report = build_report(read.records, damaged=read.damaged)
        return [render_report(report, format=format) for format in ("md", "csv", "json", "html")]

    edit(several, several.hashes()[0])
    assert texts(several.read()) == texts(without_cache(several))


@pytest.mark.usefixtures("eager")
def test_records_share_what_they_have_in_common(several: Store) -> None:
    first, second = several.read().records[:2]
    assert first["environment"] is second["environment"] and first["spec"] is not second["spec"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES))
def test_two_ways_to_decode_a_record_give_the_same_values_and_digest(record):
    shared = SharedValues()
    for data in (encode(record), encode({**record, "samples": 1})):
        one, (other, texts) = decode(data), shared.decode(data)
        assert json.dumps(one) == json.dumps(other)
        assert digest_of_record(one) == digest_of_record(other, texts)


@pytest.mark.parametrize("text", [b"1e999", b"-1e400", b"9" * 400 + b".0"])
@pytest.mark.parametrize("key", [b"device", b"samples"])
def test_a_number_too_large_for_json_is_damage(several: Store, text: bytes, key: bytes) -> None:
    path = next(several.root.glob("records/??/*/record.json"))
    lines = path.read_bytes().split(b",\n")
    changed = [b'"%s": {"real": %s}' % (key, text) if key in line[:9] else line for line in lines]
    path.write_bytes(b",\n".join(changed))
    (damage,) = several.read().damaged
    assert damage.fault == f"record.json holds {text.decode()}, which is not JSON"


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("indent", [None, 0, 1, 4])
def test_a_record_whose_lines_are_another_programs_is_read_alike(
    several: Store, indent: int | None
) -> None:
    for hash in several.hashes():
        path = several.folder(hash) / "record.json"
        path.write_text(json.dumps(json.loads(path.read_bytes()), indent=indent) + "\n")
    for reading in (several.read(), several.read()):
        assert list(reading.records) == list(several.records())


def test_a_report_takes_its_numbers_from_records_that_it_reads_once(several, monkeypatch):
    before = [
        render_report(build_report(several.read().records), format=format)
        for format in ("md", "csv", "json")
    ]
    report = build_report(several.each())
    monkeypatch.setattr(Store, "_bytes", lambda self, hash: pytest.fail(f"{hash} is read again"))
    assert [render_report(report, format=format) for format in ("md", "csv", "json")] == before


def test_a_metric_that_is_called_as_a_column_takes_no_place_of_it(several: Store) -> None:
    record = next(several.records())
    odd = {**record, "metrics": {**record["metrics"], "seed": 7.5, "ok": 0.0, "audit": 1.0}}
    usual, columns = columns_of_records([record]), columns_of_records([record, odd])
    for name in ("seed", "ok", "audit"):
        assert columns[name].tolist() == 2 * usual[name].tolist()
