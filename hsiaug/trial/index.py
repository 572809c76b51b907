"""The index beside the records of a store: what was read and found sound, so that it need not be checked again.

One SQLite file, which is made anew and then renamed into place, and which readers open as one that nobody changes: no
locks are needed, so it holds on network folders, and of two writers the last one stays. The records remain the truth:
an entry counts only while the record's file is the very one that was checked, by its times, size and number. An index
that is stale, damaged, foreign or missing costs time alone.

Values that many records have in common (audit, environment, …) are kept once, in the file and in memory.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sqlite3
import struct
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hsiaug.base import temporary_folders
from hsiaug.trial.index_file import INDEX, Row, add_rows, checksum, create, open_index, replaceable
from hsiaug.trial.record_json import Record, json_line

__all__ = ["Index", "StoredRecord", "indexed", "uncollected"]

RACY = 2_000_000_000
"""Nanoseconds: a file may be changed twice within one tick of its clock, so what is so young is not indexed."""
WORTH_WRITING = 500, 0.02
"""Records that an index lacks before it is written: so many, and this share of what it has."""
OWN = frozenset(
    (
        "hash",
        "spec",
        "metrics",
        "predictions_sha256",
        "timings",
        "cpu_seconds",
        "peak_memory_mb",
        "created",
        "command",
    )
)
"""Keys whose values differ from record to record; those of all others are mostly the same."""
FIND = "SELECT file, status, lines, own, crc FROM records WHERE hash = ?"

Line = tuple[str, Any] | None
"""A key with its value; None where the record has one of its own."""


class StoredRecord(Mapping[str, Any]):
    """A record that was found sound, decoded when first asked for more than its hash and status.

    Nothing in it is to be changed: records share what they have in common.
    """

    __slots__ = ("_hash", "_lines", "_own", "_status", "_whole")

    def __init__(self, hash: str, status: str, lines: tuple[Line, ...], own: str) -> None:
        self._hash, self._status, self._lines, self._own = hash, status, lines, own
        self._whole: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        if self._whole is not None:
            return self._whole[key]
        if key in ("hash", "status"):
            return self._hash if key == "hash" else self._status
        return self.decoded()[key]

    def get(self, key: str, default: Any = None) -> Any:
        # As Mapping has it, but without an exception for each key that is not there.
        return self.decoded().get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.decoded())

    def __len__(self) -> int:
        return len(self.decoded())

    def __repr__(self) -> str:
        return repr(self.decoded())

    def decoded(self) -> dict[str, Any]:
        """The record itself, for who asks it many things."""
        if self._whole is None:
            own = iter(json.loads(self._own).items())
            self._whole = dict([line or next(own) for line in self._lines])
            self._lines, self._own = (), ""
        return self._whole


class Index:
    """What the index of a store says, and what it will; where it cannot be used, it says nothing."""

    def __init__(self, root: Path) -> None:
        self.new: list[Row] = []
        self._shared: dict[str, Line] = {"": None}
        self._by_id: dict[int, Line] = {0: None}
        self._base: sqlite3.Connection | None = None
        self.size = 0
        with contextlib.suppress(sqlite3.Error, OSError, ValueError):
            self._base, self.size = open_index(root)

    @property
    def sound(self) -> bool:
        """Whether there is one, which was not found damaged so far."""
        return self._base is not None

    def close(self) -> None:
        """Say nothing more."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def get(self, hash: str, told: os.stat_result) -> Record | None:
        """The record of that hash, where it was found sound in the very file that ``told`` is of."""
        if self._base is None:
            return None
        try:
            found = self._base.execute(FIND, (hash,)).fetchone()
            if found is None or found[0] != _identity(told) or found[-1] != checksum(hash, *found[:-1]):
                return None
            _, status, lines, own, _ = found
            known, base = self._by_id, self._base
            numbers = struct.unpack(f"<{len(lines) // 4}I", lines)
            shared = tuple(known[n] if n in known else self._line(base, n) for n in numbers)
            return StoredRecord(hash, status, shared, own)
        except (sqlite3.Error, ValueError, TypeError, struct.error):
            self.close()
            return None

    def add(self, record: Record, told: os.stat_result) -> Record:
        """A record that was found sound, in the file that ``told`` is of: asked for before it was read."""
        own: list[str] = []
        try:
            lines = tuple(self._parted(key, value, own) for key, value in record.items())
        except RecursionError:
            return record
        row = Row(record["hash"], _identity(told), record["status"], lines, f"{{{','.join(own)}}}")
        self.new.append(row)
        return StoredRecord(row.hash, row.status, tuple(self._shared[text] for text in lines), row.own)

    def _parted(self, key: str, value: Any, own: list[str]) -> str:
        text = f"{json_line(key)}: {json_line(value)}"
        if key in OWN:
            own.append(text)
            return ""
        self._shared.setdefault(text, (key, value))
        return text

    def _line(self, base: sqlite3.Connection, id: int) -> Line:
        """Raises ValueError or TypeError for a damaged one."""
        text, crc = base.execute("SELECT text, crc FROM texts WHERE id = ?", (id,)).fetchone()
        if crc != checksum(id, text):
            raise ValueError("a text that is not as it was written")
        ((key, value),) = json.loads(f"{{{text}}}").items()
        self._by_id[id] = self._shared.setdefault(text, (key, value))
        return self._by_id[id]


def _identity(told: os.stat_result) -> str:
    """What another file, or the same one changed, has otherwise."""
    return f"{told.st_mtime_ns} {told.st_ctime_ns} {told.st_size} {told.st_ino}"


@contextmanager
def indexed(root: Path, folder: Path | None, present: Collection[str] | None) -> Iterator[Index]:
    """The index of a store while records are read. At the end it is written anew, where it lacked many of them.

    folder: for temporary folders; None = the index is not written. present: the hashes of all records that there are,
    where these are read.
    """
    began = time.monotonic()
    with contextlib.closing(Index(root)) as index, uncollected():
        yield index
        if folder is not None and len(index.new) >= _worth(index):
            # Where it cannot be written, records are checked once more next time.
            with contextlib.suppress(sqlite3.Error, OSError, ValueError):
                _write(root, folder, index, present, began)


@contextmanager
def uncollected() -> Iterator[None]:
    """Records hold no cycles, and looking for them again and again would take as long as to decode all of them."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _worth(index: Index) -> float:
    number, share = WORTH_WRITING
    return max(number, share * index.size)


def _write(root: Path, folder: Path, index: Index, present: Collection[str] | None, began: float) -> None:
    with temporary_folders.temporary_folder(folder, "index") as fresh:
        made = fresh / INDEX
        made.touch()
        # By the clock of the file system, which need not be that of this machine.
        settled = made.stat().st_mtime_ns - int((time.monotonic() - began) * 1e9) - RACY
        rows = [row for row in index.new if row.changed < settled]
        if len(rows) < _worth(index) or not replaceable(root / INDEX):
            return
        if not (index.sound and add_rows(root, made, rows, present)):
            made.unlink()
            create(made, rows)
        made.replace(root / INDEX)
