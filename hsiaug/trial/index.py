"""The index of a store, in the user's cache: which records were found sound, so that they need not
be checked again.

One JSON file, which is made anew and then renamed into place: no locks are needed, so it holds on
network folders, and of two writers the last one stays. An entry is a digest of the content that was
checked: an index that is stale, damaged or missing costs time alone. It never travels with a store,
so what comes from elsewhere is checked here once.
"""

import contextlib
import gc
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsiaug.base.files import plain_text, replaced
from hsiaug.trial.record_json import CHECKS, Record

INDEX = "index.json"
LARGEST = 2**31
"""Bytes of a file in the cache that is read, at most."""
WORTH_WRITING = 500, 0.02
"""Records that an index lacks before it is written: so many, and this share of what it has."""
OWN = frozenset(
    (
        "hash",
        "spec",
        "samples",
        "metrics",
        "predictions_sha256",
        "record_sha256",
        "timings",
        "cpu_seconds",
        "peak_memory_mb",
        "created",
        "command",
    )
)
"""Keys whose values differ from record to record; those of all others are mostly the same."""


def digest_of(hash: str, data: bytes) -> str:
    """Of a record that was found sound, and of the checks that found it so."""
    named = b"%d\0%s\0" % (CHECKS, hash.encode())
    return hashlib.blake2b(named + data, digest_size=16).hexdigest()


class Index:
    """The entries of a store's index, and those to be added."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.new: dict[str, str] = {}
        self._shared: dict[bytes, tuple[str, object]] = {}

    def get(self, hash: str, data: bytes) -> Record | None:
        """The record of that hash with that content, where it was found sound."""
        return self.decode(data) if self.known.get(hash) == digest_of(hash, data) else None

    def decode(self, data: bytes) -> Record:
        """The record, whose values are those of other records where they are equal; they are not to
        be changed.
        """
        lines = data[2:-3].split(b",\n")
        pairs = [self._shared.get(line) for line in lines]
        fresh = [line for line, pair in zip(lines, pairs, strict=True) if pair is None]
        try:
            made = [
                (sys.intern(key), value)
                for key, value in json.loads(b"{%s}" % b",".join(fresh)).items()
            ]
        except ValueError:
            made = []
        if data[:2] != b"{\n" or data[-3:] != b"\n}\n" or len(made) != len(fresh):
            whole: Record = json.loads(data)
            return whole
        self._shared |= {
            line: pair for line, pair in zip(fresh, made, strict=True) if pair[0] not in OWN
        }
        rest = iter(made)
        return dict([pair or next(rest) for pair in pairs])


@contextmanager
def open_index(cache: Path, *, writes: bool = True) -> Iterator[Index]:
    """The index in what the user's cache holds of a store, while records are read; it is written
    anew at the end where it lacked many.
    """
    path, index = cache / INDEX, Index()
    # What is damaged has no entry.
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        found = json.loads(plain_text(path, LARGEST) or "").items()
        index.known = {hash: digest for hash, digest in found if isinstance(digest, str)}
    with uncollected():
        yield index
    number, share = WORTH_WRITING
    if writes and len(index.new) >= max(number, share * len(index.known)):
        # Where it cannot be written, records are checked once more next time.
        with contextlib.suppress(OSError, ValueError):
            cache.mkdir(parents=True, exist_ok=True)
            text = json.dumps({**index.known, **index.new})
            replaced(path, lambda fresh: fresh.write_text(text, encoding="utf-8"))


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
