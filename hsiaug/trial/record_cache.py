"""What is cached of the records of a store, in the user's cache: a row for each that was found
sound, with a digest of the content that was checked, and its columns.

A file (.npz) holds the rows of a pack, which never changes; one more holds those of all other
records. It is written whole or not at all, and each array in it has a checksum. A row counts for
the very same content alone: a cache that is stale, damaged or missing costs time, and nothing
else. Of two writers the last one stays. It never travels with a store, so what comes from elsewhere
is checked here once.
"""

import gc
import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile
from zlib import crc32

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.files import remove, replaced
from hsiaug.trial.record import COLUMNS, KEYS_READ_WHOLE
from hsiaug.trial.record_columns import (
    CONTENT,
    ColumnBuilder,
    Columns,
    ColumnValues,
    NamedColumns,
    categorical,
    joined,
    some_rows,
)
from hsiaug.trial.record_json import CHECKS, Record

FOLDER = "columns"
FOLDERS = "folders.npz"
"""The file of all records but those of packs that were read as a whole."""
FORM = [
    14,
    CHECKS,
    KEYS_READ_WHOLE,
    *((column.name, field, column.key) for column, field in COLUMNS.items()),
]
"""Raise the number where columns change; another field that is read, whole or as a column, is
another form.
"""
VERSION = crc32(str(FORM).encode()) >> 1
"""Of the files."""
WORTH_WRITING = 500, 0.02
"""Records that the file of records in no pack lacks before it is written: so many, and this share
of what it has.
"""
HEADER = "header"
"""Array of a file: its version, and the names of its columns, by whose places arrays are called."""
TEXTS_OF = "texts of "
"""Before the place of a column: the texts of its categories."""


def content_digest(hash: str, data: bytes) -> bytes:
    """Of the bytes of a record, under the hash that it has in its store."""
    return hashlib.blake2b(b"%s\0%s" % (hash.encode(), data), digest_size=16).digest()


class CachedRow(NamedTuple):
    """Where the cache has a record that was found sound."""

    content: bytes
    """Digest of what was checked."""
    file: int
    """Number of the file."""
    row: int
    """Number of the row in it."""


class RecordCache:
    """Rows that are cached of some records, and those to be added.

    Attributes
    ----------
    adds : bool
        Whether what is found sound is added.
    new : ColumnBuilder
        Of what was added.
    """

    def __init__(
        self, folder: Path, files: Sequence[NamedColumns], hashes: Collection[str], *, adds: bool
    ) -> None:
        self._folder, self._files = folder, files
        self._rows: dict[str, CachedRow] = {}
        self.adds, self.new = adds, ColumnBuilder()
        wanted = frozenset(hashes)
        for number, file in enumerate(files):
            # What is damaged has no row.
            with suppress(OSError, ValueError):
                self._rows |= _rows_of(file, number, wanted)

    def knows(self, hash: str, data: bytes) -> CachedRow | None:
        """The row of the record of that hash, if it was found sound with that content."""
        row = self._rows.get(hash)
        return row if row is not None and row.content == content_digest(hash, data) else None

    def has(self, hash: str) -> bool:
        """Whether there is a row of that hash, of whatever content."""
        return hash in self._rows

    def add(self, record: Record, data: bytes) -> None:
        """Add a record that was found sound."""
        if self.adds:
            self.new.add(record, content_digest(record["hash"], data))

    def write(self) -> None:
        """Write what was added, where it is much; the files are no longer read."""
        if self.new.number >= WORTH_WRITING[0]:
            # Where it cannot be written, records are checked once more next time.
            with suppress(OSError, ValueError):
                _add_rows(self._folder / FOLDERS, self.new.columns())

    def columns(self, rows: Iterable[CachedRow]) -> Columns:
        """The columns of some rows.

        Raises
        ------
        ValueError
            Where a file is damaged; nothing is known from then on.
        """
        by_file: dict[int, list[int]] = {}
        for row in rows:
            by_file.setdefault(row.file, []).append(row.row)
        try:
            return joined([self._some(*one) for one in by_file.items()])
        except (OSError, ValueError) as error:
            self._rows = {}
            raise ValueError(str(error)) from error

    def _some(self, file: int, rows: Sequence[int]) -> Columns:
        chosen = np.array(rows, np.intp)
        return {name: some_rows(column, chosen) for name, column in self._files[file].items()}


@contextmanager
def open_cache(
    user_cache: Path, hashes: Collection[str], *, adds: bool = True
) -> Iterator[RecordCache]:
    """What the user's cache of a store has of some records, while these are read.

    Parameters
    ----------
    adds : bool
        Whether what is found sound is to be added.
    """
    folder = user_cache / FOLDER
    with ExitStack() as opened:
        files = []
        # Of several rows of a record the last one is taken: records in packs may be older.
        for path in sorted(folder.glob("*.npz"), key=lambda path: path.name == FOLDERS):
            with suppress(OSError, ValueError):
                files.append(opened.enter_context(open_columns(path)))
        with uncollected():
            yield RecordCache(folder, files, hashes, adds=adds)


def _add_rows(path: Path, added: Columns) -> None:
    """Write rows in place of older ones of the same records, where they are many beside these."""
    parts = [added]
    with suppress(OSError, ValueError):
        with open_columns(path) as columns:
            before = dict(columns)
        if len(added["hash"]) < WORTH_WRITING[1] * len(before["hash"]):
            return
        names = frozenset(added["hash"])
        stay = np.array([hash not in names for hash in before["hash"]], bool)
        parts.append({name: some_rows(before[name], stay) for name in before})
    write_columns(path, joined(parts))


def file_of_pack(user_cache: Path, pack: Path) -> Path:
    """Where the columns of a pack are cached, as it is now.

    Raises
    ------
    OSError
        Where there is none.
    """
    state = pack.stat()
    # The time of the last change cannot be set, as that of the content can.
    name = f"{pack.stem}-{state.st_ino}-{state.st_size}-{state.st_ctime_ns}.npz"
    return user_cache / FOLDER / name


def write_pack_columns(path: Path, columns: Columns) -> None:
    """Write the columns of a pack to its file, in place of those of earlier states of it. Raises
    OSError.
    """
    write_columns(path, columns)
    stem, *_ = path.stem.split("-")
    for outdated in set(path.parent.glob(f"{stem}-*")) - {path}:
        remove(outdated)


def write_columns(path: Path, columns: Columns) -> None:
    """Write columns in the place of a file. Raises OSError."""

    def write(fresh: Path) -> None:
        with ZipFile(fresh, "w") as file:
            for name, array in _arrays(columns):
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    path.parent.mkdir(parents=True, exist_ok=True)
    replaced(path, write)


def _arrays(columns: Columns) -> Iterator[tuple[str, AnyArray]]:
    """The arrays of a file, by name."""
    yield HEADER, _as_bytes({"version": VERSION, "columns": list(columns)})
    for place, column in enumerate(columns.values()):
        if not isinstance(column, np.ndarray):
            yield f"{TEXTS_OF}{place}", _as_bytes(list(column.categories))
            column = column.codes
        # Hashes take a byte a letter.
        yield f"{place}", column.astype("S") if column.dtype == object else column


def _as_bytes(value: object) -> AnyArray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


class _OpenColumns(NamedColumns):
    """Columns of an open file, each of which is read when it is asked for."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        header = json.loads(bytes(self._array(HEADER)))
        if header["version"] != VERSION:
            raise ValueError(f"version {header['version']}, where {VERSION} is read")
        super().__init__(header["columns"])
        self._places = {name: str(place) for place, name in enumerate(self)}

    def __getitem__(self, name: str) -> ColumnValues:
        with _damage():
            place = self._places[name]
            values = self._array(place)
            if f"{TEXTS_OF}{place}.npy" in self._file.NameToInfo:
                return categorical(values, json.loads(bytes(self._array(f"{TEXTS_OF}{place}"))))
            return values.astype(str).astype(object) if values.dtype.kind == "S" else values

    def _array(self, name: str) -> AnyArray:
        # Read to its end, which is where zipfile looks at its checksum.
        data = io.BytesIO(self._file.read(f"{name}.npy"))
        array: AnyArray = np.load(data, allow_pickle=False)
        return array


@contextmanager
def open_columns(path: Path) -> Iterator[NamedColumns]:
    """Columns that :func:`write_columns` wrote.

    Raises
    ------
    OSError, ValueError
        For a file that is missing, damaged or of another version. A damaged column raises them
        where it is read.
    """
    with _damage():
        file = ZipFile(path)
    with file:
        with _damage():
            columns = _OpenColumns(file)
        yield columns


@contextmanager
def _damage() -> Iterator[None]:
    """What zipfile and numpy make of flipped bits, a dozen kinds of errors, as ValueError."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(f"{type(error).__name__} {error}") from error


class ColumnFile(NamedColumns):
    """Columns that :func:`write_columns` wrote, each of which is read when it is asked for.

    Parameters
    ----------
    again : callable
        Makes the columns where the file turns out to be damaged, or is no longer there.

    Raises
    ------
    OSError, ValueError
        As :func:`open_columns` does.
    """

    def __init__(self, path: Path, again: Callable[[], Mapping[str, ColumnValues]]) -> None:
        self._path, self._again = path, again
        self._anew: Mapping[str, ColumnValues] | None = None
        with open_columns(path) as columns:
            super().__init__(columns)

    def __getitem__(self, name: str) -> ColumnValues:
        if self._anew is None:
            try:
                with open_columns(self._path) as columns:
                    return columns[name]
            except (OSError, ValueError):
                self._anew = self._again()
        return self._anew[name]


def _rows_of(columns: NamedColumns, file: int, wanted: Collection[str]) -> dict[str, CachedRow]:
    """The rows of the records that are wanted, by hash."""
    hashes, contents = columns["hash"], columns[CONTENT]
    digests, size = contents.tobytes(), contents.itemsize
    return {
        hash: CachedRow(digests[size * row : size * (row + 1)], file, row)
        for row, hash in enumerate(hashes)
        if hash in wanted
    }


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
