"""Packs: many finished records in one SQLite file, with their predictions, under ``packs/`` of a store.

A pack never changes, so it is opened without locks, and stores are merged by copying their packs. Several may hold a
trial: the newest record counts. ``records`` has a row per trial: what most queries ask for as columns, and the bytes of
``record.json``; ``predictions`` has those of ``predictions.npz``. ``briefs`` and ``shared`` repeat what reports read of
the records; packs of before have none.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from hsiaug.base.errors import StoreError
from hsiaug.trial.brief import Brief, brief_of
from hsiaug.trial.record_json import Record

NAME = re.compile(r"[0-9a-f]{16}\.sqlite")
SETTLED = 2 * 10**9
"""Nanoseconds after which a folder that changes has another time of change."""
COLUMNS = ("hash", "status", "scene", "protocol", "argument", "seed", "generator", "lambda", "omega", "classifier")
NEWEST = "SELECT created, record FROM records WHERE hash = ?"
HAS_BRIEFS = "SELECT 1 FROM sqlite_master WHERE name = 'briefs'"
BRIEFS = """SELECT hash, created, seed, about, audit, numbers FROM briefs
WHERE hash BETWEEN ? AND ? AND typeof(numbers) = 'blob'"""
NO_BRIEFS = "SELECT hash FROM records WHERE hash BETWEEN ? AND ?"
SCORES = ("oa", "aa", "kappa")
TABLES = f"""
CREATE TABLE records ({", ".join(COLUMNS)}, {", ".join(SCORES)}, created, record BLOB, PRIMARY KEY (hash));
CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB);
CREATE TABLE briefs (hash PRIMARY KEY, created, seed, about, audit, numbers BLOB) WITHOUT ROWID;
CREATE TABLE shared (id INTEGER PRIMARY KEY, json);
"""


class Packs:
    """The packs in a folder, which need not be there. Raises StoreError for a file that is no pack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, sqlite3.Connection] = {}
        self._shared: dict[str, dict[int, str]] = {}
        self._looked = 0

    def hashes(self) -> Iterator[str]:
        """The hashes of all records."""
        return (hash for (hash,) in self._ask("SELECT hash FROM records"))

    def get(self, hash: str) -> bytes | None:
        """The bytes of the newest record of that hash, or None."""
        return self.some([hash]).get(hash)

    def some(self, hashes: Sequence[str]) -> dict[str, bytes]:
        """The bytes of the newest records of those hashes that there are."""
        query = f"SELECT created, record, hash FROM records WHERE hash IN ({', '.join('?' * len(hashes))})"
        return {hash: data for _, data, hash in sorted(self._ask(query, *hashes))}

    def briefs(self, first: str, last: str) -> dict[str, Brief]:
        """What packs hold apart of the records from a hash to another, but of those that several packs have."""
        found: dict[str, Brief | None] = {}
        self._look()
        for name, pack in self._open.items():
            if name not in self._shared:
                has = any(self._of(name, pack, HAS_BRIEFS))
                self._shared[name] = dict(self._of(name, pack, "SELECT id, json FROM shared")) if has else {}
            shared = self._shared[name]
            for hash, *rest in self._of(name, pack, BRIEFS if shared else NO_BRIEFS, first, last):
                if hash in found or not shared:
                    found[hash] = None
                else:
                    created, seed, about, audit, numbers = rest
                    found[hash] = Brief(hash, created, seed, shared.get(about, ""), shared.get(audit, ""), numbers)
        return {hash: brief for hash, brief in found.items() if brief is not None}

    def holds(self, hash: str, created: str, data: bytes) -> bool:
        """Whether there is a record of that hash with these bytes, or a newer one."""
        return any(one >= (created, data) for one in self._ask(NEWEST, hash))

    def predictions(self, hash: str) -> Iterator[bytes]:
        """The bytes of the predictions of that hash, of each pack that has some."""
        return (npz for (npz,) in self._ask("SELECT npz FROM predictions WHERE hash = ?", hash))

    def _ask(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        self._look()
        for name, pack in self._open.items():
            yield from self._of(name, pack, query, *values)

    def _of(self, name: str, pack: sqlite3.Connection, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from pack.execute(query, values)
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.folder / name} must be a pack of records as it was written",
                value=error,
                hint="Copy it anew, or delete it and run the benchmark again.",
            ) from error

    def _look(self) -> None:
        """Open what came since, and close what went."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            self._open = {}
            return
        if changed != self._looked:
            found = {path.name: path for path in self.folder.iterdir() if NAME.fullmatch(path.name)}
            self._open = {name: self._open.get(name) or _opened(path) for name, path in sorted(found.items())}
            self._looked = changed if time.time_ns() - changed > SETTLED else 0


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that takes no lock and writes nothing."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def write_pack(path: Path, records: Iterable[tuple[Record, bytes, bytes | None]]) -> bool:
    """Write records, the bytes of their files and those of their predictions; whether there were any."""
    shared: dict[str, int] = {}
    with closing(sqlite3.connect(path)) as pack:
        pack.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {TABLES}")
        for record, data, npz in records:
            row = _row(record, data)
            pack.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", row)
            brief = brief_of(record)
            about, audit = (shared.setdefault(text, len(shared)) for text in (brief.about, brief.audit))
            row = brief.hash, brief.created, brief.seed, about, audit, brief.numbers
            pack.execute("INSERT INTO briefs VALUES (?, ?, ?, ?, ?, ?)", row)
            if npz is not None:
                pack.execute("INSERT INTO predictions VALUES (?, ?)", (record["hash"], npz))
        pack.executemany("INSERT INTO shared VALUES (?, ?)", ((id, text) for text, id in shared.items()))
        pack.commit()
        return bool(shared)


def _row(record: Record, data: bytes) -> tuple[Any, ...]:
    spec, metrics = record["spec"], record["metrics"] or {}
    named = {**spec, "hash": record["hash"], "status": record["status"], "argument": spec["protocol"]["argument"]}
    named |= {key: spec[key]["name"] for key in ("scene", "protocol", "generator", "classifier")}
    created = str(record.get("created", ""))
    return (*(named[key] for key in COLUMNS), *(metrics.get(key) for key in SCORES), created, data)
