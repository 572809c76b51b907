"""Databases that never change: SQLite files, each written whole or not at all, and read without
locks, which network folders may lack.
"""

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hsiaug.base.files import replaced


def write_database(
    path: Path, version: int, tables: Mapping[str, tuple[str, Iterable[Sequence[Any]]]]
) -> None:
    """Write a database in the place of any that is there.

    Parameters
    ----------
    version : int
        Of its tables; kept as SQLite's ``user_version``.
    tables : mapping of str to (str, iterable of sequence)
        By name, the columns as SQL declares them, and the rows.

    Raises
    ------
    OSError
        Where it cannot be written.
    """

    def write(fresh: Path) -> None:
        with disk_errors(), closing(sqlite3.connect(fresh)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.execute(f"PRAGMA user_version = {version:d}")
            for name, (columns, rows) in tables.items():
                database.execute(f"CREATE TABLE {name} ({columns})")
                marks = ", ".join("?" * (columns.count(",") + 1))
                database.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            database.commit()

    path.parent.mkdir(parents=True, exist_ok=True)
    replaced(path, write)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Errors of SQLite while it writes, as the system has them."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        code = errno.ENOSPC if full else errno.EIO
        raise OSError(code, f"{os.strerror(code)} ({error})") from error


def connect_to_read(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """A connection to a database that never changes: it takes no lock.

    Parameters
    ----------
    any_thread : bool
        Whether other threads than this one may use it.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=not any_thread)


@contextmanager
def open_database(path: Path, version: int) -> Iterator[sqlite3.Connection]:
    """A database, to be read.

    Raises
    ------
    OSError
        Where there is no plain file.
    ValueError
        For another version, and, while it is read, for a file that is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with closing(connect_to_read(path)) as database:
            (stated,) = database.execute("PRAGMA user_version").fetchone()
            if stated != version:
                raise ValueError(f"version {stated}, where {version} is read")
            yield database
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error
