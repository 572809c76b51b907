"""The index of a store, in the user's cache: which records were found sound, so that they need not
be checked again.

An entry is a digest of the content that was checked: an index that is stale, damaged or missing
costs time alone. Of two writers the last one stays. It never travels with a store, so what comes
from elsewhere is checked here once.
"""

import contextlib
import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsiaug.base.fixed_databases import open_database, write_database
from hsiaug.trial.record_json import CHECKS

INDEX = "sound.sqlite"
VERSION = 1
"""Of the table: hashes of records, and digests."""
WORTH_WRITING = 500, 0.02
"""Records that an index lacks before it is written: so many, and this share of what it has."""


def digest_of(hash: str, data: bytes) -> bytes:
    """Of a record that was found sound, and of the checks that found it so."""
    named = b"%d\0%s\0" % (CHECKS, hash.encode())
    return hashlib.blake2b(named + data, digest_size=16).digest()


class Index:
    """The entries of a store's index, and those to be added."""

    def __init__(self, *, writes: bool = False) -> None:
        self._writes = writes
        self.known: dict[str, bytes] = {}
        self.new: dict[str, bytes] = {}

    def knows(self, hash: str, data: bytes) -> bool:
        """Whether the record of that hash was found sound with that content."""
        return hash in self.known and self.known[hash] == digest_of(hash, data)

    def add(self, hash: str, data: bytes) -> None:
        """Enter a record that was found sound."""
        if self._writes:
            self.new[hash] = digest_of(hash, data)


@contextmanager
def open_index(cache: Path, *, writes: bool = True) -> Iterator[Index]:
    """The index in what the user's cache holds of a store, while records are read; it is written
    anew at the end where it lacked many.
    """
    path, index = cache / INDEX, Index(writes=writes)
    # What is damaged has no entry.
    with contextlib.suppress(OSError, ValueError), open_database(path, VERSION) as database:
        index.known = dict(database.execute("SELECT hash, digest FROM sound"))
    with uncollected():
        yield index
    number, share = WORTH_WRITING
    if writes and len(index.new) >= max(number, share * len(index.known)):
        entries = {**index.known, **index.new}.items()
        # Where it cannot be written, records are checked once more next time.
        with contextlib.suppress(OSError, ValueError):
            write_database(path, VERSION, {"sound": ("hash TEXT, digest BLOB", entries)})


@contextmanager
def uncollected() -> Iterator[None]:
    """Records hold no cycles, and looking for them again and again would take as long as to decode
    all of them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
