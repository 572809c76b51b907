"""The file of a store's index: its tables, how it is opened, and how it is made."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import stat
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsiaug import __version__
from hsiaug.trial.record_json import CHECKS

__all__ = ["INDEX", "Row", "add_rows", "checksum", "create", "open_index", "replaceable"]

INDEX = "index.sqlite"
LAYOUT = f"1 {CHECKS} {__version__}"
"""An index that says otherwise is another version's, and is not read."""
PAGE = 32768
OWN = b"hsiA"
"""The application of a database, in the bytes 68 to 71 of its file."""
TABLES = f"""
PRAGMA page_size = {PAGE};
PRAGMA application_id = {int.from_bytes(OWN)};
CREATE TABLE about (layout TEXT, records INTEGER);
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT UNIQUE, crc INTEGER);
CREATE TABLE records (hash TEXT PRIMARY KEY, file TEXT, status TEXT, lines BLOB, own TEXT, crc INTEGER) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Row:
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


def open_index(root: Path) -> tuple[sqlite3.Connection, int]:
    """An index, and how many records it has. Raises sqlite3.Error or ValueError where there is none to be used."""
    if not stat.S_ISREG((root / INDEX).lstat().st_mode):
        raise ValueError("no file")
    # As a file that nobody changes: it is only ever replaced, so no lock is taken.
    base = sqlite3.connect(f"{(root / INDEX).resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return base, _size(base)
    except BaseException:
        base.close()
        raise


def replaceable(path: Path) -> bool:
    """Whether an index may be written there: nothing is there, or a file that is empty or an index of some version."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            head = file.read(PAGE)
    except FileNotFoundError:
        return True
    return not head or head[68:72] == OWN or b"CREATE TABLE about (layout TEXT, records INTEGER)" in head


def _size(base: sqlite3.Connection) -> int:
    """How many records an index has. Raises ValueError for that of another version."""
    found = base.execute("SELECT layout, records FROM about").fetchone()
    if found is None or found[0] != LAYOUT:
        raise ValueError("an index of another version")
    return int(found[1])


def checksum(*values: Any) -> int:
    """Of what a row holds: what another one says, or one that the disk has damaged, is seen by it."""
    found = 0
    for value in values:
        found = zlib.crc32(
            value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass"), found
        )
    return found


def add_rows(root: Path, made: Path, rows: Collection[Row], present: Collection[str] | None) -> bool:
    """Put rows into a copy of the index that is there; False where it is damaged, or another version's by now."""
    try:
        shutil.copyfile(root / INDEX, made)
        _fill(made, rows, present)
    except (OSError, sqlite3.Error, ValueError):
        return False
    return True


def create(made: Path, rows: Collection[Row]) -> None:
    """Make an index of rows where there is none."""
    with contextlib.closing(sqlite3.connect(made)) as base, base:
        base.executescript(TABLES)
        base.execute("INSERT INTO about VALUES (?, 0)", (LAYOUT,))
    _fill(made, rows, None)


def _fill(made: Path, rows: Collection[Row], present: Collection[str] | None) -> None:
    """Put rows into an index, and take out those of records that are no more."""
    with contextlib.closing(sqlite3.connect(made)) as base, base:
        _size(base)
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
        base.execute("UPDATE about SET records = (SELECT count(*) FROM records)")


def _cells(base: sqlite3.Connection, row: Row, ids: dict[str, int]) -> tuple[Any, ...]:
    numbers = (ids.get(text) if text in ids else ids.setdefault(text, _id(base, text)) for text in row.lines)
    lines = struct.pack(f"<{len(row.lines)}I", *numbers)
    cells = row.file, row.status, lines, row.own
    return row.hash, *cells, checksum(row.hash, *cells)


def _id(base: sqlite3.Connection, text: str) -> int:
    """The number of a text, which is written where it is not there yet."""
    found = base.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
    if found is None:
        ((last,),) = base.execute("SELECT coalesce(max(id), 0) FROM texts")
        found = (last + 1,)
        base.execute("INSERT INTO texts VALUES (?, ?, ?)", (*found, text, checksum(last + 1, text)))
    return int(found[0])
