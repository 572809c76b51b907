"""Care of stores: they are merged, verified and packed."""

import os
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hsiaug.base.errors import InputError
from hsiaug.base.files import read_plain, sync_files, sync_folder
from hsiaug.base.temporary_folders import remove_tree, taken, temporary_folder
from hsiaug.trial.packs import name_of, write_pack
from hsiaug.trial.predictions import MAX_PREDICTIONS_BYTES, PREDICTIONS, checksum_of_file
from hsiaug.trial.record import fault_of_metrics, scorer_of
from hsiaug.trial.record_cache import open_cache
from hsiaug.trial.record_check import Damage, RecordCheck
from hsiaug.trial.record_json import DIGEST, FILE_DIGEST, RECORD, Record, is_finished, preference
from hsiaug.trial.sheet import read_sheet
from hsiaug.trial.store import Store

Count = Callable[[int, int], object]
"""Told how many are done, and how many there are."""
REMOVED_AT_ONCE = 4
"""Parts of what was packed that are removed at the same time."""


@dataclass
class Merged:
    """Outcome of a merge for a source's records: each is copied, equal to the target's, kept out by
    it, or damaged.
    """

    copied: int = 0
    equal: int = 0
    kept: int = 0
    damaged: list[Damage] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """Something wrong in a store.

    Attributes
    ----------
    kind : str
        Pack, record, predictions or thumbnails.
    heal : str
        The command that puts it right.
    """

    kind: str
    name: str
    fault: str
    heal: str


def merge(target: Path, source: Store, count: Count) -> Merged:
    """Copy the records that a target lacks, and those that count more than its own, with their
    predictions.

    Each is written whole or not at all, so a merge that was stopped goes on; the source stays as it
    is. If both have a trial, the record that a report would take counts. Raises StoreError if the
    system refuses access.
    """
    if target.resolve() == source.root.resolve():
        raise InputError(
            "TARGET must be another store than SOURCE",
            value=str(target),
            hint="Name the store to copy from.",
        )
    total = len(source.hashes())
    into = Store(target, create=True)
    merged = Merged()
    for done, record in enumerate(source.each(damaged=merged.damaged, cached=False), 1):
        present = into.look(record["hash"])
        if record == present:
            merged.equal += 1
        elif _stays(present, record):
            merged.kept += 1
        else:
            merged.copied += 1
            npz = source.find_npz(record["hash"], record)
            into.copy(record, npz and npz[0])
        count(done, total)
    return merged


def _stays(present: Record | Damage | None, candidate: Record) -> bool:
    """Whether a record of the target, if there is one, counts more than another's."""
    if isinstance(present, Damage):
        return present.newer
    if present is None:
        return False
    of_candidate, of_present = (
        preference(is_finished(record), str(record.get("created", "")))
        for record in (candidate, present)
    )
    return of_candidate <= of_present


def pack(store: Store, count: Count) -> int:
    """Move the records that did not fail, and their predictions, into one file, and say how many
    were moved.

    Their folders go once that file is on the disk: whoever is stopped leaves both, and the folder
    counts. Records that are damaged, lie beside other files or are written anew meanwhile stay;
    those that another process packs meanwhile are in both packs. Raises StoreError if the system
    refuses.
    """
    loose = sorted(store.loose())
    packed_at = dict[str, int]()
    moved = 0

    def rows() -> Iterator[tuple[str, str, bytes, bytes | None]]:
        with open_cache(store.user_cache, loose) as cache:
            check = RecordCheck(cache)
            for place, hash in enumerate(loose, 1):
                count(place, len(loose))
                # Another process may pack it meanwhile.
                with suppress(FileNotFoundError):
                    written = store.changed(hash)
                    if (entry := _to_pack(store, hash, check)) is not None:
                        packed_at[hash] = written
                        yield entry
        cache.write()

    with store.access("write"), temporary_folder(store.root / "records", "pack") as fresh:
        write_pack(fresh / "pack", rows())
        if packed_at:
            sync_files(fresh)
            store.packs.folder.mkdir(exist_ok=True)
            (fresh / "pack").rename(store.packs.folder / name_of(fresh / "pack"))
            sync_folder(store.packs.folder)
        parts = [fresh / part for part in sorted({hash[:2] for hash in packed_at})]
        for part in parts:
            part.mkdir()
        for hash, written in packed_at.items():
            aside = f"{fresh}/{hash[:2]}/{hash}"
            try:
                os.rename(store.place(hash), aside)  # noqa: PTH104
            except FileNotFoundError:
                continue
            if os.stat(f"{aside}/{RECORD}").st_mtime_ns == written:  # noqa: PTH116
                moved += 1
            else:
                _move_back(Path(aside), store.folder(hash))
        # To remove a folder is mostly to wait for the disk: several are removed at the same time.
        with ThreadPoolExecutor(REMOVED_AT_ONCE) as removers:
            list(removers.map(remove_tree, parts))
    return moved


def _to_pack(
    store: Store, hash: str, check: RecordCheck
) -> tuple[str, str, bytes, bytes | None] | None:
    """The row of a record's folder in a pack; None where it is to stay. Raises FileNotFoundError
    where it went.
    """
    # As text: paths of pathlib would take a quarter of the time of a large store.
    place = store.place(hash)
    names = set(os.listdir(place))  # noqa: PTH208
    data, npz = b"", None
    try:
        if RECORD in names:
            data = read_plain(f"{place}/{RECORD}", MAX_PREDICTIONS_BYTES)
        if PREDICTIONS in names:
            npz = read_plain(f"{place}/{PREDICTIONS}", MAX_PREDICTIONS_BYTES)
    except ValueError:
        # No plain file, as a pipe: it stays, too.
        return None
    record = check(hash, data)
    if isinstance(record, Damage) or record["status"] == "failed" or npz == b"":
        return None
    if names != {RECORD, *[PREDICTIONS] * bool(record["predictions_sha256"])}:
        return None
    return hash, record["created"], data, npz


def _move_back(folder: Path, place: Path) -> None:
    """A record that was written anew meanwhile, unless a still newer one is in its place."""
    try:
        folder.rename(place)
    except OSError as error:
        if not taken(error):
            raise


def verify(store: Store, count: Count, older: list[str] | None = None) -> Iterator[Finding]:
    """Packs that are not as they were written, records that are damaged or state metrics that their
    counts do not give, predictions that are not those a record names or whose file is not as it was
    written, and thumbnails of samples beside them that cannot be read.

    Nothing is taken from the cache: every file is read.

    Parameters
    ----------
    older : list of str or None
        Takes in the hashes of records without a digest.
    """
    hashes, check = store.hashes(), RecordCheck()
    where = shlex.quote(str(store.root))
    for path in store.packs.changed():
        fault = "it is not as it was written; of its records each is checked too"
        yield Finding("pack", path.name, fault, f"hsiaug store merge NEW {where}")
    for done, hash in enumerate(hashes, 1):
        record = store.look(hash, check)
        if (
            older is not None
            and record is not None
            and not isinstance(record, Damage)
            and DIGEST not in record
        ):
            older.append(hash)
        if isinstance(record, Damage):
            heal = "a newer hsiaug" if record.newer else "the benchmark that made it, once more"
            yield Finding("record", hash, record.fault, heal)
        elif record is not None and (stated := record["predictions_sha256"]):
            heal = f"{record['command']} --store {where}"
            if (miscounted := fault_of_metrics(record)) is not None:
                yield Finding("record", hash, miscounted, heal)
            npz = store.find_npz(hash, record)
            if npz is None:
                fault = f"no {PREDICTIONS} with the record's checksum {stated[:12]}…"
                yield Finding("predictions", hash, fault, heal)
            elif record.get(FILE_DIGEST) not in (None, checksum_of_file(npz[0])):
                fault = f"{PREDICTIONS} is not as it was written, though it holds the same labels"
                yield Finding("predictions", hash, fault, heal)
            else:
                scorer, predicted = scorer_of(record), npz[1][1]
                if (
                    another := scorer.fault_of_predictions(record["metrics"], predicted)
                ) is not None:
                    yield Finding("record", hash, another, heal)
                try:
                    read_sheet(npz[0])
                except ValueError as error:
                    yield Finding("thumbnails", hash, f"{PREDICTIONS}: {error}", heal)
        count(done, len(hashes))
