"""The store: whole records or none, found by hash, merged by copying."""

import builtins
import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import InputError, StoreError
from hsiaug.trial import store as store_module
from hsiaug.trial.predictions import checksum, find_npz
from hsiaug.trial.predictions import pack as pack_predictions
from hsiaug.trial.store import Store
from hsiaug.trial.store_merge import merge
from tests.leavings import age, files_of_others, left_in, paths_in


def test_records_come_back_as_they_were_written(filled: Store) -> None:
    records = list(filled.records())

    assert len(records) == 2
    for record in records:
        assert filled.get(record["hash"]) == record == filled.find(record["hash"][:8])
        index, label = filled.predictions(record["hash"])
        assert index.dtype == np.int32 and label.dtype == np.int16 and len(index) == len(label)


def test_what_a_killed_writer_left_is_no_record_and_is_swept_once_it_is_old(filled: Store) -> None:
    half = left_in(filled.root / "records")
    assert len(list(filled.records())) == 2

    os.utime(half, (0, 0))
    filled.sweep()
    assert half.exists()
    age(half)
    filled.sweep()
    assert not half.exists() and len(list(filled.records())) == 2


def keeps(root: Path) -> None:
    """A sweep leaves every file of a folder."""
    age(root)
    before = paths_in(root)
    Store(root, create=True).sweep()
    assert paths_in(root) >= before


def test_nothing_of_others_is_removed_from_a_store(filled: Store) -> None:
    for folder in (filled.root / "records", filled.cache):
        files_of_others(folder)
    keeps(filled.root)


@pytest.mark.parametrize("linked", ["records", "cache"])
def test_no_link_is_followed_to_what_is_removed(filled: Store, tmp_path: Path, linked: str) -> None:
    home, link = tmp_path / "home", filled.root / linked
    if link.is_dir():
        link.rename(home)
    left = left_in(home)
    link.symlink_to(home)
    age(home)
    keeps(filled.root)
    assert left.exists()


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo, lambda path: path.symlink_to("cache")])
def test_a_cache_that_is_no_folder_is_told_before_any_work(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    store = Store(tmp_path, create=True)
    make(store.cache)
    with pytest.raises(StoreError, match="File exists"):
        store.check_writable()


@contextmanager
def at_each_step(then: Callable[[int], None]) -> Iterator[None]:
    """Call ``then`` with its number before and after each step that changes a name in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        steps = iter(range(10_000))

        def wrapped(do: Callable[..., Any]) -> Callable[..., Any]:
            def step(*words: Any, **options: Any) -> Any:
                then(next(steps))
                answer = do(*words, **options)
                then(next(steps))
                return answer

            return step

        for name in ("rename", "replace", "link", "mkdir", "unlink", "rmdir"):
            patch.setattr(os, name, wrapped(getattr(os, name)))
        yield


class Killed(BaseException):
    """The process ends here."""


def other(record: dict[str, Any], predictions: Any) -> tuple[dict[str, Any], Any]:
    """A record of the same trial as another machine could have made it: with other predictions."""
    index, label = predictions
    return {**record, "command": "other"}, (index, label[::-1].copy())


def matches(store: Store, record: dict[str, Any]) -> None:
    """The store holds the record of that hash, and the predictions that belong to it."""
    found = store.get(record["hash"])
    assert found is not None
    _, label = store.predictions(record["hash"])
    assert checksum((_, label)) == found["predictions_sha256"]


def test_readers_see_the_old_record_or_the_new_one_at_every_step_of_a_replacement(
    filled: Store,
) -> None:
    record = next(filled.records())
    changed = other(record, filled.predictions(record["hash"]))
    seen = []

    def look(step: int) -> None:
        assert len(list(filled.records())) == 2
        found = filled.get(record["hash"])
        assert found is not None
        seen.append(found["command"])
        matches(filled, record)

    with at_each_step(look):
        filled.put(*changed)
    assert (
        seen[0] == record["command"]
        and seen[-1] == "other"
        and sorted(seen, key="other".__eq__) == seen
    )


def test_a_writer_that_is_killed_at_any_step_leaves_a_whole_record_and_nothing_after_a_sweep(
    filled, monkeypatch
):
    record = next(filled.records())
    usual = record, filled.predictions(record["hash"])
    changed = other(*usual)

    def killed_at(last: int) -> Callable[[int], None]:
        def step(number: int) -> None:
            if number >= last:
                raise Killed

        return step

    monkeypatch.setattr(store_module.temporary_folders, "ABANDONED", -1.0)
    for last in range(200):
        shutil.rmtree(filled.folder(record["hash"]))
        filled.put(*usual)
        with pytest.MonkeyPatch.context() as patch:
            # A killed process tidies nothing up.
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
            try:
                with at_each_step(killed_at(last)):
                    filled.put(*changed)
            except Killed:
                matches(filled, record)
            else:
                break
        filled.sweep()
        matches(filled, record)
        assert not list((filled.root / "records").glob(".*")) and len(list(filled.records())) == 2
    assert last > 10


def test_two_writers_of_one_hash_never_meet(filled: Store) -> None:
    record = next(filled.records())
    usual = record, filled.predictions(record["hash"])
    changed = other(*usual)
    steps = 0

    def count(step: int) -> None:
        nonlocal steps
        steps = step

    with at_each_step(count):
        filled.put(*changed)
    for there in (True, False):
        for when in range(steps):
            shutil.rmtree(filled.folder(record["hash"]), ignore_errors=True)
            if there:
                filled.put(*usual)

            def meet(step: int, when: int = when) -> None:
                if step == when:
                    Store(filled.root).put(*usual)

            with at_each_step(meet):
                filled.put(*changed)
            matches(filled, record)


def test_predictions_of_another_record_are_refused(filled: Store) -> None:
    first, second = filled.records()
    theirs, own = (filled.folder(one["hash"]) / "predictions.npz" for one in (second, first))
    shutil.copyfile(theirs, own)
    with pytest.raises(StoreError, match=r"predictions\.npz.*checksum"):
        filled.predictions(first["hash"])


def test_a_file_of_predictions_of_which_any_bit_is_another_is_not_merged(
    filled: Store, tmp_path: Path
) -> None:
    record = next(filled.records())
    path = filled.folder(record["hash"]) / "predictions.npz"
    whole = path.read_bytes()
    assert whole.startswith(b"PK\3\4")
    for place in range(0, len(whole), 31):
        data = bytearray(whole)
        # The time of a file in an archive, too, which nothing reads.
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        (damage,) = merge(tmp_path / str(place), filled, lambda *_: None).damaged
        assert damage.hash == record["hash"] and "predictions.npz" in damage.fault


def test_the_file_of_predictions_is_the_same_whenever_it_is_written(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = filled.predictions(next(filled.records())["hash"])
    first = pack_predictions(made)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack_predictions(made) == first


def test_damaged_predictions_are_none_and_no_other_error(filled: Store) -> None:
    record = next(filled.records())
    folder, wanted = filled.folder(record["hash"]), record["predictions_sha256"]
    whole = (folder / "predictions.npz").read_bytes()
    changed = [whole[:cut] for cut in range(0, len(whole), 53)]
    # Every byte that says what the file holds, and some of the values.
    ends = 300
    values = range(ends, len(whole) - ends, 11)
    for place in (*range(ends), *values, *range(len(whole) - ends, len(whole))):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        changed.append(bytes(data))
    for data in changed:
        (folder / "predictions.npz").write_bytes(data)
        found = find_npz(folder, wanted)
        assert found is None or checksum(found[1]) == wanted
    (folder / "predictions.npz").unlink()
    os.mkfifo(folder / "predictions.npz")
    assert find_npz(folder, wanted) is None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["write_bytes", "mkdir", "rename"])
def test_a_disk_that_refuses_is_one_clear_error_and_the_old_record_stays(
    filled, monkeypatch, step, code
):
    record = next(filled.records())
    predictions = filled.predictions(record["hash"])
    before = sorted(filled.root.rglob("*"))

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, refuse)
        if step == "rename":
            patch.setattr(Path, "replace", refuse)
        with pytest.raises(StoreError, match=f"written to; found {os.strerror(code)}.*goes on"):
            filled.put({**record, "command": "changed"}, predictions)
        filled.sweep()
    assert sorted(filled.root.rglob("*")) == before
    assert filled.get(record["hash"]) == record


def test_a_store_that_cannot_be_written_to_is_told_before_any_work(filled, monkeypatch):
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    filled.check_writable()
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="Read-only file system"):
        filled.check_writable()
    assert len(filled.read().records) == 2


def test_a_file_that_another_machine_replaced_while_it_was_read_is_read_again(filled, monkeypatch):
    """As network folders tell it."""
    whole, opened = (
        [(one, filled.predictions(one["hash"])[1].tolist()) for one in filled.records()],
        set(),
    )
    real = io.open

    def stale(file: Any, *more: Any, **named: Any) -> Any:
        name = file if isinstance(file, Path) else Path(f"/proc/self/fd/{file}").readlink()
        if name not in opened:
            opened.add(name)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(name))
        return real(file, *more, **named)

    monkeypatch.setattr(builtins, "open", stale)
    monkeypatch.setattr(io, "open", stale)
    found = Store(filled.root)
    assert [(one, found.predictions(one["hash"])[1].tolist()) for one in found.records()] == whole
    assert {path.name for path in opened} == {"record.json", "predictions.npz"}


def test_a_store_that_cannot_be_listed_is_not_a_smaller_store(filled, monkeypatch):
    def refuse(*_: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    for use in (filled.read, lambda: list(filled.records()), lambda: filled.find("a")):
        with pytest.raises(StoreError, match="can be read; found Permission denied"):
            use()


def test_a_record_that_is_no_json_becomes_a_failed_one_that_says_so(filled: Store) -> None:
    record = next(filled.records())
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (np.float32(1), float("nan"), object(), cycle, {(1, 2): 3}, b"x"):
        written = filled.put(
            {**record, "provenance": {"note": value}}, filled.predictions(record["hash"])
        )
        found = filled.sound(record["hash"])
        assert found == written and found["status"] == "failed" and found["metrics"] is None
        assert found["error"]["stage"] == "record" and "provenance: " in found["error"]["message"]
        filled.put(record, (np.arange(2, dtype=np.int32), np.ones(2, dtype=np.int16)))


def test_text_that_cannot_be_encoded_costs_no_record(filled: Store) -> None:
    record = next(filled.records())
    error = {"stage": "fit", "type": "OSError", "message": "no file \udcff", "traceback": ""}
    filled.put({**record, "status": "failed", "metrics": None, "error": error}, None)

    found = filled.sound(record["hash"])
    assert found is not None and found["error"]["message"] == "no file ?"


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
    (folder / "record.json").write_text("{}")
    with pytest.raises(StoreError, match="spec and status"):
        filled.find(record["hash"])


def test_folders_that_are_no_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="no such folder"):
        Store(tmp_path / "absent")
    with pytest.raises(StoreError, match="without 'records'"):
        Store(tmp_path)
    for name in ("file", "file/below", "a" * 300, "a\0b"):
        with pytest.raises(StoreError, match="written to"):
            Store(tmp_path / name, create=True)
        with pytest.raises(StoreError, match="no such folder"):
            Store(tmp_path / name)


def test_hashes_that_fit_none_or_several_are_refused(filled: Store) -> None:
    with pytest.raises(InputError, match="fits 0"):
        filled.find("zzz")
    with pytest.raises(InputError, match="fits 2"):
        filled.find("")


def test_a_hash_depends_on_all_that_determines_the_result_and_on_nothing_else(spec):
    base = spec()
    changed = [spec(lam=0.5), spec(seed=1), spec(patch=3), spec(omega=1.0)]
    changed += [spec("smote"), spec(classifier="rf")]

    assert len({trial.hash for trial in [base, *changed]}) == 7
    assert spec().hash == base.hash
