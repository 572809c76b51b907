"""The store: whole records or none, found by hash, merged by copying."""

import errno
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
from hsiaug.trial.predictions import checksum
from hsiaug.trial.predictions import pack as pack_predictions
from hsiaug.trial.store import Store
from hsiaug.trial.store_merge import merge
from tests.leavings import age, files_of_others, left_in, paths_in


def test_records_come_back_as_they_were_written(filled: Store) -> None:
    records = list(filled.each())

    assert len(records) == 2
    for record in records:
        assert filled.sound(record["hash"]) == record == filled.find(record["hash"][:8])
        index, label = filled.predictions(record["hash"])
        assert index.dtype == np.int32 and label.dtype == np.int16 and len(index) == len(label)


def test_what_a_killed_writer_left_is_no_record_and_is_swept_once_it_is_old(filled: Store) -> None:
    half = left_in(filled.root / "records")
    assert len(list(filled.each())) == 2

    os.utime(half, (0, 0))
    filled.sweep()
    assert half.exists()
    age(half)
    filled.sweep()
    assert not half.exists() and len(list(filled.each())) == 2


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
    found = store.sound(record["hash"])
    assert found is not None
    _, label = store.predictions(record["hash"])
    assert checksum((_, label)) == found["predictions_sha256"]


def test_readers_see_the_old_record_or_the_new_one_at_every_step_of_a_replacement(
    filled: Store,
) -> None:
    record = next(filled.each())
    changed = other(record, filled.predictions(record["hash"]))
    seen = []

    def look(step: int) -> None:
        assert len(list(filled.each())) == 2
        found = filled.sound(record["hash"])
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
    record = next(filled.each())
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
        assert not list((filled.root / "records").glob(".*")) and len(list(filled.each())) == 2
    assert last > 10


def test_two_writers_of_one_hash_never_meet(filled: Store) -> None:
    record = next(filled.each())
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
    first, second = filled.each()
    theirs, own = (filled.folder(one["hash"]) / "predictions.npz" for one in (second, first))
    shutil.copyfile(theirs, own)
    with pytest.raises(StoreError, match=r"predictions\.npz.*checksum"):
        filled.predictions(first["hash"])


def test_a_file_of_predictions_of_which_any_bit_is_another_is_not_merged(
    filled: Store, tmp_path: Path
) -> None:
    record = next(filled.each())
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
    made = filled.predictions(next(filled.each())["hash"])
    first = pack_predictions(made)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack_predictions(made) == first


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["write_bytes", "mkdir", "rename"])
def test_a_disk_that_refuses_is_one_clear_error_and_the_old_record_stays(
    filled, monkeypatch, step, code
):
    record = next(filled.each())
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
    assert filled.sound(record["hash"]) == record


def test_a_store_that_cannot_be_written_to_is_told_before_any_work(filled, monkeypatch):
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    filled.check_writable()
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="Read-only file system"):
        filled.check_writable()
    assert len(filled.read().records) == 2


def test_a_store_that_cannot_be_listed_is_not_a_smaller_store(filled, monkeypatch):
    def refuse(*_: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    for use in (filled.read, lambda: list(filled.each()), lambda: filled.find("a")):
        with pytest.raises(StoreError, match="can be read; found Permission denied"):
            use()


def test_text_that_cannot_be_encoded_costs_no_record(filled: Store) -> None:
    record = next(filled.each())
    error = {"stage": "fit", "type": "OSError", "message": "no file \udcff", "traceback": ""}
    filled.put({**record, "status": "failed", "metrics": None, "error": error}, None)

    found = filled.sound(record["hash"])
    assert found is not None and found["error"]["message"] == "no file ?"


def test_damage_is_named_with_its_file(filled: Store) -> None:
    record = next(filled.each())
    folder = filled.folder(record["hash"])
    (folder / "predictions.npz").write_bytes(b"cut")
    with pytest.raises(StoreError, match=r"predictions\.npz"):
        filled.predictions(record["hash"])
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
