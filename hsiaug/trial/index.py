"""The index beside the records of a store: which files were found sound, so that they need not be checked again.

One JSON file, which is made anew and then renamed into place: no locks are needed, so it holds on network folders, and
of two writers the last one stays. An entry counts only while the record's file is the very one that was checked, by its
times, size, number and checksum. An index that is stale, damaged, foreign or missing costs time alone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import marshal
import os
import stat
import sys
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from hsiaug import __version__
from hsiaug.base import temporary_folders
from hsiaug.trial.record_json import CHECKS, Record

__all__ = ["Index", "StoredRecord", "indexed", "uncollected"]

INDEX = "index.json"
MARK = b'{"hsiaug": "index"'
"""Beginning of every index; a file without it is not replaced."""
LAYOUT = f"2 {CHECKS} {__version__}"
"""An index that says otherwise is another version's, and is not read."""
RACY = 2_000_000_000
"""Nanoseconds: a file may be changed twice within one tick of its clock, so what is so young is not indexed."""
WORTH_WRITING = 500, 0.02
"""Records that an index lacks before it is written: so many, and this share of what it has."""
OWN = frozenset(
    "hash spec metrics predictions_sha256 timings cpu_seconds peak_memory_mb created command".split()  # noqa: SIM905
)
"""Keys whose values differ from record to record; those of all others are mostly the same."""

Entry = tuple[str, str, int]
"""Identity of a record's file, status of the record, checksum of the file."""
Shared = dict[tuple[str, bytes], Any]
"""Values that records have in common, by key and content."""


class StoredRecord(Mapping[str, Any]):
    """A record that was found sound, decoded when first asked for more than its hash and status.

    Nothing in it is to be changed: records share what they have in common.
    """

    __slots__ = ("_data", "_hash", "_shared", "_status", "_whole")

    def __init__(self, hash: str, status: str, data: bytes, shared: Shared) -> None:
        self._hash, self._status, self._data, self._shared = hash, status, data, shared
        self._whole: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        if self._whole is None and key in ("hash", "status"):
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
            read, self._whole = json.loads(self._data), {}
            for key, value in read.items():
                common = value if key in OWN else self._shared.setdefault((key, marshal.dumps(value, 2)), value)
                self._whole[sys.intern(key)] = common
            self._data = b""
        return self._whole


class Index:
    """The entries of a store's index, and those to be added; where it cannot be used, it has none."""

    def __init__(self, root: Path) -> None:
        self.new: dict[str, Entry] = {}
        self._shared: Shared = {}
        self.known: Mapping[str, Entry] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = (root / INDEX).lstat()
            if stat.S_ISREG(told.st_mode):
                self.known = _entries(str(root / INDEX), _identity(told))

    def get(self, hash: str, path: str) -> Record | None:
        """The record of that hash, where its file at ``path`` is the very one that was found sound."""
        entry = self.known.get(hash)
        found = None if entry is None else _read(path, entry[0])
        if entry is None or found is None or zlib.crc32(found) != entry[2]:
            return None
        return StoredRecord(hash, entry[1], found, self._shared)

    def add(self, record: Record, path: str, told: os.stat_result) -> Record:
        """A record that was found sound, in the file that ``told`` is of: asked for before it was read."""
        identity = _identity(told)
        data = _read(path, identity)
        if data is None:
            return record
        self.new[record["hash"]] = (identity, record["status"], zlib.crc32(data))
        return StoredRecord(record["hash"], record["status"], data, self._shared)


@lru_cache(maxsize=2)
def _entries(path: str, identity: str) -> Mapping[str, Entry]:
    """The entries of an index. Raises ValueError for a damaged one, or another version's."""
    head, _, body = Path(path).read_bytes().partition(b"\n")
    about = json.loads(head)
    if about["layout"] != LAYOUT or about["crc"] != zlib.crc32(body):
        raise ValueError("an index of another version, or a damaged one")
    return {hash: tuple(entry) for hash, entry in json.loads(body).items()}


def _read(path: str, identity: str) -> bytes | None:
    """The bytes of a file; None where it is another one by now."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  To make a Path takes longer than the system takes to answer.
            return file.read() if _identity(os.fstat(file.fileno())) == identity else None
    except (OSError, ValueError):
        return None


def _identity(told: os.stat_result) -> str:
    """Times, size and number: another file, or the same one changed, has others."""
    return f"{told.st_mtime_ns} {told.st_ctime_ns} {told.st_size} {told.st_ino}"


@contextmanager
def indexed(root: Path, folder: Path | None, present: Collection[str] | None) -> Iterator[Index]:
    """The index of a store while records are read. At the end it is written anew, where it lacked many of them.

    folder: for temporary folders; None = the index is not written. present: the hashes of all records that there are,
    where these are read.
    """
    began, index = time.monotonic(), Index(root)
    with uncollected():
        yield index
    if folder is not None and len(index.new) >= _worth(index):
        # Where it cannot be written, records are checked once more next time.
        with contextlib.suppress(OSError, ValueError):
            _write(root / INDEX, folder, index, present, began)


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
    return max(number, share * len(index.known))


def _write(path: Path, folder: Path, index: Index, present: Collection[str] | None, began: float) -> None:
    with temporary_folders.temporary_folder(folder, "index") as fresh:
        made = fresh / INDEX
        made.touch()
        # By the clock of the file system, which need not be that of this machine.
        settled = made.stat().st_mtime_ns - int((time.monotonic() - began) * 1e9) - RACY
        new = {hash: one for hash, one in index.new.items() if max(map(int, one[0].split()[:2])) < settled}
        if len(new) < _worth(index) or not _replaceable(path):
            return
        known = index.known if present is None else {h: index.known[h] for h in present if h in index.known}
        body = json.dumps({**known, **new}).encode()
        head = MARK + f', "layout": {json.dumps(LAYOUT)}, "crc": {zlib.crc32(body)}}}\n'.encode()
        made.write_bytes(head + body)
        made.replace(path)


def _replaceable(path: Path) -> bool:
    """Whether an index may be written there: nothing is there, or a file that is empty or an index of some version."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(len(MARK)) in (b"", MARK)
    except FileNotFoundError:
        return True
