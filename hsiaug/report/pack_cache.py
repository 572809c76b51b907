"""Columns of a pack: cached, as a pack never changes; else read from its records, of a large pack
by several processes.

    python -P -m hsiaug.report.pack_cache STORE PACK FIRST LAST FILE

reads the rows FIRST to LAST of a pack and writes their columns to FILE. Where a record is damaged
it ends with exit code 1, and writes nothing.
"""

import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hsiaug.base.files import remove
from hsiaug.base.threads import cores
from hsiaug.report.record_columns import (
    Column,
    ColumnFile,
    Columns,
    columns_of_records,
    joined,
    write_columns,
)
from hsiaug.trial.index import uncollected
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import CHECKS
from hsiaug.trial.store import Store

FEWEST_ROWS = 10_000
MOST_ROWS = 50_000
"""Rows that a process reads: fewer do not pay for its start, more take too much memory."""
MOST_PROCESSES = 4
"""Each takes some 200 MB."""


def columns_of_pack(store: Store, pack: Path, damaged: list[Damage]) -> Mapping[str, Column]:
    """The columns of the records of a pack. They are cached unless a record is damaged.

    Parameters
    ----------
    damaged : list of Damage
        Takes in the records that are not to be believed.

    Raises
    ------
    StoreError
        For a file that is no pack, or a record that is not as in docs/results-format.md.
    """
    state = pack.stat()
    # The time of the last change cannot be set, as that of the content can.
    name = f"{pack.stem}-{state.st_ino}-{state.st_size}-{state.st_ctime_ns}-{CHECKS}.sqlite"
    path = store.user_cache / "columns" / name
    read_anew = partial(_read_and_cache, store, pack, path, damaged)
    with suppress(OSError, ValueError):
        return ColumnFile(path, read_anew)
    columns = read_anew()
    # Columns in a file need not be in memory together.
    with suppress(OSError, ValueError):
        return ColumnFile(path, read_anew)
    return columns


def _read_and_cache(store: Store, pack: Path, path: Path, damaged: list[Damage]) -> Columns:
    """The columns of a pack, which are written to a file unless a record is damaged, in place of
    those of an earlier state of the pack.
    """
    faults: list[Damage] = []
    columns = joined(list(_parts(store, pack, faults)))
    damaged += faults
    if not faults:
        # Where it cannot be written, the pack is read once more next time.
        with suppress(OSError, ValueError):
            write_columns(path, columns)
            for outdated in set(path.parent.glob(f"{pack.stem}-*")) - {path}:
                remove(outdated)
    return columns


def _parts(store: Store, pack: Path, damaged: list[Damage]) -> Iterator[Columns]:
    """The columns of a pack, some rows after the other."""
    number = store.packs.numbered_rows(pack)
    processes = min(cores(), MOST_PROCESSES)
    size = min(MOST_ROWS, max(FEWEST_ROWS, math.ceil(number / processes)))
    ranges = [(start + 1, min(start + size, number)) for start in range(0, number, size)]
    if len(ranges) < 2 or processes < 2:
        yield columns_of_records(store.each_packed(pack, damaged))
        return
    with TemporaryDirectory() as folder, _cancelling(processes) as threads:
        files = [Path(folder) / f"{first}.sqlite" for first, _ in ranges]
        readings = [
            threads.submit(_read_elsewhere, store, pack, rows, file)
            for rows, file in zip(ranges, files, strict=True)
        ]
        for rows, file, reading in zip(ranges, files, readings, strict=True):
            reading.result()
            # Where a record is damaged, or the process could not do it, there is no file.
            if file.is_file():
                yield dict(ColumnFile(file, partial(_read_here, store, pack, rows, damaged)))
            else:
                yield _read_here(store, pack, rows, damaged)


@contextmanager
def _cancelling(number: int) -> Iterator[ThreadPoolExecutor]:
    """Threads, of which an error, as Ctrl-C, cancels what has not begun."""
    threads = ThreadPoolExecutor(number)
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def _read_here(store: Store, pack: Path, rows: tuple[int, int], damaged: list[Damage]) -> Columns:
    return columns_of_records(store.each_packed(pack, damaged, rows))


def _read_elsewhere(store: Store, pack: Path, rows: tuple[int, int], file: Path) -> None:
    words = [str(store.root.absolute()), pack.name, *map(str, rows), str(file)]
    command = [sys.executable, "-P", "-m", "hsiaug.report.pack_cache", *words]
    with suppress(OSError):
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def main(root: str, pack: str, first: str, last: str, file: str) -> int:
    """Write the columns of some rows; returns the exit code."""
    store, damaged = Store(Path(root)), list[Damage]()
    rows = (int(first), int(last))
    with uncollected():
        columns = columns_of_records(store.each_packed(store.packs.folder / pack, damaged, rows))
    if damaged:
        return 1
    write_columns(Path(file), columns)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
