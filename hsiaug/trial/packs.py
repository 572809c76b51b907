"""Packs: many finished records in one SQLite file, with their predictions, under ``packs/`` of a store.

A pack never changes, so it is opened without locks, and stores are merged by copying their packs. Several may hold a
trial: the newest record counts. ``records`` has a row per trial: what most queries ask for as columns, and the bytes of
``record.json``; ``predictions`` has those of ``predictions.npz``. Packs of other versions may have further tables.
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
from hsiaug.trial.record_json import Record

NAME = re.compile(r"[0-9a-f]{16}\.sqlite")
SETTLED = 2 * 10**9
"""Nanoseconds after which a folder that changes has another time of change."""
COLUMNS = ("hash", "status", "scene", "protocol", "argument", "seed", "generator", "lambda", "omega", "classifier")
SCORES = ("oa", "aa", "kappa")
TABLES = f"""
CREATE TABLE records ({", ".join(COLUMNS)}, {", ".join(SCORES)}, created, record BLOB, PRIMARY KEY (hash));
CREATE TABLE predictions (hash PRIMARY KEY, npz BLOB);
"""


class Packs:
    """The packs in a folder, which need not be there. Raises StoreError for a file that is no pack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, sqlite3.Connection] = {}
        self._looked = 0

    def hashes(self) -> Iterator[str]:
        """The hashes of all records."""
        return (hash for (hash,) in self._ask("SELECT hash FROM records"))

    def some(self, hashes: Sequence[str]) -> dict[str, bytes]:
        """The bytes of the newest records of those hashes that there are."""
        query = f"SELECT created, record, hash FROM records WHERE hash IN ({', '.join('?' * len(hashes))})"
        return {hash: data for _, data, hash in sorted(self._ask(query, *hashes))}

    def holds(self, hash: str, created: str, data: bytes) -> bool:
        """Whether there is a record of that hash with these bytes, or a newer one."""
        found = self._ask("SELECT created, record FROM records WHERE hash = ?", hash)
        return any(one >= (created, data) for one in found)

    def predictions(self, hash: str) -> Iterator[bytes]:
        """The bytes of the predictions of that hash, of each pack that has some."""
        return (npz for (npz,) in self._ask("SELECT npz FROM predictions WHERE hash = ?", hash))

    def _ask(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        self._look()
        for name, pack in self._open.items():
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
    some = False
    with closing(sqlite3.connect(path)) as pack:
        pack.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {TABLES}")
        for record, data, npz in records:
            some, row = True, _row(record, data)
            pack.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", row)
            if npz is not None:
                pack.execute("INSERT INTO predictions VALUES (?, ?)", (record["hash"], npz))
        pack.commit()
    return some


def _row(record: Record, data: bytes) -> tuple[Any, ...]:
    spec, metrics = record["spec"], record["metrics"] or {}
    named = {**spec, "hash": record["hash"], "status": record["status"], "argument": spec["protocol"]["argument"]}
    named |= {key: spec[key]["name"] for key in ("scene", "protocol", "generator", "classifier")}
    created = str(record.get("created", ""))
    return (*(named[key] for key in COLUMNS), *(metrics.get(key) for key in SCORES), created, data)
