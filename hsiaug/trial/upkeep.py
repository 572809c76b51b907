"""Care of stores: they are merged, verified and packed."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hsiaug.base import temporary_folders
from hsiaug.base.errors import InputError, StoreError
from hsiaug.base.files import file_errors, sync_files, sync_folder
from hsiaug.trial.packs import write_pack
from hsiaug.trial.planned import copy_plans
from hsiaug.trial.predictions import PREDICTIONS
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import decode, preference
from hsiaug.trial.store import RECORD, Record, Store

LOOK = "Look at its permissions, or name another store."
Count = Callable[[int, int], object]
"""Told how many are done, and how many there are."""


@dataclass
class Merged:
    """Outcome of a merge for a source's records: each is copied, equal to the target's, kept out by it, or damaged."""

    copied: int = 0
    equal: int = 0
    kept: int = 0
    damaged: list[Damage] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """Something wrong in a store. kind: record or predictions. heal: the command that puts it right."""

    kind: str
    name: str
    fault: str
    heal: str


def merge(target: Path, source: Store, count: Count) -> Merged:
    """Copy the records that a target lacks, and those that count more than its own, with their predictions.

    Each is written whole or not at all, so a merge that was stopped goes on; the source stays as it is. If both
    have a trial, the record that a report would take counts. Raises StoreError if the system refuses access.
    """
    if target.resolve() == source.root.resolve():
        raise InputError(
            "TARGET must be another store than SOURCE", value=str(target), hint="Name the store to copy from."
        )
    into, merged, total = Store(target, create=True), Merged(), len(source.hashes())
    for done, record in enumerate(source.each(damaged=merged.damaged, index=False), 1):
        mine = into.look(record["hash"])
        if record == mine:
            merged.equal += 1
        elif mine is not None and not isinstance(mine, Damage) and preference(record) <= preference(mine):
            merged.kept += 1
        else:
            merged.copied += 1
            stated = record["predictions_sha256"]
            made = source.find_npz(record["hash"], stated) if stated else None
            into.put(record, made and made[1])
        count(done, total)
    copy_plans(source.root, into.root)
    return merged


def verify(store: Store, count: Count) -> Iterator[Finding]:
    """Records that are damaged, and predictions that are not those a record names.

    Nothing is taken from the index: every file is read.
    """
    hashes, where = store.hashes(), shlex.quote(str(store.root))
    for done, hash in enumerate(hashes, 1):
        found = store.look(hash)
        if isinstance(found, Damage):
            yield Finding("record", hash, found.fault, "the benchmark that made it, once more")
        elif (
            found is not None and (stated := found["predictions_sha256"]) and store.find_npz(hash, stated) is None
        ):
            fault = f"no {PREDICTIONS} with the record's checksum {stated[:12]}…"
            yield Finding("predictions", hash, fault, f"{found['command']} --store {where}")
        count(done, len(hashes))


def pack(store: Store, count: Count) -> int:
    """Put the records that need not be run again into one file, and say how many there are.

    Their folders go once that file is on the disk: whoever is stopped leaves both, and the next packing goes on. Records
    that failed or are damaged stay in theirs, and those that lie beside files of others. Raises StoreError where the
    system refuses.
    """
    if not store.is_own(mark=True):
        raise StoreError(
            f"{store.root} must be a store that hsiaug made: nothing is removed of what is not marked as one",
            value="'records' that is a link, or that holds other things and no sound record",
            hint="Name the store itself; 'hsiaug store merge NEW OLD' copies its records into a new one.",
        )
    loose, done, content = sorted(store.loose()), [], hashlib.sha256()

    def finished() -> Iterator[tuple[Record, bytes, bytes | None]]:
        for place, record in enumerate(store.each(loose), 1):
            count(place, len(loose))
            hash, stated = record["hash"], record["predictions_sha256"]
            data, npz = store.data(hash), store.find_npz(hash, stated) if stated else None
            whole = data is not None and (npz is not None or not stated) and decode(data) == record
            if record["status"] == "failed" or data is None or not whole or not store.removable(hash):
                continue
            done.append(hash)
            if not store.packs.holds(hash, record["created"], data):
                content.update(data)
                yield record, data, npz and npz[0]

    rule = f"the store {store.root} must be a folder that can be written to"
    with (
        file_errors(rule, LOOK, StoreError),
        temporary_folders.temporary_folder(store.root / "records", "pack") as fresh,
    ):
        if write_pack(fresh / "pack", finished()):
            sync_files(fresh)
            store.packs.folder.mkdir(exist_ok=True)
            (fresh / "pack").replace(store.packs.folder / f"{content.hexdigest()[:16]}.sqlite")
            sync_folder(store.packs.folder)
            sync_folder(store.root)
        for hash in done:
            _drop(store, hash, fresh / hash)
    return len(done)


def _drop(store: Store, hash: str, aside: Path) -> None:
    """Remove the folder of a record that is packed, unless another record was written there meanwhile."""
    with suppress(FileNotFoundError):
        store.folder(hash).rename(aside)
        data = (aside / RECORD).read_bytes()
        if not store.packs.holds(hash, decode(data)["created"], data):
            aside.rename(store.folder(hash))
