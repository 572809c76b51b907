"""Columns of the records of a store: cached where the cache knows their content, else read from the
records, of many by several processes.

    python -P -m hsiaug.trial.store_columns STORE PACK FILE < HASHES

reads records of a pack, or of folders where PACK is empty, and writes their columns to FILE; it
prints those that are damaged.
"""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hsiaug.base.threads import cores
from hsiaug.trial.record_cache import (
    CachedRow,
    ColumnFile,
    RecordCache,
    file_of_pack,
    open_cache,
    open_columns,
    write_columns,
    write_pack_columns,
)
from hsiaug.trial.record_check import Damage, RecordCheck
from hsiaug.trial.record_columns import Columns, ColumnValues, joined
from hsiaug.trial.store import Store

FEWEST = 10_000
MOST = 50_000
"""Records that a process reads: fewer do not pay for its start, more take too much memory."""
MOST_PROCESSES = 4
"""Each takes some 200 MB."""


def columns_of_folders(
    store: Store, hashes: Sequence[str], damaged: list[Damage]
) -> Mapping[str, ColumnValues]:
    """The columns of records that have folders of their own.

    Parameters
    ----------
    damaged : list of Damage
        Takes in the records that are not to be believed.

    Raises
    ------
    StoreError
        Where the system refuses to read.
    """
    cache, columns = _columns_of(store, "", hashes, damaged)
    cache.write()
    return columns


def columns_of_pack(store: Store, pack: Path, damaged: list[Damage]) -> Mapping[str, ColumnValues]:
    """The columns of the records of a pack. They are cached unless a record is damaged.

    Parameters
    ----------
    damaged : list of Damage
        Takes in the records that are not to be believed.

    Raises
    ------
    StoreError
        For a file that is no pack.
    """
    path = file_of_pack(store.user_cache, pack)
    read_anew = partial(_read_and_cache, store, pack, path, damaged)
    with suppress(OSError, ValueError):
        return ColumnFile(path, read_anew)
    columns = read_anew()
    # Columns in a file need not be in memory together.
    with suppress(OSError, ValueError):
        return ColumnFile(path, read_anew)
    return columns


def _read_and_cache(store: Store, pack: Path, path: Path, damaged: list[Damage]) -> Columns:
    faults: list[Damage] = []
    _, columns = _columns_of(store, pack.name, store.packs.hashes_of(pack), faults)
    damaged += faults
    if not faults:
        # Where it cannot be written, the pack is read once more next time.
        with suppress(OSError, ValueError):
            write_pack_columns(path, columns)
    return columns


def _columns_of(
    store: Store, pack: str, hashes: Sequence[str], damaged: list[Damage]
) -> tuple[RecordCache, Columns]:
    """The columns of some records, and the cache with those that were not in it.

    Parameters
    ----------
    pack : str
        Name of the pack that has them; empty: they are in folders.
    hashes : sequence of str
        In order.
    """
    with open_cache(store.user_cache, hashes) as cache:
        known = _known(store, pack, hashes, cache)
        cached = list[Columns]()
        if known:
            try:
                cached = [cache.columns(known.values())]
            except ValueError:  # a file is damaged
                known = {}
        unread = [hash for hash in hashes if hash not in known]
        _read(store, pack, unread, cache, damaged)
        if cache.new.number or not cached:
            cached.append(cache.new.columns())
    return cache, joined(cached)


def _known(
    store: Store, pack: str, hashes: Sequence[str], cache: RecordCache
) -> dict[str, CachedRow]:
    """What is cached of records whose content is what was checked."""
    found = {}
    for hash, packed in _rows(store, pack, [hash for hash in hashes if cache.has(hash)]):
        data = packed or store.content(hash)
        if isinstance(data, bytes) and (row := cache.knows(hash, data)):
            found[hash] = row
    return found


def _rows(store: Store, pack: str, hashes: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """Hashes of records, with their bytes where a pack has them."""
    if not pack or not hashes:
        yield from ((hash, None) for hash in hashes)
        return
    wanted = frozenset(hashes)
    for hash, packed in store.packs.rows(store.packs.folder / pack, hashes[0], hashes[-1]):
        if hash in wanted:
            yield hash, packed


def _read(
    store: Store, pack: str, hashes: Sequence[str], cache: RecordCache, damaged: list[Damage]
) -> None:
    """Check records, and add the sound ones to the cache: here or, where they are many, by several
    processes.
    """
    processes = min(cores(), MOST_PROCESSES)
    size = min(MOST, max(FEWEST, math.ceil(len(hashes) / processes)))
    shares = [hashes[start : start + size] for start in range(0, len(hashes), size)]
    if len(shares) < 2 or processes < 2:
        _read_here(store, pack, hashes, cache, damaged)
        return
    with TemporaryDirectory() as folder, _cancelling(processes) as threads:
        files = [Path(folder) / f"{number}.npz" for number in range(len(shares))]
        readings = [
            threads.submit(_read_elsewhere, store, pack, share, file)
            for share, file in zip(shares, files, strict=True)
        ]
        for share, file, reading in zip(shares, files, readings, strict=True):
            try:
                faults = reading.result()
                with open_columns(file) as columns:
                    cache.new.add_columns(dict(columns))
                damaged += faults
            except (OSError, ValueError):  # the process could not do it
                _read_here(store, pack, share, cache, damaged)


@contextmanager
def _cancelling(number: int) -> Iterator[ThreadPoolExecutor]:
    """Threads, of which an error, as Ctrl-C, cancels what has not begun."""
    threads = ThreadPoolExecutor(number)
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def _read_here(
    store: Store, pack: str, hashes: Sequence[str], cache: RecordCache, damaged: list[Damage]
) -> None:
    check = RecordCheck(cache)
    for hash, packed in _rows(store, pack, hashes):
        found = check(hash, packed) if packed else store.look(hash, check)
        if isinstance(found, Damage):
            damaged.append(found)


def _read_elsewhere(store: Store, pack: str, hashes: Sequence[str], file: Path) -> list[Damage]:
    """Write the columns of records to a file, by another process; returns the damaged ones. Raises
    OSError or ValueError where it fails.
    """
    words = [str(store.root.absolute()), pack, str(file)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "hsiaug.trial.store_columns", *words],
        input="\n".join(hashes),
        capture_output=True,
        text=True,
        check=False,
    )
    return [Damage(*fields) for fields in json.loads(done.stdout)]


def main(root: str, pack: str, file: str) -> None:
    """Write the columns of the records whose hashes are read, and print what is wrong with the
    others.
    """
    store, damaged = Store(Path(root)), list[Damage]()
    with open_cache(store.user_cache, ()) as cache:
        _read_here(store, pack, sys.stdin.read().split("\n"), cache, damaged)
    write_columns(Path(file), cache.new.columns())
    sys.stdout.write(json.dumps([(damage.hash, damage.fault, damage.newer) for damage in damaged]))


if __name__ == "__main__":
    main(*sys.argv[1:])
