"""Packs: many records in one SQLite file, with their predictions, under ``packs/`` of a store.

A pack never changes, so it is opened without locks, and its name is the beginning of its SHA-256
(older ones have random names). Several may hold a trial: the newest record counts. ``records`` has
``hash``, ``created`` and ``record``, the bytes of ``record.json``; ``predictions`` has ``hash`` and
``npz``.
"""

import errno
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hsiaug.base.errors import StoreError
from hsiaug.base.shortages import blame_shortage

NAME = re.compile(r"[0-9a-f]{16}\.sqlite")
FORMAT = 0
"""Of packs, as SQLite keeps it (user_version)."""
NAMED = 0x68736961
"""A pack whose name is that of its content, as SQLite keeps it (application_id); older ones have 0.
"""
WORD = re.compile(r"\w[\w:.+-]{,63}")  # a hash or a time
SETTLED = 2 * 10**9
"""Nanoseconds after which a folder that changes has another time of change."""
UNREADABLE = sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM
"""Errors that say nothing of what a file holds."""
TABLES = f"""
PRAGMA application_id = {NAMED}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
PRAGMA page_size = 8192;
CREATE TABLE records (hash, created, record BLOB, PRIMARY KEY (hash));
CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB);
"""


def write_pack(path: Path, rows: Iterable[tuple[str, str, bytes, bytes | None]]) -> None:
    """Make a pack of hashes, times of creation, records and predictions, which are not yet forced
    onto the disk.

    Raises OSError where the disk is full, or fails.
    """
    with _disk_errors(), closing(sqlite3.connect(path)) as pack:
        pack.executescript(TABLES)
        for hash, created, record, npz in rows:
            pack.execute("INSERT INTO records VALUES (?, ?, ?)", (hash, created, record))
            if npz is not None:
                pack.execute("INSERT INTO predictions VALUES (?, ?)", (hash, npz))
        pack.commit()


def name_of(path: Path) -> str:
    """The name of a pack of that content."""
    with path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.sqlite"


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Errors of SQLite while it writes, as the system has them."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        code = errno.ENOSPC if full else errno.EIO
        raise OSError(code, f"{os.strerror(code)} ({error})") from error


class Packs:
    """The packs in a folder, which need not be there. Raises StoreError for a file that is no
    pack.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, sqlite3.Connection] = {}
        self._looked = 0

    def hashes(self) -> Iterator[str]:
        """The hashes of all records."""
        return (hash for (hash,) in self._ask("SELECT hash FROM records", (str,)))

    def paths(self) -> list[Path]:
        """The packs that are there now, by name."""
        self._look()
        return [self.folder / name for name in self._open]

    def changed(self) -> list[Path]:
        """The packs that are not as they were written, though all records may be; of older ones
        that cannot be known.
        """
        self._look()
        paths = []
        for name, pack in self._open.items():
            with _pack_errors(path := self.folder / name):
                (stated,) = pack.execute("PRAGMA application_id").fetchone()
                if stated and (stated != NAMED or name_of(path) != name):
                    paths.append(path)
        return paths

    def hashes_of(self, path: Path) -> list[str]:
        """The hashes of the records of a pack, in order."""
        query = "SELECT hash FROM records ORDER BY hash"
        return [hash for (hash,) in self._ask(query, (str,), only=path.name)]

    def rows(self, path: Path, first: str, last: str) -> Iterator[tuple[str, bytes]]:
        """The hashes and records of a pack, in the order of the hashes, from one to another."""
        query = "SELECT hash, record FROM records WHERE hash BETWEEN ? AND ? ORDER BY hash"
        return self._ask(query, (str, bytes), first, last, only=path.name)

    def get(self, hash: str) -> bytes | None:
        """The bytes of the newest record of that hash, or None."""
        query = "SELECT created, record FROM records WHERE hash = ?"
        newest: bytes | None = max(self._ask(query, (str, bytes), hash), default=("", None))[1]
        return newest

    def predictions(self, hash: str) -> Iterator[bytes]:
        """The bytes of the predictions of that hash, of each pack that has some."""
        return (
            npz
            for (npz,) in self._ask("SELECT npz FROM predictions WHERE hash = ?", (bytes,), hash)
        )

    def _ask(
        self, query: str, types: tuple[type, ...], *values: str | int, only: str = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of the open packs. types: of the columns; text is one word, as hashes and times
        are.
        """
        self._look()
        for name, pack in self._open.items() if not only else [(only, self._open[only])]:
            with _pack_errors(self.folder / name):
                for row in pack.execute(query, values):
                    if tuple(map(type, row)) != types or (
                        types[0] is str and not WORD.fullmatch(row[0])
                    ):
                        raise ValueError("a hash, time, record or prediction that is none")
                    yield row

    def _look(self) -> None:
        """Open what came since, and close what went."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            self._open = {}
            return
        if changed != self._looked:
            found = sorted(path for path in self.folder.iterdir() if NAME.fullmatch(path.name))
            self._open = {path.name: self._open.get(path.name) or _opened(path) for path in found}
            self._looked = changed if time.time_ns() - changed > SETTLED else 0


class _Pack(sqlite3.Connection):
    """Closed when nobody reads it any more; Python 3.13 warns of one that is not."""

    def __del__(self) -> None:
        self.close()


def _opened(path: Path) -> sqlite3.Connection:
    """A pack without a lock; nothing is written."""
    with _pack_errors(path):
        if not path.is_file():
            raise ValueError("no file")  # a pipe would be waited for
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        pack = sqlite3.connect(address, uri=True, check_same_thread=False, factory=_Pack)
        if (stated := pack.execute("PRAGMA user_version").fetchone()[0]) > FORMAT:
            raise StoreError(
                f"{path} must be a pack of format {FORMAT} or before",
                value=f"format {stated}",
                hint="Update hsiaug.",
            )
        if pack.execute(
            "SELECT 1 FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
        ).fetchone():
            raise ValueError("a view or a trigger")  # which may have no end
        return pack


@contextmanager
def _pack_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError) as error:
        blame_shortage(error, StoreError, str(path))
        if getattr(error, "sqlite_errorcode", None) in UNREADABLE:
            hint = "Look at its permissions, the disk and the limit of open files (ulimit -n)."
            raise StoreError(
                f"{path} must be a file that can be read", value=error, hint=hint
            ) from error
        raise StoreError(
            f"{path} must be a pack of records as it was written",
            value=error,
            hint="Copy it anew, or delete it and run again.",
        ) from error
