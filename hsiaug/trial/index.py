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
import shutil
import sqlite3
import struct
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsiaug import __version__
from hsiaug.trial import temporary_folders
from hsiaug.trial.record import CHECKS, Record, json_line

__all__ = ["INDEX", "Index", "StoredRecord", "indexed"]

INDEX = "index.sqlite"
LAYOUT = f"1 {CHECKS} {__version__}"
"""An index that says otherwise is another version's, and is not read."""
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
TABLES = """
PRAGMA page_size = 32768;
CREATE TABLE about (layout TEXT);
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT UNIQUE, crc INTEGER);
CREATE TABLE records (hash TEXT PRIMARY KEY, file TEXT, status TEXT, lines BLOB, own TEXT, crc INTEGER) WITHOUT ROWID;
"""
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
        return self._decoded()[key]

    def get(self, key: str, default: Any = None) -> Any:
        # As Mapping has it, but without an exception for each key that is not there.
        return self._decoded().get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def __repr__(self) -> str:
        return repr(self._decoded())

    def _decoded(self) -> dict[str, Any]:
        if self._whole is None:
            own = iter(json.loads(self._own).items())
            self._whole = dict([line or next(own) for line in self._lines])
            self._lines, self._own = (), ""
        return self._whole


@dataclass(frozen=True)
class _Row:
    """A record as it enters an index. lines: the texts of its lines, empty where it has one of its own."""

    hash: str
    file: str
    status: str
    lines: tuple[str, ...]
    own: str

    @property
    def changed(self) -> int:
        """When the file was last changed, in nanoseconds."""
        return max(map(int, self.file.split()[:2]))


class Index:
    """What the index of a store says, and what it will; where it cannot be used, it says nothing."""

    def __init__(self, root: Path) -> None:
        self.new: list[_Row] = []
        self._shared: dict[str, Line] = {"": None}
        self._by_id: dict[int, Line] = {0: None}
        self._base: sqlite3.Connection | None = None
        self.size = 0
        with contextlib.suppress(sqlite3.Error, OSError, ValueError):
            self._base = _opened(root)
            self.size = self._base.execute("SELECT count(*) FROM records").fetchone()[0]

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
            if found is None or found[0] != _identity(told) or found[-1] != _crc(hash, *found[:-1]):
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
        row = _Row(record["hash"], _identity(told), record["status"], lines, f"{{{','.join(own)}}}")
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
        if crc != _crc(id, text):
            raise ValueError("a text that is not as it was written")
        ((key, value),) = json.loads(f"{{{text}}}").items()
        self._by_id[id] = self._shared.setdefault(text, (key, value))
        return self._by_id[id]


def _opened(root: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error where there is no index that can be read, ValueError for another version's."""
    # As a file that nobody changes: it is only ever replaced, so no lock is taken.
    base = sqlite3.connect(f"{(root / INDEX).resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        _check(base)
    except BaseException:
        base.close()
        raise
    return base


def _check(base: sqlite3.Connection) -> None:
    if base.execute("SELECT layout FROM about").fetchone() != (LAYOUT,):
        raise ValueError("the index of another version")


def _identity(told: os.stat_result) -> str:
    """What another file, or the same one changed, has otherwise."""
    return f"{told.st_mtime_ns} {told.st_ctime_ns} {told.st_size} {told.st_ino}"


def _crc(*values: Any) -> int:
    found = 0
    for value in values:
        found = zlib.crc32(
            value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass"), found
        )
    return found


@contextmanager
def indexed(root: Path, folder: Path, present: Collection[str] | None) -> Iterator[Index]:
    """The index of a store while records are read. At the end it is written anew, where it lacked many of them.

    folder: for temporary folders. present: the hashes of all records that there are, where these are read.
    """
    began = time.monotonic()
    index = Index(root)
    collects = gc.isenabled()
    # Records hold no cycles, and looking for them again and again would take as long as to decode.
    gc.disable()
    try:
        yield index
        if len(index.new) >= _worth(index):
            # Where it cannot be written, records are checked once more next time.
            with contextlib.suppress(sqlite3.Error, OSError, ValueError):
                _write(root, folder, index, present, began)
    finally:
        index.close()
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
        if len(rows) < _worth(index):
            return
        try:
            if not index.sound:
                raise ValueError("an index that was found damaged")
            shutil.copyfile(root / INDEX, made)
            _fill(made, rows, present)
        except (OSError, sqlite3.Error, ValueError):
            made.unlink()
            _create(made)
            _fill(made, rows, present)
        made.replace(root / INDEX)


def _create(made: Path) -> None:
    with contextlib.closing(sqlite3.connect(made)) as base, base:
        base.executescript(TABLES)
        base.execute("INSERT INTO about VALUES (?)", (LAYOUT,))


def _fill(made: Path, rows: Collection[_Row], present: Collection[str] | None) -> None:
    """Put rows into an index, and take out those of records that are no more."""
    with contextlib.closing(sqlite3.connect(made)) as base, base:
        _check(base)
        # Nothing is forced onto the disk: an index that is cut by a power failure is not believed.
        base.execute("PRAGMA journal_mode = OFF")
        base.execute("PRAGMA synchronous = OFF")
        if present is not None:
            known = frozenset(present)
            gone = [row for row in base.execute("SELECT hash FROM records") if row[0] not in known]
            base.executemany("DELETE FROM records WHERE hash = ?", gone)
        ids = {"": 0}
        base.executemany(
            "REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)", (_cells(base, row, ids) for row in rows)
        )


def _cells(base: sqlite3.Connection, row: _Row, ids: dict[str, int]) -> tuple[Any, ...]:
    numbers = (ids.get(text) if text in ids else ids.setdefault(text, _id(base, text)) for text in row.lines)
    lines = struct.pack(f"<{len(row.lines)}I", *numbers)
    cells = row.file, row.status, lines, row.own
    return row.hash, *cells, _crc(row.hash, *cells)


def _id(base: sqlite3.Connection, text: str) -> int:
    """The number of a text, which is written where it is not there yet."""
    found = base.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
    if found is None:
        ((last,),) = base.execute("SELECT coalesce(max(id), 0) FROM texts")
        found = (last + 1,)
        base.execute("INSERT INTO texts VALUES (?, ?, ?)", (*found, text, _crc(last + 1, text)))
    return int(found[0])
