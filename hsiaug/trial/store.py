"""The store of records: a folder of each trial, with ``record.json`` and ``predictions.npz``, named
by the hash of the trial, and written whole or not at all.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from hsiaug.base import temporary_folders
from hsiaug.base.errors import InputError, StoreError, shortage_of
from hsiaug.base.files import (
    file_errors,
    other_kind,
    read_again,
    read_plain,
    reason,
    sync_files,
    sync_folder,
)
from hsiaug.trial.predictions import (
    PREDICTIONS,
    Predictions,
    checksum,
    checksum_of_file,
    find_npz,
    pack,
    replace,
)
from hsiaug.trial.record import Damage, checked
from hsiaug.trial.record_json import (
    FILE_DIGEST,
    MAX_RECORD_BYTES,
    RECORD,
    Record,
    encode,
    sealed,
)
from hsiaug.trial.sheet import SampleSheet, read_sheet

WORTH_SYNCING = 0.1
"""Seconds: what a shorter trial leaves is not forced onto the disk, which may take longer than to
run it again.
"""
ROOM = 2**16
"""Bytes that there must be room for before a run: a record and its predictions take about as many.
"""
MOST_HASHES = 12
"""Hashes that an error names at most."""
AGAIN = 3
"""Attempts at what another process may have taken away in between."""
OTHERS = "others"
"""Folder in the cache with one for the fits of each other package, which can change no others."""


@dataclass(frozen=True)
class Reading:
    """Content of a store.

    Attributes
    ----------
    records : tuple of Record
        The sound ones.
    damaged : tuple of Damage
        All others, by name, with what is wrong.
    """

    records: tuple[Record, ...] = ()
    damaged: tuple[Damage, ...] = ()


class Store:
    """A folder of records. ``create=False`` raises StoreError where there is none.

    ``read``, ``each``, ``look`` and ``find`` check what they give; ``records`` and ``get`` give
    what is there. Every function raises StoreError where the system refuses to read or write.
    """

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root
        self._records = root / "records"
        if create:
            try:
                self._records.mkdir(parents=True, exist_ok=True)
            except (OSError, ValueError) as error:
                raise StoreError(
                    f"`store` {root} must be a folder that can be written to",
                    value=reason(error) if isinstance(error, OSError) else error,
                    hint="Name another folder.",
                ) from error
        elif not _is_folder(self._records):
            raise StoreError(
                f"{root} must be a store of records",
                value="a folder without 'records'" if _is_folder(root) else "no such folder",
                hint="Run 'hsiaug benchmark … --store DIR' first, or name the right folder.",
            )

    @property
    def cache(self) -> Path:
        """Folder of fitted generators; may be deleted at any time."""
        return self.root / "cache"

    def folder(self, hash: str) -> Path:
        """The folder of the record of that hash, whether it is there or not."""
        return self._records / hash[:2] / hash

    def hashes(self) -> list[str]:
        """The names of all records, in order."""
        with self.access("read"):
            parts = [
                part.path
                for part in os.scandir(self._records)
                if len(part.name) == 2 and part.is_dir()
            ]
            return sorted(
                entry.name
                for part in parts
                for entry in os.scandir(part)
                if entry.name.startswith(part[-2:])
            )

    def changed(self, hash: str) -> int:
        """When the file of a record was last written, in nanoseconds; 0 where there is none."""
        with suppress(FileNotFoundError):
            return (self.folder(hash) / RECORD).stat().st_mtime_ns
        return 0

    # Reading

    def read(self, hashes: Iterable[str] | None = None) -> Reading:
        """The records of those hashes that are there, or every record in the order of the hashes,
        each checked.
        """
        damaged: list[Damage] = []
        return Reading(tuple(self.each(hashes, damaged)), tuple(damaged))

    def each(
        self, hashes: Iterable[str] | None = None, damaged: list[Damage] | None = None
    ) -> Iterator[Record]:
        """The sound records of :meth:`read`, one after the other: they need not be in memory
        together.

        Parameters
        ----------
        damaged : list of Damage or None
            Takes in the others.
        """
        for hash in self.hashes() if hashes is None else hashes:
            found = self.look(hash)
            if not isinstance(found, Damage):
                if found is not None:
                    yield found
            elif damaged is not None:
                damaged.append(found)

    def look(self, hash: str) -> Record | Damage | None:
        """The record of that hash; what is wrong with it; or None where there is none."""
        # As text: a path takes ten times as long.
        place = f"{self._records}/{hash[:2]}/{hash}"
        try:
            data = read_again(lambda: read_plain(f"{place}/{RECORD}", MAX_RECORD_BYTES))
            with suppress(FileNotFoundError):
                status = os.stat(f"{place}/{PREDICTIONS}")  # noqa: PTH116
                if kind := other_kind(status):
                    return Damage(hash, f"{PREDICTIONS} is {kind}")
                if not status.st_size:
                    # By a power failure.
                    return Damage(hash, f"{PREDICTIONS} is empty")
        except FileNotFoundError:
            return None
        except ValueError as error:
            return Damage(hash, f"{RECORD} is {error}")
        except OSError as error:
            rule = f"{self.folder(hash) / RECORD} must be a file that can be read"
            hint = "Look at its permissions and the disk."
            rule, hint = shortage_of(error) or (rule, hint)
            raise StoreError(rule, value=reason(error), hint=hint) from error
        return checked(hash, data)

    def sound(self, hash: str) -> Record | None:
        """The record of that hash; None where there is none that is to be believed."""
        found = self.look(hash)
        return None if isinstance(found, Damage) else found

    def find(self, prefix: str, said: str = "HASH") -> Record:
        """The one record whose hash begins with ``prefix``.

        Parameters
        ----------
        said : str
            The option that gave it.

        Raises
        ------
        InputError
            Where there is none, or several.
        StoreError
            Where it is damaged.
        """
        matches = [hash for hash in self.hashes() if hash.startswith(prefix)]
        found = self.look(matches[0]) if len(matches) == 1 else None
        if found is None:
            rule = f"{said} must be the beginning of one record's hash in {self.root}"
            hint = f"List them with 'hsiaug report --store {self.root} --by seed'."
            if matches:
                more = (
                    f" and {len(matches) - MOST_HASHES} more" if len(matches) > MOST_HASHES else ""
                )
                hint = f"Write more of it: {', '.join(matches[:MOST_HASHES])}{more}."
            value = f"{prefix!r}, which fits {len(matches)} of them"
            raise InputError(rule, value=value, hint=hint)
        if isinstance(found, Damage):
            rule = f"{self.folder(found.hash) / RECORD} must be a record as it was written"
            hint = "Run its benchmark again: a damaged record is replaced."
            raise StoreError(rule, value=found.fault, hint=hint)
        return found

    def predictions(self, hash: str) -> Predictions:
        """Flat pixel index (n,) int32 and predicted class id (n,) int16 of every test pixel of a
        trial.

        Raises StoreError unless they are those whose checksum the record states.
        """
        stated = None
        for _ in range(AGAIN):
            record = self.sound(hash) or {}
            stated = record.get("predictions_sha256")
            # Where there are none, the record was replaced after it was read, and states another
            # checksum by now.
            if (found := self.find_npz(hash, record)) is not None:
                return found[1]
        raise StoreError(
            f"{self.folder(hash) / PREDICTIONS}: expected the predictions of a trial",
            value=(
                "none that the record names"
                if stated is None
                else f"none with the record's checksum {stated[:12]}…"
            ),
            hint="Run the trial again.",
        )

    def find_npz(self, hash: str, record: Record) -> tuple[bytes, Predictions] | None:
        """The bytes of the file of predictions that a record names, and these; or None."""
        stated = record.get("predictions_sha256")
        return None if stated is None else find_npz(self.folder(hash), stated)

    def sheet(self, hash: str) -> SampleSheet | None:
        """A few samples of a trial; None where none are kept, or they cannot be read."""
        record = self.sound(hash) or {}
        found = self.find_npz(hash, record)
        if found is None or record.get(FILE_DIGEST) != checksum_of_file(found[0]):
            return None
        return read_sheet(found[0])

    # Writing

    def put(
        self,
        record: Record,
        predictions: Predictions | None,
        sheet: SampleSheet | None = None,
    ) -> Record:
        """Write a record whole or not at all, in place of an older one of the same hash; returns
        what was written.

        The checksums of its predictions and of their file, and its digest, are the store's to
        state. Raises TypeError or ValueError for a record that is no JSON.

        Parameters
        ----------
        sheet : SampleSheet or None
            Kept in the file of the predictions.
        """
        npz = None
        if predictions is not None and record["status"] != "failed":
            npz = pack(predictions, sheet)
            digests = {
                "predictions_sha256": checksum(predictions),
                FILE_DIGEST: checksum_of_file(npz),
            }
            record = {**record, **digests}
        written = sealed(record)
        self.copy(written, npz)
        return written

    def copy(self, record: Record, npz: bytes | None) -> None:
        """Write a record and the file of its predictions as :meth:`put` does, with the digests that
        it states.
        """
        files = {RECORD: encode(record)}
        if npz is not None:
            files[PREDICTIONS] = npz
        costly = (record.get("timings") or {}).get("total", WORTH_SYNCING) >= WORTH_SYNCING
        with self.access("write"):
            for left in reversed(range(AGAIN)):
                try:
                    self._put(record["hash"], files, costly)
                    break
                except FileNotFoundError:
                    # Another process swept or deleted a folder on the way.
                    if not left:
                        raise

    def _put(self, hash: str, files: Mapping[str, bytes], costly: bool) -> None:
        final = self.folder(hash)
        with temporary_folders.temporary_folder(self._records, hash) as fresh:
            for name, data in files.items():
                (fresh / name).write_bytes(data)
            final.parent.mkdir(exist_ok=True)
            if costly:
                sync_files(fresh)
            try:
                fresh.rename(final)
            except OSError as error:
                if not (temporary_folders.taken(error) or final.is_dir()):
                    raise
                # Else a power failure could take the older record as well.
                sync_files(fresh)
                replace(final, fresh, RECORD)
            else:
                if costly:
                    sync_folder(final.parent)

    def check_writable(self) -> None:
        """Raise StoreError, before any work, where no record could be written."""
        with (
            self.access("write"),
            temporary_folders.temporary_folder(self._records, "check") as fresh,
        ):
            # A full disk is told now, and not after the first trial; so is a cache that is no
            # folder.
            (fresh / RECORD).write_bytes(bytes(ROOM))
            self.cache.mkdir(exist_ok=True)

    def access(self, what: str) -> AbstractContextManager[None]:
        """Errors of the system while the store is read or written are a StoreError.

        Parameters
        ----------
        what : {"read", "write"}
            What is done.
        """
        hint = {
            "read": "Look at its permissions, or name another store.",
            "write": (
                "Free some space or name another `store`, then run the same command again: it"
                " goes on."
            ),
        }
        done = "read" if what == "read" else "written to"
        return file_errors(
            f"the store {self.root} must be a folder that can be {done}", hint[what], StoreError
        )

    def sweep(self) -> None:
        """Remove what killed runs left half-written, if nobody can still be writing it."""
        for folder in (self._records, self.cache, *(self.cache / OTHERS).glob("*")):
            temporary_folders.sweep(folder)


def _is_folder(path: Path) -> bool:
    """False for a name that no folder can have, too."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
